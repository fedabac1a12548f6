"""What other counters got wrong, T1 to T35 of the project's list: MACs, parameters, other work, shapes, with the right values.

Not here, since a network of archc cannot have them: T16 (operations that are no layers: each step is a node), T27 as a
recurrent layer (there is none; a loop over shared weights stands for it), T28 (weights held by a block rather than by a
layer; blocks are sums here, see below), Lp-pooling in T21.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

import archc
from archc.analyses.blocks import Block, blocks
from archc.analyses.cost import cost
from archc.analyses.memory import IN_PLACE, OPTIMIZERS, VIEWS, memory, training
from archc.analyses.work import ACTIVATIONS, FREE, RULES, UNKNOWN
from archc.backends import stats_table, tabular
from archc.commands import main
from archc.graph.graph import Graph
from archc.operators import OPERATORS, product
from archc.operators.shape_rules import padding_of


@pytest.fixture
def stats(tmp_path: Path) -> Any:
    """The figures of a network with these layers."""

    def count(input: str, *steps: str, head: str = "", **options: Any) -> dict[str, Any]:
        path = tmp_path / "net.yaml"
        listed = "\n".join(f"  - {one}" for one in steps)
        inputs = f"inputs: {input}" if input.startswith("{") else f"input: {input}"
        path.write_text(f"archc: 1\nname: net\n{inputs}\n{head}\nlayers:\n{listed}\n", encoding="utf-8")
        return archc.compile(str(path)).stats(**options)

    return count


def conv(filters: int, kernel: int, more: str = "padding: same, bias: false") -> str:
    return f"conv: {{filters: {filters}, kernel: {kernel}, {more}}}"


@pytest.mark.parametrize(
    ("input", "step", "output", "macs", "weights"),
    [
        pytest.param("[27, 27, 96]", conv(256, 5, "padding: 2, groups: 2, bias: false"), [27, 27, 256], 223_948_800, 307_200, id="T1 groups"),
        pytest.param("[56, 56, 32]", "depthwise_conv: {kernel: 3, padding: same, bias: false}", [56, 56, 32], 903_168, 288, id="T2 depthwise"),
        pytest.param("[56, 56, 32]", "depthwise_conv: {kernel: 3, padding: same, multiplier: 2, bias: false}", [56, 56, 64], 1_806_336, 576, id="T3 multiplier"),
        pytest.param("[16, 16, 8]", conv(8, 3, "dilation: 2, bias: false"), [12, 12, 8], 82_944, 576, id="T4 dilation"),
        pytest.param("[16, 16, 8]", conv(8, 3, "padding: same"), [16, 16, 8], 147_456, 584, id="T5 bias"),
        pytest.param("[16, 16, 8]", "conv_transpose: {filters: 16, kernel: 2, stride: 2, bias: false}", [32, 32, 16], 131_072, 512, id="T6 transposed"),
        pytest.param("[2, 2, 3]", "conv_transpose: {filters: 1, kernel: 2, stride: 2}", [4, 4, 1], 48, 13, id="T7 transposed with bias"),
        pytest.param("[1, 1, 32]", "conv_transpose: {filters: 1, kernel: 3, bias: false}", [3, 3, 1], 288, 288, id="T9 transposed on one position"),
        pytest.param("[10, 64]", "dense: 32", [10, 32], 20_480, 2_080, id="T15 dense at each position"),
        pytest.param("[128, 32]", conv(32, 3, "stride: 2, padding: 4, bias: false"), [67, 32], 205_824, 3_072, id="T19 one dimension"),
        pytest.param("[4, 1]", "avg_pool: {size: 3, stride: 2, rounding: ceil, count_include_pad: false}", [2, 1], 0, 0, id="T20 rounded up"),
        pytest.param("[112, 112, 64]", "max_pool: {size: 3, stride: 2, rounding: ceil}", [56, 56, 64], 0, 0, id="T23 ceil"),
        pytest.param("[112, 112, 64]", "max_pool: {size: 3, stride: 2}", [55, 55, 64], 0, 0, id="T23 floor"),
        pytest.param("[112, 112, 64]", "max_pool: [3, 2, same]", [56, 56, 64], 0, 0, id="T23 same"),
        pytest.param("[64, 64, 8]", "max_pool: {size: 3, stride: 2, padding: 1, rounding: ceil}", [33, 33, 8], 0, 0, id="T24 ceil"),
        pytest.param("[64, 64, 8]", "max_pool: {size: 3, stride: 2, padding: 1}", [32, 32, 8], 0, 0, id="T24 floor"),
    ],
)
def test_one_layer(stats: Any, input: str, step: str, output: list[int], macs: int, weights: int) -> None:
    found = stats(input, step)
    assert (found["output_shape"], found["macs"], found["params"]["total"]) == (output, macs, weights)
    assert found["layers"][1]["macs"] == macs


@pytest.mark.parametrize(
    ("input", "step", "other"),
    [
        pytest.param("[16, 16, 8]", conv(8, 3, "padding: same"), {"bias": 2_048}, id="T5"),
        pytest.param("[2, 2, 3]", "conv_transpose: {filters: 1, kernel: 2, stride: 2}", {"bias": 16}, id="T7"),
        pytest.param("[10, 64]", "dense: 32", {"bias": 320}, id="T15"),
        pytest.param("[16, 16, 8]", "relu", {"activation": 2_048}, id="T17"),
        pytest.param("[16, 16, 8]", conv(8, 3, "padding: same, bias: false, activation: relu"), {"activation": 2_048}, id="T17 fused"),
        pytest.param("[16, 16, 8]", "batch_norm", {"normalisation": 2 * 2_048}, id="T18 a multiplication and an addition"),
        pytest.param("[4, 4, 10]", "lrn: 5", {"normalisation": 9 * 160}, id="T21"),
        pytest.param("[4, 4, 8]", "max_pool: 2", {"pooling": 3 * 32}, id="comparisons"),
        pytest.param("[4, 4, 8]", "avg_pool: 2", {"pooling": 4 * 32}, id="additions and a division"),
        pytest.param("[4, 4, 8]", "global_avg_pool", {"pooling": 128}, id="one window"),
        pytest.param("[5, 5, 2]", "adaptive_avg_pool: 2", {"pooling": (3 + 3) ** 2 * 2}, id="overlapping windows"),
        pytest.param("[4, 4, 8]", "layer_norm", {"normalisation": 7 * 128}, id="statistics"),
        pytest.param("[10]", "softmax", {"softmax": 50}, id="softmax"),
        pytest.param("[4, 4, 8]", "add: {a: [relu], b: [], c: [tanh]}", {"elementwise": 2 * 128}, id="sum of three"),
        pytest.param("[4, 4, 8]", "average: {a: [relu], b: []}", {"elementwise": 2 * 128}, id="mean of two"),
        pytest.param("[4, 4, 2]", "upsample: {size: 2, interpolation: bilinear}", {"resizing": 7 * 128}, id="bilinear"),
        pytest.param("[4, 4, 2]", "upsample: 2", {}, id="repetition"),
        pytest.param("[4, 4, 8]", "dropout: 0.5", {}, id="inference"),
        pytest.param("[4, 4, 8]", "concat: {a: [flatten], b: [flatten]}", {}, id="moving values"),
    ],
)
def test_other_work(stats: Any, input: str, step: str, other: dict[str, int]) -> None:
    """FLOPs are 2 x MACs and this."""
    found = stats(input, step)
    last = found["layers"][-1]
    assert {key: count for key, count in last["other"].items() if key != "total"} == other
    assert last["other"]["total"] == sum(other.values())
    assert last["flops"] == 2 * last["macs"] + sum(other.values())


def test_t8_transposed_with_groups_and_a_batch(stats: Any) -> None:
    """4,608 MACs are those of two images."""
    found = stats("[8, 8, 4]", "conv_transpose: {filters: 4, kernel: 3, stride: 2, padding: 1, output_padding: 1, groups: 4, bias: false}")
    assert (2 * found["macs"], found["output_shape"]) == (4_608, [16, 16, 4])


SHARED = ("{dense: {units: 1000, bias: false}, share: w}", "{dense: {units: 1000, bias: false}, share: w}")


def test_t10_shared_weights_count_once_and_each_call_computes(stats: Any) -> None:
    found = stats("[1000]", *SHARED)
    assert (found["params"]["total"], found["macs"]) == (1_000_000, 2_000_000)
    assert found["memory"]["weights"] == 4_000_000
    assert [one["shares"] for one in found["layers"]] == [None, None, "dense"]


def test_t11_one_layer_in_two_blocks(stats: Any) -> None:
    head = "macros:\n  one: {body: [{dense: {units: 1000, bias: false}, share: w}]}\n  two: {body: [{dense: {units: 1000, bias: false}, share: w}]}"
    found = stats("[1000]", "one", "two", head=head)
    assert (found["params"]["total"], found["macs"]) == (1_000_000, 2_000_000)


def test_t12_siamese(stats: Any) -> None:
    tower = "{dense: {units: 2}, share: a, from: %s, as: %s}"
    found = stats("{left: [4], right: [4]}", tower % ("left", "l"), tower % ("right", "r"), "concat: [l, r]", "dense: 1")
    assert found["params"]["total"] == 10 + 5


def test_t13_a_block_reused_on_its_own_output(stats: Any) -> None:
    found = stats("[10]", "{dense: 10, share: w, repeat: 2}")
    assert (found["params"]["total"], found["macs"]) == (110, 200)


def test_t14_totals_are_the_sums_of_the_leaves() -> None:
    compiled = archc.compile("resnet:18")
    found = compiled.stats()
    assert found["macs"] == 1_814_073_344
    for key in ("macs", "params", "flops", "activation_bytes", "weight_bytes"):
        total = {"macs": found["macs"], "params": found["params"]["total"], "flops": found["flops"], "activation_bytes": found["memory"]["activations"], "weight_bytes": found["memory"]["weights"]}[key]
        assert sum(one[key] for one in found["layers"]) == total
    assert sorted(blocks(compiled.graph).nodes()) == list(range(len(found["layers"])))


def test_t22_costs_are_for_one_image_whatever_the_batch(stats: Any) -> None:
    one, ten = (stats("[8, 8, 3]", "conv: 4", batch=batch) for batch in (1, 10))
    assert (one["macs"], one["flops"], one["params"]) == (ten["macs"], ten["flops"], ten["params"])
    assert 10 * one["memory"]["activations"] == ten["memory"]["activations"]
    assert one["memory"]["weights"] == ten["memory"]["weights"]


def test_t25_same_pads_more_at_the_end() -> None:
    assert padding_of("same", (20,), (6,), (1,), (1,)) == ((2, 3),)
    assert padding_of("same", (20,), (6,), (1,), (2,)) == ((5, 5),)
    assert padding_of("same", (224,), (3,), (2,), (1,)) != padding_of("same", (225,), (3,), (2,), (1,))


@pytest.mark.parametrize(("kernel", "same", "explicit"), [(7, [2, 3], 3), (3, [0, 1], 1)])
def test_t26_both_paddings_can_be_said_and_are_told_apart(stats: Any, kernel: int, same: list[int], explicit: int) -> None:
    found = [stats("[224, 224, 3]", conv(8, kernel, f"stride: 2, padding: {padding}"))["layers"][1] for padding in ("same", explicit)]
    assert found[0]["output_shape"] == found[1]["output_shape"] == [112, 112, 8]
    assert [one["padding"] for one in found] == [[same, same], [[explicit, explicit]] * 2]
    assert [one["effective_padding"][0] for one in found] == [same, [explicit, explicit - 1]]


def test_t27_a_step_repeated_over_shared_weights_counts_each_time(stats: Any) -> None:
    found = stats("[16]", "{dense: {units: 16, bias: false}, share: w, repeat: 7}")
    assert (found["params"]["total"], found["macs"]) == (256, 7 * 256)


def test_t29_a_layer_used_a_hundred_times_has_a_hundred_activations(stats: Any) -> None:
    found = stats("[16]", "{dense: {units: 16, bias: false}, share: w, repeat: 100}")
    assert found["memory"]["activations"] == 4 * 16 * 101
    assert found["training"]["activations"] == 4 * 16 * 101


@pytest.mark.parametrize("address", ["siamese", "resnet:18", "googlenet:aux", "mobilenet"])
def test_t30_shares_add_up_to_one(address: str) -> None:
    found = archc.compile(address).stats()
    assert sum(one["macs_share"] for one in found["layers"]) == pytest.approx(1)


def test_t32_macs_and_flops_are_two_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "lenet", "--format", "csv"]) == 0
    heads = capsys.readouterr().out.splitlines()[0].split(",")
    assert {"macs", "flops", "other_flops"} <= set(heads)


def test_t33_open_sizes_are_unknown_and_never_zero(stats: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = stats("[null, null, 3]", "conv: [8, 3]", "global_avg_pool", "dense: 10")
    assert (found["params"]["total"], found["macs"], found["flops"]) == (8 * 28 + 90, None, None)
    assert (found["layers"][1]["macs"], found["layers"][1]["other"]["total"], found["layers"][3]["macs"]) == (None, None, 80)
    assert (found["memory"]["peak"], found["training"]["total"], found["intensity"]) == (None, None, None)
    assert (found["memory"]["weights"], found["receptive_field"]["size"]) == (4 * 314, [3, 3])
    assert main(["stats", str(tmp_path / "net.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "unknown" in next(one for one in lines if one.startswith("conv"))
    assert next(one for one in lines if one.startswith("MACs")).split()[1] == "unknown"


def test_what_nobody_states_is_unknown(stats: Any) -> None:
    """The work of a layer that a spec brings in from Keras."""
    found = stats("[8]", "keras: {class: GaussianDropout, config: {rate: 0.5}}", "dense: 2")
    assert (found["macs"], found["flops"], found["layers"][1]["macs"], found["layers"][2]["macs"]) == (None, None, None, 16)


def test_t34_googlenet_of_the_paper_and_of_torchvision() -> None:
    kernels = {one: archc.compile(f"googlenet:{one}").stats() for one in ("main", "torchvision")}
    assert [one["macs"] for one in kernels.values()] == [1_582_671_872, 1_498_376_192]
    fives = [[one["kernel"] for one in found["layers"] if one["name"].startswith("3a_5x5_conv")] for found in kernels.values()]
    assert [max(max(one or [0]) for one in each) for each in fives] == [5, 3]


def test_t35_three_published_places_of_the_stride() -> None:
    addresses = ("resnet:50-keras", "resnet:50", "resnetv2:50-keras")
    assert [archc.compile(one).analysed.cost.macs for one in addresses] == [3_857_973_248, 4_089_184_256, 3_482_255_360]


# The rules cover every operator


def test_every_operator_has_a_rule() -> None:
    ruled = [*ACTIVATIONS, *RULES, *FREE, *UNKNOWN]
    assert sorted(ruled) == sorted(set(ruled))
    assert set(ruled) == set(OPERATORS)
    assert set(VIEWS) | set(IN_PLACE) <= set(OPERATORS)


# Memory


def apart(graph: Graph) -> int:
    """The peak without writing in place, told another way: at each node, the sizes of all tensors that are there or needed."""
    views = {"flatten", "reshape", "identity", "linear", "dropout", "spatial_dropout", "drop_path", "gaussian_noise", "gaussian_dropout"}
    home = list(range(len(graph.nodes)))
    for node in graph.nodes:
        if node.operator.name in views:
            home[node.index] = home[node.inputs[0].node]
    outputs = {home[tensor.node] for _, tensor in graph.outputs}
    most = 0
    for now in range(len(graph.nodes)):
        needed = {home[one.node] for node in graph.nodes[now:] for one in node.inputs if home[one.node] <= now}
        there = needed | {home[now]} | {one for one in outputs if one <= now}
        most = max(most, sum(4 * sum(product(shape) or 0 for shape in graph.nodes[one].shapes) for one in there))
    return most


@pytest.mark.parametrize("address", ["lenet", "vgg:A", "resnet:18", "googlenet:aux", "densenet:121", "unet:2015", "mobilenetv2", "nasnet:mobile", "siamese"])
def test_the_peak_is_that_of_the_live_tensors(address: str) -> None:
    compiled = archc.compile(address)
    held = memory(compiled.graph, compiled.analysed.cost)
    assert held.peak is not None and held.peak_apart is not None
    assert held.peak_apart.bytes == apart(compiled.graph)
    assert held.peak.bytes <= held.peak_apart.bytes
    assert held.activations is not None and held.peak_apart.bytes <= held.activations


def test_element_wise_layers_write_over_what_nobody_reads_later(stats: Any) -> None:
    map = 4 * 8 * 8 * 4
    chain = stats("[8, 8, 4]", "conv: [4, 1]", "batch_norm", "relu")["memory"]
    assert (chain["peak"]["bytes"], chain["peak"]["layer"]) == (2 * map, "conv")
    assert chain["peak_without_in_place"]["bytes"] == 2 * map
    residual = stats("[8, 8, 4]", "conv: [4, 1]", "add: {a: [relu], b: []}")["memory"]
    assert residual["peak"]["bytes"] == 2 * map, "relu may not write over what add reads; add may"
    assert residual["peak_without_in_place"]["bytes"] == 3 * map
    of_the_network = stats("[8, 8, 4]", "relu")["memory"]
    assert of_the_network["peak"]["bytes"] == 2 * map, "the caller's input is never written over"


def test_views_take_no_memory(stats: Any) -> None:
    found = stats("[8, 8, 4]", "conv: [4, 1]", "dropout: 0.5", "flatten", "dense: 3")
    assert [one["activation_bytes"] for one in found["layers"]] == [1024, 1024, 0, 0, 12]
    assert found["memory"]["peak"]["bytes"] == 2048


def test_integers_have_their_own_width(stats: Any) -> None:
    found = stats("{words: {shape: [10], dtype: int64}}", "{embedding: [100, 8], from: words}")
    assert [one["activation_bytes"] for one in found["layers"]] == [80, 320]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_holds_weights_gradients_state_and_activations(optimizer: str) -> None:
    compiled = archc.compile("lenet")
    found = training(compiled.graph, cost(compiled.graph), optimizer, 2)
    learned = 4 * 61_706
    assert (found.weights, found.gradients, found.state) == (learned, learned, learned * OPTIMIZERS[optimizer])
    values = [1024, 4704, 1176, 1600, 400, 120, 84, 10]
    assert found.activations == 2 * 4 * sum(values)
    assert found.backward == 2 * 4 * (4704 + 1176)
    assert found.total == learned * (2 + OPTIMIZERS[optimizer]) + found.activations + found.backward


@pytest.mark.keras
def test_the_optimisers_keep_as_many_numbers_as_those_of_keras() -> None:
    import keras
    import numpy as np

    classes = {"momentum": ("SGD", {"momentum": 0.9}), "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}), "adamw": ("AdamW", {}), "rmsprop": ("RMSprop", {})}
    for name, numbers in OPTIMIZERS.items():
        wanted, options = classes.get(name, (name.upper() if name == "sgd" else name.capitalize(), {}))
        optimizer = getattr(keras.optimizers, wanted)(**options)
        optimizer.build([keras.Variable(np.zeros((7, 11), "float32"))])
        assert sum(int(np.prod(one.shape)) for one in optimizer.variables) // 77 == numbers, name


def test_frozen_layers_keep_nothing_for_the_backward_pass(stats: Any) -> None:
    found = stats("[8, 8, 4]", "{conv: [4, 1], trainable: false}", "relu", "conv: [2, 1]")["training"]
    assert found["gradients"] == 4 * 10
    assert found["activations"] == 4 * (8 * 8 * 4 + 8 * 8 * 2), "the relu's output and the last layer's"


def test_a_fused_swish_keeps_its_input(stats: Any) -> None:
    plain, swish = (stats("[8, 8, 4]", f"conv: {{filters: 4, activation: {one}}}")["training"]["activations"] for one in ("relu", "swish"))
    assert swish - plain == 4 * 8 * 8 * 4


def test_intensity_is_flops_by_the_bytes_that_layers_move(stats: Any) -> None:
    found = stats("[10]", "dense: {units: 20, bias: false}")
    assert found["layers"][1]["moved_bytes"] == 4 * (10 + 200 + 20)
    assert found["intensity"] == round(400 / 920, 3)
    more = stats("[10]", "dense: {units: 20, bias: false}", batch=100)
    assert more["intensity"] == round(40_000 / (4 * (1000 + 200 + 2000)), 3), "weights are read once for a batch"


# The table


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    capsys.readouterr()
    assert main(["stats", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_depth_sums_up_blocks(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads("\n".join(lines(capsys, "resnet:50", "--depth", "1", "--format", "json")))
    rows = {one["name"]: one for one in found["blocks"]}
    assert list(rows) == ["input", "conv1", "max_pool", "stage1", "stage2", "stage3", "stage4", "global_avg_pool", "dense", "softmax"]
    assert sum(one["macs"] for one in rows.values()) == found["macs"]
    assert sum(one["params"] for one in rows.values()) == found["params"]["total"]
    assert [rows[f"stage{at}"]["output_shape"] for at in (1, 2, 3, 4)] == [[56, 56, 256], [28, 28, 512], [14, 14, 1024], [7, 7, 2048]]
    assert len(found["layers"]) == len(archc.compile("resnet:50").graph.nodes)


def test_the_tree_shows_where_layers_stand(capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(capsys, "resnet:18", "--columns", "params")
    start = next(at for at, one in enumerate(found) if one.startswith("stage1"))
    assert [one.partition("  ")[0] if one.startswith("stage") else one[: one.index("─ ") + 2] + one.split("─ ")[1].split()[0] for one in found[start : start + 5]] == [
        "stage1", "├─ block1", "│  ├─ residual", "│  │  ├─ conv_bn", "│  │  │  ├─ conv",
    ]


def test_top_lists_the_largest(capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(capsys, "vgg:D", "--sort", "params", "--top", "3", "--format", "csv")
    assert [one.split(",")[0] for one in found] == ["layer", "dense", "dense_2", "dense_3"]
    assert [one["macs"] for one in json.loads("\n".join(lines(capsys, "lenet", "--top", "2", "--format", "json")))["layers"]] == [240_000, 117_600]


def test_csv_has_exact_figures_of_leaves_only(capsys: pytest.CaptureFixture[str]) -> None:
    import csv

    rows = list(csv.DictReader(lines(capsys, "resnet:18", "--format", "csv")))
    assert sum(int(one["macs"]) for one in rows) == 1_814_073_344
    assert [one["layer"] for one in rows] == [one.name for one in archc.compile("resnet:18").graph.nodes]


def test_markdown_and_html_hold_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    from xml.etree import ElementTree

    text = lines(capsys, "lenet", "--format", "markdown")
    assert sum(1 for one in text if one.startswith("| ")) == 2 + 9
    page = "\n".join(lines(capsys, "lenet", "--format", "html"))
    table = page[page.index("<table>") : page.index("</table>") + 8].replace(" class=number", "").replace(" class=total", "")
    tree = ElementTree.fromstring(table)
    assert len(tree.findall("tbody/tr")) == 9
    assert all(one.get("scope") == "col" for one in tree.findall("thead/tr/th"))
    assert "<script" not in page and "http" not in page


def test_unknown_columns_are_met_with_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "lenet", "--columns", "parms"]) == 2
    assert "did you mean `params`?" in capsys.readouterr().err


def test_blocks_of_one_layer_are_that_layer() -> None:
    def inside(block: Block) -> list[Block]:
        inner = [one for one in block.parts if not isinstance(one, int)]
        return [*inner, *(each for one in inner for each in inside(one))]

    for address in ("googlenet:main", "efficientnet:b0", "unet:2015"):
        found = inside(blocks(archc.compile(address).graph))
        assert found
        assert all(len(list(one.nodes())) > 1 for one in found)


def test_a_stage_of_one_block_keeps_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads("\n".join(lines(capsys, "efficientnet:b0", "--depth", "1", "--format", "json")))
    names = [one["name"] for one in found["blocks"]]
    assert [one for one in names if one.startswith("stage")] == [f"stage{at}" for at in range(1, 8)]


def test_a_narrow_terminal_has_fewer_columns() -> None:
    compiled = archc.compile("resnet:18")
    figures = compiled.stats()
    rows = stats_table.chosen(compiled.graph, figures, 2, None, None)
    wide, narrow = (stats_table.fitting(figures, rows, stats_table.USUAL, room) for room in (200, 80))
    assert wide == list(stats_table.USUAL)
    assert {"output", "params", "macs"} <= set(narrow) < set(wide)
    printed = tabular.text(stats_table.table(figures, rows, narrow)).splitlines()
    assert max(map(len, printed[: len(rows) + 3])) <= 80


# The documentation


PAGE = Path(__file__).resolve().parent.parent / "docs" / "analysis.md"
LIBRARIES = Path(__file__).resolve().parent / "facts" / "libraries.csv"
NETWORKS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| `[A-Za-z0-9:.-]+` \| [\d,]+ \| [\d,]+ \| [\d,]+ \|.*\|.*\|$", line)
]


def test_the_page_has_networks() -> None:
    assert {len(row) for row in NETWORKS} == {6}
    assert len(NETWORKS) == 17


@pytest.mark.parametrize("row", NETWORKS, ids=[row[0].strip("`") for row in NETWORKS])
def test_the_pages_figures_are_archcs_and_those_that_were_measured(row: list[str]) -> None:
    """A network's row in docs/analysis.md: what archc computes, and what the library that it names was measured to have."""
    found = archc.compile(row[0].strip("`")).analysed.cost
    told = [int(one.replace(",", "")) for one in row[1:4]]
    assert told == [found.params, found.trainable, found.macs]
    if row[4]:
        facts = {one["implementation"]: one for one in csv.DictReader(LIBRARIES.read_text().splitlines())}[row[4]]
        assert told[1:] == [int(facts["trainable"]), int(facts["macs"])]


@pytest.mark.parametrize("row", [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| `[a-z].*\| \d+[, \d]* \| 32 \| \d", line)])
def test_the_pages_receptive_fields_are_archcs(row: str) -> None:
    """Networks, fields, the stride and paddings, as the table has them."""
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    addresses = re.findall(r"`([^`]+)`", cells[0])
    fields, paddings = ([int(one) for one in cells[at].split(",")] for at in (1, 3))
    assert len(addresses) == len(fields) == len(paddings)
    for address, field, padding in zip(addresses, fields, paddings):
        found = archc.compile(address).stats()["receptive_field"]
        assert (found["size"], found["stride"], found["padding"]) == ([field] * 2, [int(cells[2])] * 2, [padding] * 2)
