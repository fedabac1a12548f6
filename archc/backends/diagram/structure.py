"""Drawing tree -> structure: which parts follow one another, which stand side by side, and which lines pass by them.

Networks are written as sequences and branches, and this finds them again: between two parts that all flow passes, what
is not connected stands side by side, in the order of the text. What has no such form is stacked, and its lines are arcs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from archc.backends.diagram.tree import Box, Cluster, Edge

IN, OUT = -1, -2
"""Edges to a part from outside of its frame, and out of it."""


@dataclass(eq=False)
class Leaf:
    """A box."""

    box: Box


@dataclass(eq=False)
class Frame:
    """A cluster and what is in it."""

    cluster: Cluster
    body: Series


@dataclass(eq=False)
class Parallel:
    """Branches side by side. `dead` ones lead to nothing that is drawn later; `bypass`: a line passes by them all."""

    branches: list[Series]
    dead: list[Series]
    bypass: bool


@dataclass(eq=False)
class Mesh:
    """Items that are neither a sequence nor branches, with all edges that touch them."""

    items: list[Box | Cluster]
    edges: list[Edge]


@dataclass(eq=False)
class Series:
    """Parts one after the other."""

    parts: list[Leaf | Frame | Parallel | Mesh] = field(default_factory=list["Leaf | Frame | Parallel | Mesh"])


LARGEST, DEEPEST = 300, 60
"""Items are not taken apart further than this: so many without a form, so many branches in branches."""
WOVEN = 30_000
"""Meshes are set in layers where their boxes times their edges are no more; the lines of larger ones are arcs."""

Part = Leaf | Frame | Parallel | Mesh | Series


def structure(items: Sequence[Box | Cluster], edges: Iterable[Edge], count: int) -> Series:
    """The structure of a drawing of `count` boxes."""
    return _Builder(count).level(list(items), list(edges))


class _Builder:
    def __init__(self, count: int) -> None:
        self._owner = [IN] * count

    def level(self, items: list[Box | Cluster], edges: list[Edge]) -> Series:
        """The items of one frame; `edges` are those that touch it."""
        for number, item in enumerate(items):
            for box in boxes_in(item):
                self._owner[box] = number
        inside = {box for item in items for box in boxes_in(item)}
        lifted: set[tuple[int, int]] = set()
        within: list[list[Edge]] = [[] for _ in items]
        for edge in edges:
            tail = self._owner[edge.tail] if edge.tail in inside else IN
            head = self._owner[edge.head] if edge.head in inside else OUT
            if tail != head:
                lifted.add((tail, head))
            for one in {tail, head} - {IN, OUT}:
                within[one].append(edge)
        fed = {head for _, head in lifted}
        lifted |= {(IN, number) for number in range(len(items)) if number not in fed}
        plan = _Planner(items, within).series(_in_order(len(items), lifted), sorted(lifted), 0)
        return self._filled(plan, items, within)

    def _filled(self, plan: Plan, items: list[Box | Cluster], within: list[list[Edge]]) -> Series:
        """The plan of numbers with the items in their places."""
        made = Series()
        for part in plan:
            if isinstance(part, _Knot):
                edges = {id(edge): edge for one in part.members for edge in within[one]}
                made.parts.append(Mesh([items[one] for one in part.members], list(edges.values())))
            elif isinstance(part, int):
                item = items[part]
                if isinstance(item, Box):
                    made.parts.append(Leaf(item))
                else:
                    made.parts.append(Frame(item, self.level(item.items, within[part])))
            else:
                branches = [self._filled(one, items, within) for one in part.branches]
                dead = [self._filled(one, items, within) for one in part.dead]
                made.parts.append(Parallel(branches, dead, part.bypass))
        return made


@dataclass
class _Split:
    """Branches by the numbers of their items."""

    branches: list[Plan]
    dead: list[Plan]
    bypass: bool


@dataclass
class _Knot:
    """Items without a form, by number."""

    members: list[int]


Plan = list["int | _Split | _Knot"]


def boxes_in(item: Box | Cluster) -> list[int]:
    """The boxes of an item, by number."""
    found: list[int] = []
    pending: list[Box | Cluster] = [item]
    while pending:
        one = pending.pop()
        if isinstance(one, Box):
            found.append(one.id)
        else:
            pending.extend(one.items)
    return found


def boxes_of(part: Part) -> list[int]:
    """The boxes of a part of a structure, by number."""
    if isinstance(part, Leaf):
        return [part.box.id]
    if isinstance(part, Frame):
        return boxes_of(part.body)
    if isinstance(part, Mesh):
        return [box for item in part.items for box in boxes_in(item)]
    inner = [*part.branches, *part.dead] if isinstance(part, Parallel) else part.parts
    return [box for one in inner for box in boxes_of(one)]


def boxes_within(mesh: Mesh) -> list[Box]:
    """The boxes of a mesh, in the order of the text."""
    found: list[Box] = []
    pending = list(reversed(mesh.items))
    while pending:
        item = pending.pop()
        if isinstance(item, Box):
            found.append(item)
        else:
            pending.extend(reversed(item.items))
    return found


Wire = tuple[int, int]


class _Planner:
    """Takes the items of one frame apart, by their numbers."""

    def __init__(self, items: Sequence[Box | Cluster], within: list[list[Edge]]) -> None:
        self._single = {number for number, item in enumerate(items) if isinstance(item, Box)}
        self._boxes = [len(boxes_in(item)) for item in items]
        self._edges = [len(some) for some in within]

    def series(self, members: list[int], wires: list[Wire], depth: int) -> Plan:
        """The order of some items; wires come from `IN`, lead to `OUT`, or join two of them."""
        place = {one: at for at, one in enumerate(members)}
        spans = {(place.get(tail, -1), place.get(head, len(members))): (tail, head) for tail, head in wires}
        spans = {span: wire for span, wire in spans.items() if span[0] < span[1]}
        cuts = _cuts(spans, len(members))
        if depth > DEEPEST or (not cuts and len(members) > LARGEST):
            return list(members)
        plan: Plan = []
        for begin, end in zip([-1, *cuts], [*cuts, len(members)], strict=True):
            if end - begin > 1:
                inner = [wire for span, wire in spans.items() if span[0] >= begin and span[1] <= end and span != (begin, end)]
                plan += self._region(members[begin + 1 : end], inner, (begin, end) in spans, depth)
            if end == len(members):
                continue
            last = plan[-1] if plan else None
            if isinstance(last, _Knot) and end - begin > 1 and members[end] in self._single:
                last.members.append(members[end])
            else:
                plan.append(members[end])
        return plan

    def _region(self, region: list[int], wires: list[Wire], bypass: bool, depth: int) -> Plan:
        """What stands between two places that all flow passes."""
        own = set(region)
        wires = [(tail if tail in own else IN, head if head in own else OUT) for tail, head in wires]
        groups = _components(region, wires)
        if len(groups) == 1 and not bypass:
            if sum(self._boxes[one] for one in region) * sum(self._edges[one] for one in region) <= WOVEN:
                return [_Knot(region)]
            return self.series(region, _without_longest(region, wires), depth + 1)
        branches: list[Plan] = []
        dead: list[Plan] = []
        for group in groups:
            ours = set(group)
            inner = [wire for wire in wires if wire[0] in ours or wire[1] in ours]
            ends = any(head == OUT for _, head in inner)
            (branches if ends else dead).append(self.series(group, inner, depth + 1))
        if not branches and not bypass:
            branches, dead = dead, []
        return [_Split(branches, dead, bypass)]


def _in_order(count: int, wires: Iterable[Wire]) -> list[int]:
    """The items in the order of the text, those that nothing reads behind the last that they read from."""
    read = {tail for tail, _ in wires}
    latest: dict[int, int] = {}
    for tail, head in wires:
        if head >= 0:
            latest[head] = max(latest.get(head, IN), tail)
    ends: dict[int, list[int]] = {}
    for one in range(count):
        if one not in read and latest.get(one, IN) >= 0:
            ends.setdefault(latest[one], []).append(one)
    moved = {one for some in ends.values() for one in some}
    return [each for one in range(count) if one not in moved for each in (one, *ends.get(one, ()))]


def _cuts(spans: Iterable[tuple[int, int]], last: int) -> list[int]:
    """The places that no wire passes by."""
    change = [0] * (last + 2)
    for start, stop in spans:
        if stop - start > 1:
            change[start + 1] += 1
            change[stop] -= 1
    passing, found = 0, list[int]()
    for at in range(last):
        passing += change[at]
        if not passing:
            found.append(at)
    return found


def _components(region: list[int], wires: list[Wire]) -> list[list[int]]:
    """The items that hang together, each set in order, the sets by their first item."""
    leader = {one: one for one in region}

    def find(one: int) -> int:
        while leader[one] != one:
            leader[one] = one = leader[leader[one]]
        return one

    for tail, head in wires:
        if tail >= 0 and head >= 0:
            first, second = sorted((find(tail), find(head)))
            leader[second] = first
    groups: dict[int, list[int]] = {}
    for one in region:
        groups.setdefault(find(one), []).append(one)
    return list(groups.values())


def _without_longest(region: list[int], wires: list[Wire]) -> list[Wire]:
    """Wires without the farthest ones, which will be arcs: then the others may have a form."""
    place = {one: at for at, one in enumerate(region)}
    reach = [place.get(head, len(region)) - place.get(tail, -1) for tail, head in wires]
    longest = max(reach)
    return [wire for wire, length in zip(wires, reach, strict=True) if length < longest or length == 1]
