"""The work of a sweep: points measured in chunks, by this process or by others; results come in the order of the points."""

from __future__ import annotations

import csv
import io
import json
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from archc.backends.tabular import guarded
from archc.diagnostics import CompileError, Source
from archc.diagnostics.limits import raised
from archc.language.catalogue import find
from archc.language.document import Value, plain, read
from archc.language.spec import File
from archc.operators import show
from archc.pipeline import Family, Measured, load_address
from archc.sweeps.cluster import cluster
from archc.sweeps.grid import Grid

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

AHEAD = 3
"""Chunks that wait for each process: results that are not their turn yet are held, so this bounds memory."""
FIGURES = ("params", "trainable", "macs", "layers", "weight_layers", "output")


@dataclass(frozen=True)
class Job:
    """What is the same for all chunks: the family, by its address, and what is asked of it.

    `text` is the spec where it came from standard input, `digest` that of all the texts it is made of. `escape` guards
    cells that a spreadsheet would run as formulas. `limits` are those of the call, which other processes do not know.
    """

    address: str
    text: bytes | None
    variant: str
    grid: Grid
    max_params: int | None
    max_macs: int | None
    digest: str
    escape: bool
    limits: tuple[tuple[str, int], ...] = ()


@dataclass
class Fault:
    """Points that one code names as wrong: how many, and the first of them."""

    count: int
    example: str
    message: str


@dataclass
class Tally:
    """How points fared: written, left out for a limit (by its option), or wrong (by code)."""

    rows: int = 0
    over: dict[str, int] = field(default_factory=dict[str, int])
    faults: dict[str, Fault] = field(default_factory=dict[str, Fault])

    @property
    def points(self) -> int:
        """All of the points."""
        return self.rows + sum(self.over.values()) + sum(one.count for one in self.faults.values())

    def add(self, other: Tally) -> None:
        """Counts later points too."""
        self.rows += other.rows
        for option, count in other.over.items():
            self.over[option] = self.over.get(option, 0) + count
        for code, fault in other.faults.items():
            known = self.faults.setdefault(code, Fault(0, fault.example, fault.message))
            known.count += fault.count


@dataclass(frozen=True)
class Chunk:
    """The rows of some points as CSV text, and how the points fared."""

    text: str
    tally: Tally


def columns(grid: Grid) -> list[str]:
    """The names of the columns: the axes, then the figures; an axis that is named like a figure becomes `set_params`."""
    return [*(f"set_{one.name}" if one.name in FIGURES else one.name for one in grid.axes), *FIGURES]


def digest(family: Family) -> str:
    """What tells a family's texts from changed ones."""
    seen: dict[int, File] = {}
    waiting = [family.spec.file]
    while waiting:
        file = waiting.pop()
        if id(file) not in seen:
            seen[id(file)] = file
            waiting.extend(file.used)
    return sha256("\0".join(one.source.text for one in seen.values()).encode()).hexdigest()[:16]


class Stale(Exception):
    """The spec was changed while the sweep ran."""


class Ended(Exception):
    """The sweep ended before a chunk was whole; nobody waits for it."""


class Surveyor:
    """Measures the points of a job, with what it has learnt from earlier ones."""

    def __init__(self, job: Job, family: Family | None = None) -> None:
        self.job = job
        self.family = load_address(find(job.address, job.text)) if family is None else family
        if digest(self.family) != job.digest:
            raise Stale
        self.values: list[list[tuple[Value, Any]]] = []
        for axis in job.grid.axes:
            located = [read(Source(f"--set {axis.name}", text)) for text in axis.texts]
            self.values.append([(one, cell(plain(one), job.escape)) for one in located])

    def chunk(self, points: Sequence[int]) -> Chunk:
        """Measures points; one that is wrong is counted, and the next one is measured."""
        job, tally, lines = self.job, Tally(), io.StringIO()
        names = [one.name for one in job.grid.axes]
        write = csv.writer(lines, lineterminator="\n").writerow
        for point in points:
            if _stop is not None and _stop.is_set():
                raise Ended
            chosen = [values[place] for values, place in zip(self.values, job.grid.places(point), strict=True)]
            try:
                measured = self.family.measure(job.variant, {name: one for name, (one, _) in zip(names, chosen, strict=True)})
            except CompileError as problem:
                first = next((one for one in problem.diagnostics if one.severity == "error"), problem.diagnostics[0])
                tally.add(Tally(faults={first.code.id: Fault(1, job.grid.words(point), first.message)}))
                continue
            limit = over(measured, job)
            if limit:
                tally.add(Tally(over={limit: 1}))
                continue
            tally.rows += 1
            write([*(one for _, one in chosen), *row(measured, job.escape)])
        return Chunk(lines.getvalue(), tally)


def row(measured: Measured, escape: bool) -> list[Any]:
    """The cells of `FIGURES`; a figure that is unknown is empty."""
    one = measured.figures
    shapes = " ".join(show(shape) for _, shape in measured.outputs)
    return [one.params, one.trainable, "" if one.macs is None else one.macs, one.layers, one.weight_layers, cell(shapes, escape)]


def over(measured: Measured, job: Job) -> str:
    """The option whose limit a network is over, or nothing. Unknown MACs are over every limit."""
    if job.max_params is not None and measured.figures.params > job.max_params:
        return "--max-params"
    macs = measured.figures.macs
    if job.max_macs is not None and (macs is None or macs > job.max_macs):
        return "--max-macs"
    return ""


def cell(value: Any, escape: bool) -> Any:
    """A value as a cell: numbers as they are, lists and mappings as JSON, text guarded where a spreadsheet would run it."""
    if value is None or isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    return guarded(value) if escape and isinstance(value, str) else value


@lru_cache(maxsize=1)
def surveyor(job: Job) -> Surveyor:
    """This process's own, kept from chunk to chunk."""
    return Surveyor(job)


def survey(job: Job, points: Sequence[int]) -> Chunk:
    """Measures a chunk in whatever process this is."""
    with raised(dict(job.limits)):
        return surveyor(job).chunk(points)


def here(job: Job, chunks: Iterable[Sequence[int]], family: Family) -> Iterator[Chunk]:
    """Measures chunks in this process."""
    own = Surveyor(job, family)
    for one in chunks:
        yield own.chunk(one)


def in_processes(job: Job, chunks: Iterable[Sequence[int]], processes: int) -> Iterator[Chunk]:
    """Measures chunks in processes of this machine. Raises `concurrent.futures.BrokenExecutor` where one dies."""
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing import get_context

    context = get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(processes, context, initializer=_patient, initargs=(stop,))
    waiting: deque[Future[Chunk]] = deque()
    try:
        for one in chunks:
            waiting.append(pool.submit(survey, job, one))
            if len(waiting) >= processes * AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


_stop: Event | None = None
"""Set when the process that started this one needs no more of it."""


def _patient(stop: Event) -> None:
    """An interruption is told to the whole group of processes; the one that started them ends the others."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def on_ray(job: Job, chunks: Iterable[Sequence[int]], address: str) -> Iterator[Chunk]:
    """Measures chunks on a Ray cluster (`local` starts one here); archc and the spec must be found on its machines.

    Raises `OSError` where there is no cluster, and Ray's own errors where a machine fails more often than it retries.
    """
    with cluster(address) as library:
        task, shared = library.remote(survey), library.put(job)
        processes = max(1, int(library.cluster_resources().get("CPU", 1)))
        waiting: deque[Any] = deque()
        for one in chunks:
            waiting.append(task.remote(shared, one))
            if len(waiting) >= processes * AHEAD:
                yield library.get(waiting.popleft())
        while waiting:
            yield library.get(waiting.popleft())
