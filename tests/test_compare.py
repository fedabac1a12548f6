"""Comparisons: figures from compiled specs, accuracies with their measures, the front, labels, and charts that are the same each time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import archc
from archc.analyses.depth import depth
from archc.backends.charts import labels
from archc.backends.charts.accuracy import Accuracy, AccuracyError, assign, read
from archc.backends.charts.ilsvrc import winners
from archc.backends.charts.labels import Bubble
from archc.backends.charts.points import Point, front, point, table
from archc.backends.charts.presets import PRESETS
from archc.backends.charts.vega import Scatter, bars, depths, hues, scatter
from archc.commands import main
from archc.language.catalogue import find
from archc.pipeline import load_address

SMALL = ("vgg:A", "resnet:18", "squeezenet:1.1", "mobilenetv2:1.0")


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["compare", *words]) == code
    found = capsys.readouterr()
    return found.err if code else found.out


def known(network: str, top1: float, protocol: str = "centre crop", source: str = "A", crops: str = "1") -> Accuracy:
    return Accuracy(network, top1, None, crops, protocol, source)


def made(label: str, macs: int, top1: float | None, params: int = 1_000_000, family: str = "F", year: int | None = 2015) -> Point:
    figure = None if top1 is None else assign([label], [known(label, top1)])[label]
    return Point(label, label, family, year, params, macs, 2 * macs, 10, figure)


# The data files


def test_every_accuracy_is_of_a_network_that_archc_has() -> None:
    for network in dict.fromkeys(one.network for one in read()):
        address = find(network)
        assert load_address(address).choose(address.variant or None) is not None


def test_every_accuracy_has_a_protocol_a_source_and_a_status() -> None:
    for one in read():
        assert one.protocol and one.source and one.status and one.crops in ("1", "10", "many")
        assert 0 < one.top1 < (one.top5 or 100.1) <= 100.1


def test_no_measure_has_two_figures_for_one_network() -> None:
    pairs = [(one.network, *one.measure) for one in read()]
    assert len(pairs) == len(set(pairs))


def test_the_file_holds_no_costs() -> None:
    """MACs and parameters come from compiled specs alone."""
    path = Path(archc.__file__).parent / "data" / "accuracy.csv"
    assert path.read_text(encoding="utf-8").splitlines()[0] == "network,top1,top5,crops,protocol,source,status,note"


@pytest.mark.parametrize(
    ("network", "measure", "top1"),
    [
        ("alexnet:one-tower", "torchvision", 56.522), ("vgg:D", "torchvision", 71.592), ("googlenet:torchvision", "torchvision", 69.778), ("resnet:50", "weights V1", 76.13),
        ("resnet:152", "weights V1", 78.312), ("efficientnet:b0", "EfficientNet paper Table 2", 77.1), ("vgg:D", "Keras", 71.3), ("inception-v3:main", "Keras", 77.9),
    ],
)
def test_known_accuracies(network: str, measure: str, top1: float) -> None:
    assert assign([network], read(), measure)[network].accuracy.top1 == top1


# Measures and their marks


def test_as_few_measures_as_can_be() -> None:
    rows = [known("a", 70, source="A"), known("a", 71, source="B"), known("b", 72, source="B"), known("c", 73, source="C")]
    found = assign(["a", "b", "c"], rows)
    assert {name: (one.accuracy.top1, one.mark) for name, one in found.items()} == {"a": (71, ""), "b": (72, ""), "c": (73, "†")}


def test_one_crop_goes_before_many_and_others_are_marked() -> None:
    rows = [known("a", 75, "10 crops", crops="10"), known("b", 76, "10 crops", crops="10"), known("a", 70)]
    found = assign(["a", "b"], rows)
    assert [(found[one].accuracy.top1, found[one].mark) for one in "ab"] == [(70, ""), (76, "†")]


def test_a_text_narrows_the_measures() -> None:
    rows = [known("a", 70, source="torchvision weights"), known("a", 71, source="Keras")]
    assert assign(["a"], rows, "KERAS")["a"].accuracy.top1 == 71
    assert assign(["a"], rows, "nobody") == {}


def test_two_protocols_are_never_mixed_without_a_mark() -> None:
    """In each preset, networks of one mark have one protocol and one source."""
    for name, preset in PRESETS.items():
        addresses = [one for one, _, _ in preset.networks]
        compiled = {one: archc.compile(one).graph.address for one in addresses} if name != "canziani" else dict(zip(addresses, addresses))
        found = assign(list(compiled.values()), read(), preset.protocol, preset.main)
        assert len(found) == len(addresses), name
        by_mark: dict[str, set[tuple[str, str]]] = {}
        for one in found.values():
            by_mark.setdefault(one.mark, set()).add(one.accuracy.measure)
        assert all(len(each) == 1 for each in by_mark.values())
        assert len({next(iter(each)) for each in by_mark.values()}) == len(by_mark)


@pytest.mark.parametrize(
    ("text", "message"),
    [("network,top1\na,70\n", "no column protocol, source"), ("network,top1,protocol,source\na,x,p,s\n", "line 2: an accuracy is a number"), ("network,top1,protocol,source\na,170,p,s\n", "0 to 100"), ("network,top1,protocol,source\na,70,,s\n", "line 2 has no protocol")],
)
def test_a_bad_file_of_accuracies_is_told_with_its_line(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(AccuracyError, match=message):
        read(path)
    assert message in run(capsys, "lenet", "--accuracy", str(path), code=2)


def test_own_figures_go_before_the_shipped_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("network,top1,protocol,source\nresnet:18,12.5,mine,me\n")
    found = json.loads(run(capsys, "resnet:18", "squeezenet:1.1", "--accuracy", str(path), "--format", "json"))
    assert found["networks"][0]["top1"] == 12.5
    assert found["networks"][1]["top1"] == 58.178


# Figures


def test_costs_are_those_of_the_compiled_networks(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(run(capsys, *SMALL, "--format", "csv"))))
    for row in rows:
        cost = archc.compile(row["network"]).analysed.cost
        assert (int(row["params"]), int(row["macs"])) == (cost.params, cost.macs)
        assert float(row["top1_per_million_params"]) == pytest.approx(float(row["top1"]) / cost.params * 1e6)


@pytest.mark.parametrize(
    ("address", "layers"),
    [("alexnet:2012", 8), ("zfnet", 8), ("vgg:D", 16), ("vgg:E", 19), ("googlenet:main", 22), ("resnet:18", 18), ("resnet:152", 152), ("senet:154", 154), ("densenet:121", 121), ("darknet:53", 53)],
)
def test_depth_is_what_the_names_say(address: str, layers: int) -> None:
    assert depth(archc.compile(address).graph) == layers


def test_the_front_is_what_no_other_beats() -> None:
    points = [made("a", 100, 60), made("b", 200, 59), made("c", 300, 70), made("d", 300, 71), made("e", 900, 71), made("f", 50, None)]
    assert [one.label for one in front(points, "macs")] == ["a", "d"]
    for one in points:
        beaten = any(o.top1 is not None and o.macs <= one.macs and o.top1 >= (one.top1 or 0) and (o.macs, o.top1) != (one.macs, one.top1) for o in points)  # pyright: ignore[reportOperatorIssue]
        assert (one in front(points, "macs")) == (one.top1 is not None and not beaten)


def test_winners_are_compiled() -> None:
    found = winners(lambda address: archc.compile(address).analysed)
    assert [(one.year, one.depth) for one in found] == [(2010, None), (2011, None), (2012, 8), (2013, 8), (2014, 22), (2015, 152), (2016, None), (2017, 154)]
    assert [one.error for one in found] == sorted((one.error for one in found), reverse=True)
    assert found[5].params == archc.compile("resnet:152").analysed.cost.params


def test_unknown_accuracies_and_costs_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("archc: 1\nname: net\ninput: [null, null, 3]\nlayers:\n  - conv: [8, 3]\n")
    found = run(capsys, str(path), "resnet:18")
    assert found.count("unknown") == 3
    assert "no published top-1 on record: net" in found


# Labels


def boxes(bubbles: list[Bubble], placed: list[labels.Label | None], size: float) -> list[tuple[float, float, float, float]]:
    from archc.backends.diagram.metrics import text_width

    half = [text_width(one.text, size) / 2 for one in bubbles]
    return [(at.x - w, at.y - size / 2, at.x + w, at.y + size / 2) for at, w in zip(placed, half) if at is not None]


def test_labels_never_overlap_and_stay_inside() -> None:
    bubbles = [Bubble(40 + 37 * (at % 9) + 11 * (at % 4), 60 + 29 * (at // 9) + 7 * (at % 3), 3 + at % 17, f"Network-{at}", at % 2) for at in range(45)]
    placed = labels.place(bubbles, 11, 480, 260)
    found = boxes(bubbles, placed, 11)
    for at, one in enumerate(found):
        assert one[0] >= -1 and one[1] >= -2 and one[2] <= 481 and one[3] <= 262
        for other in found[at + 1 :]:
            assert min(one[2], other[2]) <= max(one[0], other[0]) or min(one[3], other[3]) <= max(one[1], other[1])
    assert len(found) > 20
    assert placed == labels.place(bubbles, 11, 480, 260)


def test_a_lonely_label_stands_beside_its_bubble() -> None:
    (label,) = labels.place([Bubble(100, 100, 10, "VGG-16")], 11, 400, 300)
    assert label is not None and not label.led
    assert label.x > 110 and label.y == 100


# Charts


def test_bubbles_have_areas_by_parameters_and_hues_by_family() -> None:
    points = [made("a", 10**9, 70, 4_000_000, "F"), made("b", 2 * 10**9, 75, 8_000_000, "F"), made("c", 3 * 10**9, 72, 2_000_000, "G")]
    spec = scatter(points, Scatter())
    size = next(one for one in spec["layer"] if "size" in one["encoding"])["encoding"]["size"]["scale"]
    assert size["domain"] == [0, 8] and size["range"][0] == 0, "area in proportion"
    assert hues(points)["domain"] == ["F", "G"]
    assert len(set(hues([made(str(at), 1, 50, family=str(at)) for at in range(40)])["range"])) == 40
    assert [one["label"] for one in spec["data"]["values"]] == ["a", "b", "c"]


@pytest.mark.parametrize(("axis", "title"), [("macs", "MACs"), ("ops", "2 for each multiply-accumulate"), ("flops", "FLOPs"), ("params", "parameters")])
def test_an_axis_states_its_unit(axis: str, title: str) -> None:
    spec = scatter([made("a", 10**9, 70), made("b", 2 * 10**9, 71)], Scatter(axis=axis))
    assert title in spec["encoding"]["x"]["axis"]["title"]
    assert [one["x"] for one in spec["data"]["values"]] == {"macs": [1, 2], "ops": [2, 4], "flops": [2, 4], "params": [1, 1]}[axis]


def test_a_wide_range_is_logarithmic_and_says_so() -> None:
    near, far = (scatter([made("a", 10**7, 70), made("b", high, 71)], Scatter())["encoding"]["x"] for high in (10**8, 10**10))
    assert (near["scale"]["type"], far["scale"]["type"]) == ("linear", "log")
    assert "logarithmic" in far["axis"]["title"]


def test_lines_join_no_two_measures() -> None:
    points = [made("a", 10**9, 70), made("b", 2 * 10**9, 75), made("c", 3 * 10**9, 78)]
    marked = assign(["c"], [known("c", 78)])["c"]
    points[2] = Point("c", "c", "F", 2015, 1, 3 * 10**9, 1, 1, type(marked)(marked.accuracy, "†"))
    joined = scatter(points, Scatter(joined=("F",)))["layer"][0]["data"]["values"]
    assert [(one["x"], one["x2"]) for one in joined] == [(1, 2)]


def test_bars_are_sorted_and_depths_go_by_year() -> None:
    points = [made("a", 1, 60, year=2016), made("b", 2, 70, year=2012), made("c", 3, None, year=2014)]
    assert [one["value"] for one in bars(points, lambda one: one.top1, "top-1")["data"]["values"]] == [70, 60]
    assert [one["x"] for one in depths(points)["data"]["values"]] == ["b\n2012", "c\n2014", "a\n2016"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, bytes]]:
    """Files that a call writes."""
    pytest.importorskip("vl_convert")

    def draw(*words: str) -> dict[str, bytes]:
        folder = tmp_path_factory.mktemp("charts")
        assert main(["compare", *words, "-o", str(folder)]) == 0
        return {one.name: one.read_bytes() for one in folder.iterdir()}

    return draw


def test_charts_are_the_same_each_time(drawn: Callable[..., dict[str, bytes]]) -> None:
    words = (*SMALL, "--chart", "bubble,pareto,params,bars,density,depth", "--emit", "svg,html,vega,csv,markdown")
    first = drawn(*words)
    drawn("resnet:18", "vgg:A")
    assert first == drawn(*words)
    assert len(first) == 30


def test_pictures_are_what_they_say(drawn: Callable[..., dict[str, bytes]]) -> None:
    found = drawn(*SMALL, "--emit", "svg,png,html,vega")
    assert set(found) == {f"compare-bubble.{end}" for end in ("svg", "png", "html", "vl.json")}
    assert found["compare-bubble.png"].startswith(b"\x89PNG")
    svg = ElementTree.fromstring(found["compare-bubble.svg"])
    words = " ".join(one.text or "" for one in svg.iter("{http://www.w3.org/2000/svg}text"))
    assert all(one in words for one in ("VGG A", "ResNet-18", "SqueezeNet 1.1", "MobileNetV2 1.0", "multiply-accumulates"))
    assert json.loads(found["compare-bubble.vl.json"])["$schema"].startswith("https://vega.github.io/schema/vega-lite/")


def test_the_page_needs_no_network_and_has_a_table(drawn: Callable[..., dict[str, bytes]]) -> None:
    text = drawn(*SMALL, "--emit", "html")["compare-bubble.html"].decode()
    assert "<script src" not in text and "<link" not in text
    assert text.index('vegaEmbed("#chart"') < text.rindex("<table>")
    assert all(f">{archc.compile(one).analysed.cost.params:,}<" in text for one in SMALL)
    assert text.count('scope="row"') == len(SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("preset", [*PRESETS, "ilsvrc"])
def test_presets_draw(preset: str, drawn: Callable[..., dict[str, bytes]]) -> None:
    found = drawn("--preset", preset, "--emit", "svg,csv")
    assert set(found) == {f"{preset}.svg", f"{preset}.csv"}
    assert len(found[f"{preset}.svg"]) > 5_000


def test_canziani_counts_two_operations_for_each_mac() -> None:
    preset = PRESETS["canziani"]
    assert {label for _, label, _ in preset.networks} == {
        "AlexNet", "BN-AlexNet", "BN-NIN", "ENet", "GoogLeNet", "ResNet-18", "ResNet-34", "ResNet-50", "ResNet-101", "ResNet-152", "VGG-16", "VGG-19", "Inception-v3", "Inception-v4",
    }
    assert preset.scatter.axis == "ops"
    compiled = archc.compile("vgg:E")
    one = point(compiled.analysed, "VGG-19", "VGG", None)
    assert one.along("ops") == pytest.approx(39.264, abs=0.001)


# The command


def test_the_table_needs_no_plotting_library(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setattr("archc.diagnostics.packages.find_spec", lambda name: None)
    assert "ResNet-18" in run(capsys, "resnet:18", "vgg:A")
    told = run(capsys, "resnet:18", "--emit", "png", "-o", str(tmp_path), code=3)
    assert "E805" in told and "pip install 'archc[charts]'" in told
    run(capsys, "resnet:18", "vgg:A", "--emit", "vega,csv,markdown", "-o", str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("words", [[], ["resnet:18", "--preset", "canziani"], ["--preset", "canzani"], ["resnet:18", "--chart", "bubbles", "--emit", "vega"], ["nosuch"], ["lenet", "--emit", "vega"], ["--preset", "ilsvrc", "--set", "a=1"], ["lenet", "--accuracy", "nosuch.csv"]], ids=" ".join)
def test_wrong_calls(words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "= help: " in run(capsys, *words, code=2)
    assert not list(tmp_path.iterdir())


def test_formats_hold_the_same_networks(capsys: pytest.CaptureFixture[str]) -> None:
    data: dict[str, Any] = json.loads(run(capsys, *SMALL, "--format", "json"))
    assert [one["network"] for one in data["networks"]] == list(SMALL)
    for format in ("text", "markdown", "csv", "html"):
        assert all(one in run(capsys, *SMALL, "--format", format) for one in SMALL)


def test_the_whole_table_names_protocol_and_source() -> None:
    heads = [one.key for one in table([made("a", 1, 50)], "t", "macs", ()).columns]
    assert {"protocol", "source", "status"} <= set(heads)
