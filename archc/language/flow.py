"""Texts that a comma cuts in flow style: `{doc: one, and two}` has the keys `doc` and `and two`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from archc.diagnostics import Diagnostic, Span, codes, error
from archc.language.document import Mapping, Scalar, is_null

PROSE = ("doc", "title", "authors", "venue", "section", "note")


@dataclass(frozen=True, slots=True)
class Cut:
    """A text that a comma ended: its key, the keys that became of the rest of it, and what to say."""

    owner: str
    strays: tuple[str, ...]
    diagnostic: Diagnostic


def cut_texts(value: Mapping, known: Collection[str], texts: Collection[str] = PROSE) -> list[Cut]:
    """The texts in a mapping in flow style that commas cut; `texts` are the keys whose values may hold commas."""
    found: list[Cut] = []
    owner, strays = "", list[str]()
    for key, (_, one) in value.entries.items() if value.flow else ():
        if owner and key not in known and is_null(one) and (owner in texts or not key.isidentifier()):
            strays.append(key)
            continue
        if strays:
            found.append(_cut(value, owner, strays))
        text = isinstance(one, Scalar) and one.plain and isinstance(one.value, str)
        owner, strays = key if text and key in known else "", []
    return [*found, _cut(value, owner, strays)] if strays else found


def _cut(value: Mapping, owner: str, strays: list[str]) -> Cut:
    start, end = value.entries[owner][1].span, value.key_span(strays[-1])
    text = Span(start.source, start.start, end.end).text
    sign = "'" if '"' in text else '"'
    message = f"a comma in flow style ends the text of `{owner}`, so this became a key of its own"
    help = f"quote it: `{owner}: {sign}{text}{sign}`"
    return Cut(owner, tuple(strays), error(codes.UNQUOTED_EXPRESSION, value.key_span(strays[0]), message, help=help))
