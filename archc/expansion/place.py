"""Where in the expansion steps run, and the settings in force there."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any, NamedTuple

from archc.diagnostics import Call, Span, Turn
from archc.expansion.naming import Chain, Numbers
from archc.graph.builder import Named
from archc.graph.graph import Group

Bindings = Map[str, Any]


@dataclass(slots=True, eq=False)
class Sharing:
    """One call of a step with `share`: what it runs, and how many operators with weights it has met so far."""

    name: str
    operation: object
    span: Span
    values: Bindings | None = None
    count: int = 0


class Place(NamedTuple):
    """Where in the expansion steps run: name prefix, group, call, and the settings in force.

    `reread` holds the names that the loops around read with `from` or in merges: a loop may bind those anew. `turn` is the
    iteration of the innermost loop in this text, `runs` the product of the lengths of all the loops around. `path` are
    the sites of the cells, `$steps` and groups on the way from the start of the body, `named` the `as` in force. A tuple, for
    each step makes some, and a frozen class takes several times as long to fill.
    """

    prefix: str
    group: Group
    numbers: Numbers
    chain: Chain = ()
    call: Call | None = None
    share: Sharing | None = None
    trainable: bool = True
    reread: frozenset[str] = frozenset()
    doc: str = ""
    turn: Turn | None = None
    runs: int = 1
    path: Chain = ()
    named: Named | None = None


def moved(
    place: Place,
    *,
    prefix: str | None = None,
    group: Group | None = None,
    numbers: Numbers | None = None,
    chain: Chain | None = None,
    reread: frozenset[str] | None = None,
    turn: Turn | None = None,
    runs: int = 1,
    path: Chain | None = None,
) -> Place:
    """The place with another prefix, group or numbering. Written out, for `replace` is slow and this runs at every step."""
    return Place(
        place.prefix if prefix is None else prefix,
        place.group if group is None else group,
        place.numbers if numbers is None else numbers,
        place.chain if chain is None else chain,
        place.call,
        place.share,
        place.trainable,
        place.reread if reread is None else reread,
        place.doc,
        place.turn if turn is None else turn,
        place.runs * runs,
        place.path if path is None else path,
        place.named,
    )


def settled(place: Place, share: Sharing | None, trainable: bool, doc: str, named: Named | None) -> Place:
    """The place with other settings in force."""
    return Place(
        place.prefix, place.group, place.numbers, place.chain, place.call, share, trainable, place.reread, doc, place.turn,
        place.runs, place.path, named,
    )


def called(place: Place, prefix: str, group: Group, call: Call) -> Place:
    """The place inside a macro called here: loops around it are out of its sight."""
    return Place(
        prefix, group, place.numbers, place.chain, call, place.share, place.trainable, frozenset(), place.doc, None,
        place.runs, place.path, place.named,
    )
