"""Receptive fields, against arithmetic and the figures of Araujo et al. (Distill 2019) for known networks."""

from __future__ import annotations

from pathlib import Path

import pytest

import archc


def fields(folder: Path, layers: str) -> list[int | str | None]:
    path = folder / "net.yaml"
    path.write_text(f"archc: 1\nname: net\ninput: [64, 64, 4]\nlayers: [{layers}]\n", encoding="utf-8")
    return [one["receptive_field"] for one in archc.compile(str(path)).stats()["layers"]]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("conv: [4, 3], conv: [4, 3]", [1, 3, 5]),
        ("conv: [4, 3, 2], conv: [4, 3]", [1, 3, 7]),
        ("conv: {filters: 4, kernel: 3, dilation: 2}, conv: [4, 3]", [1, 5, 7]),
        ("conv: [4, 3, 2], conv: [4, 3], upsample: 2, conv: [4, 3]", [1, 3, 7, 7, 9]),
        ("conv: [4, 3, 2], conv_transpose: {filters: 4, kernel: 2, stride: 2}, conv: [4, 3]", [1, 3, 3, 5]),
        ("max_pool: 2, global_avg_pool", [1, 2, "global"]),
    ],
)
def test_fields_grow_by_kernel_dilation_and_jump(tmp_path: Path, layers: str, expected: list[int | str]) -> None:
    assert fields(tmp_path, layers) == expected


def test_the_longest_path_counts(tmp_path: Path) -> None:
    layers = "add: {long: [conv: [4, 5, 1, same], conv: [4, 3, 1, same]], short: [conv: [4, 3, 1, same]]}"
    assert fields(tmp_path, layers)[-1] == 7


@pytest.mark.parametrize(
    ("address", "size", "stride", "padding"),
    [
        ("vgg:A", 150, 32, 59), ("vgg:B", 156, 32, 62), ("vgg:C", 156, 32, 62), ("vgg:D", 212, 32, 90), ("vgg:E", 268, 32, 118), ("alexnet:2012", 195, 32, 64),
        ("resnet:50-keras", 483, 32, 241), ("resnet:50", 427, 32, 213), ("resnet:101-keras", 1027, 32, 513), ("resnet:152-keras", 1507, 32, 753), ("resnet:152", 1451, 32, 725),
        ("inception-v3", 1311, 32, 618), ("mobilenet", 315, 32, 126), ("mobilenetv2", 491, 32, 214), ("densenet:121", 2071, 32, 1021), ("googlenet:main", 715, 32, 327),
    ],
)
def test_published_fields(address: str, size: int, stride: int, padding: int) -> None:
    """Sizes and strides: Araujo et al., and arithmetic for those that they leave out. Padding is what the first position sees before the image."""
    assert archc.compile(address).stats()["receptive_field"] == {"size": [size] * 2, "stride": [stride] * 2, "padding": [padding] * 2, "global_branch": False}


def test_a_global_branch_is_said_and_leaves_the_local_field() -> None:
    """Squeeze and excitation sees the whole image; the convolutions see 851 positions of it."""
    found = archc.compile("efficientnet:b0").stats()
    assert found["receptive_field"] == {"size": [851] * 2, "stride": [32] * 2, "padding": [394] * 2, "global_branch": True}
    layers = {one["name"]: one for one in found["layers"]}
    assert layers["stem_conv"]["receptive_field"] == 3
    last = layers["stage7_block1_projection_conv"]
    assert (last["receptive_field"], last["local_field"], last["global_branch"]) == ("global", [851, 851], True)


def test_side_heads_do_not_change_the_field_of_the_outputs(tmp_path: Path) -> None:
    """The last node of the text is in a branch that nothing reads; what leads to the output counts."""
    text = "archc: 1\nname: net\ninput: [32, 32, 3]\nlayers:\n  - conv: [4, 3]\n  - {conv: [4, 3], as: main}\n  - side: [conv: [4, 1], conv: [4, 9]]\n"
    path = tmp_path / "net.yaml"
    path.write_text(f"{text}outputs: [main]\n", encoding="utf-8")
    compiled = archc.compile(str(path))
    assert compiled.graph.nodes[-1].operator.name == "conv"
    assert compiled.stats()["receptive_field"]["size"] == [5, 5]


def test_of_several_outputs_the_largest_field_counts() -> None:
    one, other = (archc.compile(f"googlenet:{each}").stats()["receptive_field"] for each in ("main", "aux"))
    assert one == other


def test_padding_per_side_is_that_of_the_first_and_the_last_position(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("archc: 1\nname: net\ninput: [10, 11, 1]\nlayers:\n  - conv: {filters: 1, kernel: 3, stride: 2, padding: [[0, 1], 1]}\n  - conv: {filters: 1, kernel: 3, padding: same}\n", encoding="utf-8")
    last = archc.compile(str(path)).stats()["layers"][-1]
    assert (last["local_field"], last["effective_stride"]) == ([7, 7], [2, 2])
    assert last["effective_padding"] == [[2, 3], [3, 3]]


def test_a_network_without_positions_has_no_field() -> None:
    assert archc.compile("dcgan:generator").stats()["receptive_field"] is None
