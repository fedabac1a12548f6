"""What a family's text tells by itself: found out by the first network that is made of it, and true of all the others."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from archc.expansion.naming import Numbers
from archc.expansion.words import Words
from archc.operators import Operator

VALUES_KEPT = 10_000
"""Values of attributes that are remembered as sound; a sweep can draw any number of them."""


@dataclass(eq=False)
class Learnt:
    """Facts of a text, by the identity of its parts, which live as long as the family does. None depends on a value.

    `words` has the meanings of words and what calls bind; `constants` the defaults that hold no expression, by parameter;
    `fixed` the operators whose arguments hold none, by step; `numberings` the label numbers of bodies; `reads` the names
    that loops read; `sound` values of attributes that were checked.
    """

    words: Words = field(default_factory=Words)
    constants: dict[int, Any] = field(default_factory=dict[int, Any])
    fixed: dict[tuple[int, type[Operator]], tuple[Operator, dict[str, str]]] = field(default_factory=dict[tuple[int, type[Operator]], tuple[Operator, dict[str, str]]])
    numberings: dict[Hashable, tuple[Any, Numbers]] = field(default_factory=dict[Hashable, tuple[Any, Numbers]])
    reads: dict[int, frozenset[str]] = field(default_factory=dict[int, frozenset[str]])
    sound: set[Hashable] = field(default_factory=set[Hashable])

    def is_sound(self, fact: Hashable) -> bool:
        """True for a value that was found to be sound."""
        return fact in self.sound

    def keep_sound(self, fact: Hashable) -> None:
        """Remembers a sound value."""
        if len(self.sound) >= VALUES_KEPT:
            self.sound.clear()
        self.sound.add(fact)
