"""Values in force: parameters from arguments and defaults, what `let` derives, and the scopes of files."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import replace
from typing import Any

from archc.diagnostics import Call, Origin, Span, codes, error
from archc.expansion.binding import Wrong, at_call, check_parameter, has_expression
from archc.expansion.evaluation import Evaluation
from archc.expansion.scope import Closure, MacroValue, Scope
from archc.expansion.words import unknown_macro
from archc.language.document import Scalar, Value
from archc.language.spec import File, Parameter
from archc.language.steps import StepReader


class Parameters:
    """Puts values into scopes."""

    def __init__(self, evaluation: Evaluation, reader: StepReader, files: Map[int, Scope]) -> None:
        self.evaluation = evaluation
        self.reader = reader
        self.files = dict(files)
        self.constants: dict[int, Any] = {}

    def bind(self, params: Map[str, Parameter], bound: Map[str, Value], outer: Scope, inner: Scope, owner: str) -> dict[str, str]:
        """Puts parameters' values into the inner scope; gives those that were written as expressions."""
        text: dict[str, str] = {}
        for name, parameter in params.items():
            if name not in bound and id(parameter) in self.constants:
                inner.values[name] = self.constants[id(parameter)]
                continue
            written = bound.get(name, parameter.default)
            if written is None:
                continue
            scope = outer if name in bound else inner
            try:
                value = self.argument(parameter, written, scope)
            except Wrong as wrong:
                if name in bound:
                    raise
                order = "a default reads the parameters before it, and no others"
                raise Wrong(*(replace(one, help=one.help if one.help.startswith("did you mean") else order) if one.code is codes.UNKNOWN_VALUE else one for one in wrong.diagnostics)) from None
            if problems := check_parameter(parameter, value, written, owner):
                raise Wrong(*problems)
            if isinstance(written, Scalar) and has_expression(written):
                text[name] = written.text
            inner.values[name] = value
            if name not in bound and parameter.type not in ("steps", "macro") and not has_expression(written):
                self.constants[id(parameter)] = value
        return text

    def argument(self, parameter: Parameter, written: Value, scope: Scope) -> Any:
        """The value of an argument; a list of steps stays text, a macro is looked up."""
        if parameter.type == "steps" and not _holds(written):
            return Closure(self.reader.steps(written), scope)
        value = self.evaluation.value(written, scope)
        if parameter.type == "macro" and isinstance(value, str):
            macro = scope.file.macro(value)
            if macro is None:
                raise Wrong(unknown_macro(value, written.span, scope.file))
            return MacroValue(macro)
        return value

    def lets(self, lets: tuple[tuple[str, Span, Value], ...], scope: Scope, call: Call | None) -> None:
        """Derived values, in order."""
        for name, span, written in lets:
            if name in scope.values:
                raise Wrong(at_call(error(codes.NAME_TAKEN, span, f"`{name}` is a parameter already"), Origin(span, call)))
            try:
                scope.values[name] = self.evaluation.value(written, scope)
            except Wrong as wrong:
                raise Wrong(*(at_call(one, Origin(span, call)) for one in wrong.diagnostics)) from None

    def file_scope(self, file: File) -> Scope:
        """The scope of a library: its own parameters at their defaults, and its `let`."""
        found = self.files.get(id(file))
        if found is None:
            found = self.files[id(file)] = Scope(file, None)
            self.bind(file.params, {}, found, found, file.source.name)
            self.lets(file.let, found, None)
        return found


def _holds(written: Value) -> bool:
    """True for `$name`, which hands on the steps that another parameter holds."""
    return isinstance(written, Scalar) and written.text.startswith("$") and written.text[1:].isidentifier()
