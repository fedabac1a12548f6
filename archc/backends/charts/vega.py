"""Charts as Vega-Lite: plain data that any Vega-Lite tool (Altair, the online editor) opens and edits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archc.backends.charts.labels import Bubble, place
from archc.backends.charts.points import AXES, Point, front
from archc.backends.diagram.metrics import text_width

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
FONT = "Liberation Sans, Helvetica, Arial, sans-serif"
PALETTE = (
    "#1f5fa8", "#b3530b", "#1d7a3a", "#b3202c", "#6b3fa0", "#0b7a7f", "#a8307a", "#6e6a00", "#7a4b2b", "#3f4a5a", "#2c3fa8", "#8c1d40", "#2f6f4f", "#8a5a00", "#5a2d82",
)
"""One hue for each family, dark enough to be read as text on white (a contrast of 4.5 to 1 or more)."""
INK, GREY, GRID, PALE = "#1b1f24", "#57606a", "#e3e6ea", "#a3bddf"
WIDTH, HEIGHT, LABEL = 720, 460, 11.5
MANY = 30
"""From so many points on a chart is larger, and its bubbles smaller."""
LARGEST = 74
"""The diameter in pixels of the largest bubble."""
NO_BUBBLE = 7
FEW = 9
LOGARITHMIC = 30
"""From this ratio of largest to smallest on an axis is logarithmic."""

CONFIG: Spec = {
    "background": "white",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {"labelColor": GREY, "titleColor": INK, "gridColor": GRID, "domainColor": GREY, "tickColor": GREY, "labelFontSize": 11.5, "titleFontSize": 12.5, "titleFontWeight": "normal", "titlePadding": 10},
    "legend": {"labelColor": INK, "titleColor": INK, "labelFontSize": 11.5, "titleFontSize": 11.5, "titleFontWeight": "normal", "symbolStrokeWidth": 1.2},
    "title": {"anchor": "start", "color": INK, "subtitleColor": GREY, "fontSize": 17, "subtitleFontSize": 12, "subtitlePadding": 6, "offset": 14},
}


@dataclass(frozen=True)
class Scatter:
    """What a scatter chart of accuracy shows: its axis, bubbles by parameters, families joined by lines, the Pareto front.

    `logarithmic` is chosen by the data where it is `None`. `lines` joins these pairs of addresses, beside whole `joined` families.
    """

    axis: str = "macs"
    sized: bool = True
    joined: tuple[str, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    front: bool = False
    logarithmic: bool | None = None


def page(title: str, subtitle: str, notes: Sequence[str], *views: Spec) -> Spec:
    """A whole specification: the views above each other, and the notes below."""
    shown = [dict(one) for one in views]
    if notes:
        lines = [line for one in notes for line in wrapped(one, 132)]
        shown[-1]["title"] = {"text": lines, "orient": "bottom", "anchor": "start", "fontSize": 11, "fontWeight": "normal", "color": GREY, "offset": 12, "frame": "group"}
    described = f"{title}. {subtitle}"
    return {"$schema": SCHEMA, "description": described, "title": {"text": title, "subtitle": wrapped(subtitle, 118)}, "padding": 18, "spacing": 26, "vconcat": shown, "config": CONFIG}


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` characters."""
    import textwrap

    return textwrap.wrap(text, width, break_long_words=False) or [""]


def scatter(points: Sequence[Point], options: Scatter) -> Spec:
    """Top-1 accuracy against a cost, labels beside the points. Networks without either figure are left out."""
    shown = [one for one in points if one.top1 is not None and one.along(options.axis) is not None]
    xs = [one.along(options.axis) or 0.0 for one in shown]
    ys = [one.top1 or 0.0 for one in shown]
    largest = max((one.params for one in shown), default=1)
    many = len(shown) > MANY
    width, height, widest = (WIDTH * 1.25, HEIGHT * 1.35, LARGEST * 0.7) if many else (WIDTH, HEIGHT, LARGEST)
    sizes = [widest * math.sqrt(one.params / largest) if options.sized else NO_BUBBLE for one in shown]
    log = options.logarithmic if options.logarithmic is not None else bool(xs) and min(xs) > 0 and max(xs) / min(xs) > LOGARITHMIC
    x = _axis(xs, sizes, width, log, floor=0.0)
    y = _axis(ys, sizes, height, False, ceiling=100.0)
    best = {one.address for one in front(shown, options.axis)}
    bubbles = [Bubble(x.pixel(a), height - y.pixel(b), size / 2, f"{one.label}{one.mark}", int(one.address not in best)) for a, b, size, one in zip(xs, ys, sizes, shown, strict=True)]
    joins = _joins(shown, options)
    segments = [(bubbles[a].x, bubbles[a].y, bubbles[b].x, bubbles[b].y) for a, b in joins]
    if options.front:
        steps = sorted((one.x, one.y) for one in bubbles if one.rank == 0)
        for (a, b), (c, d) in itertools.pairwise(steps):
            segments += [(a, b, c, b), (c, b, c, d)]
    labels = place(bubbles, LABEL, width, height, segments)
    rows: list[Spec] = []
    for one, a, b, label in zip(shown, xs, ys, labels, strict=True):
        row = {**facts(one), "x": _round(a), "y": b, "front": one.address in best, "named": label is not None}
        if label is not None:
            row |= {"lx": _round(x.value(label.x)), "ly": _round(y.value(height - label.y)), "fx": _round(x.value(label.from_x)), "fy": _round(y.value(height - label.from_y)), "led": label.led}
        rows.append(row)
    layers = [*_lines(rows, joins), *([_front(rows)] if options.front else []), *_bubbles(options, largest, widest, hues(shown)), *_labels()]
    return {
        "width": width, "height": height, "data": {"values": rows},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "scale": x.scale, "axis": {"title": AXES[options.axis][2] + (", logarithmic" if log else ""), "format": "~r", "tickCount": 10}},
            "y": {"field": "y", "type": "quantitative", "scale": y.scale, "axis": {"title": "ImageNet top-1 accuracy (%)", "tickCount": 8}},
            "color": {"field": "family", "type": "nominal", "scale": hues(shown), "legend": _legend(shown)},
        },
        "layer": layers,
    }


def facts(one: Point) -> Spec:
    """A network's figures, as charts show them where the pointer is."""
    accuracy = None if one.published is None else one.published.accuracy
    return {
        "label": f"{one.label}{one.mark}", "address": one.address, "family": one.family, "year": one.year, "depth": one.depth,
        "parameters (M)": _round(one.params / 1e6), "G MACs": None if one.macs is None else _round(one.macs / 1e9),
        "G FLOPs": None if one.flops is None else _round(one.flops / 1e9), "top-1 (%)": one.top1, "mark": one.mark,
        "protocol": "" if accuracy is None else accuracy.protocol, "source": "" if accuracy is None else accuracy.source,
    }


TOLD = ("address", "family", "year", "depth", "parameters (M)", "G MACs", "G FLOPs", "top-1 (%)", "protocol", "source")


def tooltip() -> list[Spec]:
    """What is told of the network under the pointer."""
    return [{"field": "label", "type": "nominal", "title": "network"}, *({"field": one.replace(".", "\\."), "type": "nominal", "title": one} for one in TOLD)]


def hues(points: Sequence[Point]) -> Spec:
    """One hue for each family, in the order in which they come."""
    families = list(dict.fromkeys(one.family for one in points))
    return {"domain": families, "range": [_hue(at) for at in range(len(families))]}


def _hue(at: int) -> str:
    """A colour of the palette; after its end the same ones again, darker each time."""
    colour, again = PALETTE[at % len(PALETTE)], at // len(PALETTE)
    parts = (int(colour[one : one + 2], 16) for one in (1, 3, 5))
    return "#" + "".join(f"{round(one * 0.55**again):02x}" for one in parts)


def unnamed(view: Spec) -> int:
    """How many labels a scatter chart leaves out."""
    return sum(not row["named"] for row in view["data"]["values"])


def _legend(points: Sequence[Point]) -> Spec | None:
    """The families' hues, where they tell more than the labels do."""
    return {"title": "family"} if 1 < len({one.family for one in points}) < len(points) else None


def bars(points: Sequence[Point], figure: Callable[[Point], float | None], title: str, *, order: bool = True, format: str = ".1f") -> Spec:
    """A bar for each network that has the figure, the largest first, the number at its end."""
    shown = [one for one in points if figure(one) is not None]
    if order:
        shown.sort(key=lambda one: -(figure(one) or 0))
    rows = [{**facts(one), "value": _round(figure(one) or 0)} for one in shown]
    tinted = {"color": {"field": "family", "type": "nominal", "scale": hues(shown), "legend": _legend(shown)}}
    dimmed = {"condition": {"test": "datum.mark != ''", "value": 0.45}, "value": 1}
    highest = max((one["value"] for one in rows), default=1)
    base = {"y": {"field": "label", "type": "nominal", "sort": None, "axis": {"title": None, "labelColor": INK, "labelLimit": 340, "ticks": False, "domain": False}}, "x": {"field": "value", "type": "quantitative", "scale": {"domain": [0, _round(highest * 1.09)], "nice": False}, "axis": {"title": title, "tickCount": 8}}}
    return {
        "width": WIDTH - 160, "height": {"step": 21}, "data": {"values": rows}, "encoding": base,
        "layer": [
            {"mark": {"type": "bar", "height": {"band": 0.72}}, "encoding": {**tinted, "opacity": dimmed, "tooltip": tooltip()}},
            {"mark": {"type": "text", "align": "left", "dx": 5, "fontSize": LABEL, "color": INK}, "encoding": {"text": {"field": "value", "type": "quantitative", "format": format}}},
        ],
    }


def depths(points: Sequence[Point]) -> Spec:
    """A column for each network of known year, the oldest first; bars where they are more than columns have room for."""
    shown = sorted((one for one in points if one.year is not None), key=lambda one: (one.year or 0, one.depth))
    room = WIDTH / max(1, len(shown)) - 6
    if len(shown) > FEW or any(text_width(one.label, LABEL) > room for one in shown):
        named = [replace(one, label=f"{one.label} ({one.year})") for one in shown]
        return bars(named, lambda one: float(one.depth), "weight layers", order=False, format="d")
    rows = [{"x": f"{one.label}\n{one.year}", "depth": one.depth, "depth text": str(one.depth), **facts(one), "unsure": False} for one in shown]
    return columns(rows, "depth", "weight layers", PALETTE[0], height=300)


def columns(rows: Sequence[Mapping[str, Any]], y: str, title: str, colour: str, *, height: int = 230, line: Mapping[str, Any] | None = None) -> Spec:
    """A column for each row of an ordinal axis `x`, its `{y} text` above it; `line` is drawn across `at` a value, with its text."""
    values = [dict(one) for one in rows]
    axis = {"title": None, "labelAngle": 0, "labelColor": INK, "labelFontSize": 11.5, "labelExpr": "split(datum.label, '\\n')", "ticks": False, "labelPadding": 6, "labelLineHeight": 14}
    highest = max((one[y] for one in values), default=1)
    number = {"text": {"field": f"{y} text", "type": "nominal"}}
    told = [{"field": one, "type": "nominal"} for one in (values[0] if values else {}) if one not in ("x", "unsure", f"{y} text")]
    layers: list[Spec] = []
    if line:
        across, data = {"x": None, "y": {"field": "at", "type": "quantitative"}}, {"values": [dict(line)]}
        layers.append({"data": data, "mark": {"type": "rule", "strokeDash": [5, 3], "color": GREY, "strokeWidth": 1.2}, "encoding": across})
        layers.append({"data": data, "mark": {"type": "text", "align": "right", "baseline": "bottom", "dy": -4, "color": GREY, "fontSize": 11}, "encoding": {**across, "x": {"value": WIDTH}, "text": {"field": "text", "type": "nominal"}}})
    layers += [
        {"mark": {"type": "bar", "width": {"band": 0.62}}, "encoding": {"color": {"condition": {"test": "datum.unsure", "value": PALE}, "value": colour}, "tooltip": told}},
        {"mark": {"type": "text", "dy": -8, "fontSize": 12.5, "fontWeight": "bold", "stroke": "white", "strokeWidth": 3, "color": "white"}, "encoding": number},
        {"mark": {"type": "text", "dy": -8, "fontSize": 12.5, "fontWeight": "bold", "color": INK}, "encoding": number},
    ]
    return {
        "width": WIDTH, "height": height, "data": {"values": values},
        "encoding": {"x": {"field": "x", "type": "ordinal", "sort": None, "axis": axis}, "y": {"field": y, "type": "quantitative", "scale": {"domain": [0, _round(highest * 1.14)], "nice": False}, "axis": {"title": title, "tickCount": 5}}},
        "layer": layers,
    }


# The parts of a scatter chart


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    length: float
    log: bool

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def pixel(self, value: float) -> float:
        """Pixels from the axis's start."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(value) - low) / (high - low) * self.length

    def value(self, pixel: float) -> float:
        """The value at so many pixels from the start."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        scaled = low + pixel / self.length * (high - low)
        return 10**scaled if self.log else scaled

    @property
    def scale(self) -> Spec:
        """The scale in Vega-Lite's words."""
        return {"type": "log" if self.log else "linear", "domain": [_round(self.low), _round(self.high)], "nice": False, "zero": False}


def _axis(values: Sequence[float], sizes: Sequence[float], length: float, log: bool, *, floor: float | None = None, ceiling: float | None = None) -> _Axis:
    """An axis with room for the bubbles at its ends; it starts at `floor` where that is near, and doesn't go beyond it."""
    if not values:
        return _Axis(0, 1, length, False)
    scaled = [math.log10(one) for one in values] if log else list(values)
    span = (max(scaled) - min(scaled)) or max(abs(scaled[0]) * 0.2, 1.0)
    room = 26 / length * span
    low = min(one - size / 2 / length * span * 1.25 for one, size in zip(scaled, sizes, strict=True)) - room
    high = max(one + size / 2 / length * span * 1.25 for one, size in zip(scaled, sizes, strict=True)) + room
    if log:
        return _Axis(10**low, 10**high, length, True)
    if floor is not None and (low < floor or min(scaled) - floor < span * 0.4):
        low = floor
    return _Axis(low, high if ceiling is None else min(high, ceiling), length, False)


def _joins(points: Sequence[Point], options: Scatter) -> list[tuple[int, int]]:
    places = {one.address: at for at, one in enumerate(points)}
    found = [(places[a], places[b]) for a, b in options.lines if a in places and b in places]
    for family in options.joined:
        members = sorted((one for one in points if one.family == family), key=lambda one: (one.mark, one.along(options.axis) or 0))
        found += [(places[a.address], places[b.address]) for a, b in itertools.pairwise(members) if a.mark == b.mark]
    return found


def _lines(rows: Sequence[Spec], joins: Sequence[tuple[int, int]]) -> list[Spec]:
    if not joins:
        return []
    segments = [{"x": rows[a]["x"], "y": rows[a]["y"], "x2": rows[b]["x"], "y2": rows[b]["y"], "family": rows[b]["family"]} for a, b in joins]
    return [{"data": {"values": segments}, "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.75}, "encoding": {"x2": {"field": "x2"}, "y2": {"field": "y2"}}}]


def _front(rows: Sequence[Spec]) -> Spec:
    best = sorted(({"x": one["x"], "y": one["y"]} for one in rows if one["front"]), key=lambda one: one["x"])
    return {"data": {"values": best}, "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.6, "strokeDash": [6, 3]}, "encoding": {"color": {"value": GREY}, "order": {"field": "x", "type": "quantitative"}}}


def _bubbles(options: Scatter, largest: int, widest: float, scale: Spec) -> list[Spec]:
    """Hollow and dashed where another measure marks the figure, pale where the front is shown and passes the network by."""
    single_out = {"name": "family", "select": {"type": "point", "fields": ["family"]}, "bind": "legend"}
    zoom = {"name": "zoom", "select": "interval", "bind": "scales"}
    filled: Spec = {"condition": [{"test": {"not": {"param": "family"}}, "value": 0.04}, {"test": "datum.mark != ''", "value": 0.07}], "value": 0.4 if options.sized else 0.85}
    if options.front:
        filled["condition"].append({"test": "!datum.front", "value": 0.25})
    outlined = {"condition": [{"test": {"not": {"param": "family"}}, "value": 0.12}, *([{"test": "!datum.front", "value": 0.55}] if options.front else [])], "value": 0.95}
    encoding: Spec = {
        "fillOpacity": filled, "strokeOpacity": outlined, "tooltip": tooltip(),
        "strokeDash": {"condition": {"test": "datum.mark != ''", "value": [3, 2]}, "value": [1, 0]},
    }
    mark: Spec = {"type": "point", "shape": "circle", "filled": False, "strokeWidth": 1.3}
    encoding["fill"] = {"field": "family", "type": "nominal", "scale": scale, "legend": None}
    if not options.sized:
        # A small ring is white inside, so that no line runs through it.
        encoding["fill"]["condition"] = {"test": "datum.mark != ''", "value": "white"}
        filled["condition"] = [{"test": "datum.mark != ''", "value": 1}, *(one for one in filled["condition"] if one["test"] != "datum.mark != ''")]
    if options.sized:
        encoding["size"] = {"field": "parameters (M)", "type": "quantitative", "scale": {"type": "linear", "domain": [0, _round(largest / 1e6)], "range": [0, _round(widest**2)]},
                            "legend": {"title": "parameters (M)", "values": _sizes(largest / 1e6), "symbolFillColor": "transparent", "symbolStrokeColor": GREY, "format": "~r"}}
    else:
        mark["size"] = NO_BUBBLE**2 * 1.3
    layers: list[Spec] = [{"params": [single_out, zoom], "mark": mark, "encoding": encoding}]
    if options.sized:
        layers.append({"mark": {"type": "circle", "size": 9, "opacity": 0.8}, "encoding": {"color": {"value": "#444b53"}}})
    return layers


def _labels() -> list[Spec]:
    place = {"x": {"field": "lx", "type": "quantitative"}, "y": {"field": "ly", "type": "quantitative"}}
    faded = {"condition": {"test": {"not": {"param": "family"}}, "value": 0.15}, "value": 1}
    named = [{"filter": "datum.named"}]
    leader: Spec = {
        "transform": [{"filter": "datum.led"}], "mark": {"type": "rule", "strokeWidth": 0.8, "opacity": 0.7},
        "encoding": {"x": {"field": "fx", "type": "quantitative"}, "y": {"field": "fy", "type": "quantitative"}, "x2": {"field": "lx"}, "y2": {"field": "ly"}, "color": {"value": "#9aa3ad"}},
    }
    halo: Spec = {"transform": named, "mark": {"type": "text", "fontSize": LABEL, "stroke": "white", "strokeWidth": 3.2, "strokeOpacity": 0.85}, "encoding": {**place, "text": {"field": "label"}, "color": {"value": "white"}}}
    text: Spec = {"transform": named, "mark": {"type": "text", "fontSize": LABEL}, "encoding": {**place, "text": {"field": "label"}, "opacity": faded}}
    return [leader, halo, text]


def _sizes(largest: float) -> list[float]:
    """Three round numbers of parameters for the legend of sizes."""
    found: list[float] = []
    for share in (0.04, 0.3, 1.0):
        value = largest * share
        step = 10 ** math.floor(math.log10(value)) if value > 0 else 1.0
        found.append(_round(step * max((one for one in (1, 2, 5) if one * step <= value), default=1)))
    return list(dict.fromkeys(found))


def _round(value: float) -> float:
    """Six significant digits, the same text everywhere."""
    return float(f"{value:.6g}")
