"""`archc diff A B --emit svg`: both networks, with what was removed, added and changed marked by colour, outline and sign."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path

import pytest

import archc
from archc.analyses.difference import difference
from archc.backends.diagram.backend import DiagramBackend
from archc.backends.diagram.comparison import COLOURS, SIGNS, comparison, sides
from archc.backends.diagram.styles import theme_of
from archc.commands import main

SVG = "{http://www.w3.org/2000/svg}"


def drawn(before: str, after: str, **options: object) -> ET.Element:
    found = difference(archc.compile(before).analysed, archc.compile(after).analysed)
    [one] = DiagramBackend(**options).emit_difference(found, (before, after))
    file = BytesIO()
    one.write(file)
    return ET.fromstring(file.getvalue())


def marked(picture: ET.Element, mark: str) -> list[ET.Element]:
    """The boxes and frames with a mark."""
    return [one for one in picture.iter(f"{SVG}g") if mark in (one.get("class") or "").split()]


def test_three_convolutions_are_added_on_the_right_and_removed_on_the_left() -> None:
    forth, back = drawn("vgg:D", "vgg:E"), drawn("vgg:E", "vgg:D")
    assert [(one.get("id") or "")[0] for one in marked(forth, "added")] == ["b"] * 3
    assert [(one.get("id") or "")[0] for one in marked(back, "removed")] == ["a"] * 3
    assert not [*marked(forth, "removed"), *marked(forth, "changed"), *marked(back, "added"), *marked(back, "changed")]


def test_changed_layers_are_marked_in_both_and_say_what_changed() -> None:
    found = marked(drawn("vgg:C", "vgg:D"), "changed")
    assert [(one.get("id") or "")[0] for one in found] == ["a"] * 3 + ["b"] * 3
    assert all("kernel 1 → 3" in (one.findtext(f"{SVG}title") or "") for one in found)


def test_blocks_that_were_added_fold_by_themselves() -> None:
    """Of the 23 blocks of stage 3 the first is as it was, 5 are as they were, 17 came: one frame, whose boxes have no mark."""
    [frame] = marked(drawn("resnet:50", "resnet:101"), "added")
    assert "folded" in (frame.get("class") or "")
    assert any((one.text or "").endswith("× 17") for one in frame.iter(f"{SVG}text"))


@pytest.mark.parametrize(("before", "after", "mark"), [("vgg:D", "vgg:E", "added"), ("vgg:E", "vgg:D", "removed"), ("vgg:C", "vgg:D", "changed")])
def test_a_mark_is_told_without_its_colour(before: str, after: str, mark: str) -> None:
    """Each has a sign, and what was removed a dashed ring; the legend has the marks that are drawn and no others."""
    picture = drawn(before, after)
    for one in marked(picture, mark):
        assert [text.text for text in one.iter(f"{SVG}text")][-1] == SIGNS[mark]  # pyright: ignore[reportArgumentType]
        ring = next(one.iter(f"{SVG}rect"))
        assert (ring.get("stroke-dasharray") is not None) == (mark == "removed")
        assert ring.get("stroke") == COLOURS[mark]  # pyright: ignore[reportArgumentType]
    [legend] = [one for one in picture.iter(f"{SVG}g") if one.get("class") == "legend marks"]
    told = [text.text or "" for text in legend.iter(f"{SVG}text") if len(text.text or "") > 1]
    assert [one.split(":")[0] for one in told] == [mark]


def test_ids_are_unique_and_bytes_the_same() -> None:
    first, second = (ET.tostring(drawn("resnet:18", "resnet:34")) for _ in range(2))
    assert first == second
    ids = re.findall(rb' id="([^"]+)"', first)
    assert len(ids) == len(set(ids)) > 40


def test_equal_networks_have_no_mark() -> None:
    picture = drawn("lenet", "lenet")
    assert not any(marked(picture, one) for one in COLOURS)
    assert "no layer differs" in "".join(picture.itertext())


def test_a_layer_that_only_costs_something_else_has_no_mark() -> None:
    wide = archc.compile("vgg:A", classes=10)
    _, after = sides(difference(archc.compile("vgg:A").analysed, wide.analysed))
    assert {wide.graph.nodes[one].operator.name: mark for one, mark in after.marks.items()} == {"dense": "changed"}


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_the_networks_stand_side_by_side_or_one_above_the_other(direction: str) -> None:
    found = difference(archc.compile("vgg:A").analysed, archc.compile("vgg:B").analysed)
    picture = comparison(found, ("a", "b"), theme_of("light"), direction)  # pyright: ignore[reportArgumentType]
    for group in picture.groups:
        for shape in group.shapes:
            points = getattr(shape, "points", None) or ((shape.x, shape.y),)  # pyright: ignore[reportAttributeAccessIssue]
            assert all(-1 <= x <= picture.width + 1 and -1 <= y <= picture.height + 1 for x, y in points)


def test_the_command_writes_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "lenet:original", "lenet:keras", "--emit", "svg,png", "-o", str(tmp_path), "--format", "json"]) == 0
    written = json.loads(capsys.readouterr().out)["written"]
    assert sorted(Path(one).name for one in written) == sorted(one.name for one in tmp_path.iterdir())
    assert {one.suffix for one in tmp_path.iterdir()} == {".svg", ".png"}


def test_a_format_that_is_none_is_told_before_anything_is_compiled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "vgg:D", "vgg:E", "--emit", "dot", "-o", str(tmp_path)]) == 2
    assert "svg, png, pdf" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
