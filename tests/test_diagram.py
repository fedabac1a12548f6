"""Diagrams: what is drawn is what the graph holds, folding is honest, and the files are sound and stable."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archc
from archc import gallery
from archc.backends.base import EngineError
from archc.backends.diagram import engine
from archc.backends.diagram.backend import DiagramBackend, FileFormat, to_dot, to_svg
from archc.backends.diagram.dot import ATTRIBUTES
from archc.backends.diagram.engine import layout
from archc.backends.diagram.metrics import text_width
from archc.backends.diagram.outline import outline
from archc.backends.diagram.styles import theme_of
from archc.backends.diagram.tree import Box, Cluster
from archc.backends.diagram.view import View
from archc.backends.diagram.words import amount_text, lines
from archc.commands import main
from archc.diagnostics import Origin, Source, Span
from archc.graph.graph import Graph, Group, GroupKind, Node, Tensor
from archc.operators import Operator, Role, Shape
from archc.operators.activation import Relu
from archc.operators.convolution import Conv, ConvTranspose, DepthwiseConv
from archc.operators.dense import Dense
from archc.operators.escape import Input
from archc.operators.merging import Add, Concat
from archc.operators.normalisation import BatchNorm
from archc.operators.pooling import GlobalAvgPool, MaxPool
from archc.operators.regularisation import DropPath
from archc.pipeline import load

DOCS = Path(__file__).resolve().parent.parent / "docs"
SVG = "{http://www.w3.org/2000/svg}"


class Network:
    """Builds a graph by hand: `flow` is the flowing tensor, `inside` opens a part of the text."""

    def __init__(self, shape: Shape = (32, 32, 8), title: str = "A network") -> None:
        self.origin = Origin(Span(Source("net.yaml", "x"), 0, 1))
        self.title = title
        self.group = self.root = Group("network", "", "", None)
        self.nodes: list[Node] = []
        self.flow = self.add(Input(shape=shape, dtype="float32"), name="input", inputs=())

    def add(
        self, operator: Operator, name: str = "", inputs: tuple[Tensor, ...] | None = None, shared: int | None = None
    ) -> Tensor:
        read = (self.flow,) if inputs is None else inputs
        shapes = tuple(self.nodes[one.node].shapes[one.output] for one in read)
        index = len(self.nodes)
        name = name or f"{operator.name}_{index}"
        made = operator.shapes(shapes)
        self.nodes.append(Node(index, name, operator, read, shapes, made, self.origin, self.group, shared=shared))
        self.flow = Tensor(index)
        return self.flow

    @contextmanager
    def inside(self, kind: GroupKind, label: str = "", title: str = "") -> Generator[None, None, None]:
        outer = self.group
        self.group = Group(kind, label, title, outer)
        yield
        self.group = outer

    def conv_bn(self, filters: int, kernel: int = 3, stride: int = 1) -> Tensor:
        with self.inside("macro", "conv_bn", "conv_bn"):
            self.add(Conv(filters=filters, kernel=kernel, stride=stride, padding="same"))
            self.add(BatchNorm())
            return self.add(Relu())

    def residual(self, filters: int, stride: int = 1, label: str = "") -> Tensor:
        start = self.flow
        with self.inside("macro", label, "unit"):
            self.conv_bn(filters, stride=stride)
            kept = self.conv_bn(filters)
            projected = stride != 1 or self.nodes[start.node].shape[-1] != filters
            short = self.add(Conv(filters=filters, stride=stride), inputs=(start,)) if projected else start
            return self.add(Add(), inputs=(kept, short))

    def graph(self, *outputs: Tensor) -> Graph:
        named = tuple((f"out{number}", one) for number, one in enumerate(outputs or (self.flow,)))
        return Graph("net", "A", self.title, "", {}, tuple(self.nodes), (0,), named, self.root)


def stack(*strides: int, filters: int = 8) -> Network:
    """Residual units, one after the other."""
    network = Network()
    with network.inside("loop", "block", "block"):
        for number, stride in enumerate(strides):
            with network.inside("iteration", f"block{number + 1}", "block"):
                network.residual(filters, stride)
    return network


def inception() -> Graph:
    network = Network()
    start, ends = network.flow, list[Tensor]()
    with network.inside("macro", "3a", "inception"):
        for kernel in (1, 3, 5, 7):
            network.flow = start
            ends.append(network.conv_bn(kernel, kernel))
        network.add(Concat(), inputs=tuple(ends))
    return network.graph()


def counts(graph: Graph) -> list[int]:
    """How often each folded frame repeats, in order; 1 for the others."""
    found: list[int] = []
    pending: list[Box | Cluster] = list(reversed(outline(graph).items))
    while pending:
        item = pending.pop()
        if isinstance(item, Cluster):
            found.append(item.count)
            pending.extend(reversed(item.items))
    return found


def parsed(svg: str) -> tuple[list[ElementTree.Element], list[ElementTree.Element]]:
    """The nodes and edges of an SVG."""
    groups = [(one, one.get("class", "").split()) for one in ElementTree.fromstring(svg).iter(f"{SVG}g")]
    nodes = [one for one, kinds in groups if "node" in kinds and not {"connector", "shape", "legend"} & set(kinds)]
    return nodes, [one for one, kinds in groups if "edge" in kinds]


def place(node: ElementTree.Element) -> tuple[float, float]:
    """Where a node's first line of text stands."""
    text = node.find(f"{SVG}text")
    assert text is not None
    return float(text.get("x", "")), float(text.get("y", ""))


def size(svg: str) -> tuple[float, float]:
    root = ElementTree.fromstring(svg)
    return float(root.get("width", "")), float(root.get("height", ""))


def test_layers_draws_every_node_and_edge() -> None:
    graph = stack(2, 1, 1).graph()
    nodes, edges = parsed(to_svg(graph, detail="layers"))
    assert len(nodes) == len(graph.nodes)
    assert len(edges) == sum(len(node.inputs) for node in graph.nodes)
    drawn = Counter(kind for node in nodes for kind in node.get("class", "").split() if kind != "node")
    assert drawn == Counter(f"role-{node.operator.role.value}" for node in graph.nodes)


def test_a_layer_is_one_box() -> None:
    network = Network((224, 224, 3))
    network.conv_bn(64, 7, 2)
    drawing = outline(network.graph())
    assert [lines(box) for box in drawing.boxes] == [["Input", "224×224×3"], ["Conv 7×7 / 2 · BN · ReLU", "64"]]
    assert all(isinstance(item, Box) for item in drawing.items)


def test_a_tensor_that_others_read_is_not_fused_away() -> None:
    network = Network()
    kept = network.add(Conv(filters=8, kernel=1))
    network.add(Add(), inputs=(network.add(Relu()), kept))
    assert len(outline(network.graph()).boxes) == 4
    network = Network()
    kept = network.add(Conv(filters=8, kernel=1))
    network.add(Relu())
    assert len(outline(network.graph(kept, network.flow)).boxes) == 3


def test_equal_blocks_fold_and_the_different_first_one_is_drawn() -> None:
    graph = stack(2, 1, 1, 1).graph()
    assert counts(graph) == [1, 3]
    assert "× 3" in to_svg(graph)


def test_folded_blocks_stand_for_all_their_nodes() -> None:
    graph = stack(2, *[1] * 9).graph()
    seen = Counter(node.index for box in outline(graph).boxes for copy in box.copies for node in copy)
    assert seen == Counter(range(len(graph.nodes)))


def test_blocks_that_differ_do_not_fold() -> None:
    network = Network()
    for kernel in (3, 5):
        with network.inside("macro", "", "pair"):
            network.conv_bn(8, kernel)
            network.conv_bn(8, kernel)
    assert counts(network.graph()) == [1, 1]


def test_a_block_that_is_read_elsewhere_is_drawn() -> None:
    network = Network()
    ends = [network.residual(8) for _ in range(4)]
    network.add(Concat(), inputs=(ends[1], ends[3]))
    assert counts(network.graph()) == [2, 2]
    assert counts(network.graph(ends[0], network.flow)) == [1, 1, 2]


def test_parallel_blocks_do_not_fold() -> None:
    network = Network()
    start, ends = network.flow, list[Tensor]()
    for _ in range(3):
        network.flow = start
        ends.append(network.residual(8))
    network.add(Concat(), inputs=tuple(ends))
    assert counts(network.graph()) == [1, 1, 1]


def test_blocks_that_share_weights_fold_apart_from_blocks_that_own_them() -> None:
    network = Network()
    for shared in (None, None, 4, 4):
        with network.inside("macro", "", "unit"):
            network.add(Dense(units=8))
            network.add(MaxPool(size=1))
            network.add(Dense(units=8), shared=shared)
    assert counts(network.graph()) == [2, 2]


def test_a_fold_states_the_range_of_rates() -> None:
    network = Network()
    for rate in (0.1, 0.2, 0.3):
        with network.inside("macro", "", "unit"):
            network.conv_bn(8)
            network.add(DropPath(rate=rate))
    assert counts(network.graph()) == [3]
    assert "0.1–0.3" in to_dot(network.graph())


def test_folds_inside_folds_connect() -> None:
    network = Network()
    for _ in range(3):
        with network.inside("steps", "stage", "stage"):
            network.add(MaxPool(size=1))
            for _ in range(4):
                network.residual(8)
    network.add(GlobalAvgPool())
    graph = network.graph()
    assert counts(graph) == [3, 4]
    drawing = outline(graph)
    assert {edge.head for edge in drawing.edges} == {box.id for box in drawing.boxes} - {0}


def test_shapes_stand_where_they_change_and_at_merges() -> None:
    drawing = outline(inception())
    merge = next(box.id for box in drawing.boxes if box.role is Role.MERGE)
    assert all(edge.labelled for edge in drawing.edges if edge.head == merge)
    network = Network()
    for filters in (8, 16, 16):
        network.add(Conv(filters=filters, kernel=3, padding="same"))
    network.add(MaxPool(size=2))
    assert [edge.labelled for edge in outline(network.graph()).edges] == [False, False, True, False]


def test_branches_stand_in_the_order_of_the_text() -> None:
    nodes, _ = parsed(to_svg(inception()))
    places: list[tuple[float, str]] = []
    for node in nodes:
        text = [one.text or "" for one in node.iter(f"{SVG}text")]
        place = node.find(f"{SVG}text")
        if text[0].startswith("Conv") and place is not None:
            places.append((float(place.get("x", "0")), text[0][5:8]))
    assert [kernel for _, kernel in sorted(places)] == ["1×1", "3×3", "5×5", "7×7"]


def test_skips_are_dashed_and_short_branches_are_not() -> None:
    assert [edge.skip for edge in outline(stack(1).graph()).edges].count(True) == 1
    assert not any(edge.skip for edge in outline(stack(2).graph()).edges)
    assert not any(edge.skip for edge in outline(inception()).edges)


def test_a_shortcut_is_drawn_around_a_block_that_has_one_around_all_of_it() -> None:
    """A stage of residual blocks begins with one, and has none itself."""
    graph = archc.compile("resnet:18").graph
    assert not any(box.shortcut for box in outline(graph, "overview").boxes)
    opened = outline(graph, View("overview", expand=("stage1", "stage2"))).boxes
    assert [(box.count, box.shortcut) for box in opened if "basic" in box.title] == [(2, True), (1, False), (1, True)]


def test_an_overview_has_one_box_for_each_block() -> None:
    drawing = outline(stack(2, 1, 1, 1).graph(), "overview")
    assert [(box.title, box.count) for box in drawing.boxes[1:]] == [("block1 · unit", 1), ("unit", 3)]
    assert [(edge.tail, edge.head) for edge in drawing.edges] == [(0, 1), (1, 2)]


def test_a_long_network_is_broken_into_columns() -> None:
    network = Network()
    for number in range(40):
        network.add(Conv(filters=8, kernel=1 + number, padding="same"))
    svg = to_svg(network.graph())
    nodes, edges = parsed(svg)
    assert (len(nodes), len(edges)) == (41, 40)
    assert len({place(node)[0] for node in nodes}) > 1
    tops = [place(node)[1] for node in nodes]
    assert tops != sorted(tops)
    width, height = size(svg)
    assert 0.7 < height / width < 1.7
    assert len({place(node)[0] for node in parsed(to_svg(network.graph(), columns=1))[0]}) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_the_svg_is_accessible_and_inert(direction: str, theme: str) -> None:
    svg = to_svg(stack(2, 1, 1).graph(), direction=direction, theme=theme)
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert [child.tag for child in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert root.get("aria-labelledby") == f"{root[0].get('id')} {root[1].get('id')}"
    assert root[0].text == "A network"
    tags = {one.tag.removeprefix(SVG) for one in root.iter()}
    assert tags <= {"svg", "g", "title", "desc", "polygon", "path", "rect", "text"}
    names = {name for one in root.iter() for name in one.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name]
    assert "http" not in svg.replace(SVG[1:-1], "")
    assert "<!--" not in svg


def test_the_totals_are_stated() -> None:
    network = Network((224, 224, 3))
    network.conv_bn(64, 7, 2)
    network.add(GlobalAvgPool())
    network.add(Dense(units=1000))
    shown = " ".join(ElementTree.fromstring(to_svg(network.graph())).itertext())
    assert "74.7 k parameters · 118 M MACs" in shown
    assert "input 224×224×3 · output 1000" in shown
    assert amount_text(999_999) == "1.00 M"


def test_shared_weights_count_once() -> None:
    network = Network((10,))
    first = network.add(Dense(units=10, bias=False))
    network.add(Dense(units=10, bias=False), shared=first.node)
    assert outline(network.graph()).totals.startswith("100 parameters · 200 MACs")


def test_grouped_convolutions_have_a_double_border() -> None:
    network = Network()
    network.add(DepthwiseConv(kernel=3))
    assert 'peripheries="2"' in to_dot(network.graph()).split("n1 [")[1].splitlines()[0]


def written(svg: str) -> list[str]:
    """The lines of text in a picture."""
    return [one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def rectangles(svg: str, kind: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of the first rectangle in each group of a kind."""
    found: list[tuple[float, float, float, float]] = []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if kind in group.get("class", "").split() and rect is not None:
            x, y, width, height = (float(rect.get(name, "")) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


def ways(svg: str) -> list[list[tuple[float, float]]]:
    """The points of each line, with the corners that are rounded."""
    groups = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}g") if "edge" in one.get("class", "")]
    numbers = [[float(one) for one in re.findall(r"-?[\d.]+", path.get("d", ""))] for group in groups for path in group.iter(f"{SVG}path")]
    return [list(zip(some[::2], some[1::2])) for some in numbers]


def test_the_nine_inception_modules_are_one_template_with_a_table() -> None:
    drawn = outline(load("googlenet")["main"].graph)
    assert [box.title for box in drawn.boxes if box.title] == [f"{name} · inception" for name in ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]]
    (template,) = drawn.templates
    assert template.header[:7] == ("block", "n1x1", "n3x3_reduce", "n3x3", "n5x5_reduce", "n5x5", "pool_proj")
    assert template.rows[0] == ("3a", "64", "96", "128", "16", "32", "32", "28×28×256", "164 k", "128 M")
    assert len(template.rows) == 9
    assert [line for box in template.drawn.boxes for line in box.written][1:5] == ["Conv 1×1 · ReLU", "n1x1", "Conv 1×1 · ReLU", "n3x3_reduce"]


def test_a_template_in_a_template_is_a_box_with_what_it_is_called_with() -> None:
    drawn = outline(load("nasnet")["mobile"].graph)
    cell = next(one for one in reversed(drawn.templates) if one.title == "normal_cell")
    blocks = [box.written for box in cell.drawn.boxes if box.title]
    assert sorted(blocks) == [("separable", "filters, kernel 3")] * 3 + [("separable", "filters, kernel 5")] * 2
    separable = next(one for one in reversed(drawn.templates) if one.title == "separable")
    assert separable.header[:3] == ("block", "filters", "kernel")
    assert "Separable conv kernel · BN" in [line for box in separable.drawn.boxes for line in box.written]
    assert {row[2] for row in separable.rows} == {"3"}


def test_a_concat_is_as_wide_as_what_it_joins() -> None:
    svg = to_svg(inception())
    bar = rectangles(svg, "role-merge")[0]
    ends = [(x0 + x1) / 2 for x0, _, x1, _ in rectangles(svg, "role-convolution")]
    assert bar[0] < min(ends)
    assert max(ends) < bar[2]


def test_side_heads_stand_beside_the_main_line_and_are_dashed() -> None:
    graph = load("googlenet")["aux"].graph
    drawn = outline(graph)
    assert [one.title for one in drawn.items if isinstance(one, Cluster) and one.dead] == ["aux1 · aux_head", "aux2 · aux_head"]
    svg = to_svg(graph)
    assert svg.count('class="frame"') == 2
    assert "used in training only" in " ".join(written(svg))


@pytest.mark.parametrize("address", ["resnet:50", "googlenet:aux", "vgg:D"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_boxes_do_not_overlap_and_no_line_crosses_a_title(address: str, direction: str) -> None:
    name, _, variant = address.partition(":")
    svg = to_svg(load(name)[variant].graph, direction=direction)
    boxes = [one for kind in ("node", "template-node") for one in rectangles(svg, kind)]
    for number, (x0, y0, x1, y1) in enumerate(boxes):
        for a0, b0, a1, b1 in boxes[number + 1 :]:
            assert x1 <= a0 or a1 <= x0 or y1 <= b0 or b1 <= y0
    titles = []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        text = group.find(f"{SVG}text")
        if group.get("class", "").startswith("frame") and text is not None:
            x, y = float(text.get("x", "")), float(text.get("y", ""))
            titles.append((x, y - 7, x + text_width(text.text or "", 9.5, text.get("font-weight") == "bold"), y + 2))
    lines = ways(svg)
    for x0, y0, x1, y1 in titles:
        for points in lines:
            for (a, b), (c, d) in pairwise(points):
                assert max(a, c) < x0 or min(a, c) > x1 or max(b, d) < y0 or min(b, d) > y1


def test_a_collapsed_residual_block_keeps_its_shortcut() -> None:
    graph = stack(1, 1, 2).graph()
    drawn = outline(graph, View(collapse=("unit",)))
    assert [(box.title, box.count, box.shortcut) for box in drawn.boxes[1:]] == [("unit", 2, True), ("block3 · unit", 1, False)]
    assert to_svg(graph, collapse=("unit",)).count("stroke-dasharray") == 2


def test_blocks_expand_and_collapse_by_name_and_depth() -> None:
    graph = load("resnet")["50"].graph
    overview = outline(graph, View("overview", expand=("stage1",)))
    assert [one.title for one in overview.items if isinstance(one, Cluster)] == ["stage1"]
    collapsed = outline(graph, View(collapse=("stage2",)))
    assert [box.title for box in collapsed.boxes if box.title] == ["stage2"]
    deep = outline(graph, View(depth=1))
    assert {box.title for box in deep.boxes if box.title} == {"block1 · bottleneck", "bottleneck"}


def test_a_u_net_is_drawn_as_a_u() -> None:
    network = Network((32, 32, 4))
    kept: list[Tensor] = []
    for filters in (8, 16):
        network.add(Conv(filters=filters, kernel=3, padding="same"))
        kept.append(network.add(Relu()))
        network.add(MaxPool(size=2))
    network.add(Conv(filters=32, kernel=3, padding="same"))
    for filters, skip in zip((16, 8), reversed(kept)):
        up = network.add(ConvTranspose(filters=filters, kernel=2, stride=2))
        network.add(Concat(), inputs=(skip, up))
        network.add(Conv(filters=filters, kernel=3, padding="same"))
    svg = to_svg(network.graph())
    nodes, edges = parsed(svg)
    assert (len(nodes), len(edges)) == (12, 13)
    lefts = {place(node)[0] for node in nodes}
    assert len(lefts) == 2
    skips = [one for one in edges if "skip" in one.get("class", "")]
    assert len(skips) == 2
    for one in skips:
        path = one.find(f"{SVG}path")
        assert path is not None
        points = re.findall(r"-?[\d.]+ (-?[\d.]+)", path.get("d", ""))
        assert len(set(points)) == 1


@pytest.mark.parametrize("address", ["unet:2015", "pix2pix:generator", "yolov3:full", "feature-pyramid:resnet50", "hrnet:w18"])
def test_lines_run_along_the_page(address: str) -> None:
    name, _, variant = address.partition(":")
    for points in ways(to_svg(load(name)[variant].graph)):
        assert all(abs(a - c) < 0.2 or abs(b - d) < 0.2 for (a, b), (c, d) in pairwise(points))


def test_branches_without_a_form_are_drawn_with_arcs() -> None:
    network = Network()
    a = network.add(Conv(filters=8, kernel=1))
    b = network.add(Conv(filters=8, kernel=1), inputs=(a,))
    c = network.add(Add(), inputs=(a, b))
    d = network.add(Add(), inputs=(b, c))
    network.add(Concat(), inputs=(a, d))
    nodes, edges = parsed(to_svg(network.graph(), detail="layers"))
    assert (len(nodes), len(edges)) == (6, 8)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_graph_is_drawn_whole(data: st.DataObject) -> None:
    """Every node and edge of a graph of any form is in the picture, in both directions."""
    network = Network((8, 8, 4))
    made = [network.flow]
    for _ in range(data.draw(st.integers(1, 14))):
        read = data.draw(st.lists(st.sampled_from(made), min_size=1, max_size=4, unique=True))
        if data.draw(st.booleans()):
            with network.inside("macro", "m", "m"):
                made.append(network.add(Add() if len(read) > 1 else Relu(), inputs=tuple(read)))
        else:
            made.append(network.add(Add() if len(read) > 1 else Conv(filters=4, kernel=1), inputs=tuple(read)))
    graph = network.graph()
    direction = data.draw(st.sampled_from(["TB", "LR"]))
    svg = to_svg(graph, detail="layers", direction=direction)
    nodes, edges = parsed(svg)
    assert len(nodes) == len(graph.nodes)
    assert len(edges) == sum(len(node.inputs) for node in graph.nodes)
    for points in ways(svg):
        assert all(abs(a - c) < 0.2 or abs(b - d) < 0.2 for (a, b), (c, d) in pairwise(points))
    for detail in ("blocks", "overview"):
        ElementTree.fromstring(to_svg(graph, detail=detail, direction=direction))


def test_a_deep_nest_of_skips_is_drawn() -> None:
    network = Network()
    kept = [network.flow]
    for _ in range(400):
        kept.append(network.add(Relu()))
    for skip in reversed(kept[:-1]):
        network.add(Add(), inputs=(network.flow, skip))
    nodes, _ = parsed(to_svg(network.graph(), detail="layers"))
    assert len(nodes) == len(network.nodes)


@pytest.mark.parametrize("palette", ["colour", "mono", "print"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_on_every_fill(palette: str, theme: str) -> None:
    colours = theme_of(theme, palette)
    for role in Role:
        assert contrast(colours.text, colours.role(role)[1]) >= 4.5
    assert contrast(colours.faint, colours.background) >= 4.5
    assert contrast(colours.text, colours.ground) >= 4.5


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_automatic_theme_follows_the_system() -> None:
    svg = to_svg(stack(1).graph(), theme="auto")
    style = ElementTree.fromstring(svg).find(f"{SVG}style")
    assert style is not None
    assert (style.text or "").startswith("@media (prefers-color-scheme:dark)")
    rules = set(re.findall(r'\[fill="(#\w+)"\]', style.text or ""))
    assert set(re.findall(r' fill="(#\w+)"', svg)) <= rules


def test_tooltips_tell_all_attributes_and_the_place_in_the_text() -> None:
    network = Network()
    network.add(Conv(filters=16, kernel=3, padding="same"), "c1")
    tip = parsed(to_svg(network.graph()))[0][1].find(f"{SVG}title")
    assert tip is not None
    assert (tip.text or "").split("\n")[0].startswith("c1: conv(filters=16, kernel=3")
    assert "1,168 parameters" in (tip.text or "")
    assert "1,179,648 MACs" in (tip.text or "")
    assert "net.yaml:1:1" in (tip.text or "")


def test_the_legend_explains_folded_blocks() -> None:
    words = " ".join(written(to_svg(load("resnet")["50"].graph)))
    assert "bottleneck: Residual unit of 1x1, 3x3 and 1x1 convolutions" in words
    assert "× N N blocks in a row" in words


def test_shared_weights_are_marked() -> None:
    network = Network((10,))
    first = network.add(Dense(units=10, bias=False))
    network.add(Dense(units=10, bias=False), shared=first.node)
    assert [box.written for box in outline(network.graph()).boxes[1:]] == [("Dense", "10"), ("Dense", "10 (shared)")]


def test_a_volume_is_as_high_as_its_map() -> None:
    svg = to_svg(load("vgg")["D"].graph, style="volume")
    maps = rectangles(svg, "map")
    heights = [y1 - y0 for _, y0, _, y1 in maps]
    assert len(maps) == 22
    assert heights[:19] == sorted(heights[:19], reverse=True)
    assert "224×224×64" in written(svg)
    assert heights[0] / heights[18] == pytest.approx((224 / 7) ** 0.5, rel=0.02)


def test_a_family_is_one_figure_with_its_differences_marked() -> None:
    family = load("vgg")
    paper = ["A", "A-LRN", "B", "C", "D", "E"]
    (artefact,) = DiagramBackend().emit_family([family[name].graph for name in paper])
    file = io.BytesIO()
    artefact.write(file)
    svg = file.getvalue().decode()
    assert artefact.filename == "vgg-family.svg"
    assert [one for one in written(svg) if one in paper] == paper
    marked = [group for group in ElementTree.fromstring(svg).iter(f"{SVG}g") if "differs" in group.get("class", "")]
    assert [" ".join(text.text or "" for text in one.iter(f"{SVG}text")) for one in marked] == [
        "LRN", "Conv 3×3 64", "Conv 3×3 128", "Conv 1×1 256", "Conv 1×1 512", "Conv 1×1 512", "Conv 3×3 256", "Conv 3×3 512",
        "Conv 3×3 512", "Conv 3×3 256", "Conv 3×3 512", "Conv 3×3 512",
    ]


def test_a_family_of_blocks_counts_them() -> None:
    family = load("resnet")
    (artefact,) = DiagramBackend().emit_family([family[name].graph for name in ("50", "152")])
    file = io.BytesIO()
    artefact.write(file)
    lines = written(file.getvalue().decode())
    assert [one for one in lines if "bottleneck" in one] == [f"bottleneck × {count}" for count in (3, 4, 6, 3, 3, 8, 36, 3)]


def emitted(graph: Graph, kind: FileFormat, **options: Any) -> str:
    (artefact,) = DiagramBackend(formats=(kind,), **options).emit(graph)
    file = io.BytesIO()
    artefact.write(file)
    return file.getvalue().decode()


def test_mermaid_draws_what_the_picture_does() -> None:
    graph = stack(2, 1, 1).graph()
    text = emitted(graph, "mermaid")
    drawn = outline(graph)
    assert text.splitlines()[:4] == ["---", 'title: "A network"', "---", "flowchart TB"]
    assert len(re.findall(r":::", text)) == len(drawn.boxes)
    assert len(re.findall(r"n\d+ -(?:-|\.-)>", text)) == len(drawn.edges)
    assert text.count("subgraph") == text.count("\n  end") + text.count("\n    end")


def test_model_explorer_has_every_layer_and_its_blocks() -> None:
    graph = load("resnet")["18"].graph
    (data,) = json.loads(emitted(graph, "model-explorer"))
    assert data["id"] == "resnet-18"
    nodes = data["nodes"]
    assert len(nodes) == len(graph.nodes)
    assert sum(len(node["incomingEdges"]) for node in nodes) == sum(len(node.inputs) for node in graph.nodes)
    known = {node["id"] for node in nodes}
    assert {edge["sourceNodeId"] for node in nodes for edge in node["incomingEdges"]} <= known
    assert {"id", "label", "namespace", "attrs", "incomingEdges", "outputsMetadata"} == set(nodes[0])
    assert any(node["namespace"].startswith("stage2/block1") for node in nodes)
    assert all(isinstance(one["value"], str) for node in nodes for one in node["attrs"])


def test_a_frame_that_is_longer_than_a_page_is_broken() -> None:
    graph = load("resnet")["101"].graph
    svg = to_svg(graph, detail="layers")
    nodes, edges = parsed(svg)
    assert (len(nodes), len(edges)) == (len(graph.nodes), sum(len(node.inputs) for node in graph.nodes))
    titles = [one for one in written(svg) if one.startswith("stage3")]
    count = len(titles)
    assert count > 1
    assert titles == [f"stage3 ({number} of {count})" for number in range(1, count + 1)]
    width, height = size(svg)
    assert 0.5 < height / width < 2


def test_a_long_run_of_equal_layers_is_one_box() -> None:
    network = Network()
    for _ in range(20):
        network.add(Conv(filters=8, kernel=3, padding="same"))
    assert counts(network.graph()) == [20]
    network = Network()
    for _ in range(4):
        network.add(Conv(filters=8, kernel=3, padding="same"))
    assert counts(network.graph()) == []


def test_a_loop_without_a_name_has_no_frame_unless_it_folds() -> None:
    def looped(*filters: int) -> Graph:
        network = Network()
        for number, one in enumerate(filters):
            with network.inside("loop", "steps", "steps"), network.inside("iteration", f"steps{number}", "steps"):
                network.add(Conv(filters=one, kernel=3, padding="same"))
                network.add(MaxPool(size=1))
        return network.graph()

    assert counts(looped(8, 16, 32)) == []
    assert counts(looped(8, 8, 8)) == [3]


def test_a_densely_connected_block_is_drawn_in_seconds() -> None:
    network = Network()
    ends = [network.flow]
    for _ in range(40):
        if len(ends) > 1:
            network.add(Concat(), inputs=tuple(ends))
        ends.append(network.add(Conv(filters=4, kernel=3, padding="same")))
    assert len(parsed(to_svg(network.graph()))[0]) == len(network.nodes)


def test_resnet_152_folds_into_its_four_stages() -> None:
    graph = load("resnet")["152"].graph
    assert counts(graph) == [1, 1, 2, 1, 1, 7, 1, 1, 35, 1, 1, 2]
    width, height = size(to_svg(graph))
    assert width < 1100
    assert height < 1300


HOSTILE = [
    "",
    "<b>bold</b>",
    "<",
    "a < b > c & d",
    "&amp; &#65;",
    'say "hi"',
    "ends in \\",
    "\\N \\G \\l \\r \\E",
    "{a|b}",
    "line\nbreak",
    "bell\x07 nul\x00 esc\x1b",
    "\ud800 lone",
    "]; n9 [URL=x",
    "日本語 ☃ 😀",
    "javascript:alert(1)",
    "node",
    "a:b:c",
    "/* c */ // d # e",
]


def hostile(text: str) -> Graph:
    """A network in which every name is this text."""
    network = Network(title=text)
    for _ in range(2):
        with network.inside("macro", text, text):
            network.add(Conv(filters=8, kernel=3, padding="same"), text)
            network.add(MaxPool(size=1), text)
    first = network.flow
    network.add(GlobalAvgPool(), text)
    graph = network.graph(first, network.flow)
    return Graph(text, "", text, text, {}, graph.nodes, (0,), ((text, first), (text, network.flow)), graph.root)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_drawn_as_text(text: str) -> None:
    svg = to_svg(hostile(text), detail="layers")
    nodes, edges = parsed(svg)
    assert (len(nodes), len(edges)) == (6, 5)
    svg.encode()


def test_names_are_shown_as_they_are() -> None:
    text = 'a\\N&amp;<b>"c"{d}'
    words = [one.text or "" for one in ElementTree.fromstring(to_svg(hostile(text))).iter(f"{SVG}text")]
    assert words[0] == text
    assert f"→ {text}" in words


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40))
def test_any_name_is_drawn(text: str) -> None:
    nodes, edges = parsed(to_svg(hostile(text), detail="layers"))
    assert (len(nodes), len(edges)) == (6, 5)


@pytest.mark.parametrize("text", [*HOSTILE, "]]:::x", "#quot;", "%%{init: {}}%%", "end", "x" * 10_000])
def test_hostile_names_stay_text_in_every_format(text: str) -> None:
    graph = hostile(text)
    for style in ("graph", "volume"):
        ElementTree.fromstring(to_svg(graph, style=style))
    ElementTree.fromstring(emitted_family(graph))
    json.loads(emitted(graph, "model-explorer"))
    mermaid = emitted(graph, "mermaid").split("flowchart TB\n")[1]
    labels = re.compile(r'"[^"\n]*"')
    bare = [labels.sub('""', line).strip() for line in mermaid.splitlines()]
    allowed = re.compile(r'(subgraph b\d+\[""\]|end|n\d+[\[(\\]+""[\])/]+:::\w+|n\d+ (-->|-\.->)(\|""\|)? n\d+|classDef \w+ stroke:#\w+,fill:#\w+,color:#\w+)')
    assert [line for line in bare if not allowed.fullmatch(line)] == []


def emitted_family(graph: Graph) -> str:
    (artefact,) = DiagramBackend().emit_family([graph, graph])
    file = io.BytesIO()
    artefact.write(file)
    return file.getvalue().decode()


@pytest.mark.parametrize("text", [one for one in HOSTILE if one != "\ud800 lone"])
def test_hostile_names_are_painted(text: str) -> None:
    (artefact,) = DiagramBackend(formats=("png",), dpi=36).emit(hostile(text))
    file = io.BytesIO()
    artefact.write(file)
    assert file.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("text", HOSTILE)
def test_dot_attributes_are_a_closed_list(text: str) -> None:
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', to_dot(hostile(text)))
    bare = re.sub(r"<<TABLE.*</TABLE>>", '""', bare)
    assert set(re.findall(r"(\w+)=", bare)) <= ATTRIBUTES
    assert not ATTRIBUTES & {"URL", "href", "target", "image", "shapefile", "imagepath", "fontpath", "stylesheet"}


def test_the_same_graph_gives_the_same_bytes() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_diagram as t\n"
        "sys.stdout.buffer.write(t.to_svg(t.stack(2, 1, 1).graph()).encode())\n"
    )
    seen: set[bytes] = set()
    for seed in ("0", "1", "2"):
        command = [sys.executable, "-c", program, str(Path(__file__).parent)]
        done = subprocess.run(command, capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        seen.add(done.stdout)
    assert seen == {to_svg(stack(2, 1, 1).graph()).encode()}


def test_the_backend_names_its_files() -> None:
    artefacts = DiagramBackend(formats=("dot", "svg", "png"), dpi=72).emit(stack(1).graph())
    assert [one.filename for one in artefacts] == ["net-a.dot", "net-a.svg", "net-a.png"]
    starts = [b"digraph", b"<svg", b"\x89PNG"]
    for artefact, start in zip(artefacts, starts, strict=True):
        file = io.BytesIO()
        artefact.write(file)
        assert file.getvalue().startswith(start)


def test_thousands_of_equal_blocks_are_one_drawing() -> None:
    drawing = outline(stack(2, *[1] * 3000).graph())
    assert len(drawing.boxes) < 12


def dot(language: str) -> str:
    """A picture for engines that read DOT."""
    assert language == "xdot"
    return "digraph { a }"


def stubbed(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Puts a Python program in the place of the engine `dot`."""
    monkeypatch.setitem(engine.ENGINES, "dot", engine.Engine("xdot", lambda kind, dpi: [sys.executable, "-c", program]))


def gone(pid: int) -> bool:
    """True once a process has ended; one that nobody has asked about counts."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_bad_dot_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match="graphviz-pure"):
        layout(lambda _: "digraph {", "png", engine="graphviz-pure")


def test_a_label_that_the_engine_blanks_is_an_engine_error() -> None:
    with pytest.raises(EngineError):
        layout(lambda _: "digraph { a [label=<<FONT></FONT>>] }", "png", engine="graphviz-pure")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
@pytest.mark.parametrize("ends", [False, True])
def test_an_engine_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: bool) -> None:
    """One that hangs is ended, and so is what any engine has started."""
    started = tmp_path / "pids"
    program = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        f"open({str(started)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"sys.exit(3) if {ends} else time.sleep(60)\n"
    )
    stubbed(monkeypatch, program)
    with pytest.raises(EngineError, match="ended with code 3" if ends else "longer than"):
        layout(dot, "png", engine="dot", timeout=20 if ends else 2)
    pids = started.read_text().split()
    assert len(pids) == 2
    assert all(gone(int(pid)) for pid in pids)


def test_an_unknown_engine_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHC_ENGINE", "crayon")
    with pytest.raises(EngineError, match="unknown engine `crayon`"):
        layout(dot, "png")


def test_no_engine_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in engine.ENGINES:
        monkeypatch.setitem(engine.ENGINES, name, engine.Engine("svg", lambda kind, dpi: None))
    with pytest.raises(EngineError, match="no engine for png is installed"):
        layout(dot, "png")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit(3)", "ended with code 3"),
        ("print('nothing')", "gave no png"),
        ("import sys; sys.stdout.buffer.write(b'\\x89PNG'); print('Error: blank', file=sys.stderr)", "Error: blank"),
        ("import os; os.kill(os.getpid(), 11)", "ended with signal 11"),
        ("while True: pass", "ended with signal|longer than"),
    ],
)
def test_a_failing_engine_is_an_engine_error(monkeypatch: pytest.MonkeyPatch, program: str, message: str) -> None:
    stubbed(monkeypatch, program)
    with pytest.raises(EngineError, match=message):
        layout(dot, "png", engine="dot", timeout=4)


def test_a_lost_engine_ends_the_command_with_code_3_and_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stubbed(monkeypatch, "import sys; sys.exit(3)")
    monkeypatch.setenv("ARCHC_ENGINE", "dot")
    assert main(["draw", "lenet", "--emit", "png", "-o", str(tmp_path)]) == 3
    assert "error[E802]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_pdf_needs_no_system_package() -> None:
    """vl-convert makes it of the SVG, with fonts that it brings."""
    pytest.importorskip("vl_convert")
    (artefact,) = DiagramBackend(formats=("pdf",), engine="vl-convert").emit(stack(2, 1, 1).graph())
    file = io.BytesIO()
    artefact.write(file)
    data = file.getvalue()
    assert data.startswith(b"%PDF")
    assert data.count(b"/FontFile2") == 2
    wide, high = size(to_svg(stack(2, 1, 1).graph()))
    box = [float(one) for one in re.search(rb"/MediaBox\s*\[([^\]]*)\]", data)[1].split()]  # pyright: ignore[reportOptionalSubscript]
    assert box[2:] == pytest.approx([wide, high], abs=0.5)


@pytest.mark.parametrize("name", [family.spec.name for family in gallery.families()])
def test_the_gallery_is_fresh(name: str) -> None:
    """`make gallery` would change nothing."""
    svg, call = gallery.picture(load(name))
    assert (DOCS / "gallery" / f"{name}.svg").read_text(encoding="utf-8") == svg
    assert f"`{call}`" in (DOCS / "gallery.md").read_text(encoding="utf-8")


def test_the_gallery_has_no_other_pictures() -> None:
    names = {family.spec.name for family in gallery.families()}
    assert {path.stem for path in (DOCS / "gallery").glob("*.svg")} == names
