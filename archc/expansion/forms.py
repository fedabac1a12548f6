"""Arguments in the form that another language or tool has for them, and the form that is meant."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from archc.diagnostics import Diagnostic
from archc.language.document import Scalar, Value
from archc.language.expressions import ExpressionError, parse
from archc.operators import OPERATORS, Role

PARTS = re.compile(r"\(?\s*(?P<parts>[\w.+-]+(?:\s*[,;\s]\s*[\w.+-]+)+)\s*,?\s*\)?\Z")
"""Several words or numbers, with commas or blanks between them, in brackets or not."""
BY = re.compile(r"[0-9]+(?:\s*[x×*]\s*[0-9]+)+\Z")
"""Sizes as people say them: 3x3."""
WINDOWS = {"global_avg_pool": "avg_pool", "global_max_pool": "max_pool"}
"""Operators over the whole map, and their likes that take a size."""
MOST = 200
"""Characters of a text that is looked at."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What arguments bind to: names in order, those that may be positional, and whether a list is always the first.

    `first_may_be_list` holds where a list binds by position, unless it fits the first parameter alone: see `is_first`.
    """

    owner: str
    names: tuple[str, ...]
    positional: tuple[str, ...]
    first_is_list: bool
    required: tuple[str, ...]
    first_may_be_list: bool = False


def written_otherwise(one: Diagnostic, value: Any, written: Value) -> Diagnostic:
    """What is wrong with a value, with the hint that its text is a list or an expression in another form."""
    if not isinstance(value, str) or not isinstance(written, Scalar) or len(written.text) > MOST:
        return one
    help = computed(written.text) if "$" in written.text else "" if one.help else listed(written.text)
    return replace(one, help=help) if help else one


def computed(text: str) -> str:
    """The hint for arithmetic around a `$name`, which is no expression yet.

    >>> computed("$width * 2")
    'an expression stands in `$(...)`: write `$(width * 2)`'
    """
    bare = re.sub(r"\$\(([^()]*)\)|\$", lambda found: f"({found[1]})" if found[1] else "", text).strip()
    if not re.search(r"[-+*/%]|\b(if|and|or)\b", bare):
        return ""
    try:
        parse(bare)
    except ExpressionError:
        return ""
    sign = '"' if set(bare) & set(",[]{}:#") and '"' not in bare else ""
    return f"an expression stands in `$(...)`: write `{sign}$({bare}){sign}`"


def listed(text: str) -> str:
    """The hint for several values that are one text.

    >>> listed("(16, 3)"), listed("10 softmax"), listed("3x3")
    ('several values stand in a list: write `[16, 3]`', 'several values stand in a list: write `[10, softmax]`', 'several values stand in a list: write `[3, 3]`')
    """
    found = PARTS.match(text)
    parts = re.split(r"[,;\s]+", found["parts"]) if found else re.split(r"\s*[x×*]\s*", text) if BY.match(text) else []
    return f"several values stand in a list: write `[{', '.join(parts)}]`" if parts and any(one[0].isdigit() for one in parts) else ""


def another(arguments: Value, signature: Signature) -> str:
    """The operator that is meant where one without such an argument is given a number; nothing where that cannot be told.

    >>> from archc.diagnostics import Source, Span
    >>> ten = Scalar(10, "10", True, Span(Source("", "10"), 0, 2))
    >>> another(ten, Signature("`flatten`", (), (), False, ()))
    'a dense layer after it is a step of its own, `dense: 10`'
    """
    name = signature.owner.strip("`")
    if not isinstance(arguments, Scalar) or not _is_number(arguments) or name not in OPERATORS:
        return ""
    role, text = OPERATORS[name].role, arguments.text
    if name == "linear":
        return f"`linear` is the activation that changes nothing; a dense layer is `dense: {text}`"
    if name == "flatten":
        return f"a dense layer after it is a step of its own, `dense: {text}`"
    if name in WINDOWS:
        return f"it pools the whole map; a window of that size is `{WINDOWS[name]}: {text}`"
    if role is Role.NORMALISATION:
        return "it has as many channels as its input, so that the word alone will do"
    return f"it is an activation alone; a dense layer with it is `dense: [{text}, {name}]`" if role is Role.ACTIVATION else ""


def _is_number(scalar: Scalar) -> bool:
    return (isinstance(scalar.value, int) and not isinstance(scalar.value, bool)) or scalar.text.startswith("$")
