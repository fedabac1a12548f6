"""The validated text as frozen data: what the expander reads. Every part keeps its span."""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

from archc.diagnostics import Allowance, Source, Span
from archc.language.document import Mapping, Scalar, Value

STEP_KEYS = ("as", "from", "when", "repeat", "for", "index", "share", "trainable", "doc", "allow")
TYPES = ("int", "float", "bool", "str", "list", "map", "steps", "macro")


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One branch of a merge: steps, a tensor's name, or a loop that makes a branch for each row."""

    name: str
    span: Span
    steps: tuple[Step, ...] | None = None
    tensor: Scalar | None = None
    clause: Scalar | None = None
    repeat: Value | None = None
    index: str = "index"


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step: an operation with its arguments, and the step keys.

    `operation` is a word: an operator, a macro, a notation cell, `steps`, `side`, or `$name` (steps that a parameter
    holds, or a macro that it names where there are arguments). `site` is equal for no two places of a text.
    """

    site: int
    operation: str
    span: Span
    arguments: Value | None
    names: tuple[Scalar, ...] = ()
    sources: tuple[Scalar, ...] | None = None
    when: Scalar | None = None
    repeat: Value | None = None
    clause: Scalar | None = None
    index: str = "index"
    share: Scalar | None = None
    trainable: Value | None = None
    doc: str = ""
    body: tuple[Step, ...] | None = None
    branches: tuple[Branch, ...] | None = None

    @property
    def looped(self) -> bool:
        """True where the step runs several times."""
        return self.repeat is not None or self.clause is not None

    @property
    def splice(self) -> bool:
        """True for `$name` alone: the steps that a parameter holds."""
        return self.operation.startswith("$") and self.arguments is None


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A declared parameter of a macro or a family; `default` is `None` where it is required."""

    name: str
    span: Span
    type: str | None = None
    item: str | None = None
    default: Value | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] | None = None
    doc: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Macro:
    """A function from tensors and parameters to tensors."""

    name: str
    span: Span
    doc: str
    params: Map[str, Parameter]
    let: tuple[tuple[str, Span, Value], ...]
    inputs: tuple[str, ...] | None
    outputs: tuple[Scalar, ...] | None
    body: tuple[Step, ...]
    file: File


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A notation pattern and the steps that a matching cell stands for."""

    pattern: str
    expression: re.Pattern[str]
    exact: bool
    span: Span
    body: tuple[Step, ...]


@dataclass(slots=True, eq=False)
class File:
    """What one text declares. Macros see their own file's `params`, `let`, macros, and those of the files it uses."""

    source: Source
    root: Mapping
    params: dict[str, Parameter] = field(default_factory=dict[str, Parameter])
    let: tuple[tuple[str, Span, Value], ...] = ()
    macros: dict[str, Macro] = field(default_factory=dict[str, Macro])
    cells: tuple[Cell, ...] = ()
    used: tuple[File, ...] = ()

    def macro(self, name: str) -> Macro | None:
        """The macro of this name that the file sees."""
        if name in self.macros:
            return self.macros[name]
        return next((one.macros[name] for one in self.used if name in one.macros), None)

    def macro_names(self) -> list[str]:
        """The names of all the macros that the file sees."""
        return [*self.macros, *(name for one in self.used for name in one.macros)]


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """A declared input: its shape without the batch axis."""

    name: str
    span: Span
    shape: Value
    dtype: str = "float32"


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One network of a family, all that it says itself put over what it is like and over the family."""

    name: str
    title: str
    doc: str
    source: Map[str, Any]
    aliases: tuple[str, ...]
    default: bool
    implementation: str
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[Scalar, Scalar], ...] | None
    layers: tuple[Step, ...]
    values: Map[str, Value]
    expect: Map[str, tuple[Scalar, Value]]
    allowances: tuple[Allowance, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """A whole spec: a family with its variants (one without a name, where it declares none)."""

    name: str
    file: File
    variants: Map[str, Variant]
    allowances: tuple[Allowance, ...] = ()

    @property
    def is_family(self) -> bool:
        """True where the spec declares variants."""
        return "" not in self.variants
