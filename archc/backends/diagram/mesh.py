"""The room and the lines of a part that is neither sequence nor branches: its boxes in layers, its lines between them."""

from __future__ import annotations

from collections.abc import Callable

from archc.backends.diagram.canvas import Point
from archc.backends.diagram.layering import Key, Layers, layers
from archc.backends.diagram.settling import Room, Run, settle, tracks
from archc.backends.diagram.structure import IN, OUT, Mesh, boxes_within
from archc.backends.diagram.tree import Box, Cluster
from archc.backends.diagram.woven import BoxRoom, Margins, Place, Woven

TRACK = 6.5
"""How far lines lie apart that run side by side."""
TURN = 9.0
"""The least room before the first and after the last track."""
BESIDE = 5.0
"""The room of a passing line to each side."""
PORT = 11.0
"""How far lines lie apart where they enter one box."""
BAR_PORT = 26.0


def weave(mesh: Mesh, room_of: Callable[[Box], BoxRoom], margins: Margins, title: Callable[[Cluster], float]) -> Woven:
    """Places for the boxes of a mesh, and the ways of its lines. `title` gives the room that a frame's title takes across."""
    made = layers(mesh)
    weaver = _Weaver(made, room_of, margins, [title(one) for one in made.clusters])
    return Woven(mesh, weaver.places(), weaver.frames(), weaver.ways(), *weaver.extent())


class _Weaver:
    """Finds the places across first, then, from the tracks that lines need between layers, those along."""

    def __init__(self, made: Layers, room_of: Callable[[Box], BoxRoom], margins: Margins, titles: list[float]) -> None:
        self._made = made
        self._margins = margins
        self._boxes = {box.id: box for box in boxes_within(made.mesh)}
        self._keys = [key for layer in made.order for key in layer]
        self._sources: dict[int, list[Key]] = {}
        for key in [(IN, -1), *self._keys]:
            for head in made.heads(key):
                self._sources.setdefault(head, []).append(key)
        self._rooms = {one: self._widened(box, room_of(box)) for one, box in self._boxes.items()}
        rooms = {key: Room(BESIDE, BESIDE) if made.is_line(key) else Room(self._rooms[key[0]].before, self._rooms[key[0]].after) for key in self._keys}
        at, sides = settle(made, rooms, Room(margins.before, margins.after), titles)
        below = sorted(at[key] for key in made.below((IN, -1)))
        enter = below[len(below) // 2] if below else at[self._keys[0]]
        self._at = {(IN, -1): 0.0, **{key: place - enter for key, place in at.items()}}
        self._sides = [(left - enter, right - enter) for left, right in sides]
        last = sorted(self._at[key] for key in made.order[-1] if OUT in made.lines.get(key[0], ()))
        self._leave = last[len(last) // 2] if last else self._at[made.order[-1][-1]]
        self._before = max(-min(0.0, *(self._at[key] - rooms[key].before for key in self._keys), *(left for left, _ in self._sides)), 0.0)
        self._after = max(0.0, *(self._at[key] + rooms[key].after for key in self._keys), *(right for _, right in self._sides))
        self._spans = self._spans_of_frames()
        self._turns = [tracks(self._runs(layer), TRACK) for layer in range(made.count + 1)]
        self._bases: list[float] = []
        self._layers: list[tuple[float, float]] = []
        self._length = self._stacked()

    def _widened(self, box: Box, room: BoxRoom) -> BoxRoom:
        """The room of a bar, which is as wide as what it joins needs."""
        if not box.is_bar:
            return room
        half = max(room.half, BAR_PORT * len(self._sources.get(box.id, ())) / 2)
        return room._replace(half=half, before=max(half, room.before), after=max(half, room.after))

    def _spans_of_frames(self) -> list[tuple[int, int]]:
        """The first and last layer of each frame."""
        found = [(self._made.count, 0)] * len(self._sides)
        for box, frames in self._made.frames.items():
            layer = self._made.rank[box]
            for frame in frames:
                found[frame] = min(found[frame][0], layer), max(found[frame][1], layer)
        return found

    def _nested(self, layer: int, end: int) -> int:
        """How many frames, one in the other, start (or end) at a layer."""
        counts = [sum(self._spans[frame][end] == layer for frame in frames) for box, frames in self._made.frames.items() if self._made.rank[box] == layer]
        return max(counts, default=0)

    def _runs(self, layer: int) -> list[Run]:
        """The lines in the channel before a layer; after the last one, those that leave."""
        keys = [(IN, -1)] if layer == 0 else self._made.order[layer - 1]
        found: list[Run] = []
        for key in keys:
            ends = self._ends(key)
            if ends:
                found.append(Run(key[0], self._at[key], min(self._at[key], *ends), max(self._at[key], *ends)))
        return found

    def _ends(self, key: Key) -> list[float]:
        """Where a place's line arrives, in the next layer."""
        line, layer = key
        leaving = [self._leave] if layer == self._made.count - 1 and OUT in self._made.lines.get(line, ()) else []
        passing = [self._at[one] for one in self._made.below(key) if one[0] == line]
        return [*leaving, *passing, *(self._port(head, key) for head in self._made.heads(key))]

    def _port(self, head: int, key: Key) -> float:
        """Where a line enters a box, beside the others that do."""
        sources = sorted(self._sources[head], key=lambda one: (self._at[one], one))
        half, box = self._rooms[head].half, self._boxes[head]
        room = 2 * half - (12.0 if box.is_bar else 16.0 if not box.is_sign else 7.0)
        apart = min(BAR_PORT if box.is_bar else PORT, room / max(1, len(sources) - 1))
        centre = self._at[head, self._made.rank[head]]
        if len(sources) == 1 and box.is_bar:
            return min(max(self._at[key], centre - room / 2), centre + room / 2)
        return centre + apart * (sources.index(key) - (len(sources) - 1) / 2)

    def _stacked(self) -> float:
        """Sets the layers one below the other, each channel as long as its tracks and frames need; gives the whole length."""
        made, along = self._made, 0.0
        for layer in range(made.count + 1):
            along += self._margins.end * self._nested(layer - 1, 1) if layer else 0.0
            self._bases.append(along + TURN)
            along += (max(self._turns[layer].values()) + 1) * TRACK + 2 * TURN - TRACK if self._turns[layer] else TURN if layer % made.count == 0 else 2 * TURN
            if layer < made.count:
                along += self._margins.start * self._nested(layer, 0)
                length = max((self._rooms[line].length for line, _ in made.order[layer] if line in self._rooms and made.rank[line] == layer), default=0.0)
                self._layers.append((along, along + length))
                along += length
        return along

    def places(self) -> dict[Box, Place]:
        """Where each box stands: in the middle of its layer."""
        found: dict[Box, Place] = {}
        for box, room in self._rooms.items():
            layer = self._made.rank[box]
            start = sum(self._layers[layer]) / 2 - room.length / 2
            found[self._boxes[box]] = Place(self._at[box, layer], room.half, start, start + room.box_length)
        return found

    def frames(self) -> list[tuple[Cluster, Point, Point]]:
        """Where each frame stands, the outer ones first."""
        found: list[tuple[Cluster, Point, Point]] = []
        for number, (first, last) in enumerate(self._spans):
            start = self._layers[first][0] - self._margins.start * self._inner(number, 0)
            end = self._layers[last][1] + self._margins.end * self._inner(number, 1)
            found.append((self._made.clusters[number], self._sides[number], (start, end)))
        return found

    def _inner(self, frame: int, end: int) -> int:
        """How many frames start (or end) where this one does, itself and those in it."""
        layer = self._spans[frame][end]
        return max(
            sum(self._spans[one][end] == layer for one in frames[frames.index(frame) :])
            for box, frames in self._made.frames.items()
            if frame in frames and self._made.rank[box] == layer
        )

    def ways(self) -> dict[tuple[int, int], list[Point]]:
        """The way of each line: from its box or the entry, to its box or the exit."""
        places = {box.id: place for box, place in self.places().items()}
        found: dict[tuple[int, int], list[Point]] = {}
        for line, heads in self._made.lines.items():
            first = -1 if line == IN else self._made.rank[line]
            for head in dict.fromkeys(heads):
                key = (line, first)
                points = [(self._at[key], 0.0 if line == IN else places[line].end)]
                stop = self._made.count if head == OUT else self._made.rank[head]
                for layer in range(first + 1, stop + 1):
                    along = self._bases[layer] + TRACK * self._turns[layer].get(line, 0)
                    points.append((points[-1][0], along))
                    following = (line, layer)
                    across = self._leave if layer == self._made.count else self._at[following] if layer < stop or (head == OUT and layer < self._made.count) else self._port(head, key)
                    points.append((across, along))
                    key = following
                points.append((points[-1][0], self._length if head == OUT else self._touch(head, points[-1][0], places[head])))
                found[line, head] = points
        return found

    def _touch(self, head: int, across: float, place: Place) -> float:
        """Where a line meets a box, whose corners may be round."""
        if not self._boxes[head].is_sign:
            return place.start
        radius = min((place.end - place.start) / 2, place.half)
        beyond = min(max(0.0, abs(across - place.across) - (place.half - radius)), radius)
        return place.start + radius - (radius**2 - beyond**2) ** 0.5

    def extent(self) -> tuple[float, float, float, float]:
        """The room before and after the entry, the length, and where flow leaves."""
        return self._before, self._after, self._length, self._leave
