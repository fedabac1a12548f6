"""Two sequences, laid side by side: which of their items are the same.

Patience: what is there once in both (counted along, where a word comes often) is matched, as far as its order agrees. Small
gaps that are left are laid side by side with the longest common blocks. Time grows as n log n, whatever the sequences hold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher

SMALL = 40_000
"""Gaps of so many pairs are searched for their longest common blocks."""

Pair = tuple[int, int]
Gap = tuple[int, int, int, int]


def align(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Pair]:
    """Pairs of places with equal items, both rising.

    >>> align("abcd", "axcd")
    [(0, 0), (2, 2), (3, 3)]
    """
    found: list[Pair] = []
    pending: list[Gap] = [(0, len(before), 0, len(after))]
    while pending:
        low, high, start, stop = pending.pop()
        while low < high and start < stop and before[low] == after[start]:
            found.append((low, start))
            low, start = low + 1, start + 1
        while low < high and start < stop and before[high - 1] == after[stop - 1]:
            high, stop = high - 1, stop - 1
            found.append((high, stop))
        if low == high or start == stop:
            continue
        if (high - low) * (stop - start) <= SMALL:
            for one, other, size in SequenceMatcher(None, before[low:high], after[start:stop], autojunk=False).get_matching_blocks():
                found += [(low + one + at, start + other + at) for at in range(size)]
            continue
        anchors = _anchors(before, after, (low, high, start, stop))
        if not anchors:
            continue
        pending += gaps(anchors, (low, high, start, stop))
        found += anchors
    return sorted(found)


def _anchors(before: Sequence[Hashable], after: Sequence[Hashable], gap: Gap) -> list[Pair]:
    """What both sides of a gap have once, in an order that both keep; else the first, second ... of each word."""
    low, high, start, stop = gap
    here, there = Counter(before[low:high]), Counter(after[start:stop])
    once = {word: at for at, word in enumerate(after[start:stop], start) if there[word] == 1}
    pairs = [(at, once[word]) for at, word in enumerate(before[low:high], low) if here[word] == 1 and word in once]
    if not pairs:
        places = {word: at for at, word in zip(range(start, stop), _numbered(after[start:stop]), strict=True)}
        pairs = [(at, places[word]) for at, word in zip(range(low, high), _numbered(before[low:high]), strict=True) if word in places]
    return rising(pairs)


def _numbered(words: Sequence[Hashable]) -> Iterator[tuple[Hashable, int]]:
    seen: Counter[Hashable] = Counter()
    for word in words:
        seen[word] += 1
        yield word, seen[word]


def rising(pairs: Sequence[Pair]) -> list[Pair]:
    """The longest part of pairs whose first places rise, in which the second ones rise too."""
    tails: list[int] = []
    ends: list[int] = []
    links: list[int] = []
    for at, (_, place) in enumerate(pairs):
        length = bisect_left(tails, place)
        links.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [place]
        ends[length : length + 1] = [at]
    found: list[Pair] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        found.append(pairs[at])
        at = links[at]
    return found[::-1]


def gaps(pairs: Sequence[Pair], whole: Gap) -> Iterator[Gap]:
    """What lies between pairs that rise."""
    low, high, start, stop = whole
    for one, other in (*pairs, (high, stop)):
        if one > low or other > start:
            yield low, one, start, other
        low, start = one + 1, other + 1
