"""Shared weights: each further call of a `share` must be like the first."""

from __future__ import annotations

from typing import Any

from archc.diagnostics import Diagnostics, Note, Span, codes, error
from archc.expansion.binding import Wrong
from archc.expansion.place import Bindings, Sharing
from archc.expansion.scope import Closure, MacroValue, Scope
from archc.expansion.words import CellMatch, Words
from archc.graph.builder import Builder
from archc.graph.graph import Tensor
from archc.language.spec import Step
from archc.operators import Operator


class Shares:
    """The first call of each `share` of a network."""

    def __init__(self, words: Words, diagnostics: Diagnostics) -> None:
        self.words = words
        self.diagnostics = diagnostics
        self.first: dict[str, Sharing] = {}

    def of(self, step: Step, name: str, scope: Scope) -> Sharing:
        """A further call of shared weights; it runs what the first one ran."""
        target: object = step.operation
        if step.body is None and not step.operation.startswith("$"):
            target = self.words.target(step.operation, scope.file)
        made = Sharing(name, step.operation if isinstance(target, CellMatch) else target, step.span)
        first = self.first.setdefault(name, made)
        if first.operation != made.operation:
            raise Wrong(self.unlike(first, step.span, f"these are `{first.span.text}` and `{step.operation}`"))
        return made

    def unlike(self, first: Sharing, span: Span, why: str) -> Any:
        note = Note(f"first used at {first.span}", first.span)
        return error(codes.SHARE, span, f"steps that share weights must be alike, and {why}", notes=[note], help="give them names of their own in `share`")

    def check_values(self, share: Sharing, values: Bindings) -> None:
        """A macro that shares weights has the same arguments at each call."""
        share.values = {name: value for name, value in values.items() if not isinstance(value, Closure | MacroValue)}
        first = self.first[share.name]
        for name, value in (first.values or {}).items():
            if name in share.values and share.values[name] != value:
                raise Wrong(self.unlike(first, share.span, f"`{name}` is {value} in one and {share.values[name]} in the other"))

    def check_count(self, share: Sharing) -> None:
        """Steps that share weights have equally many operators with weights."""
        first = self.first[share.name]
        if first.count != share.count and not self.diagnostics.errors:
            raise Wrong(self.unlike(first, share.span, f"one has {first.count} {'layer' if first.count == 1 else 'layers'} with weights and the other {share.count}"))

    def next(self, share: Sharing | None, operator: Operator, builder: Builder, inputs: list[Tensor]) -> str | None:
        """What the next operator of a call shares its weights under; nothing where it has none."""
        if share is None or not _has_weights(operator, builder, inputs):
            return None
        share.count += 1
        return f"{share.name}/{share.count - 1}"


def _has_weights(operator: Operator, builder: Builder, inputs: list[Tensor]) -> bool:
    """True where the operator has weights to share; one that does not fit its inputs has none yet."""
    shapes = tuple(builder.shape(one) for one in inputs)
    if any(not one.warning for one in operator.check(shapes)):
        return False
    return bool(operator.weights(shapes))
