"""Networks without the form of sequences and branches: they are set in layers, and nothing runs through anything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.backends.diagram.backend import to_svg
from archc.backends.diagram.layering import crossings, layers
from archc.backends.diagram.metrics import text_width
from archc.backends.diagram.outline import outline
from archc.backends.diagram.settling import Run, tracks
from archc.backends.diagram.structure import Frame, Mesh, Series, boxes_of, structure
from archc.graph.graph import Tensor
from archc.operators.activation import Relu
from archc.operators.convolution import Conv
from archc.operators.merging import Add, Concat
from archc.pipeline import load
from tests.test_diagram import SVG, Network, parsed, ways

Area = tuple[float, float, float, float]
TANGLED = ["hrnet:w18", "nasnet:mobile", "pnasnet:mobile", "feature-pyramid:resnet50"]


def areas(svg: str, *kinds: str) -> dict[str, Area]:
    """What the nodes of some kinds cover, by their ids."""
    found: dict[str, Area] = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        rect, polygon = group.find(f"{SVG}rect"), group.find(f"{SVG}polygon")
        if not set(kinds) & set(group.get("class", "").split()):
            continue
        if rect is not None:
            x, y, width, height = (float(rect.get(name, "")) for name in ("x", "y", "width", "height"))
            found[group.get("id", "")] = (x, y, x + width, y + height)
        elif polygon is not None:
            points = [tuple(map(float, one.split(","))) for one in polygon.get("points", "").split()]
            xs, ys = zip(*points)
            found[group.get("id", "")] = (min(xs), min(ys), max(xs), max(ys))
    return found


def texts(svg: str, kind: str) -> list[Area]:
    """What the texts of a kind of group cover."""
    found: list[Area] = []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        text = group.find(f"{SVG}text")
        if kind in group.get("class", "").split() and text is not None:
            x, y, size = (float(text.get(name, "")) for name in ("x", "y", "font-size"))
            found.append((x, y - size * 0.7, x + text_width(text.text or "", size, text.get("font-weight") == "bold"), y + size * 0.2))
    return found


def runs_through(points: list[tuple[float, float]], area: Area, by: float = 1.0) -> bool:
    """True where a line goes through an area, not along its side."""
    x0, y0, x1, y1 = area
    return any(min(a, c) < x1 - by and max(a, c) > x0 + by and min(b, d) < y1 - by and max(b, d) > y0 + by for (a, b), (c, d) in pairwise(points))


def apart(found: list[Area]) -> bool:
    """True where no two areas overlap."""
    return all(
        x1 <= a0 + 0.2 or a1 <= x0 + 0.2 or y1 <= b0 + 0.2 or b1 <= y0 + 0.2
        for at, (x0, y0, x1, y1) in enumerate(found)
        for a0, b0, a1, b1 in found[at + 1 :]
    )


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("address", [*TANGLED, "unet:2015", "yolov3:full"])
def test_no_line_runs_through_a_box(address: str, direction: str) -> None:
    name, _, variant = address.partition(":")
    svg = to_svg(load(name)[variant].graph, direction=direction, tooltips=False)
    boxes = areas(svg, "node", "template-node")
    assert apart(list(boxes.values()))
    assert [(name, points) for points in ways(svg) for name, area in boxes.items() if runs_through(points, area)] == []


@pytest.mark.parametrize("address", TANGLED)
def test_no_line_runs_through_a_title_or_a_shape(address: str) -> None:
    name, _, variant = address.partition(":")
    svg = to_svg(load(name)[variant].graph, tooltips=False)
    written = [*texts(svg, "frame"), *texts(svg, "shape")]
    assert [area for points in ways(svg) for area in written if runs_through(points, area)] == []


@pytest.mark.parametrize(("address", "most"), [("hrnet:w18", 60), ("nasnet:mobile", 60), ("pnasnet:mobile", 45), ("feature-pyramid:resnet50", 0)])
def test_few_lines_cross(address: str, most: int) -> None:
    """With arcs around everything they were 216, 226, 75 and 3."""
    name, _, variant = address.partition(":")
    pieces = [(number, *sorted(ends)) for number, points in enumerate(ways(to_svg(load(name)[variant].graph, tooltips=False))) for ends in pairwise(points)]
    level = [(one, a, c, b) for one, (a, b), (c, d) in pieces if abs(b - d) < 0.2]
    upright = [(one, a, b, d) for one, (a, b), (c, d) in pieces if abs(a - c) < 0.2]
    assert sum(1 for one, a, c, y in level for other, x, b, d in upright if one != other and a + 1 < x < c - 1 and b + 1 < y < d - 1) <= most


def meshes(series: Series) -> Iterator[Mesh]:
    """The meshes in a series, those in frames included."""
    for part in series.parts:
        if isinstance(part, Mesh):
            yield part
        elif isinstance(part, Frame):
            yield from meshes(part.body)


def crossed() -> Network:
    """Two towers that read each other: no sequence, no branches."""
    network = Network()
    start = network.flow
    left, right = network.add(Conv(filters=8, kernel=1)), network.add(Conv(filters=8, kernel=3, padding="same"), inputs=(start,))
    one = network.add(Add(), inputs=(left, right))
    other = network.add(Concat(), inputs=(left, right))
    network.add(Concat(), inputs=(one, other))
    return network


def test_a_mesh_holds_what_has_no_form_and_the_merge_behind_it() -> None:
    drawn = outline(crossed().graph(), "layers")
    (mesh,) = meshes(structure(drawn.items, drawn.edges, len(drawn.boxes)))
    assert boxes_of(mesh) == [1, 2, 3, 4, 5]
    made = layers(mesh)
    assert [made.rank[box] for box in range(1, 6)] == [0, 0, 1, 1, 2]
    assert crossings(made) == 1


def test_a_box_stands_below_all_that_it_reads() -> None:
    graph = load("nasnet")["mobile"].graph
    drawn = outline(graph)
    found = list(meshes(structure(drawn.items, drawn.edges, len(drawn.boxes))))
    assert found
    for mesh in found:
        made = layers(mesh)
        inside = set(made.rank)
        assert all(made.rank[edge.tail] < made.rank[edge.head] for edge in mesh.edges if {edge.tail, edge.head} <= inside)


def test_lines_that_turn_in_one_channel_lie_apart() -> None:
    runs = [Run(0, 0, 0, 50), Run(1, 20, 20, 80), Run(2, 90, 30, 90), Run(3, 200, 200, 240), Run(4, 10, 10, 10)]
    found = tracks(runs, 5)
    assert set(found) == {0, 1, 2, 3}
    assert len({found[0], found[1], found[2]}) == 3
    assert found[3] == 0
    assert found[1] < found[0]  # the one that starts further right turns first, and they do not cross


def test_an_end_stands_behind_what_it_reads() -> None:
    """An output made early and written last does not stretch over the network."""
    network = Network()
    early = network.add(Conv(filters=8, kernel=1))
    for _ in range(4):
        network.add(Conv(filters=8, kernel=1))
    last = network.flow
    end = network.add(Relu(), inputs=(early,))
    svg = to_svg(network.graph(last, end), detail="layers")
    nodes, edges = parsed(svg)
    assert (len(nodes), len(edges)) == (7, 6)
    boxes = areas(svg, "node")
    assert boxes["n6"][1] < boxes["n3"][1]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nothing_runs_through_a_box_in_any_graph(data: st.DataObject) -> None:
    network = Network((8, 8, 4))
    made: list[Tensor] = [network.flow]
    for _ in range(data.draw(st.integers(1, 12))):
        read = data.draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique=True))
        made.append(network.add(Add() if len(read) > 1 else Relu(), inputs=tuple(read)))
    unread = [one for one in made if not network.graph().consumers()[one.node]]
    network.add(Concat(), inputs=tuple(unread)) if len(unread) > 1 else None
    direction = data.draw(st.sampled_from(["TB", "LR"]))
    svg = to_svg(network.graph(), detail="layers", direction=direction, columns=1)
    boxes = areas(svg, "node")
    assert apart(list(boxes.values()))
    assert [points for points in ways(svg) for area in boxes.values() if runs_through(points, area)] == []
