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
