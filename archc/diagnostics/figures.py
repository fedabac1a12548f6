"""Numbers as people read them."""

from __future__ import annotations


def count(number: int | None) -> str:
    """A count as people read it: 138,357,544; an open one is said to be unknown."""
    return "unknown" if number is None else f"{number:,}"


def large(number: int | None) -> str:
    """A large number with its unit: `15.5 G`."""
    if number is None:
        return "unknown"
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)
