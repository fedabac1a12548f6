"""How wide text is, in Helvetica and the fonts made to its measure: the same on every host."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import combining, east_asian_width

# The Adobe metrics of Helvetica for the characters from space to tilde, in thousandths of the size.
# fmt: off
WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)
# fmt: on
OTHERS = {"×": 584, "·": 278, "→": 1000, "−": 584, "…": 1000, "–": 556}
BOLD = 1.09
USUAL = 600


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of a line.

    >>> round(text_width("Conv 3×3", 10), 1)
    43.1
    """
    return sum(map(_character, text)) * size / 1000 * (BOLD if bold else 1.0)


@lru_cache(maxsize=4096)
def _character(one: str) -> int:
    code = ord(one) - 32
    if 0 <= code < len(WIDTHS):
        return WIDTHS[code]
    if combining(one):
        return 0
    return OTHERS.get(one) or (1000 if east_asian_width(one) in "WF" else USUAL)
