"""Numbers as people read them."""

from __future__ import annotations


def count(number: int | None) -> str:
    """A count as people read it: 138,357,544; an open one is said to be unknown."""
    return "unknown" if number is None else f"{number:,}"


UNITS = ("", "k", "M", "G", "T", "P", "E")


def scaled(number: int, digits: int = 3) -> tuple[float, str]:
    """A number in thousands, and how many thousands: in so many digits it is below 1,000.

    >>> scaled(15_470_264_320), scaled(999_999), scaled(999)
    ((15.47026432, 'G'), (0.999999, 'M'), (999.0, ''))
    """
    value, unit = float(number), 0
    while value >= 1000 - 0.5 * 10 ** (3 - digits) and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return value, UNITS[unit]


def large(number: int | None) -> str:
    """A large number with its unit: `15.5 G`."""
    if number is None:
        return "unknown"
    value, unit = scaled(number)
    return f"{value:.3g} {unit}" if unit else str(number)


def signed(number: int) -> str:
    """A difference with its sign: `+1.85 G`, `-462 M`, `0`."""
    return f"{'+' if number > 0 else '-' if number < 0 else ''}{large(abs(number))}"


def size(number: int | None, digits: int = 3) -> str:
    """Bytes with a decimal unit: `553 MB`."""
    if number is None:
        return "unknown"
    value, unit = scaled(number, digits)
    return f"{value:.{digits}g} {unit}B" if unit else f"{number} B"


def memory(number: int | None) -> str:
    """Bytes with a binary unit: `24.5 MiB`."""
    if number is None:
        return "unknown"
    for size, unit in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if number >= size:
            scaled = number / size
            return f"{scaled:,.0f} {unit}" if scaled >= 100 else f"{scaled:.3g} {unit}"
    return f"{number} B"
