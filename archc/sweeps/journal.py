"""What an interrupted sweep leaves: the rows so far, and a journal that says which chunks they are.

Beside `nets.csv` stand `nets.csv.part`, the rows, and `nets.csv.journal`: its first line says what the sweep is, and
each further one that a chunk's rows are in the part up to a byte. A line is written once its rows are on the disk, so
whatever follows the last whole line was not finished, and is cut off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast

from archc.sweeps.work import Chunk, Fault, Tally


class Changed(Exception):
    """An interrupted sweep is of something else; holds what differs, before and now."""

    def __init__(self, differences: Mapping[str, tuple[Any, Any]]) -> None:
        super().__init__(differences)
        self.differences = differences


class Busy(Exception):
    """Another process writes the same sweep."""


class Journal:
    """The part and the journal of one sweep; `chunks` of them are done, and `tally` is theirs."""

    def __init__(self, output: Path, head: Mapping[str, Any], first: str, *, restart: bool = False) -> None:
        """Opens or begins a sweep whose table begins with the line `first`. Raises `Changed`, `Busy`, `OSError`."""
        self.part_path = output.with_name(output.name + ".part")
        self.path = output.with_name(output.name + ".journal")
        self.chunks = 0
        self.tally = Tally()
        output.parent.mkdir(parents=True, exist_ok=True)
        self.file: BinaryIO = open(self.path, "a+b")  # noqa: SIM115 - open as long as the sweep
        self.part: BinaryIO | None = None
        try:
            _lock(self.file)
            end = None if restart else self.resume(head)
            self.part = open(self.part_path, "a+b")  # noqa: SIM115
            if end is None:
                self.file.truncate(0)
                self.part.truncate(0)
                self.part.write(first.encode())
                _flush(self.part)
                self.line({"sweep": dict(head), "end": self.part.tell()})
            else:
                self.part.truncate(end)
        except BaseException:
            self.close()
            raise

    def resume(self, head: Mapping[str, Any]) -> int | None:
        """The bytes of the part that count; `None` where there is nothing to go on with."""
        self.file.seek(0)
        whole = 0
        end: int | None = None
        for text in self.file:
            line = _line(text)
            if line is None:
                break
            if end is None:
                before = line["sweep"]
                differences = {key: (before.get(key), head.get(key)) for key in {**before, **head} if before.get(key) != head.get(key)}
                if differences:
                    raise Changed(differences)
            elif not self.part_path.exists() or line["end"] > self.part_path.stat().st_size:
                break
            else:
                self.chunks += 1
                self.tally.add(Tally(line["rows"], line["over"], {code: Fault(**one) for code, one in line["faults"].items()}))
            end = line["end"]
            whole += len(text)
        self.file.truncate(whole)
        return end if end is not None and self.part_path.exists() else None

    def add(self, chunk: Chunk) -> None:
        """Appends the next chunk; what is interrupted here is done again."""
        assert self.part is not None
        self.part.write(chunk.text.encode())
        _flush(self.part)
        self.line({"end": self.part.tell(), **asdict(chunk.tally)})
        self.chunks += 1
        self.tally.add(chunk.tally)

    def line(self, data: Mapping[str, Any]) -> None:
        self.file.write(json.dumps(data, ensure_ascii=False).encode() + b"\n")
        _flush(self.file)

    def close(self) -> None:
        """Closes both files, and leaves them."""
        self.file.close()
        if self.part is not None:
            self.part.close()

    def remove(self) -> None:
        """Takes away what a finished sweep does not need."""
        self.close()
        self.part_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def _line(text: bytes) -> dict[str, Any] | None:
    """A whole line of a journal; nothing where an interruption cut it."""
    try:
        found: Any = json.loads(text) if text.endswith(b"\n") else None
    except ValueError:
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _lock(file: BinaryIO) -> None:
    """Keeps other processes off the sweep until the file is closed, where the system can."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy from None
