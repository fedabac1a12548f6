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


def memory(number: int | None) -> str:
    """Bytes with a binary unit: `24.5 MiB`."""
    if number is None:
        return "unknown"
    for size, unit in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if number >= size:
            scaled = number / size
            return f"{scaled:,.0f} {unit}" if scaled >= 100 else f"{scaled:.3g} {unit}"
    return f"{number} B"
