"""The winners of the ImageNet challenge's classification by year: error from `archc/data/ilsvrc.csv`, depth compiled."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archc.analyses import AnalysedGraph
from archc.analyses.depth import depth
from archc.backends.charts.vega import columns, page
from archc.backends.tabular import Column, Row, Table
from archc.diagnostics.figures import count, large

DATA = Path(__file__).resolve().parents[2] / "data" / "ilsvrc.csv"
TITLE = "Winners of the ImageNet challenge"
HUMAN = {"at": 5.1, "text": "one trained annotator: 5.1 (Russakovsky et al.)"}
SURE = "public text"


@dataclass(frozen=True)
class Winner:
    """A year's winner; `depth`, `params` and `macs` are `None` where it is no one network."""

    year: int
    team: str
    address: str
    label: str
    error: float
    protocol: str
    source: str
    status: str
    depth: int | None = None
    params: int | None = None
    macs: int | None = None


def winners(compile: Callable[[str], AnalysedGraph]) -> list[Winner]:
    """All years; `compile` gives the network at an address."""
    with DATA.open(encoding="utf-8", newline="") as file:
        return [_winner(row, compile) for row in csv.DictReader(file)]


def _winner(row: dict[str, str], compile: Callable[[str], AnalysedGraph]) -> Winner:
    stated = (int(row["year"]), row["team"], row["network"], row["label"], float(row["top5_error"]), row["protocol"], row["source"], row["status"])
    if not row["network"]:
        return Winner(*stated)
    analysed = compile(row["network"])
    return Winner(*stated, depth(analysed.graph), analysed.cost.params, analysed.cost.macs)


def chart(found: Sequence[Winner]) -> dict[str, Any]:
    """Top-5 errors above, depths below, by year."""
    errors = [
        {"x": f"{one.year}\n{one.label}", "top-5 error": one.error, "top-5 error text": f"{one.error:g}{'' if one.status == SURE else '†'}", "team": one.team, "measured": one.protocol, "source": one.source, "status": one.status, "unsure": one.status != SURE}
        for one in found
    ]
    depths = [
        {"x": f"{one.year}\n{one.label}", "depth": one.depth or 0, "depth text": _depth(one), "network": one.address or one.label, "parameters": count(one.params) if one.params else "", "unsure": False}
        for one in found
    ]
    notes = [
        "Depth: convolutions and dense layers on the longest path of the compiled network; the table names its spec.",
        "Errors are those of the entries on the challenge's test set, most of them of several networks together; the table tells more.",
        "† from memory, not confirmed in public text",
    ]
    subtitle = "ILSVRC classification, 2010 to 2017: top-5 error, and the depth of the network in weight layers."
    return page(TITLE, subtitle, notes, columns(errors, "top-5 error", "top-5 error (%)", "#1f5fa8", line=HUMAN), columns(depths, "depth", "weight layers", "#b3530b", height=170))


def _depth(one: Winner) -> str:
    if one.depth is not None:
        return str(one.depth)
    return "shallow" if one.year < 2012 else "several networks"


HEADS = (
    Column("year", "year", False), Column("team", "team", False), Column("label", "network", False), Column("network", "address", False), Column("top5_error", "top-5 error %"),
    Column("depth", "depth"), Column("params", "parameters"), Column("macs", "MACs"), Column("protocol", "measured", False), Column("source", "source", False), Column("status", "status", False),
)


def table(found: Sequence[Winner], *, short: bool = False) -> Table:
    """The figures behind the chart."""
    kept = range(8) if short else range(len(HEADS))
    rows = [_row(one, kept) for one in found]
    notes = [f"{one.year}: {one.protocol}; {one.source} ({one.status})" for one in found] if short else []
    return Table(TITLE, [HEADS[at] for at in kept], rows, notes)


def _row(one: Winner, kept: Sequence[int]) -> Row:
    values: list[Any] = [one.year, one.team, one.label, one.address, one.error, one.depth, one.params, one.macs, one.protocol, one.source, one.status]
    network = (str(one.depth), count(one.params), large(one.macs)) if one.address else (_depth(one), "", "")
    cells = [str(one.year), one.team, one.label, one.address, f"{one.error:g}", *network, one.protocol, one.source, one.status]
    return Row([cells[at] for at in kept], lambda: [values[at] for at in kept])
