"""Names and what they stand for while a spec is expanded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archc.diagnostics import Span
from archc.graph.graph import Tensor
from archc.language.spec import File, Macro, Step
from archc.operators import Shape


class Poison:
    """Stands for the result of a step that failed, so that one mistake gives one diagnostic."""

    def __repr__(self) -> str:
        return "unknown"


POISON = Poison()
Flow = Tensor | Poison | None
"""The flowing tensor; `None` where there is none yet."""


class Poisoned(Exception):
    """An expression reads a tensor that could not be computed; the step is dropped in silence."""


@dataclass(frozen=True, slots=True)
class TensorView:
    """What expressions see of a tensor."""

    FIELDS = frozenset({"channels", "height", "width", "rank", "shape"})

    shape: Shape | None

    def __repr__(self) -> str:
        return "a tensor"

    def field(self, name: str) -> Any:
        """One of `FIELDS`; sizes that are left open are null."""
        if self.shape is None:
            raise Poisoned
        shape = self.shape
        spatial = shape[:-1]
        values: dict[str, Any] = {
            "channels": shape[-1] if shape else None,
            "height": spatial[-2] if len(spatial) > 1 else None,
            "width": spatial[-1] if spatial else None,
            "rank": len(shape),
            "shape": list(shape),
        }
        return values[name]


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """Steps passed as an argument, with the scope that their names are read in."""

    steps: tuple[Step, ...]
    scope: Scope

    def __repr__(self) -> str:
        return f"{len(self.steps)} step{'' if len(self.steps) == 1 else 's'}"


@dataclass(frozen=True, slots=True, eq=False)
class MacroValue:
    """A macro passed as an argument."""

    macro: Macro

    def __repr__(self) -> str:
        return self.macro.name


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a tensor got its name: the sites that lead to the step, from the start of the body, and the `as`."""

    path: tuple[int, ...]
    span: Span


class Scope:
    """The names of a body, a loop's iteration or a file, and the scope around it.

    Loops open no body: tensors bound in them belong to the body around. A notation cell reads values as its file does,
    and tensors as the place does that it stands in: `around`. `index` is the name of a loop's counter. `failed` holds
    what the names of failed steps begin with, where their ends would have been computed. `flow` is the flowing tensor at
    the step that runs, and `places` says where tensors got their names.
    """

    __slots__ = ("around", "body", "failed", "file", "flow", "index", "macro", "parent", "places", "tensors", "values")

    def __init__(
        self, file: File, parent: Scope | None, values: dict[str, Any] | None = None, *,
        loop: bool = False, macro: bool = False, index: str = "", around: Scope | None = None,
    ) -> None:
        self.file = file
        self.macro = macro
        self.index = index
        self.around = around
        self.failed: list[str] = []
        self.parent = parent
        self.values: dict[str, Any] = values if values is not None else {}
        self.tensors: dict[str, Flow] = {}
        self.places: dict[str, Bound] = {}
        self.flow: Flow = None
        self.body: Scope = parent.body if loop and parent is not None else self

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it, from the inside."""
        at: Scope | None = self
        while at is not None:
            yield at
            at = at.parent

    def find(self, name: str) -> Any:
        """The value or tensor of a name; raises `KeyError`."""
        at: Scope | None = self
        while at is not None:
            if name in at.values:
                return at.values[name]
            if name in at.tensors:
                return at.tensors[name]
            if name == "_" and at.flow is not None:
                return at.flow
            at = at.parent
        return self.tensor(name)

    def peek(self, name: str) -> Any:
        """The value or tensor of a name, or `None`."""
        try:
            return self.find(name)
        except KeyError:
            return None

    def tensor(self, name: str) -> Flow:
        """The tensor of a name; raises `KeyError`."""
        at: Scope | None = self
        while at is not None:
            if name in at.tensors:
                return at.tensors[name]
            if at.failed and name.startswith(tuple(at.failed)):
                return POISON
            at = at.parent if at.around is None else at.around
        raise KeyError(name)

    def visible(self) -> tuple[list[str], list[str]]:
        """The names of values, and those of tensors, that can be seen from here."""
        values: list[str] = []
        tensors: list[str] = []
        for scope in self.chain():
            values.extend(scope.values)
            tensors.extend(scope.tensors)
        return values, tensors
