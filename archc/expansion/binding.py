"""Arguments: bound to parameters in one way everywhere, evaluated, and checked by type."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Map
from collections.abc import Sequence as Seq
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from archc.diagnostics import Diagnostic, Origin, Span, closest, codes, error, foreign_letter
from archc.expansion.forms import Signature, another, written_otherwise
from archc.expansion.scope import Closure, MacroValue
from archc.language.document import Mapping, Scalar, Sequence, Value, follow, is_null
from archc.language.expressions import Budget, ExpressionError, Template, fill, template
from archc.language.expressions.values import LOOK_ALIKES as WORDS
from archc.language.flow import cut_texts
from archc.language.spec import Parameter
from archc.language.validation import kind_of
from archc.operators import OPERATORS, Field, Operator, fields_of

LOOK_ALIKES = {**WORDS, "y": "true", "n": "false", "true": "true", "false": "false"}


class Wrong(Exception):
    """A step cannot be run; holds why."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics = diagnostics


@lru_cache(maxsize=512)
def operator_signature(operator: type[Operator]) -> Signature:
    """The signature of an operator."""
    fields = fields_of(operator)
    first = next((one for one in fields if operator.positional and one.name == operator.positional[0]), None)
    listed = first is not None and _may_be_list(first.kind.schema)
    return Signature(
        f"`{operator.name}`",
        tuple(spec_name(one) for one in fields),
        operator.positional,
        first is not None and (_only_list(first.kind.schema) or (listed and len(operator.positional) == 1)),
        tuple(spec_name(one) for one in fields if one.required),
        listed,
    )


def spec_name(field: Field) -> str:
    """The attribute's name in a spec, where Python cannot use it (`class`)."""
    return field.name.rstrip("_")


def _only_list(schema: Map[str, Any]) -> bool:
    if "anyOf" in schema:
        return all(_only_list(one) for one in schema["anyOf"])
    return schema.get("type") == "array"


def _may_be_list(schema: Map[str, Any]) -> bool:
    return any("array" in (kind if isinstance(kind := one.get("type"), list) else [kind]) for one in (schema, *schema.get("anyOf", ())))


def is_first(operator: type[Operator], values: Seq[Any]) -> bool:
    """True for a list that is the first parameter's value: it fits that, and its items do not fit the parameters by position.

    >>> from archc.operators import OPERATORS
    >>> [is_first(OPERATORS["resize"], one) for one in ([520, 520], [520, "nearest"])]
    [True, False]
    """
    signature = operator_signature(operator)
    if not signature.first_may_be_list:
        return False
    names = signature.positional
    by_position = len(values) <= len(names) and all(_fits(operator, name, one) for name, one in zip(names, values, strict=False))
    return not by_position and _fits(operator, names[0], list(values))


def macro_signature(owner: str, params: Map[str, Parameter]) -> Signature:
    """The signature of a macro: all its parameters may be positional."""
    names = tuple(params)
    first = params[names[0]] if names else None
    return Signature(owner, names, names, first is not None and first.type in ("list", "steps"), tuple(one for one, p in params.items() if p.default is None))


def bind(arguments: Value | None, signature: Signature, place: Span, *, first: bool = False) -> tuple[dict[str, Value], list[Diagnostic]]:
    """Parameters and the located values given for them: a mapping by name, a list by position, a scalar to the first.

    `first` says that a list is the first parameter's value.
    """
    problems: list[Diagnostic] = []
    if arguments is None or (isinstance(arguments, Scalar) and arguments.value is None):
        return {}, problems
    if isinstance(arguments, Mapping):
        return _by_name(arguments, signature, problems), problems
    if not signature.positional:
        if signature.names:
            form = f"`{{{signature.names[0]}: ...}}`"
            problems.append(error(codes.TOO_MANY_ARGUMENTS, arguments.span, f"{signature.owner} takes its arguments by name", help=f"{meant}; its own arguments go by name, {form}" if (meant := another(arguments, signature)) else f"write {form}"))
        else:
            problems.append(error(codes.TOO_MANY_ARGUMENTS, arguments.span, f"{signature.owner} takes no arguments", help=another(arguments, signature) or "write the word alone"))
        return {}, problems
    if isinstance(arguments, Scalar) or signature.first_is_list or first:
        return {signature.positional[0]: arguments}, problems
    if len(arguments.items) > len(signature.positional):
        extra = arguments.items[len(signature.positional)]
        listed = ", ".join(signature.positional)
        count = len(signature.positional)
        advice = _by_name_form(signature) if signature.first_may_be_list else "give others by name"
        problems.append(error(codes.TOO_MANY_ARGUMENTS, extra.span, f"{signature.owner} takes {count} argument{'' if count == 1 else 's'} by position, and this is number {len(signature.positional) + 1}", help=f"by position it takes ({listed}); {advice}"))
    return dict(zip(signature.positional, arguments.items, strict=False)), problems


def _by_name_form(signature: Signature) -> str:
    first = signature.positional[0]
    return f"a list for `{first}` goes by name, `{{{first}: [...]}}`"


def by_position(found: list[Diagnostic], name: str, arguments: Value | None, signature: Signature) -> list[Diagnostic]:
    """What is wrong with an argument, with the hint that a list went by position and could have been the first parameter."""
    if not isinstance(arguments, Sequence) or not signature.first_may_be_list or name == signature.positional[0]:
        return found
    help = f"by position it takes ({', '.join(signature.positional)}); {_by_name_form(signature)}"
    return [one if one.help.startswith("did you mean") else replace(one, help=help) for one in found]


def _by_name(arguments: Mapping, signature: Signature, problems: list[Diagnostic]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if _words_alone(arguments, signature):
        words = list(arguments.entries)
        spaced = [one.replace(":", ": ", 1) for one in words if ":" in one and " " not in one]
        right = f"{{{', '.join(spaced)}}}" if len(spaced) == len(words) else f"[{', '.join(words)}]"
        message = f"`{{}}` holds `name: value` pairs, and these arguments of {signature.owner} have no values"
        why = "put a space after each colon" if spaced else "arguments by position stand in a list"
        problems.append(error(codes.UNKNOWN_ARGUMENT, arguments.entries[words[0]][0].span, message, help=f"{why}: `{right}`"))
        return found
    cuts = cut_texts(arguments, signature.names)
    problems.extend(one.diagnostic for one in cuts)
    strays = {one for cut in cuts for one in cut.strays}
    for name, (key, value) in arguments.entries.items():
        if name in signature.names:
            found[name] = value
        if name in found or name in strays:
            continue
        problems.append(error(codes.UNKNOWN_ARGUMENT, key.span, f"{signature.owner} has no parameter `{name}`", help=_unknown_help(name, value, signature)))
    return found


def _words_alone(arguments: Mapping, signature: Signature) -> bool:
    """True for `{8, 3}`, which YAML reads as keys without values."""
    return arguments.flow and bool(arguments.entries) and not set(arguments.entries) & set(signature.names) and all(is_null(one) for _, one in arguments.entries.values())


def _unknown_help(name: str, value: Value, signature: Signature) -> str:
    if is_null(value) and ":" in name:
        return f"put a space after the colon: `{name.replace(':', ': ', 1)}`"
    if is_null(value) and not name.isidentifier():
        return "an expression or text with a comma must be quoted in flow style"
    if near := _meant(name, signature):
        return f"did you mean `{near}`?"
    if odd := foreign_letter(name):
        return odd
    listed = ", ".join(signature.names)
    own = f"its parameters are {listed}" if listed else "it takes no arguments"
    owners = [one.name for one in OPERATORS.values() if any(name == spec_name(field) for field in fields_of(one))]
    return f"{own}; `{name}` is one of {', '.join(owners[:3])}{' and others' if len(owners) > 3 else ''}" if owners else own


FOREIGN = {"strides": "stride", "use_bias": "bias", "kernel_size": "kernel", "pool_size": "size", "units": "filters", "filters": "units"}
"""What frameworks call some parameters, or what another operator calls its like."""


def _meant(name: str, signature: Signature) -> str | None:
    """The parameter that an unknown name most likely stands for."""
    near = closest(name, signature.names)
    if near is None and signature.owner.strip("`") in OPERATORS and FOREIGN.get(name) in signature.names:
        near = FOREIGN[name]
    return near


def missing(arguments: Value | None, bound: Map[str, Value], signature: Signature, place: Span) -> list[Diagnostic]:
    """What is required and not given; a misspelt parameter, or arguments in a form that says no names, are reported as that alone."""
    if all(one in bound for one in signature.required):
        return []
    if _words_alone(arguments, signature) if isinstance(arguments, Mapping) else not (signature.positional or arguments is None or is_null(arguments)):
        return []
    written = arguments.entries if isinstance(arguments, Mapping) else ()
    meant = {_meant(one, signature) for one in written if one not in signature.names}
    lost = [one for one in signature.required if one not in bound and one not in meant]
    if not lost:
        return []
    names = " and ".join(f"`{one}`" for one in lost)
    listed = ", ".join(signature.names)
    return [error(codes.MISSING_KEY, place, f"{signature.owner} needs {names}", help=f"its parameters are {listed}")]


class Evaluator:
    """Evaluates located values: texts with `$` become what they stand for."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.templates: dict[str, Template | None] = {}

    def value(self, value: Value, lookup: Callable[[str], Any]) -> Any:
        """The plain value, all of its expressions evaluated. Raises `Wrong`."""
        if isinstance(value, Scalar):
            return self.scalar(value, lookup)
        if isinstance(value, Sequence):
            return [self.value(one, lookup) for one in value.items]
        return {key: self.value(one, lookup) for key, (_, one) in value.entries.items()}

    def scalar(self, value: Scalar, lookup: Callable[[str], Any]) -> Any:
        """A scalar's value."""
        if not isinstance(value.value, str) or "$" not in value.value:
            if value.value == "None" and value.plain:
                raise Wrong(error(codes.WRONG_TYPE, value.span, "`None` is no value of the language", help="write `null`"))
            return value.value
        try:
            parts = self.templates.get(value.value) or self.template(value.value)
            return value.value if parts is None else fill(parts, lookup, self.budget)
        except ExpressionError as problem:
            raise Wrong(located_error(value, problem)) from None

    def template(self, text: str) -> Template | None:
        """The parsed template of a text, parsed once."""
        if text not in self.templates:
            self.templates[text] = template(text)
        return self.templates[text]


def located_error(value: Scalar, problem: ExpressionError) -> Diagnostic:
    """An expression's error at its place in the text."""
    offset = value.span.text.find(value.text)
    if offset < 0:
        return error(problem.code, value.span, problem.message, help=problem.help)
    start = value.span.start + offset
    span = Span(value.span.source, start + problem.start, max(start + problem.end, start + problem.start + 1))
    return error(problem.code, span, problem.message, help=problem.help)


def has_expression(value: Value) -> bool:
    """True where a `$` stands anywhere in the value."""
    if isinstance(value, Scalar):
        return isinstance(value.value, str) and "$" in value.value
    if isinstance(value, Sequence):
        return any(has_expression(one) for one in value.items)
    return any(has_expression(one) for _, one in value.entries.values())


def is_fixed(parameter: Parameter, written: Value) -> bool:
    """True where a parameter's value is the same wherever it is read: steps and macros depend on the scope."""
    return parameter.type not in ("steps", "macro") and not has_expression(written)


@lru_cache(maxsize=1024)
def _validator(operator: type[Operator], name: str) -> Any:
    field = next(one for one in fields_of(operator) if spec_name(one) == name)
    return _strict()(dict(field.kind.schema)), field


@lru_cache(maxsize=1)
def _strict() -> Any:
    """The class of validators for which 3.0 is no integer: JSON Schema takes it for one, the language does not."""
    import jsonschema.validators

    library = cast(Any, jsonschema.validators)
    draft, extend = library.Draft202012Validator, library.extend

    def whole(_: Any, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    return extend(draft, type_checker=draft.TYPE_CHECKER.redefine("integer", whole))


def _fits(operator: type[Operator], name: str, value: Any) -> bool:
    """True where an attribute may have the value."""
    return _validator(operator, name)[0].is_valid(value)


def check_value(operator: type[Operator], name: str, value: Any, written: Value) -> list[Diagnostic]:
    """What is wrong with an attribute's value, by its JSON Schema fragment, in words about the spec."""
    validator, field = _validator(operator, name)
    if validator.is_valid(value):
        return []
    found = next(iter(validator.iter_errors(value)))
    deepest = _deepest(found)
    place = follow(written, list(deepest.absolute_path))
    what = f"`{name}` of `{operator.name}`"
    return [written_otherwise(_explained(what, deepest, place.span, field.kind.name, found), value, written)]


def _deepest(problem: Any) -> Any:
    """Under alternatives, the error of the one that fits best: of the same type, and furthest in."""
    while problem.context:
        best = max(problem.context, key=lambda one: (len(one.relative_path), one.validator not in ("type", "enum"), one.validator == "enum"))
        if not best.relative_path and best.validator in ("type", "enum"):
            return problem if len(problem.context) > 1 else best
        problem = best
    return problem


def _explained(what: str, problem: Any, span: Span, kind: str, outer: Any) -> Diagnostic:
    value, limit = problem.instance, problem.validator_value
    got = kind_of(value)
    last = problem.absolute_path[-1] if problem.absolute_path else None
    part = what if last is None else f"item {last + 1} of {what}" if isinstance(last, int) else f"`{last}` of {what}"
    match problem.validator:
        case "minimum":
            return error(codes.WRONG_VALUE, span, f"{part} is at least {limit}, and this is {value}")
        case "exclusiveMinimum":
            return error(codes.WRONG_VALUE, span, f"{part} is more than {limit}, and this is {value}")
        case "maximum":
            return error(codes.WRONG_VALUE, span, f"{part} is at most {limit}, and this is {value}")
        case "exclusiveMaximum":
            hint = f"did you mean {value / 100:g}?" if isinstance(value, int | float) and 2 <= value <= 100 and limit == 1 else ""
            return error(codes.WRONG_VALUE, span, f"{part} is less than {limit}, and this is {value}", help=hint)
        case "enum":
            choices = [str(one) for one in limit]
            near = closest(str(value), choices)
            return error(codes.WRONG_VALUE, span, f"{part} cannot be {got}", help=f"did you mean `{near}`?" if near else f"it is one of {', '.join(choices)}")
        case "additionalProperties" | "required":
            known = list(problem.schema["properties"])
            odd = next((one for one in value if one not in known), "")
            near = closest(odd, known) if odd else None
            said = f"has no key `{odd}`" if odd else f"needs {' and '.join(f'`{one}`' for one in problem.schema['required'])}"
            return error(codes.UNKNOWN_ARGUMENT if odd else codes.MISSING_KEY, span, f"{part} {said}", help=f"did you mean `{near}`?" if near else f"its keys are {', '.join(known)}")
        case "minItems" | "maxItems":
            return error(codes.WRONG_VALUE, span, f"{part} takes {kind}, and this list has {len(value)} item{'' if len(value) == 1 else 's'}")
        case "uniqueItems":
            twice = next(one for at, one in enumerate(value) if one in value[:at])
            return error(codes.WRONG_VALUE, span, f"{part} takes {kind}, and this has {twice} twice")
        case "pattern":
            choices = limit.strip("^()$").split("|")
            near = closest(value, choices) if "|" in limit or "[" not in limit else None
            return error(codes.WRONG_VALUE, span, f"{part} takes {kind}, and this is {got}", help=f"did you mean `{near}`?" if near else _text_hint(value, kind))
        case _:
            return type_error(part, kind, value, span, outer)


def type_error(part: str, kind: str, value: Any, span: Span, outer: Any = None) -> Diagnostic:
    """A value of the wrong type, with the hint that its looks suggest."""
    got = kind_of(value)
    hint = ""
    words = [str(one) for option in (outer.context or ()) for one in _enum(option)] if outer is not None else []
    if isinstance(value, str):
        if words and (near := closest(value, words)):
            hint = f"did you mean `{near}`?"
        else:
            hint = _text_hint(value, kind) or (f"the names are {', '.join(words)}" if words else "")
    elif isinstance(value, float) and value.is_integer():
        hint = f"write {int(value)}; in an expression use `//`, `round` or `ceil`"
    elif isinstance(value, float):
        hint = "in an expression use `//`, `round`, `floor` or `ceil`"
    elif value is None:
        return error(codes.WRONG_TYPE, span, f"{part} has no value; it takes {kind}", help="write a value, or leave the key out for the default")
    return error(codes.WRONG_TYPE, span, f"{part} takes {kind}, and this is {got}", help=hint)


def _text_hint(value: str, kind: str) -> str:
    """What a text that is no text was probably meant to be."""
    small = value.lower()
    if small in LOOK_ALIKES and "true" in kind:
        return f"write `{LOOK_ALIKES[small]}`"
    if small in ("none", "~", "nil", "null"):
        return "write `null` where nothing is meant, and leave the key out for the default"
    if small.lstrip("+-.") in ("nan", "inf"):
        return "a number is finite"
    if value.isascii() and re.fullmatch(r"[+-]?[0-9_]+", value):
        return f"write the number without quotes, signs and leading zeros: {int(value.replace('_', '') or 0)}"
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,9}|0[oO][0-7]{1,12}|0[bB][01]{1,30}", value):
        return f"numbers are written in decimal: {int(value, 0)}"
    if value.isascii() and re.fullmatch(r"[+-]?[0-9_]*\.?[0-9_]*([eE][+-]?[0-9]+)?[fF]?", value):
        return "write the number without quotes, with a digit before and after the point, as in 0.5"
    if re.fullmatch(r"[0-9]+(:[0-9]+)+", value):
        return f"write a list: [{value.replace(':', ', ')}]"
    if re.match(r"[A-Za-z_]+:\S", value):
        return "is a space missing after the colon?"
    return ""


def _enum(option: Any) -> Seq[Any]:
    return option.validator_value if option.validator == "enum" else ()


TYPE_WORDS = {
    "int": "a whole number", "float": "a number", "bool": "`true` or `false`", "str": "a text", "list": "a list",
    "map": "a mapping", "steps": "a list of steps", "macro": "the name of a macro",
}


def check_parameter(parameter: Parameter, value: Any, written: Value, owner: str) -> list[Diagnostic]:
    """What is wrong with the value of a declared parameter."""
    place = written.span
    if parameter.type is not None and not has_type(value, parameter.type):
        return [written_otherwise(type_error(f"`{parameter.name}` of {owner}", TYPE_WORDS[parameter.type], value, place), value, written)]
    if parameter.item is None and parameter.choices is None and parameter.minimum is None and parameter.maximum is None:
        return []
    part = f"`{parameter.name}` of {owner}"
    if parameter.item is not None:
        for at, one in enumerate(value):
            if not has_type(one, parameter.item):
                return [type_error(f"item {at + 1} of {part}", TYPE_WORDS[parameter.item], one, follow(written, [at]).span)]
            if found := _range(parameter, one, follow(written, [at]).span, f"item {at + 1} of {part}"):
                return found
    if parameter.choices is not None and not any(_same(value, one) for one in parameter.choices):
        choices = [str(one) for one in parameter.choices]
        near = closest(str(value), choices)
        return [error(codes.WRONG_VALUE, place, f"{part} cannot be {kind_of(value)}", help=f"did you mean `{near}`?" if near else f"it is one of {', '.join(choices)}")]
    return _range(parameter, value, place, part)


def _range(parameter: Parameter, value: Any, place: Span, part: str) -> list[Diagnostic]:
    """What is wrong with a number, or with one of a list, by the parameter's limits."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and parameter.minimum is not None and value < parameter.minimum:
        return [error(codes.WRONG_VALUE, place, f"{part} is at least {parameter.minimum}, and this is {value}")]
    if number and parameter.maximum is not None and value > parameter.maximum:
        return [error(codes.WRONG_VALUE, place, f"{part} is at most {parameter.maximum}, and this is {value}")]
    return []


def _same(value: Any, other: Any) -> bool:
    """Equality in which a boolean is no number, in lists and mappings too."""
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(_same, value, other))  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(_same(one, other[key]) for key, one in value.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType, reportUnknownMemberType]
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def has_type(value: Any, kind: str) -> bool:
    """True where a value is of a parameter's type; a whole number is a float too, a boolean never a number."""
    match kind:
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "bool":
            return isinstance(value, bool)
        case "str":
            return isinstance(value, str)
        case "list":
            return isinstance(value, list)
        case "map":
            return isinstance(value, dict)
        case "steps":
            return isinstance(value, Closure)
        case _:
            return isinstance(value, MacroValue)


def at_call(diagnostic: Diagnostic, origin: Origin) -> Diagnostic:
    """The diagnostic with the macro calls that led to it."""
    if diagnostic.span is None or (origin.call is None and origin.turn is None):
        return diagnostic
    return error(diagnostic.code, Origin(diagnostic.span, origin.call, origin.turn), diagnostic.message, label=diagnostic.label, notes=diagnostic.notes, help=diagnostic.help)
