"""`archc diff`: layers added, removed, changed, moved; revisions of git; and networks too large for a quadratic search."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archc
from archc.analyses import AnalysedGraph
from archc.analyses.alignment import align
from archc.analyses.difference import Difference, bunches, difference
from archc.commands import main
from archc.commands.diff import data, lines
from archc.language.catalogue import Address
from archc.language.document import decode
from archc.pipeline import load_address
from tests.strategies import specs

HEAD = "archc: 1\nname: net\ninput: [32, 32, 3]\n"


def net(layers: str) -> AnalysedGraph:
    return load_address(Address(decode("net.yaml", (HEAD + layers).encode()), "", None)).compile().analysed


def between(before: str, after: str) -> Difference:
    return difference(net(before), net(after))


def told(found: Difference) -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in found.changes if one.kind != "same" or one.told]


def shipped(before: str, after: str) -> Difference:
    return difference(archc.compile(before).analysed, archc.compile(after).analysed)


# Matching


def test_vgg_d_and_e_differ_in_three_convolutions() -> None:
    found = shipped("vgg:D", "vgg:E")
    assert [kind for kind, _ in told(found)] == ["added"] * 3
    assert sum(one.params for one in found.changes) == 5_309_696
    assert [one.after.shape for one in found.changes if one.kind == "added" and one.after] == [(56, 56, 256), (28, 28, 512), (14, 14, 512)]


def test_blocks_that_came_are_one_line() -> None:
    found = [one for one in bunches(shipped("resnet:50", "resnet:101")) if one.kind != "same"]
    assert [(one.kind, one.names, len(one.changes)) for one in found] == [("added", ("stage3_block7", "stage3_block23"), 170)]


def test_branches_in_another_order_are_the_same() -> None:
    """ResNet of Keras writes its shortcut first; nothing was added or removed."""
    found = shipped("resnet:50", "resnet:50-keras")
    assert found.count("added") == found.count("removed") == 0
    assert not [one for one in found.changes if any(detail.what == "inputs" for detail in one.details)]


@pytest.mark.parametrize("names", [("vgg:A", "vgg:E"), ("efficientnet:b0", "efficientnet:b3"), ("googlenet:main", "googlenet:aux"), ("lenet", "alexnet"), ("unet:2015", "unet:same")])
def test_differences_of_cost_add_up(names: tuple[str, str]) -> None:
    found = shipped(*names)
    assert sum(one.params for one in found.changes) == found.after.cost.params - found.before.cost.params
    assert sum(one.macs or 0 for one in found.changes) == (found.after.cost.macs or 0) - (found.before.cost.macs or 0)
    seen = [one.after.index for one in found.changes if one.after]
    assert sorted(seen) == list(range(len(found.after.graph.nodes)))
    assert sorted(one.before.index for one in found.changes if one.before) == list(range(len(found.before.graph.nodes)))


@pytest.mark.parametrize("name", ["vgg:D", "resnet:50", "googlenet:main", "unet:2015"])
def test_a_network_does_not_differ_from_itself(name: str) -> None:
    assert shipped(name, name).equal


def test_a_changed_attribute_is_told_and_what_follows_is_not() -> None:
    found = between("layers: [conv: [8, 3], relu, conv: [8, 3], flatten]\n", "layers: [conv: [16, 3], relu, conv: [8, 3], flatten]\n")
    assert told(found) == [("changed", "conv"), ("affected", "relu"), ("affected", "conv_2")]
    assert [(one.what, one.before, one.after) for one in found.changes[1].details] == [("filters", 8, 16)]
    assert [one.params for one in found.changes[1:4]] == [224, 0, 576]


def test_an_operator_is_exchanged_under_its_name() -> None:
    found = between("layers: [conv: 8, {relu: , as: act}, flatten]\n", "layers: [conv: 8, {gelu: , as: act}, flatten]\n")
    assert told(found) == [("changed", "act")]
    assert found.changes[2].details[0].what == "operator"


def test_a_layer_that_moved_is_found_again() -> None:
    found = between("layers: [{relu: , as: act}, {conv: 8, as: a}, {conv: 8, as: b}, flatten]\n", "layers: [{conv: 8, as: a}, {conv: 8, as: b}, {relu: , as: act}, flatten]\n")
    assert [(one.name, one.moved) for one in found.changes if one.told and one.moved] == [("act", True)]
    assert found.count("added") == found.count("removed") == 0


def test_a_layer_under_another_name_is_the_same() -> None:
    found = between("layers: [{conv: 8, as: a}, relu, flatten]\n", "layers: [{conv: 8, as: b}, relu, flatten]\n")
    assert [(one.kind, one.name, one.renamed) for one in found.changes if one.told] == [("same", "b", True)]
    assert not found.equal


def test_another_wire_is_told() -> None:
    before = "layers: [{conv: 3, as: a}, {conv: 3, as: b}, {add: [input, b]}]\n"
    after = "layers: [{conv: 3, as: a}, {conv: 3, as: b}, {add: [a, b]}]\n"
    found = between(before, after)
    assert [(one.what, one.before, one.after) for one in found.changes[-1].details] == [("inputs", ["input", "b"], ["a", "b"])]
    assert told(found) == [("changed", "add")]


def test_trainable_and_shared_weights_are_told() -> None:
    found = between("layers: [{conv: 3, as: a}, {conv: 3, as: b}]\n", "layers: [{conv: 3, as: a, share: w}, {conv: 3, as: b, share: w}]\n")
    assert [(one.name, one.details[0].what, one.params) for one in found.changes if one.told] == [("b", "shares weights", -12)]
    found = between("layers: [{conv: 3, as: a}]\n", "layers: [{conv: 3, as: a, trainable: false}]\n")
    assert [(one.name, one.details[0].what, one.params) for one in found.changes if one.told] == [("a", "trainable", 0)]


@given(specs(), specs())
def test_drawn_networks_differ_by_their_costs(before: str, after: str) -> None:
    """Every layer of both is told of once, the costs add up, and a network does not differ from itself."""
    one, other = (archc.load("-", text.encode()).compile().analysed for text in (before, after))
    found = difference(one, other)
    assert sorted(change.before.index for change in found.changes if change.before) == list(range(len(one.graph.nodes)))
    assert sorted(change.after.index for change in found.changes if change.after) == list(range(len(other.graph.nodes)))
    assert sum(bunch.params for bunch in bunches(found)) == other.cost.params - one.cost.params
    assert difference(one, one).equal
    assert list(lines(found, "a", "b", colour=False))
    json.dumps(data(found, "a", "b"))


@given(st.lists(st.sampled_from("abc"), max_size=30), st.lists(st.sampled_from("abc"), max_size=30))
def test_alignment_is_sound(before: list[str], after: list[str]) -> None:
    pairs = align(before, after)
    assert all(before[one] == after[other] for one, other in pairs)
    assert all(one < two and other < three for (one, other), (two, three) in itertools.pairwise(pairs))


LARGE = {
    "one layer less": ("repeat: 20000, relu: ", "repeat: 19999, relu: "),
    "turned round": ("repeat: 10000, steps: [relu, tanh]", "repeat: 10000, steps: [tanh, relu]"),
    "nothing in common": ("repeat: 20000, relu: ", "repeat: 20000, tanh: "),
    "shuffled": ("repeat: 7000, steps: [relu, tanh, sigmoid]", "repeat: 4000, steps: [sigmoid, relu, relu, tanh, tanh]"),
}


@pytest.mark.parametrize("name", LARGE)
def test_many_layers_alike_take_seconds(name: str) -> None:
    before, after = (net(f"layers:\n  - {{{one}}}\n") for one in LARGE[name])
    start = time.perf_counter()
    bunches(difference(before, after))
    assert time.perf_counter() - start < 30


def test_alignment_is_not_quadratic() -> None:
    start = time.perf_counter()
    assert len(align(["a", "b"] * 100_000, ["b", "a"] * 100_000)) == 199_999
    assert align(["a"] * 200_000, ["b"] * 200_000) == []
    assert time.perf_counter() - start < 20


# The command


@pytest.mark.parametrize(("before", "after", "names"), [
    ("vgg:D", "vgg:E", ["conv_8", "conv_12", "conv_16"]),
    ("vgg:E", "vgg:D", ["conv_8", "conv_12", "conv_16"]),
    ("vgg:A", "vgg:E", ["conv_2", "conv_4", "conv_7", "conv_8", "conv_11", "conv_12", "conv_15", "conv_16"]),
])
def test_the_last_of_equal_layers_is_the_one_that_came_or_went(before: str, after: str, names: list[str]) -> None:
    found = shipped(before, after)
    assert [one.name for one in found.changes if one.kind in ("added", "removed")] == names
    assert {one.kind for one in found.changes} <= {"added", "removed", "same"}


def test_tables_have_the_lines_of_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "vgg:D", "vgg:E", "--format", "markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "**vgg:D -\\> vgg:E**" and lines[2:4] == ["|  | Layer | What | Parameters | MACs |", "| --- | --- | --- | ---: | ---: |"]
    assert lines[6] == "| added | conv_16 | conv filters 512, kernel 3, padding same, activation relu 14x14x512 | +2,359,808 | +462 M |"
    assert any(one.startswith("layers: 3 added, 26 alike") for one in lines)
    assert main(["diff", "vgg:D", "vgg:D", "--set", "classes=10", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["changed,dense_3,dense units 1000 -> 10,-4056030,-4055040"]


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "vgg:D", "vgg:E"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "vgg:D -> vgg:E",
        "+ conv_8   conv filters 256, kernel 3, padding same, activation relu  56x56x256  +590,080 parameters, +1.85 G MACs",
        "+ conv_12  conv filters 512, kernel 3, padding same, activation relu  28x28x512  +2,359,808 parameters, +1.85 G MACs",
        "+ conv_16  conv filters 512, kernel 3, padding same, activation relu  14x14x512  +2,359,808 parameters, +462 M MACs",
        "",
        "parameters  138,357,544 -> 143,667,240  (+5,309,696, +3.84%)",
        "trainable   138,357,544 -> 143,667,240  (+5,309,696, +3.84%)",
        "MACs        15,470,264,320 -> 19,632,062,464  (+4,161,798,144, +26.90%)",
        "layers      3 added, 26 alike",
    ]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "vgg:D", "vgg:D", "--set", "classes=10", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["params"] == -4_056_030
    assert found["counts"] == {"added": 0, "removed": 0, "changed": 1, "affected": 1, "same": 24}
    assert found["changes"][0]["details"] == [{"what": "units", "before": 1000, "after": 10}]


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As git has them: 0 the same, 1 another network, above it trouble."""
    (tmp_path / "wrong.yaml").write_text(HEAD + "layers: [covn: 3]\n")
    assert main(["diff", "vgg:D", "vgg:E", "--exit-code"]) == 1
    assert main(["diff", "vgg:D", "vgg:D", "--exit-code"]) == 0
    assert main(["diff", "vgg:D", str(tmp_path / "wrong.yaml"), "--exit-code"]) == 2
    assert main(["diff", "vgg:D", str(tmp_path / "wrong.yaml")]) == 1
    assert main(["diff", "vgg:D", "nothing.yaml", "--exit-code"]) == 2
    assert capsys.readouterr().err.count("error[E207]") == 2


# Revisions


Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A repository with a spec and its library in two revisions, as the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in [one for one in os.environ if one.startswith("GIT_")]:
        monkeypatch.delenv(name)

    def run(*words: str) -> str:
        settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *settings, *words], check=True, capture_output=True, text=True).stdout

    run("init", "-q")
    (tmp_path / "nets/lib").mkdir(parents=True)
    (tmp_path / "nets/lib/blocks.yaml").write_text("archc: 1\nname: blocks\nmacros:\n  block: [conv: [8, 3]]\n")
    (tmp_path / "nets/net.yaml").write_text(HEAD + "use: [lib/blocks.yaml]\nlayers: [block, flatten]\n")
    run("add", ".")
    run("commit", "-qm", "one")
    (tmp_path / "nets/lib/blocks.yaml").write_text("archc: 1\nname: blocks\nmacros:\n  block: [conv: [16, 3]]\n")
    (tmp_path / "nets/net.yaml").write_text(HEAD + "use: [lib/blocks.yaml]\nlayers: [block, relu, flatten]\n")
    run("commit", "-qam", "two")
    return run


def changes(capsys: pytest.CaptureFixture[str], *words: str) -> list[tuple[str, str]]:
    assert main(["diff", *words, "--format", "json"]) == 0
    return [(one["change"], one["name"]) for one in json.loads(capsys.readouterr().out)["changes"]]


BOTH = [("changed", "block_conv"), ("added", "relu"), ("affected", "flatten")]


def test_revisions_have_the_libraries_of_their_time(git: Git, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert changes(capsys, "HEAD~1:nets/net.yaml", "nets/net.yaml") == BOTH
    assert changes(capsys, "HEAD~1:nets/net.yaml", "HEAD:nets/net.yaml") == BOTH
    assert changes(capsys, "HEAD:nets/net.yaml", "nets/net.yaml") == []
    assert git("status", "--porcelain") == ""


def test_paths_of_revisions_lead_from_the_root_and_from_here(git: Git, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("nets")
    for one in ("HEAD~1:net.yaml", "HEAD~1:./net.yaml", "HEAD~1:nets/net.yaml", "main~1:net.yaml:"):
        assert changes(capsys, one, "net.yaml") == BOTH


@pytest.mark.parametrize(
    ("address", "code", "part"),
    [
        ("nowhere:nets/net.yaml", 2, "git knows no revision `nowhere`"),
        ("HEAD:nets/other.yaml", 2, "HEAD has no file nets/other.yaml"),
        ("HEAD:../net.yaml", 2, "lies outside the repository"),
        ("HEAD:/etc/net.yaml", 2, "lies outside the repository"),
        ("--output=pwned:nets/net.yaml", 2, ""),
        ("HEAD --output=pwned:nets/net.yaml", 2, ""),
        ("HEAD:--output=pwned.yaml", 2, "HEAD has no file --output=pwned.yaml"),
        ("HEAD:nets/*.yaml", 2, "HEAD has no file nets/*.yaml"),
        ("HEAD:nets/link.yaml", 2, "HEAD:nets/link.yaml is not a regular file"),
        ("HEAD:nets/outside.yaml", 1, "lies outside the folder of the spec"),
        ("HEAD:nets/linked.yaml", 1, "is not a regular file"),
    ],
)
def test_revisions_that_are_none(address: str, code: int, part: str, git: Git, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """No option, pattern, link or path out of the folder gets through; nothing is written."""
    (tmp_path / "nets/link.yaml").symlink_to("net.yaml")
    (tmp_path / "nets/lib/link.yaml").symlink_to("blocks.yaml")
    (tmp_path / "secret.yaml").write_text("archc: 1\nname: secret\nmacros:\n  block: [relu]\n")
    (tmp_path / "nets/outside.yaml").write_text(HEAD + "use: [../secret.yaml]\nlayers: [block, flatten]\n")
    (tmp_path / "nets/linked.yaml").write_text(HEAD + "use: [lib/link.yaml]\nlayers: [block, flatten]\n")
    git("add", ".")
    git("commit", "-qm", "three")
    before = sorted(tmp_path.rglob("*"))
    words = ["diff", "--", address, "nets/net.yaml"] if address.startswith("-") else ["diff", address, "nets/net.yaml"]
    assert main(words) == code
    said = capsys.readouterr().err
    assert part in said
    assert "Traceback" not in said
    assert "fault of archc" not in said
    assert sorted(tmp_path.rglob("*")) == before


def test_no_repository_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert main(["diff", "HEAD:net.yaml", "vgg:D"]) == 2
    assert "not a git repository" in capsys.readouterr().err
