"""What a macro declares, written one level too far left: beside the macro's name, where it reads as macros called `params` and `body`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archc.diagnostics import Diagnostic, codes, error
from archc.language.document import MACRO_KEYS, Mapping, is_unfinished


@dataclass(frozen=True, slots=True)
class Outdented:
    """A macro that has no body, and the keys after it that were meant to stand in it."""

    owner: str
    keys: tuple[str, ...]
    diagnostic: Diagnostic


def outdented(macros: Mapping) -> Iterator[Outdented]:
    """The macros whose declaration stands beside them."""
    owner, keys = "", list[str]()
    for name, (_, value) in macros.entries.items():
        if owner and name in MACRO_KEYS:
            keys.append(name)
            continue
        if keys:
            yield _outdented(macros, owner, keys)
        owner, keys = name if is_unfinished(value) and name not in MACRO_KEYS else "", []
    if keys:
        yield _outdented(macros, owner, keys)


def _outdented(macros: Mapping, owner: str, keys: list[str]) -> Outdented:
    listed = [f"`{one}`" for one in keys]
    several = len(keys) > 1
    words = f"{', '.join(listed[:-1])} and {listed[-1]}" if several else listed[0]
    message = f"{words} stand{'' if several else 's'} beside the macro `{owner}`, not in it"
    return Outdented(owner, tuple(keys), error(codes.MACRO_FORM, macros.key_span(keys[0]), message, help=f"indent {'them' if several else 'it'} further than `{owner}:`"))
