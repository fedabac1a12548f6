"""EfficientNet variants a second of processor time: compiled, measured anew, and in sweeps. Prints a name and a number a line."""

from __future__ import annotations

import time
from collections.abc import Callable

import archc
from archc.commands.sweep import CHUNK
from archc.sweeps.grid import grid, points
from archc.sweeps.work import Job, Surveyor, digest

SWEEPS: dict[str, tuple[list[str], int | None]] = {
    "width by depth, a sample of a fine grid": (["depth=1.0..2.0:0.001", "width=0.5..2.0:0.001"], 1_000_000),
    "width by depth by dropout": (["width=0.5..2.0:0.1", "depth=1,1.2,1.4", "dropout=0.0..0.5:0.01"], None),
    "resolution by depth by width": (["resolution=128..512:32", "depth=1.0..2.0:0.1", "width=0.5..2.0:0.05"], None),
}
POINTS = 600
WIDTHS = [one / 20 for one in range(10, 41)]


def rate(run: Callable[[], int]) -> float:
    """What a function counts, by the processor time that it takes."""
    start = time.process_time()
    return run() / (time.process_time() - start)


def compiled() -> int:
    """Whole graphs, and their cost."""
    family = archc.load("efficientnet")
    for width in WIDTHS:
        assert family.compile("b0", {"width": width}).analysed.cost.params
    return len(WIDTHS)


def swept(words: list[str], sample: int | None) -> float:
    """The rate of a sweep after its first points; each point is new."""
    family, space = archc.load("efficientnet"), grid(words)
    own = Surveyor(Job("efficientnet", None, "b0", space, None, None, digest(family), True), family)
    chosen = points(space, sample, 0)
    own.chunk(chosen[:POINTS])
    rest = [chosen[at : at + CHUNK] for at in range(POINTS, 2 * POINTS, CHUNK)]
    return rate(lambda: sum(own.chunk(one).tally.rows for one in rest))


if __name__ == "__main__":
    compiled()
    print(f"compiled\t{rate(compiled)}")
    for name, (words, sample) in SWEEPS.items():
        print(f"{name}\t{swept(words, sample)}")
