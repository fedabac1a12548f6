"""Limits that a network is held to, as a lint: how much it may cost, and what costs the most of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archc.analyses import AnalysedGraph
from archc.analyses.memory import FLOAT
from archc.analyses.rows import rows
from archc.diagnostics import Diagnostic, Note, Span, codes, error, figures
from archc.diagnostics.figures import count

LARGEST = 3
"""So many parts of a network are named, the most costly first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a network may have of each; `None` where all is allowed. `memory` is that of inference for one example, in bytes."""

    params: int | None = None
    macs: int | None = None
    memory: int | None = None

    def __bool__(self) -> bool:
        return (self.params, self.macs, self.memory) != (None, None, None)


@dataclass(frozen=True)
class Held:
    """How a network fares against one limit, and what each of its nodes has of it."""

    option: str
    what: str
    limit: int
    value: int | None
    shares: tuple[int | None, ...]
    show: Callable[[int | None], str]

    @property
    def holds(self) -> bool:
        """True where the value is known and within the limit."""
        return self.value is not None and self.value <= self.limit


def held(network: AnalysedGraph, limits: Limits) -> Iterator[Held]:
    """How a network fares against each of the limits that are set."""
    cost = network.cost
    params = tuple(one.params for one in cost.nodes)
    if limits.params is not None:
        yield Held("params", "parameters", limits.params, cost.params, params, count)
    if limits.macs is not None:
        yield Held("macs", "multiply-accumulates", limits.macs, cost.macs, tuple(one.macs for one in cost.nodes), count)
    if limits.memory is not None:
        yield Held("memory", "memory of inference", limits.memory, network.memory.inference, _memory(network), size)


def _memory(network: AnalysedGraph) -> tuple[int, ...]:
    """What each node has of the memory of inference: its weights, and its outputs where they are held at the peak."""
    held = network.memory
    at_peak = set(held.peak.held if held.peak else ())
    return tuple(FLOAT * one.params + ((held.nodes[at] or 0) if at in at_peak else 0) for at, one in enumerate(network.cost.nodes))


def over_budget(network: AnalysedGraph, limits: Limits, place: Span | None) -> tuple[Diagnostic, ...]:
    """A diagnostic for each limit that does not hold, with the largest contributors."""
    return tuple(_diagnostic(network, one, place) for one in held(network, limits) if not one.holds)


def _diagnostic(network: AnalysedGraph, found: Held, place: Span | None) -> Diagnostic:
    address, limit = network.graph.address, found.show(found.limit)
    if found.value is None:
        verb = "is" if found.option == "memory" else "are"
        message = f"the {found.what} of `{address}` {verb} unknown (a size is open), and at most {limit} {verb} allowed"
        return error(codes.OVER_BUDGET, place, message, help="give the input a size, for instance with --set")
    verb, rest, much = ("needs", _parts(network), "much") if found.option == "memory" else ("has", found.what, "many")
    message = f"`{address}` {verb} {found.show(found.value)} {rest}, and at most {limit} {'is' if found.option == 'memory' else 'are'} allowed"
    label = f"{found.show(found.value - found.limit)} too {much}"
    return error(codes.OVER_BUDGET, place, message, label=label, notes=_largest(network, found), help=f"make these smaller, or allow more with --max-{found.option}")


def _parts(network: AnalysedGraph) -> str:
    held = network.memory
    assert held.peak is not None
    layer = network.graph.nodes[held.peak.node].name
    return f"in inference (weights {size(held.weights)}, activations at most {size(held.peak.bytes)} at once, at {layer})"


def _largest(network: AnalysedGraph, found: Held) -> Iterator[Note]:
    assert found.value
    costs = [(sum(found.shares[node.index] or 0 for node in row.nodes), row) for row in rows(network.graph)]
    for cost, row in sorted(costs, key=lambda one: -one[0])[:LARGEST]:
        if cost:
            yield Note(f"{row.name} has {found.show(cost)}, {cost / found.value:.1%}", row.first.origin.span)


UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def amount(text: str, units: dict[str, int]) -> int | None:
    """A number with a unit; `None` where it is none.

    >>> amount("1.5G", UNITS), amount("100MB", BYTES), amount("2 GiB", BYTES), amount("10", BYTES)
    (1500000000, 100000000, 2147483648, None)
    """
    digits = text.rstrip("kKMGTiB ")
    unit = text[len(digits) :].strip()
    whole, _, part = digits.replace("_", "").partition(".")
    if unit not in units or not (whole.isascii() and whole.isdigit() and len(whole) <= 18) or not (part == "" or (part.isascii() and part.isdigit() and len(part) <= 18)):
        return None
    return (int(whole + part) * units[unit]) // 10 ** len(part)


def size(number: int | None) -> str:
    """Bytes as people read them, in four digits: `553.4 MB`."""
    return figures.size(number, 4)
