"""What each operator says of shapes, weights, work, windows and mistakes, in full: one golden text for each operator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archc.operators import OPERATORS, Operator, Problem, Shape, Weight, Window, fields_of, make
from archc.operators.base import show
from tests.test_operators import SHAPES, TABLE, VARIATIONS, WRONG, with_defaults

GOLDEN = Path(__file__).resolve().parent / "golden" / "operators"
FEW: list[Shape] = [(6,), (4, 6), (5, 4, 6), (None, 4, 6), (3, 4, 5, 6)]
PAIRS: list[tuple[Shape, ...]] = [
    ((6,), (6,)), ((6,), (1,)), ((5, 4, 6), (5, 4, 6)), ((5, 4, 6), (6,)), ((1, 1, 6), (5, 4, 6)), ((5, 4, 6), (5, 4, 1)), ((5, 1, 6), (1, 4, 6)),
    ((5, 4, 6), (5, 4, 3)), ((8, 8, 6), (4, 4, 6)), ((8, 8, 6), (4, 4, 12)), ((9, 9, 6), (3, 3, 6)), ((4, 4, 6), (8, 8, 3)), ((8, 6, 6), (8, 5, 6)),
    ((None, 4, 6), (5, 4, 6)), ((None, None, 6), (1, 1, 6)), ((None, 4, 6), (None, 2, 6)), ((5, 4, None), (5, 4, 6)), ((5, 4, 6), (1, 1, 3)), ((1, 1, 3), (5, 4, 6)),
    ((5, 4, 6), (3,)), ((4, 6), (5, 4, 6)), ((4, 6), (4, 3)), ((3, 4, 5, 6), (3, 4, 5, 6)), ((), ()), ((5, 4, 6), (5, 4, 6), (5, 4, 3)), ((5, 4, 6), (5, 4, 6), (1, 1, 6)),
]  # fmt: skip
MORE: list[tuple[str, dict[str, Any], Shape]] = [
    *((name, {"factor": value}, (5, 4, 3)) for name in ("rescale",) for value in (2.0, [1.0, 2.0], [1.0, 2.0, 3.0])),
    ("rescale", {"factor": [1.0, 2.0], "offset": [1.0]}, (5, 4, 3)),
    ("rescale", {"factor": [1.0, 2.0]}, (5, 4, None)),
    *(("normalize", {"mean": mean, "variance": variance}, (5, 4, 3)) for mean in ([0.5], [0.5] * 3) for variance in ([1.0], [1.0] * 3)),
    *(("pad", {"amounts": amounts, "mode": mode}, (4, 4, 3)) for amounts in (3, 4, 5, [[4, 0], 1], [[3, 4], [0, 5]], [1, 2, 3]) for mode in ("reflect", "symmetric", "zeros")),
    *(("adaptive_avg_pool", {"size": size}, shape) for size in (1, 2, 3, 4, [1, 2], [5, 4], [2, 1]) for shape in ((5, 4, 6), (8, 8, 6), (6,), (7, 6, 2))),
    *(("slice", {"axis": axis, "start": start, "stop": stop}, (5, 4, 6)) for axis in ("height", "width", "channels") for start in (0, 1, -2, 5) for stop in (None, 3, -1, 9)),
    *(("crop", {"to": to}, shape) for to in (1, 3, [3, 4], [3], [5, 4], [6, 4]) for shape in ((5, 4, 6), (None, 4, 6))),
    *(("crop", {"amounts": amounts}, (5, 6, 2)) for amounts in ([[1, 2], 0], [2, [3, 3]], [[0, 5], 1], [1, 1, 1], 3)),
    *(("conv_transpose", {"filters": 8, "kernel": 3, "stride": stride, "padding": padding, "output_padding": out}, (5, 4, 6)) for stride in (1, 2, 3) for padding in ("same", "valid", 1, 2) for out in (None, 0, 1, 2, [1, 0], [1])),
    *(("conv_transpose", {"filters": 8, "groups": groups, "dilation": dilation, "stride": stride}, (5, 4, 6)) for groups in (2, 4) for dilation in (1, 2) for stride in (1, 2)),
    *((name, {"size": size, "stride": stride, "padding": padding, "rounding": rounding}, shape) for name in ("max_pool", "avg_pool") for size in (2, 3) for stride in (2, 3, 4) for padding in ("valid", "same", 1, 2) for rounding in ("floor", "ceil") for shape in ((7, 6, 2), (None, 6, 2))),
    *(("conv", {"filters": 6, "kernel": kernel, "stride": stride, "padding": padding, "groups": groups}, (9, 8, 6)) for kernel in (2, 3, [5, 2]) for stride in (1, 2, [2, 1]) for padding in ("same", 2, [[0, 3], 1]) for groups in (1, 3)),
    *((name, {**values, "kernel_initializer": initializer}, (5, 4, 6)) for name, values in (("conv", {"filters": 8}), ("dense", {"units": 8})) for initializer in ("he_normal", {"mode": "fan_out"}, {"mode": "fan_in", "scale": 2.0, "distribution": "uniform"})),
    *((name, values, shape) for name, values in (("keras", {"class": "Dense", "config": {}}), ("layer", {"class": "a.b:C", "config": {}})) for values in ({**values, "output": [7], "weights": [[6, 7], [7]]}, {**values, "weights": [[3]]}) for shape in ((5, 4, 6), (None, 6))),
    *(("resize", {"size": size}, shape) for size in (4, [4, 8], [3, 7, 1]) for shape in ((5, 4, 6), (None, None, 6), (4, 6))),
    *(("reshape", {"shape": sizes}, shape) for sizes in ([120], [-1, 6], [5, 0, -1], [2, 60], [7, -1], [-1, -1]) for shape in ((5, 4, 6), (None, 4, 6))),
    *((name, {"block": block}, shape) for name in ("depth_to_space", "space_to_depth") for block in (1, 2, 3) for shape in ((4, 6, 8), (6, 9, 9), (6, 8), (None, 6, 4), (4, 4, 4, 8))),
]  # fmt: skip
"""Values and shapes near which mistakes are made: what does not count up, does not fit, is left open."""


def variants(operator: type[Operator]) -> Iterator[tuple[dict[str, Any], list[tuple[Shape, ...]]]]:
    """Values of an operator's attributes, each with the shapes that it is asked about."""
    base = {} if operator.name == "input" else {name: value for name, value in with_defaults(operator).items() if value is not None}
    required = {one.name: base[one.name] for one in fields_of(operator) if one.required and one.name in base}
    many = operator.arity[0] > 1
    yield required, PAIRS if many else [(one,) for one in SHAPES]
    for one in fields_of(operator):
        allowed = jsonschema.Draft202012Validator(one.kind.schema)
        for value in VARIATIONS.get(one.name, ()):
            if allowed.is_valid(value) and value != one.default:
                yield {**required, one.name: value}, PAIRS[:10] if many else [(shape,) for shape in FEW]
    for name, values, shape in [*((name, values, shape) for _, name, shape, values, *_ in TABLE), *MORE]:
        if name == operator.name and all(jsonschema.Draft202012Validator(one.kind.schema).is_valid(values[one.name]) for one in fields_of(operator) if one.name in values):
            yield values, [(shape,)]
    for _, name, shapes, values in WRONG:
        if name == operator.name:
            yield values, [tuple(shapes)]


def problem_text(one: Problem) -> str:
    parts = (f"{'warning' if one.warning else 'error'}[{one.code.id}]: {one.message}", one.label, one.help)
    return " | ".join(part for part in parts if part)


def weight_text(one: Weight) -> str:
    start = one.initializer if isinstance(one.initializer, str) else json.dumps(one.initializer)
    return f"{one.name} {show(one.shape)} {start} {one.fan_in}>{one.fan_out}{'' if one.trainable else ' fixed'}"


def window_text(one: Window | None) -> str:
    if one is None:
        return "reads all"
    pads = "open" if one.padding is None else " ".join(f"{before}+{after}" for before, after in one.padding)
    return f"window {show(one.kernel)} stride {show(one.stride)} dilation {show(one.dilation)} padding {pads}"


def meaning(made: Operator, shapes: tuple[Shape, ...]) -> str:
    """All that an operator says of these inputs."""
    found = list(made.check(shapes))
    told = [problem_text(one) for one in found]
    if all(one.warning for one in found):
        outputs = made.shapes(shapes)
        macs = made.macs(shapes, outputs)
        told.append(f"-> {', '.join(show(one) for one in outputs)}")
        told += [weight_text(one) for one in made.weights(shapes)]
        told += [] if macs == 0 else ["MACs open" if macs is None else f"{macs} MACs"]
        told.append(window_text(made.window(shapes)))
    return "; ".join(told)


@pytest.mark.parametrize("name", [one for one in OPERATORS if one != "input"])
def test_meanings(name: str, update_golden: bool) -> None:
    """Shapes, weights with their fans, work, windows and the full text of problems are those of the golden text."""
    operator = OPERATORS[name]
    told: dict[str, dict[str, None]] = {}
    for values, inputs in variants(operator):
        made = make(operator, values)
        lines = (f"  {', '.join(show(one) for one in shapes)}: {meaning(made, shapes)}\n" for shapes in inputs)
        told.setdefault(f"{name} {json.dumps(values)}\n", {}).update(dict.fromkeys(lines))
    found = "".join(head + "".join(lines) for head, lines in told.items())
    golden = GOLDEN / f"{name}.txt"
    if update_golden:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(found, encoding="utf-8", newline="\n")
    assert golden.read_text(encoding="utf-8") == found


def test_no_text_is_left_over() -> None:
    """Each golden text is that of an operator."""
    assert sorted(one.stem for one in GOLDEN.glob("*.txt")) == sorted(set(OPERATORS) - {"input"})
