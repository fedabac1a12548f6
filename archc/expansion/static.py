"""What can be said of a spec before any variant runs: unknown words and arguments, cycles, what is never used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from archc.diagnostics import codes, error, warning
from archc.expansion.binding import (
    Wrong,
    bind,
    by_position,
    check_parameter,
    check_value,
    has_expression,
    is_first,
    located_error,
    macro_signature,
    missing,
    operator_signature,
)
from archc.expansion.words import CellMatch, cell_arguments, check_parts, match_cell, unknown_macro, unknown_operation
from archc.language.document import Mapping, Scalar, Sequence, Value, plain
from archc.language.expressions import ExpressionError, parse, parse_clause, template
from archc.language.spec import Cell, File, Macro, Parameter, Spec, Step
from archc.language.steps import StepReader
from archc.operators import OPERATORS

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_spec(spec: Spec, reader: StepReader) -> None:
    """Checks every body of a spec and its libraries; what is wrong goes into the reader's diagnostics."""
    checker = _Checker(reader)
    clean = not reader.diagnostics.errors
    files = list(dict.fromkeys(_files(spec.file)))
    for file in files:
        for macro in file.macros.values():
            checker.steps(macro.body, file)
            for parameter in macro.params.values():
                checker.default(parameter, file)
        for cell in file.cells:
            checker.steps(cell.body, file)
    layers = {id(one.layers): one.layers for one in spec.variants.values()}
    for steps in layers.values():
        checker.steps(steps, spec.file)
    for steps in _passed(spec, reader):
        checker.steps(steps, spec.file)
    checker.cycles(files)
    if not reader.diagnostics.errors:
        checker.unused(spec)
    if clean and reader.diagnostics.errors and not checker.cyclic:
        _expand_all(spec, reader)


def _expand_all(spec: Spec, reader: StepReader) -> None:
    """Finds what else is wrong, so that one run shows all; variants that need values from outside are left out."""
    from archc.expansion.network import expand

    required = [name for name, one in spec.file.params.items() if one.default is None]
    for variant in spec.variants.values():
        if all(name in variant.values for name in required):
            expand(spec, variant, {}, reader, reader.diagnostics)


def _files(file: File) -> Iterator[File]:
    """The file and all that it uses, each once."""
    seen: dict[int, File] = {}
    waiting = [file]
    while waiting:
        one = waiting.pop(0)
        if id(one) not in seen:
            seen[id(one)] = one
            waiting.extend(one.used)
    yield from seen.values()


def _passed(spec: Spec, reader: StepReader) -> Iterator[tuple[Step, ...]]:
    """The steps that variants and defaults give for the family's `steps` parameters."""
    for name, parameter in spec.file.params.items():
        if parameter.type != "steps":
            continue
        for value in (parameter.default, *(one.values.get(name) for one in spec.variants.values())):
            if value is not None and not (isinstance(value, Scalar) and value.text.startswith("$")):
                yield reader.steps(value)


class _Checker:
    def __init__(self, reader: StepReader) -> None:
        self.reader = reader
        self.diagnostics = reader.diagnostics
        self.seen: set[int] = set()
        self.cyclic = False

    def steps(self, steps: tuple[Step, ...], file: File) -> None:
        """Checks steps, and those that they hold."""
        for step in steps:
            if step.site in self.seen:
                continue
            self.seen.add(step.site)
            self.step(step, file)

    def default(self, parameter: Parameter, file: File) -> None:
        """The steps that a parameter of a macro holds where none are passed."""
        if parameter.type == "steps" and parameter.default is not None and not has_expression(parameter.default):
            self.steps(self.reader.steps(parameter.default), file)

    def step(self, step: Step, file: File) -> None:
        self.expressions(step)
        if step.body is not None:
            self.steps(step.body, file)
        for branch in step.branches or ():
            self.steps(branch.steps or (), file)
        if step.body is not None or step.operation.startswith("$"):
            return
        macro = file.macro(step.operation)
        operator = OPERATORS.get(step.operation)
        if macro is not None:
            self.macro_call(step, macro, file)
        elif operator is not None:
            self.operator_call(step)
        else:
            self.cell(step, file)

    def expressions(self, step: Step) -> None:
        """The form of the expressions in a step, also of one that never runs; they are parsed once for all."""
        values = (step.arguments, *step.names, *(step.sources or ()), step.share, step.repeat, step.trainable)
        for scalar in (one for value in values if value is not None for one in _scalars(value)):
            if isinstance(scalar.value, str) and "$" in scalar.value:
                self.parsed(template, scalar)
        if step.when is not None and isinstance(step.when.value, str):
            self.parsed(template if "$" in step.when.text else parse, step.when)
        if step.clause is not None:
            self.parsed(parse_clause, step.clause)

    def parsed(self, parse: Callable[[str], object], scalar: Scalar) -> None:
        try:
            parse(scalar.text)
        except ExpressionError as problem:
            self.diagnostics.add(located_error(scalar, problem))

    def cell(self, step: Step, file: File) -> None:
        try:
            match = match_cell(step.operation, file)
            if match is not None:
                check_parts(step, match)
        except Wrong as wrong:
            for one in wrong.diagnostics:
                self.diagnostics.add(one)
            return
        if not isinstance(match, CellMatch):
            self.diagnostics.add(unknown_operation(step, step.operation, file))
        elif step.arguments is not None:
            self.diagnostics.add(cell_arguments(step.operation, step.arguments))

    def operator_call(self, step: Step) -> None:
        if isinstance(step.arguments, Scalar) and has_expression(step.arguments):
            return
        operator = OPERATORS[step.operation]
        signature = operator_signature(operator)
        first = False
        if isinstance(step.arguments, Sequence) and signature.first_may_be_list:
            if has_expression(step.arguments):
                return
            first = is_first(operator, plain(step.arguments))
        bound, problems = bind(step.arguments, signature, step.span, first=first)
        problems += missing(step.arguments, bound, signature, step.span)
        for name, value in bound.items() if not (problems and isinstance(step.arguments, Sequence)) else ():
            if not has_expression(value):
                problems += by_position(check_value(operator, name, plain(value), value), name, step.arguments, signature)
        for one in problems:
            self.diagnostics.add(one)

    def macro_call(self, step: Step, macro: Macro, file: File) -> None:
        if isinstance(step.arguments, Scalar) and has_expression(step.arguments):
            return
        signature = macro_signature(f"the macro `{macro.name}`", macro.params)
        bound, problems = bind(step.arguments, signature, step.span)
        problems += missing(step.arguments, bound, signature, step.span)
        for one in problems:
            self.diagnostics.add(one)
        for name, value in bound.items():
            if not problems or macro.params[name].type == "steps":
                self.argument(macro, macro.params[name], value, file)

    def argument(self, macro: Macro, parameter: Parameter, value: Value, file: File) -> None:
        """A literal argument of a macro: steps, the name of a macro, or a value of the parameter's type."""
        if parameter.type == "steps":
            if not (isinstance(value, Scalar) and value.text.startswith("$")):
                self.steps(self.reader.steps(value), file)
        elif has_expression(value):
            return
        elif parameter.type == "macro" and isinstance(value, Scalar) and isinstance(value.value, str):
            if file.macro(value.text) is None:
                self.diagnostics.add(unknown_macro(value.text, value.span, file))
        else:
            for one in check_parameter(parameter, plain(value), value, f"the macro `{macro.name}`"):
                self.diagnostics.add(one)

    def cycles(self, files: list[File]) -> None:
        """Macros and cells whose text leads back to them: one depth-first walk over all, without recursion."""
        done: set[object] = set()
        for file in files:
            for start in (*file.macros.values(), *file.cells):
                path: list[Macro | Cell] = [] if start in done else [start]
                on_path = set(path)
                calls = [self.called(one, file) for one in path]
                while path:
                    found = next(calls[-1], None)
                    if found is None:
                        done.add(path[-1])
                        on_path.discard(path.pop())
                        calls.pop()
                    elif found[0] in on_path:
                        self.report_cycle(path[path.index(found[0]) :])
                    elif found[0] not in done:
                        path.append(found[0])
                        on_path.add(found[0])
                        calls.append(self.called(*found))

    def called(self, one: Macro | Cell, file: File) -> Iterator[tuple[Macro | Cell, File]]:
        """The macros and cells that a text calls, each with the file in which its words are looked up."""
        for step in _all_steps(one.body, self.reader):
            if macro := file.macro(step.operation):
                yield macro, macro.file
            elif step.operation not in OPERATORS and step.body is None:
                try:
                    match = match_cell(step.operation, file)
                except Wrong:
                    continue
                if match is not None:
                    yield match.cell, file

    def report_cycle(self, path: list[Macro | Cell]) -> None:
        self.cyclic = True
        names = [one.name if isinstance(one, Macro) else one.pattern for one in path]
        what = "macro" if isinstance(path[0], Macro) else "cell"
        message = f"the {what} `{names[0]}` leads back to itself: {' -> '.join([*names, names[0]])}"
        self.diagnostics.add(error(codes.RECURSION, path[0].span, message, help="to run steps several times use `repeat` or `for`"))

    def unused(self, spec: Spec) -> None:
        """Macros of the file itself that no variant calls, and parameters that nothing reads."""
        root = spec.file.root
        called = _called_macros(root, set(spec.file.macros))
        for name, macro in spec.file.macros.items():
            if name not in called:
                self.diagnostics.add(warning(codes.UNUSED_MACRO, macro.span, f"the macro `{name}` is not used", help="remove it, or call it"))
        read = _read_words(root)
        for name, parameter in spec.file.params.items():
            if name not in read:
                self.diagnostics.add(warning(codes.UNUSED_PARAMETER, parameter.span, f"the parameter `{name}` is never read", help=f"read it as `${name}`, or remove it"))
        macros = root.get("macros")
        if isinstance(macros, Mapping):
            for name, macro in spec.file.macros.items():
                text = macros.get(name)
                read = _read_words(text) if text is not None and macro.params else set[str]()
                for parameter in macro.params.values():
                    if parameter.name not in read:
                        self.diagnostics.add(warning(codes.UNUSED_PARAMETER, parameter.span, f"the parameter `{parameter.name}` of `{name}` is never read", help=f"read it as `${parameter.name}`, or remove it"))


def _all_steps(steps: tuple[Step, ...], reader: StepReader) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _all_steps(step.body or (), reader)
        for branch in step.branches or ():
            yield from _all_steps(branch.steps or (), reader)


def _scalars(value: Value) -> Iterator[Scalar]:
    if isinstance(value, Scalar):
        yield value
        return
    if isinstance(value, Mapping):
        for key, one in value.entries.values():
            yield key
            yield from _scalars(one)
        return
    for one in value.items:
        yield from _scalars(one)


def _called_macros(root: Mapping, macros: set[str]) -> set[str]:
    """The macros whose names stand where steps and values do, or in such a macro."""
    declared = root.get("macros")
    open_texts = [one for key, (_, one) in root.entries.items() if key in ("layers", "params", "let", "notation", "variants")]
    found: set[str] = set()
    while open_texts:
        for name in (_words(open_texts.pop()) & macros) - found:
            found.add(name)
            if isinstance(declared, Mapping) and (body := declared.get(name)) is not None:
                open_texts.append(body)
    return found


def _words(value: Value) -> set[str]:
    """The words that stand in a text, as keys or in values."""
    return {word for scalar in _scalars(value) for word in (scalar.text, *WORD.findall(scalar.text))}


def _read_words(value: Value) -> set[str]:
    """The words in `$` texts and in bare expressions (`when`, `for`)."""
    found = set[str]()
    waiting = [(value, False)]
    while waiting:
        one, bare = waiting.pop()
        if isinstance(one, Scalar):
            if bare or "$" in one.text:
                found.update(WORD.findall(one.text))
        elif isinstance(one, Mapping):
            for key, inner in one.entries.values():
                waiting += ((key, False), (inner, key.text in ("when", "for")))
        else:
            waiting.extend((inner, False) for inner in one.items)
    return found
