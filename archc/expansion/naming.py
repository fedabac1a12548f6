"""Layer names: where a layer stands, from the labels on the way down. Counted by the text, not by the expansion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from archc.diagnostics import codes, error
from archc.expansion.binding import Wrong
from archc.expansion.scope import Scope
from archc.language.spec import Step
from archc.language.steps import is_merge

NESTING_LIMIT = 64
WALK_LIMIT = 250_000

Chain = tuple[int, ...]
"""The sites of the cells, `$steps` and groups on the way, whose steps count as if they stood in their place."""

Inline = Callable[[Step, Scope], "tuple[tuple[Step, ...], Scope] | None"]
"""The steps that a step stands for where it adds no label, and where their names are read; `None` where it has one."""


def label_of(step: Step, name: str) -> str:
    """What a step adds to names before its number: its `as`, as written, else the operation's name."""
    written = next((one.text for one in step.names if one.text != "_"), None)
    if written is not None:
        return written
    return "steps" if step.looped and (step.body is not None or step.splice) else name


@dataclass(frozen=True, slots=True)
class Numbers:
    """For the steps of a body, by chain and site: how many with its label stand up to it, and merges to spell out.

    `spelled` are merges one of whose branches has the name of a branch above it that stands without its merge.
    """

    counts: dict[tuple[Chain, int], int] = field(default_factory=dict[tuple[Chain, int], int])
    spelled: set[tuple[Chain, int]] = field(default_factory=set[tuple[Chain, int]])

    def count(self, chain: Chain, site: int) -> int:
        """The number of a step's label; 1 for a step that the body's text does not hold."""
        return self.counts.get((chain, site), 1)


def number(steps: tuple[Step, ...], scope: Scope, inline: Inline, name_of: Callable[[Step, Scope], str]) -> Numbers:
    """The numbers of a body's labels, counted by its text."""
    counts: dict[str, int] = {}
    branches: set[str] = set()
    numbers = Numbers()
    walked = 0

    def walk(steps: tuple[Step, ...], scope: Scope, chain: Chain) -> None:
        nonlocal walked
        for step in steps:
            walked += 1
            if walked > WALK_LIMIT:
                raise Wrong(error(codes.LIMIT_NODES, step.span, f"a body holds at most {WALK_LIMIT:,} steps, with its notation cells and passed steps written out"))
            inner = inline(step, scope)
            if inner is not None:
                if len(chain) >= NESTING_LIMIT:
                    raise Wrong(error(codes.RECURSION, step.span, f"`{step.operation}` leads back to itself, or stands for steps more than {NESTING_LIMIT} deep"))
                walk(*inner, (*chain, step.site))
                continue
            label = label_of(step, name_of(step, scope))
            counts[label] = counts.get(label, 0) + 1
            numbers.counts[chain, step.site] = counts[label]
            if counts[label] == 1 and is_merge(step.operation) and not step.looped and all(one.text == "_" for one in step.names):
                own = set(branch_names(step))
                if own & branches:
                    numbers.spelled.add((chain, step.site))
                else:
                    branches.update(own)

    walk(steps, scope, ())
    return numbers


def branch_names(step: Step) -> Iterator[str]:
    """What the branches of a merge add to the names of their layers; those of a loop begin so."""
    loops = 0
    for at, branch in enumerate(step.branches or (), start=1):
        looped = branch.clause is not None or branch.repeat is not None
        loops += looped
        if branch.steps:
            yield numbered("steps", loops) if looped else branch.name or f"branch{at}"


def numbered(label: str, count: int) -> str:
    """The label with its number, from the second on: `conv`, `conv_2`."""
    return label if count <= 1 else f"{label}_{count}"


def iterated(label: str, iteration: int) -> str:
    """The label of a loop's iteration, counted from 1: `stage2`, `conv_2_1`."""
    return f"{label}_{iteration}" if label[-1:].isdigit() else f"{label}{iteration}"
