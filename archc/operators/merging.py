"""Merges: several tensors become one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from archc.diagnostics import codes
from archc.operators import kinds, shape_rules
from archc.operators.base import Operator, Problem, Role, Shape, Window, attribute, product
from archc.operators.shape_rules import fit, shapes_label


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Add(Operator):
    """The sum of tensors of one shape: the residual connection.

    `- add: {residual: [...], shortcut: input}`. A tensor with axes of size 1 is stretched, with a warning.
    """

    name: ClassVar[str] = "add"
    role: ClassVar[Role] = Role.MERGE
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from elementwise_problems(self.name, inputs)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (_stretched(inputs),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return _position_by_position(inputs)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Subtract(Operator):
    """The first tensor minus the second."""

    name: ClassVar[str] = "subtract"
    role: ClassVar[Role] = Role.MERGE
    arity: ClassVar[tuple[int, int | None]] = (2, 2)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from elementwise_problems(self.name, inputs)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (_stretched(inputs),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return _position_by_position(inputs)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Multiply(Operator):
    """The product of tensors: gates. `channels` or `1 x 1 x channels` is stretched over space in silence.

    `- multiply: {features: [], gate: [global_avg_pool: {keep_dims: true}, conv: {filters: 64, activation: sigmoid}]}`.
    """

    name: ClassVar[str] = "multiply"
    role: ClassVar[Role] = Role.MERGE
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        widest = _stretched(inputs)
        others = [one for one in inputs if not _is_gate(one, widest)]
        if not all(len(one) == len(widest) and all(map(fit, one, widest)) for one in others):
            yield from elementwise_problems(self.name, inputs, _mend_gate(inputs))

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (_stretched(inputs),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return _position_by_position(inputs)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Average(Operator):
    """The mean of tensors of one shape, value by value."""

    name: ClassVar[str] = "average"
    role: ClassVar[Role] = Role.MERGE
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from elementwise_problems(self.name, inputs)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (_stretched(inputs),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return _position_by_position(inputs)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Maximum(Operator):
    """The larger of tensors of one shape, value by value."""

    name: ClassVar[str] = "maximum"
    role: ClassVar[Role] = Role.MERGE
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from elementwise_problems(self.name, inputs)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (_stretched(inputs),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return _position_by_position(inputs)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Minimum(Operator):
    """The smaller of tensors of one shape, value by value."""

    name: ClassVar[str] = "minimum"
    role: ClassVar[Role] = Role.MERGE
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from elementwise_problems(self.name, inputs)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (_stretched(inputs),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return _position_by_position(inputs)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Concat(Operator):
    """Tensors side by side along one axis, the channels by default; all other sizes are equal.

    Where one tensor leaves a size open and another states it, the result has what the first tensor says, as in Keras.

    `- concat: {1x1: [...], 3x3: [...], pool: [...]}`.
    """

    name: ClassVar[str] = "concat"
    role: ClassVar[Role] = Role.MERGE
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    axis: Any = attribute(kinds.AXIS, "The axis along which the tensors are joined.", "channels")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        axis = shape_rules.resolve_axis(self.axis, inputs[0])
        if len({len(one) for one in inputs}) == 1 and axis is None:
            yield shape_rules.axis_problem(self.name, self.axis, inputs[0])
            return
        if axis is not None and all(_join(inputs[0], one, axis) for one in inputs):
            return
        yield Problem(
            codes.SHAPES_DIFFER,
            f"`concat` needs tensors that differ in the axis `{self.axis}` only, but these differ in others",
            shapes_label(inputs),
            "bring the tensors to the same size: same strides, same padding, or pooling",
        )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        at = shape_rules.resolve_axis(self.axis, inputs[0]) or 0
        sizes = [one[at] for one in inputs]
        joined = None if None in sizes else sum(one or 0 for one in sizes)
        return ((*inputs[0][:at], joined, *inputs[0][at + 1 :]),)


def elementwise_problems(name: str, inputs: tuple[Shape, ...], mend: str = "") -> Iterator[Problem]:
    """Shapes that differ are an error; shapes that stretch over each other, a warning."""
    first = inputs[0]
    if all(len(one) == len(first) and all(map(fit, first, one)) for one in inputs):
        return
    if shape_rules.broadcast(inputs) is not None:
        yield Problem(
            codes.BROADCAST,
            f"`{name}` stretches one tensor over another",
            shapes_label(inputs),
            "give the tensors one shape, where that was meant",
            warning=True,
        )
        return
    yield Problem(
        codes.SHAPES_DIFFER,
        f"`{name}` needs tensors of one shape, but these differ",
        shapes_label(inputs),
        mend or _mend(inputs),
        projects=not mend,
    )


def _mend(inputs: tuple[Shape, ...]) -> str:
    if len({len(one) for one in inputs}) > 1:
        return "give the tensors the same number of axes"
    if not all(fit(size, other) for one in inputs for size, other in zip(one[:-1], inputs[0][:-1], strict=True)):
        return "bring them to one size: give the branches the same strides and padding"
    return "give them the same number of channels"


def _mend_gate(inputs: tuple[Shape, ...]) -> str:
    """What a gate over a feature map lacks: as many channels as the map."""
    *space, channels = max(inputs, key=lambda one: product(one) or 0) or (None,)
    gates = [one for one in inputs if one[-1:] != (channels,) and all(size == 1 for size in one[:-1])]
    if not gates or not space or channels is None:
        return ""
    last = "dense: {units" if len(gates[0]) == 1 else "conv: {filters"
    return f"a gate has as many channels as what it gates: end it with `- {last}: {channels}, activation: sigmoid}}`"


def _stretched(inputs: tuple[Shape, ...]) -> Shape:
    return shape_rules.broadcast(inputs) or inputs[0]


def _is_gate(shape: Shape, widest: Shape) -> bool:
    if shape == widest:
        return True
    return shape[-1:] == widest[-1:] and all(one == 1 for one in shape[:-1])


def _join(one: Shape, other: Shape, axis: int) -> bool:
    return len(one) == len(other) and all(
        at == axis or fit(size, against) for at, (size, against) in enumerate(zip(one, other, strict=True))
    )


def _position_by_position(inputs: tuple[Shape, ...]) -> Window:
    axes = max(0, max(len(one) for one in inputs) - 1)
    return Window((1,) * axes, (1,) * axes, (1,) * axes, ((0, 0),) * axes)
