"""Parts that are neither sequence nor branches, in layers: each box stands below what it reads.

The way of Sugiyama, Tagawa and Toda (1981), for boxes in frames: layers by what reads what, sweeps of barycentres that
leave few crossings, then places that leave lines straight. A tensor that passes a layer has a place in it, which all
that read the tensor share. What a frame holds stands together in each layer, and frames keep one order in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archc.backends.diagram.structure import IN, OUT, Mesh, boxes_in
from archc.backends.diagram.tree import Box, Cluster

SWEEPS = 12
Key = tuple[int, int]
"""A place in a layer: the tensor's box, and the layer."""


@dataclass
class Layers:
    """Places in layers, from left to right. `lines` are the tensors: the box each comes from, and those that read it."""

    mesh: Mesh
    rank: dict[int, int] = field(default_factory=dict[int, int])
    count: int = 0
    lines: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    order: list[list[Key]] = field(default_factory=list[list[Key]])
    frames: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    """The frames around each box, by number, the outermost first."""
    clusters: list[Cluster] = field(default_factory=list[Cluster])

    def last(self, line: int) -> int:
        """The layer in which a tensor is read for the last time; the layer after the last one is the world outside."""
        return max(self.count if head == OUT else self.rank[head] for head in self.lines[line])

    def around(self, key: Key) -> tuple[int, ...]:
        """The frames around a place; a passing line stands in those that it never leaves."""
        line, layer = key
        if line != IN and layer == self.rank[line]:
            return self.frames[line]
        ends = [self.frames.get(one, ()) for one in (line, *self.lines[line])]
        shared = ends[0]
        for one in ends[1:]:
            shared = shared[: next((at for at, pair in enumerate(zip(shared, one, strict=False)) if pair[0] != pair[1]), min(len(shared), len(one)))]
        return shared

    def below(self, key: Key) -> list[Key]:
        """The places in the next layer that a place's tensor goes to."""
        line, layer = key
        found: list[Key] = [(head, layer + 1) for head in dict.fromkeys(self.lines.get(line, ())) if head != OUT and self.rank[head] == layer + 1]
        return [*found, (line, layer + 1)] if line in self.lines and self.last(line) > layer + 1 else found

    def heads(self, key: Key) -> list[int]:
        """The boxes in the next layer that read a place's tensor."""
        return [head for head, _ in self.below(key) if head != key[0]]

    def is_line(self, key: Key) -> bool:
        """True for a passing line, false for a box."""
        return key[0] == IN or key[1] != self.rank[key[0]]


def layers(mesh: Mesh) -> Layers:
    """A mesh's boxes and lines in layers, in an order with few crossings."""
    made = Layers(mesh)
    inside = {box for item in mesh.items for box in boxes_in(item)}
    for edge in mesh.edges:
        tail, head = edge.tail if edge.tail in inside else IN, edge.head if edge.head in inside else OUT
        if tail != head:
            made.lines.setdefault(tail, []).append(head)
    _note_frames(made, mesh.items, ())
    made.count = _rank(made, mesh.items, 0)
    made.order = [[] for _ in range(made.count)]
    for line in [IN, *sorted(inside)]:
        start = -1 if line == IN else made.rank[line]
        stop = made.last(line) if line in made.lines else start + 1
        for layer in range(max(start, 0), stop if stop > start else start + 1):
            made.order[layer].append((line, layer))
    _untangle(made)
    return made


def _note_frames(made: Layers, items: Sequence[Box | Cluster], around: tuple[int, ...]) -> None:
    for item in items:
        if isinstance(item, Box):
            made.frames[item.id] = around
        else:
            made.clusters.append(item)
            _note_frames(made, item.items, (*around, len(made.clusters) - 1))


def _rank(made: Layers, items: Sequence[Box | Cluster], start: int) -> int:
    """Gives each box of some items its layer, a frame below all frames that it reads from; gives the layer after them."""
    owner = {box: number for number, item in enumerate(items) for box in boxes_in(item)}
    before: list[set[int]] = [set() for _ in items]
    after: list[set[int]] = [set() for _ in items]
    for line, heads in made.lines.items():
        for head in heads:
            one, other = owner.get(line), owner.get(head)
            if one is not None and other is not None and one != other:
                before[other].add(one)
                after[one].add(other)
    starts, lengths = [0] * len(items), [1 if isinstance(item, Box) else _rank(made, item.items, 0) for item in items]
    for number in range(len(items)):
        starts[number] = max((starts[one] + lengths[one] for one in before[number]), default=start)
    for number in reversed(range(len(items))):
        if after[number] and len(before[number]) <= 1:
            starts[number] = min(starts[one] for one in after[number]) - lengths[number]
    for item, at in zip(items, starts, strict=True):
        for box in boxes_in(item):
            made.rank[box] = at + (made.rank[box] if isinstance(item, Cluster) else 0)
    return max(at + length for at, length in zip(starts, lengths, strict=True))


def _untangle(made: Layers) -> None:
    """Orders the layers by the means of their neighbours' places, down and up in turn; the order with the fewest crossings stays."""
    above: dict[Key, list[Key]] = {}
    for layer in made.order:
        for key in layer:
            for one in made.below(key):
                above.setdefault(one, []).append(key)
    best, fewest = [list(layer) for layer in made.order], crossings(made)
    for sweep in range(SWEEPS):
        place = {key: at - len(layer) / 2 for layer in made.order for at, key in enumerate(layer)}
        down = sweep % 2 == 0
        for layer in made.order if down else reversed(made.order):
            wanted = dict(place)
            for key in layer:
                near = above.get(key, []) if down else made.below(key)
                if near:
                    wanted[key] = sum(place[one] for one in near) / len(near)
            means = _means(made, wanted)
            layer.sort(key=lambda key: _path(made, key, wanted, means))
            place.update({key: at - len(layer) / 2 for at, key in enumerate(layer)})
        found = crossings(made)
        if found < fewest:
            best, fewest = [list(layer) for layer in made.order], found
    made.order = best
    _keep_order_of_frames(made)


def _keep_order_of_frames(made: Layers) -> None:
    """Sorts all layers once more by one order of frames, where the best sweep has them in one order anyway."""
    place = {key: at - len(layer) / 2 for layer in made.order for at, key in enumerate(layer)}
    means = _means(made, place)
    for layer in made.order:
        layer.sort(key=lambda key: _path(made, key, place, means))


def _means(made: Layers, place: dict[Key, float]) -> dict[int, float]:
    """Where each frame stands: in the middle of its boxes."""
    sums: dict[int, list[float]] = {}
    for layer in made.order:
        for key in layer:
            if not made.is_line(key):
                for frame in made.frames[key[0]]:
                    sums.setdefault(frame, []).append(place[key])
    return {frame: sum(found) / len(found) for frame, found in sums.items()}


def _path(made: Layers, key: Key, place: dict[Key, float], means: dict[int, float]) -> list[tuple[float, int, int]]:
    """What a place is sorted by: the frames around it, from outside, then its own wish; ties in the order of the text."""
    return [*((means[frame], 1, frame) for frame in made.around(key)), (place[key], 0, key[0])]


def crossings(made: Layers) -> int:
    """How often lines between layers cross."""
    total = 0
    for layer, following in zip(made.order, made.order[1:], strict=False):
        at = {key: number for number, key in enumerate(following)}
        ends = [sorted(at[one] for one in made.below(key)) for key in layer]
        passed: list[int] = []
        for some in ends:
            total += sum(1 for end in some for one in passed if one > end)
            passed += some
    return total
