"""Macro calls whose figures are known: one that is equal to an earlier one is not run again.

A macro is a function from tensors and values, so its figures depend on nothing else: not on layer names, and not on
what stands around it. Where only figures are asked for, and often (a sweep over a family's parameters), an equal call
becomes one node that carries the figures of the first. What is not plain to be equal is run: shared weights, steps
that read tensors from where they were written, and whatever gave a diagnostic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any, cast

from archc.diagnostics.limits import limits
from archc.expansion.place import Place
from archc.expansion.scope import Closure, Flow, MacroValue, Scope
from archc.graph.builder import Builder
from archc.graph.folded import Figures, Folded
from archc.graph.graph import Node, Tensor
from archc.language.document import Mapping, Scalar, Value
from archc.language.expressions import STEPS_PER_RUN, Budget
from archc.language.spec import Branch, File, Macro, Step

CALLS_KEPT = 20_000
"""Calls that are remembered; beyond them, the half that was not asked for lately is forgotten."""
WORD = re.compile(r"\w+")
PLAIN = frozenset({int, str})
"""The types whose values are keys as they are; 1.0 and true are equal to 1, so theirs have the type beside them."""
COMPUTED = "$"
"""Stands among the words of a text for a name that is put together, as in `enc$(index)`."""

Key = Hashable
_ALONE = re.compile(r"\$(\w+(\.\w+)*|\([^$]*\))")


@dataclass(frozen=True, slots=True)
class Known:
    """What came of a call: its node, which of the inputs it reads, and what it took of the budget."""

    operator: Folded
    reads: tuple[int, ...]
    spent: int


@dataclass(frozen=True, slots=True)
class Reads:
    """The words of a text, in it and in the macros that it calls: all names that it reads are among them.

    `family` are those of macros of the spec itself, which see the family's values.
    """

    words: tuple[str, ...]
    family: tuple[str, ...]
    shares: bool


class Unknowable(Exception):
    """A value has no key: it reads tensors."""


class Calls:
    """The calls of a family's macros, kept from variant to variant."""

    def __init__(self, file: File, measure: Callable[[Sequence[Node]], Figures]) -> None:
        self.file = file
        self.measure = measure
        self.known: dict[Key, Known] = {}
        self.texts: dict[int, tuple[object, Reads]] = {}

    def key(self, macro: Macro, names: tuple[str, ...], given: Map[str, Any], inputs: Sequence[Flow], builder: Builder, place: Place, depth: int, family: Scope | None) -> Key | None:
        """Equal for calls that give equal nodes; `None` where that cannot be told.

        `given` are the values of the arguments, `names` their parameters. A default depends on them, on the inputs and on
        the family's values, so it adds nothing.
        """
        reads = self.of_macro(macro)
        if reads.shares or place.share is not None or macro.outputs is not None:
            return None
        shapes: list[Any] = []
        for one in inputs:
            if not isinstance(one, Tensor):
                return None
            shapes.append(builder.shape(one))
        if len(inputs) > 1:  # a merge of a tensor with itself is refused
            shapes.extend(inputs.index(one) for one in inputs)
        try:
            values = [one if type(one) in PLAIN else self.value(one, family) for one in given.values()]
            around = self.around(reads, family)
        except Unknowable:
            return None
        return id(macro), depth, place.trainable, tuple(shapes), names, tuple(values), around

    def find(self, key: Key | None, place: Place, budget: Budget) -> Known | None:
        """What came of an equal call; nothing where it, or the loops around it, might make the network too large."""
        known = self.known.pop(key, None) if key is not None else None
        if known is not None:
            self.known[key] = known  # the last to be forgotten
        if known is None or known.spent > budget.steps_left:
            return None
        return known if place.runs * known.spent <= limits().work * STEPS_PER_RUN else None

    def value(self, value: Any, family: Scope | None) -> Hashable:
        """A value as a key in which 1, 1.0 and true differ."""
        if type(value) in PLAIN or value is None:
            return value
        if isinstance(value, bool | float):
            return type(value), value
        if isinstance(value, list):
            return list, *[self.value(one, family) for one in value]  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, dict):
            return dict, *[(key, self.value(one, family)) for key, one in value.items()]  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, Closure):
            return self.closure(value, family)
        if isinstance(value, MacroValue):
            reads = self.of_macro(value.macro)
            if not reads.shares:
                return id(value.macro), self.around(reads, family)
        raise Unknowable

    def closure(self, closure: Closure, family: Scope | None) -> Hashable:
        """Passed steps: their text, and the values that they see of those they may read."""
        reads = self.of_steps(closure)
        if reads.shares or COMPUTED in reads.words:
            raise Unknowable
        seen: list[Hashable] = [id(closure.steps)]
        for word in reads.words:
            found = _visible(word, closure.scope)
            if found is not None:
                seen.append((word, self.value(found[0], family)))
                for text in _texts(found[0]):  # it may be the name in a `from`
                    _visible(text, closure.scope)
        return (*seen, self.around(reads, family))

    def around(self, reads: Reads, family: Scope | None) -> Hashable:
        """The family's values that macros of the spec itself may read."""
        if not reads.family or family is None:
            return ()
        return tuple([(word, self.value(family.values[word], family)) for word in reads.family if word in family.values])

    def of_macro(self, macro: Macro) -> Reads:
        """What a macro's text reads."""
        found = self.texts.get(id(macro))
        if found is None:
            found = self.texts[id(macro)] = macro, self.read(set(_of_macro(macro)), macro.file, [macro])
        return found[1]

    def of_steps(self, closure: Closure) -> Reads:
        """What passed steps read."""
        found = self.texts.get(id(closure.steps))
        if found is None:
            words = {word for step in closure.steps for word in _of_step(step)}
            found = self.texts[id(closure.steps)] = closure.steps, self.read(words, closure.scope.file, [])
        return found[1]

    def read(self, own: set[str], file: File, macros: list[Macro]) -> Reads:
        """The words of a text in a file, and those of all that it leads to."""
        own |= _of_cells(file)
        shares, family = "share" in own, set[str]()
        waiting = [*macros, *_called(own, file)]
        seen: set[int] = set()
        while waiting:
            macro = waiting.pop()
            if id(macro) in seen:
                continue
            seen.add(id(macro))
            words = set(_of_macro(macro)) | _of_cells(macro.file)
            shares = shares or "share" in words
            if macro.file is self.file:
                family |= words
            waiting.extend(_called(words, macro.file))
        return Reads(tuple(sorted(own)), tuple(sorted(family)), shares)

    def keep(self, key: Key, first: int, inputs: Sequence[Flow], result: Flow, prefix: str, builder: Builder, spent: int) -> None:
        """Remembers what a call made: the nodes from `first` on, where all of them lead to its result."""
        nodes = builder.nodes[first:]
        if not isinstance(result, Tensor) or result.node < first or result.output:
            return
        live = {result.node}
        outside: set[Tensor] = set()
        for node in reversed(nodes):
            if node.index not in live or node.shared is not None:
                return
            live.update(one.node for one in node.inputs)
            outside.update(one for one in node.inputs if one.node < first)
        if not outside <= set(inputs):
            return
        reads = tuple(at for at, one in enumerate(inputs) if one in outside and inputs.index(one) == at)
        names = tuple(name for node in nodes for name in _names(node, prefix))
        if len(self.known) >= CALLS_KEPT:
            for old in list(self.known)[: CALLS_KEPT // 2]:
                del self.known[old]
        self.known[key] = Known(Folded(output=builder.shape(result), figures=self.measure(nodes), names=names), reads, spent)


def _visible(word: str, scope: Scope) -> tuple[Any] | None:
    """The value of a name, if it has one; raises `Unknowable` where it is, or may be, a tensor's."""
    at: Scope | None = scope
    while at is not None:
        if word in at.values:
            return (at.values[word],)
        if word in at.tensors or at.around is not None:
            raise Unknowable
        at = at.parent
    return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in cast("list[Any]", value) if isinstance(value, list) else cast("dict[str, Any]", value).values():
            yield from _texts(one)


def _names(node: Node, prefix: str) -> Iterator[str]:
    own = node.name[len(prefix):]
    if isinstance(node.operator, Folded):
        names = node.operator.names
        start = own[: len(own) - len(names[-1])]
        yield from (start + one for one in names)
    else:
        yield own


def _called(words: set[str], file: File) -> Iterator[Macro]:
    for word in words:
        macro = file.macro(word)
        if macro is not None:
            yield macro


def _of_cells(file: File) -> set[str]:
    return {word for cell in file.cells for step in cell.body for word in _of_step(step)}


def _of_macro(macro: Macro) -> Iterator[str]:
    for parameter in macro.params.values():
        yield from _of_value(parameter.default)
    for _, _, value in macro.let:
        yield from _of_value(value)
    for step in macro.body:
        yield from _of_step(step)


def _of_step(step: Step) -> Iterator[str]:
    yield from WORD.findall(step.operation)
    for value in (step.arguments, *step.names, *(step.sources or ()), step.when, step.repeat, step.clause, step.trainable):
        yield from _of_value(value)
    if step.share is not None:
        yield "share"
    for inner in step.body or ():
        yield from _of_step(inner)
    for branch in step.branches or ():
        yield from _of_branch(branch)


def _of_branch(branch: Branch) -> Iterator[str]:
    for value in (branch.tensor, branch.clause, branch.repeat):
        yield from _of_value(value)
    for step in branch.steps or ():
        yield from _of_step(step)


def _of_value(value: Value | None) -> Iterator[str]:
    """The words of a located value, keys included."""
    if value is None:
        return
    if isinstance(value, Scalar):
        yield from WORD.findall(value.text)
        if isinstance(value.value, str) and value.value != value.text:
            yield from WORD.findall(value.value)
        if "$" in value.text[1:] or (value.text[:1] == "$" and not _ALONE.fullmatch(value.text)):
            yield COMPUTED
    elif isinstance(value, Mapping):
        for key, one in value.entries.values():
            yield from WORD.findall(key.text)
            yield from _of_value(one)
    else:
        for one in value.items:
            yield from _of_value(one)
