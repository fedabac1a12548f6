"""The chart of a sweep: parameters against MACs, a dot for each network, coloured by one axis of values and formed by another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from archc.backends.charts.vega import HEIGHT, LOGARITHMIC, PALETTE, WIDTH, Spec, page
from archc.diagnostics.figures import count

MOST = 2_000
"""So many networks are drawn; of more, as many that stand evenly among them."""
SHAPES = 6
"""So many values of an axis can be told apart by the form of a dot."""
KINDS = {"svg": "svg", "png": "png", "vega": "vl.json"}
"""What a sweep's chart is written as, and the ends of the files' names."""

Cells = Mapping[str, str]


def evenly(rows: Iterable[Cells], total: int, most: int = MOST) -> Iterator[Cells]:
    """All of `total` rows, or `most` of them at equal distances; read one at a time.

    >>> [one["n"] for one in evenly(({"n": str(at)} for at in range(10)), 10, 4)]
    ['0', '3', '5', '8']
    """
    taken = 0
    for at, row in enumerate(rows):
        if total <= most or at * most >= taken * total:
            taken += 1
            yield row


def chart(rows: Sequence[Cells], axes: Sequence[str], title: str, total: int) -> Spec:
    """Rows of a sweep's table as Vega-Lite; `axes` are the columns that were given, `total` how many rows there are."""
    known = [one for one in rows if one["macs"]]
    notes = [f"{count(len(rows))} of {count(total)} networks are drawn, evenly among the rows."] if len(rows) < total else []
    if len(known) < len(rows):
        notes.append(f"{count(len(rows) - len(known))} have unknown MACs and are left out.")
    hue = max(axes, key=lambda axis: len({one[axis] for one in rows}), default="")
    form = next((one for one in axes if one != hue and 1 < len({row[one] for row in rows}) <= SHAPES), "")
    macs, params = [int(one["macs"]) / 1e9 for one in known], [int(one["params"]) / 1e6 for one in known]
    values = [{**{axis: _value(one[axis]) for axis in axes}, "G MACs": x, "M parameters": y, "output": one["output"]} for one, x, y in zip(known, macs, params, strict=True)]
    encoding: Spec = {
        "x": _measure("G MACs", macs, "multiply-accumulates (G MACs)"),
        "y": _measure("M parameters", params, "parameters (M)"),
        "color": _hue(hue, values),
        "tooltip": [{"field": _field(one), "title": one} for one in (*axes, "G MACs", "M parameters", "output")],
    }
    if form:
        encoding["shape"] = {"field": _field(form), "type": "nominal", "title": form}
    view = {
        "width": WIDTH, "height": HEIGHT, "data": {"values": values}, "encoding": encoding,
        "mark": {"type": "point", "filled": True, "size": 34 if len(values) < 400 else 16, "opacity": 0.75},
    }
    rest = [one for one in axes if one not in (hue, form) and len({row[one] for row in rows}) > 1]
    if rest:
        notes.append(f"Not told apart: {', '.join(rest)}.")
    told = f"Each dot is a network; its colour is {hue}" + (f", its form {form}." if form else ".")
    return page(title, told, notes, view)


def _hue(axis: str, values: Sequence[Mapping[str, Any]]) -> Spec:
    numbers = all(isinstance(one[axis], int | float) for one in values)
    found: Spec = {"field": _field(axis), "title": axis}
    if numbers:
        return {**found, "type": "quantitative", "scale": {"scheme": "viridis"}}
    return {**found, "type": "nominal", "scale": {"range": list(PALETTE)}}


def _measure(name: str, values: Sequence[float], title: str) -> Spec:
    log = bool(values) and min(values) > 0 and max(values) / min(values) > LOGARITHMIC
    scale: Spec = {"type": "log"} if log else {"type": "linear", "zero": True}
    return {"field": name, "type": "quantitative", "scale": scale, "axis": {"title": title + (", logarithmic" if log else ""), "format": "~r"}}


def _field(name: str) -> str:
    """A column's name as Vega-Lite takes it: dots and brackets lead into objects there."""
    return name.replace("\\", "\\\\").replace(".", "\\.").replace("[", "\\[").replace("]", "\\]")


def _value(text: str) -> int | float | str:
    """A cell as a number, where it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
