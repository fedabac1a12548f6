"""Values in force: parameters from arguments and defaults, what `let` derives, and the scopes of files."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import replace
from typing import Any

from archc.diagnostics import Call, Origin, Span, codes, error
from archc.expansion.binding import Wrong, at_call, check_parameter, is_fixed
from archc.expansion.evaluation import Evaluation
from archc.expansion.scope import Closure, MacroValue, Scope
from archc.expansion.words import Given, unknown_macro
from archc.language.document import Scalar, Value
from archc.language.spec import File, Parameter
from archc.language.steps import StepReader


class Parameters:
    """Puts values into scopes."""

    def __init__(self, evaluation: Evaluation, reader: StepReader, files: Map[int, Scope], constants: dict[int, Any]) -> None:
        self.evaluation = evaluation
        self.reader = reader
        self.files = dict(files)
        self.constants = constants

    def bind(self, params: Map[str, Parameter], bound: Map[str, Value], outer: Scope, inner: Scope, owner: str) -> None:
        """Puts parameters' values into the inner scope, in their order: arguments read the outer one, defaults the inner one."""
        for name, parameter in params.items():
            if name in bound:
                inner.values[name] = self.checked(parameter, bound[name], outer, owner)
            elif parameter.default is not None:
                inner.values[name] = self.default(parameter, parameter.default, inner, owner)

    def complete(self, params: Map[str, Parameter], values: Map[str, Any], inner: Scope, owner: str) -> None:
        """Puts the values of arguments into the inner scope, and the defaults of the other parameters."""
        for name, parameter in params.items():
            if name in values:
                inner.values[name] = values[name]
            elif parameter.default is not None:
                inner.values[name] = self.default(parameter, parameter.default, inner, owner)

    def values(self, params: Map[str, Parameter], given: Given, outer: Scope, owner: str) -> dict[str, Any]:
        """The values of a call's arguments alone."""
        known, found = given.constants, dict[str, Any]()
        for name, written in given.arguments.items():
            if name in known:
                found[name] = known[name]
                continue
            parameter = params[name]
            value = found[name] = self.checked(parameter, written, outer, owner)
            if name in given.fixed:
                known[name] = value
        return found

    def checked(self, parameter: Parameter, written: Value, scope: Scope, owner: str) -> Any:
        """The value of an argument, which has the type that the parameter declares."""
        value = self.argument(parameter, written, scope)
        if problems := check_parameter(parameter, value, written, owner):
            raise Wrong(*problems)
        return value

    def default(self, parameter: Parameter, written: Value, inner: Scope, owner: str) -> Any:
        """The value of a default, which reads the parameters before it."""
        if id(parameter) in self.constants:
            return self.constants[id(parameter)]
        try:
            value = self.argument(parameter, written, inner)
        except Wrong as wrong:
            order = "a default reads the parameters before it, and no others"
            raise Wrong(*(replace(one, help=one.help if one.help.startswith("did you mean") else order) if one.code is codes.UNKNOWN_VALUE else one for one in wrong.diagnostics)) from None
        if problems := check_parameter(parameter, value, written, owner):
            raise Wrong(*problems)
        if is_fixed(parameter, written):
            self.constants[id(parameter)] = value
        return value

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
