"""What is known of each network in a comparison: costs from the compiled graph, accuracy from the data file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archc.analyses import AnalysedGraph
from archc.analyses.depth import depth
from archc.analyses.work import flops, total_work
from archc.backends.charts.accuracy import MARKS, Assigned
from archc.backends.tabular import Column, Row, Table
from archc.diagnostics.figures import count, large

AXES = {
    "macs": ("macs", 1e9, "multiply-accumulates (G MACs)"),
    "ops": ("ops", 1e9, "operations (G, 2 for each multiply-accumulate)"),
    "flops": ("flops", 1e9, "floating-point operations (G FLOPs: 2 × MACs and all other work)"),
    "params": ("params", 1e6, "parameters (M)"),
}
"""What a chart's horizontal axis can be: the figure, its unit, and its title."""


@dataclass(frozen=True)
class Point:
    """One network: costs are for one example, and `None` where a size is open."""

    address: str
    label: str
    family: str
    year: int | None
    params: int
    macs: int | None
    flops: int | None
    depth: int
    published: Assigned | None

    @property
    def ops(self) -> int | None:
        """Two operations for each multiply-accumulate."""
        return None if self.macs is None else 2 * self.macs

    @property
    def top1(self) -> float | None:
        """Top-1 accuracy in per cent."""
        return None if self.published is None else self.published.accuracy.top1

    @property
    def mark(self) -> str:
        """The mark of another measure than most have."""
        return "" if self.published is None else self.published.mark

    @property
    def density(self) -> float | None:
        """Top-1 points for each million parameters."""
        return None if self.top1 is None or not self.params else self.top1 / (self.params / 1e6)

    def along(self, axis: str) -> float | None:
        """The figure of an axis in its unit: `along("macs")` in billions."""
        key, unit, _ = AXES[axis]
        value = getattr(self, key)
        return None if value is None else value / unit


def point(analysed: AnalysedGraph, label: str, family: str, published: Assigned | None) -> Point:
    """What is known of a compiled network."""
    graph, cost = analysed.graph, analysed.cost
    year = graph.source.get("year")
    return Point(
        graph.address, label, family, year if isinstance(year, int) else None, cost.params, cost.macs,
        flops(cost.macs, total_work(analysed.work)), depth(graph), published,
    )


def front(points: Sequence[Point], axis: str) -> list[Point]:
    """The Pareto front: those that no other network beats with at most their cost, from the cheapest on."""
    measured = [one for one in points if one.top1 is not None and one.along(axis) is not None]
    found: list[Point] = []
    for one in sorted(measured, key=lambda each: (each.along(axis) or 0, -(each.top1 or 0))):
        if not found or (one.top1 or 0) > (found[-1].top1 or 0):
            found.append(one)
    return found


HEADS = (
    Column("label", "network", False), Column("network", "address", False), Column("family", "family", False), Column("year", "year"),
    Column("depth", "depth"), Column("params", "parameters"), Column("macs", "MACs"), Column("flops", "FLOPs"),
    Column("top1", "top-1 %"), Column("top1_per_million_params", "top-1 / M params"), Column("pareto", "front", False),
    Column("protocol", "protocol", False), Column("source", "source", False), Column("status", "status", False),
)
SHORT = ("label", "network", "depth", "params", "macs", "flops", "top1", "top1_per_million_params", "pareto")
"""The columns of the text; protocols and sources stand in its notes."""


def table(points: Sequence[Point], title: str, axis: str, notes: Sequence[str], *, short: bool = False) -> Table:
    """The figures behind the charts."""
    best = {one.address for one in front(points, axis)}
    kept = [at for at, one in enumerate(HEADS) if not short or one.key in SHORT]
    rows = [_row(one, one.address in best, kept) for one in points]
    return Table(title, [HEADS[at] for at in kept], rows, (*measures(points), *notes))


def _row(one: Point, best: bool, kept: Sequence[int]) -> Row:
    published = None if one.published is None else one.published.accuracy
    where = ("", "", "") if published is None else (published.protocol, published.source, published.status)
    top1 = "unknown" if published is None else f"{published.top1:g}{one.mark}"
    density = "" if one.density is None else f"{one.density:.3g}"
    cells = [
        one.label, one.address, one.family, "" if one.year is None else str(one.year), str(one.depth), count(one.params), large(one.macs),
        large(one.flops), top1, density, "front" if best else "", *where,
    ]
    values = [one.label, one.address, one.family, one.year, one.depth, one.params, one.macs, one.flops, one.top1, one.density, best, *where]
    return Row([cells[at] for at in kept], lambda: [values[at] for at in kept])


def _rank(mark: str) -> tuple[int, str]:
    return (0, "") if not mark else (1 + MARKS.index(mark), "") if mark in MARKS else (99, mark)


def measures(points: Sequence[Point]) -> list[str]:
    """A line for each measure in use, the one without a mark first."""
    found: dict[str, str] = {}
    unsure: dict[str, set[str]] = {}
    for one in points:
        if one.published is None:
            continue
        accuracy, mark = one.published.accuracy, one.published.mark
        found.setdefault(mark, f"{accuracy.protocol}; {accuracy.source}")
        if accuracy.status not in ("", "public text", "package metadata", "library documentation"):
            unsure.setdefault(mark, set()).add(accuracy.status)
    lines: list[str] = []
    for mark in sorted(found, key=_rank):
        doubt = f" ({', '.join(sorted(unsure[mark]))})" if mark in unsure else ""
        lines.append(f"{mark or 'top-1'}{' top-1' if mark else ''}: {found[mark]}{doubt}")
    missing = [one.label for one in points if one.published is None]
    if missing:
        lines.append(f"no published top-1 on record: {', '.join(missing)}")
    return lines
