"""What an operator is: typed attributes, a shape rule, weights and cost. No target, no I/O.

Shapes leave out the batch axis, channels come last: `(height, width, channels)` for an image. A size that is
left open is `None`.
"""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from archc.diagnostics import Code

Shape = tuple["int | None", ...]


class Role(Enum):
    """What a node is for; diagrams choose colour and outline by it."""

    INPUT = "input"
    CONVOLUTION = "convolution"
    POOLING = "pooling"
    DENSE = "dense"
    NORMALISATION = "normalisation"
    ACTIVATION = "activation"
    MERGE = "merge"
    RESHAPING = "reshaping"
    REGULARISATION = "regularisation"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an operator on its inputs, without a place: the builder knows where.

    `projects` says that a projection of one of the inputs may mend it; whoever knows the place words it, and `help` is
    the hint where it does not.
    """

    code: Code
    message: str
    label: str = ""
    help: str = ""
    warning: bool = False
    projects: bool = False


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight tensor: its shape, how it starts, and whether training changes it.

    `fan_in` and `fan_out` are those of Keras's initialisers for the shape (product of the receptive field times channels).
    """

    name: str
    shape: tuple[int, ...]
    initializer: str
    trainable: bool = True
    fan_in: int = 1
    fan_out: int = 1

    @property
    def size(self) -> int:
        """The number of values."""
        product = 1
        for one in self.shape:
            product *= one
        return product


@dataclass(frozen=True, slots=True)
class Window:
    """How an operator reads its input along each spatial axis, for receptive fields; `None` reads all of it."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...] | None


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of an attribute: the JSON Schema fragment that a value must satisfy, and how it reads in prose."""

    name: str
    schema: Mapping[str, Any]

    def normalise(self, value: Any) -> Any:
        """The value as the operator keeps it: lists become tuples, so that operators are hashable."""
        return freeze(value)


class FrozenMap(Mapping[str, Any]):
    """A mapping that can be hashed, for attributes whose value is a map: `FrozenMap({"rate": 0.5})["rate"]`."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return self._items == other._items if isinstance(other, FrozenMap) else self._items == other

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"

    def __str__(self) -> str:
        return "{" + ", ".join(f"{key}: {value}" for key, value in self._items.items()) + "}"


def freeze(value: Any) -> Any:
    """Lists as tuples, all the way down; mappings as hashable ones."""
    if isinstance(value, list):
        return tuple(freeze(one) for one in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return FrozenMap({key: freeze(one) for key, one in value.items()})  # pyright: ignore[reportUnknownVariableType]
    return value


def attribute(kind: Kind, doc: str, default: Any = dataclasses.MISSING) -> Any:
    """A dataclass field that is an operator's attribute; without a default it is required."""
    return dataclasses.field(default=default, metadata={"kind": kind, "doc": doc})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Operator(ABC):
    """The meaning of one operation.

    A leaf class states `name`, `role`, its attributes as fields made by `attribute`, and the rules below. Its
    docstring is its page in the reference. `check` is called first; the other methods assume sound inputs.
    Equality and hash are written here once: made by `dataclass` in each of the classes, they are a third of the time
    that importing the operators takes.
    """

    name: ClassVar[str]
    role: ClassVar[Role]
    positional: ClassVar[tuple[str, ...]] = ()
    arity: ClassVar[tuple[int, int | None]] = (1, 1)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        """What is wrong with these input shapes; nothing, as a rule."""
        yield from ()

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """The shape of each output; the first input's, as a rule."""
        return (inputs[0],)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        """The weight tensors, in the order of Keras's layer; none, as a rule."""
        return ()

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int | None:
        """Multiply-accumulates of convolutions and dense layers for one example; `None` where a size is open."""
        return 0

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        """How each output position reads the input; position by position, as a rule (kernel 1)."""
        axes = max(0, len(inputs[0]) - 1)
        return Window((1,) * axes, (1,) * axes, (1,) * axes, ((0, 0),) * axes)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        listed = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({listed})"

    def attributes(self) -> dict[str, Any]:
        """The attributes and their values, in the order of the fields."""
        return {one.name: getattr(self, one.python_name) for one in fields_of(type(self))}

    def non_default(self) -> dict[str, Any]:
        """The attributes whose values are not the defaults."""
        return {
            one.name: value
            for one in fields_of(type(self))
            if (value := getattr(self, one.python_name)) != one.default
        }


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute of an operator, as the schema and the reference page read it."""

    name: str
    python_name: str
    """The name of the dataclass field: the spec's, with a `_` where Python or a rule has taken it (`class_`)."""
    kind: Kind
    doc: str
    default: Any

    @property
    def required(self) -> bool:
        """True where there is no default."""
        return self.default is dataclasses.MISSING


_FIELDS: dict[type[Operator], tuple[Field, ...]] = {}
_KINDS: dict[type[Operator], dict[str, tuple[str, Kind]]] = {}


def fields_of(operator: type[Operator]) -> tuple[Field, ...]:
    """The attributes of an operator class, in order."""
    found = _FIELDS.get(operator)
    if found is None:
        found = tuple(
            Field(one.name.rstrip("_"), one.name, one.metadata["kind"], one.metadata["doc"], one.default)
            for one in dataclasses.fields(operator)
        )
        _FIELDS[operator] = found
    return found


def make(operator: type[Operator], values: Mapping[str, Any]) -> Operator:
    """An operator from values by the spec's names, lists and all: `make(Conv, {"filters": 8, "kernel": [3, 3]})`."""
    known = _KINDS.get(operator)
    if known is None:
        known = _KINDS[operator] = {one.name: (one.python_name, one.kind) for one in fields_of(operator)}
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        python_name, kind = known[name]
        arguments[python_name] = kind.normalise(value)
    return operator(**arguments)


def product(sizes: tuple[int | None, ...]) -> int | None:
    """The product of sizes; `None` where one is open."""
    result = 1
    for one in sizes:
        if one is None:
            return None
        result *= one
    return result


def show(shape: Shape) -> str:
    """A shape as people write it: `28x28x64`, with `?` for an open size."""
    return "x".join("?" if one is None else str(one) for one in shape) or "scalar"
