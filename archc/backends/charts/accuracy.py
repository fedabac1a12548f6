"""Published accuracies: `archc/data/accuracy.csv`, or a file of the user's own. Each figure has its protocol and source.

Two figures can be compared where they were measured in one way by one hand. A *measure* is a protocol and a source; `assign`
takes as few measures as it can for a set of networks, and gives each but the first a mark, which charts and tables show.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("network", "top1", "top5", "crops", "protocol", "source", "status", "note")
REQUIRED = ("network", "top1", "protocol", "source")
MARKS = ("†", "‡", "§", "¶", "††", "‡‡", "§§", "¶¶", "†‡", "§¶")
SHIPPED = Path(__file__).resolve().parents[2] / "data" / "accuracy.csv"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A published figure: top-1 and top-5 accuracy in per cent on ImageNet's validation set, how it was measured, and who says so.

    `crops` is `1` for one crop of each image, `10`, or `many`; `status` tells how sure the figure itself is.
    """

    network: str
    top1: float
    top5: float | None
    crops: str
    protocol: str
    source: str
    status: str = ""
    note: str = ""

    @property
    def measure(self) -> tuple[str, str]:
        """What makes figures comparable."""
        return self.protocol, self.source


@dataclass(frozen=True, slots=True)
class Assigned:
    """The figure that was chosen for a network, and its measure's mark (none for the measure that most have)."""

    accuracy: Accuracy
    mark: str


class AccuracyError(Exception):
    """A file of accuracies that can't be read: what is wrong, and in which line."""


def read(path: Path | None = None) -> tuple[Accuracy, ...]:
    """The figures of a CSV file (`COLUMNS`; the last five may lack). Raises `AccuracyError`, `OSError`."""
    try:
        text = (path or SHIPPED).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise AccuracyError("it is not UTF-8 text") from None
    rows = csv.DictReader(io.StringIO(text))
    missing = [one for one in REQUIRED if one not in (rows.fieldnames or ())]
    if missing:
        raise AccuracyError(f"line 1 has no column {', '.join(missing)}; the columns are {', '.join(COLUMNS)}")
    return tuple(_row(row, at) for at, row in enumerate(rows, start=2))


def _row(row: Mapping[str, str | None], at: int) -> Accuracy:
    cells = {key: (row.get(key) or "").strip() for key in COLUMNS}
    for key in REQUIRED:
        if not cells[key]:
            raise AccuracyError(f"line {at} has no {key}")
    top1 = _percent(cells["top1"], at)
    top5 = _percent(cells["top5"], at) if cells["top5"] else None
    return Accuracy(cells["network"], top1, top5, cells["crops"] or "1", cells["protocol"], cells["source"], cells["status"], cells["note"])


def _percent(text: str, at: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise AccuracyError(f"line {at}: an accuracy is a number from 0 to 100 (per cent), and this is `{text[:40]}`")
    return value


def assign(networks: Sequence[str], known: Iterable[Accuracy], wanted: str = "", main: str = "") -> dict[str, Assigned]:
    """A figure for each network that has one, from as few measures as can be.

    Figures of one crop go before those of several. `wanted` is a text that the protocol or source must hold, whatever the case.
    The measure that covers the most networks is taken first, among equals the one that stands first in the file; one whose protocol
    is `main` goes before all.
    """
    rows = [one for one in known if one.network in networks and _fits(one, wanted)]
    found: dict[str, Assigned] = {}
    used = 0
    for crops in (["1"], None):
        while left := [one for one in rows if one.network not in found and (crops is None or one.crops in crops)]:
            measure = _widest([one for one in left if one.protocol == main] or left)
            mark = "" if not used else MARKS[used - 1] if used <= len(MARKS) else f"({used})"
            used += 1
            for one in left:
                if one.measure == measure and one.network not in found:
                    found[one.network] = Assigned(one, mark)
    return found


def _fits(one: Accuracy, wanted: str) -> bool:
    return wanted.lower() in f"{one.protocol} {one.source}".lower()


def _widest(rows: Sequence[Accuracy]) -> tuple[str, str]:
    covered: dict[tuple[str, str], set[str]] = {}
    for one in rows:
        covered.setdefault(one.measure, set()).add(one.network)
    return max(covered, key=lambda measure: len(covered[measure]))
