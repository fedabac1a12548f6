"""Adds nodes to a graph: checks the operator on its inputs, infers shapes, keeps origins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from archc.diagnostics import Call, CompileError, Diagnostics, Note, Origin, Span, codes, error, warning
from archc.diagnostics.limits import limits, raising
from archc.graph.folded import Folded
from archc.graph.graph import Group, Node, Tensor
from archc.operators import Operator, Problem, Shape, show

LAYER_NAME_LIMIT = 512
NO_TEXT: Mapping[str, str] = {}


class Named(NamedTuple):
    """An `as` that a layer's name comes from, how many characters of the name lead up to its end, and its macro's call."""

    span: Span
    reach: int
    call: Call | None = None


class Context(NamedTuple):
    """What a node has from its place: origin, group, site, and the settings in force there."""

    origin: Origin
    group: Group
    site: int = 0
    trainable: bool = True
    doc: str = ""
    text: Mapping[str, str] = NO_TEXT
    named: Named | None = None


class Builder:
    """The nodes so far. A shape is inferred as its node is added, for macros read the shapes of tensors."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics
        self.node_limit = limits().nodes
        self.nodes: list[Node] = []
        self.hidden = 0
        self.names: dict[str, int] = {}
        self.named: dict[str, Named] = {}
        self.shared: dict[str, int] = {}
        self.inferred: dict[tuple[int, tuple[Shape, ...]], tuple[Operator, tuple[Shape, ...]]] = {}

    def shape(self, tensor: Tensor) -> Shape:
        """The shape of a tensor."""
        return self.nodes[tensor.node].shapes[tensor.output]

    def add(
        self,
        operator: Operator,
        inputs: Sequence[Tensor],
        name: str,
        context: Context,
        *,
        labels: Sequence[str] = (),
        share: str | None = None,
        projection: Callable[[], str] | None = None,
    ) -> tuple[Tensor, ...] | None:
        """A node for an operator on inputs; `None`, with a diagnostic, where it does not fit them.

        `labels` are what a person calls the inputs. Nodes with one `share` use the same weights. `projection` words the
        hint for inputs of which one is to be projected, where that helps.
        """
        shapes = tuple(self.shape(one) for one in inputs)
        key = id(operator), shapes
        known = self.inferred.get(key)
        if known is None:
            if not self.sound(operator, shapes, context, labels, projection):
                return None
            known = self.inferred[key] = operator, operator.shapes(shapes)
        self.check_limit(context)
        self.check_name(name, context)
        shared = self.share(share, operator, shapes, context) if share else None
        node = Node(
            len(self.nodes), name, operator, tuple(inputs), shapes, known[1], context.origin,
            context.group, context.site, context.trainable, shared, context.doc, context.text,
        )
        self.nodes.append(node)
        self.names[name] = node.index
        if context.named is not None:
            self.named[name] = context.named
        if share and shared is None:
            self.shared[share] = node.index
        return tuple(Tensor(node.index, at) for at in range(len(node.shapes)))

    def sound(self, operator: Operator, shapes: tuple[Shape, ...], context: Context, labels: Sequence[str], projection: Callable[[], str] | None) -> bool:
        """True unless the operator does not work on these shapes; says why."""
        least, most = operator.arity
        if len(shapes) < least or (most is not None and len(shapes) > most):
            wanted = str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            message = f"`{operator.name}` takes {wanted} input{'' if wanted == '1' else 's'}, and here it gets {len(shapes)}"
            self.diagnostics.add(error(codes.INPUT_COUNT, context.origin, message))
            return False
        sound = True
        for problem in operator.check(shapes):
            self.report(problem, context, labels, projection if problem.projects else None)
            sound = sound and problem.warning
        return sound

    def report(self, problem: Problem, context: Context, labels: Sequence[str], projection: Callable[[], str] | None = None) -> None:
        """A problem as a diagnostic at the node's place."""
        make = warning if problem.warning else error
        label = problem.label
        if labels and "{" in label:
            label = label.format(*labels)
        self.diagnostics.add(make(problem.code, context.origin, problem.message, label=label, help=(projection() if projection else "") or problem.help))

    def check_limit(self, context: Context) -> None:
        if len(self.nodes) + self.hidden >= self.node_limit:
            message = f"a network has at most {self.node_limit:,} nodes, and here it grows beyond them"
            self.diagnostics.add(error(codes.LIMIT_NODES, context.origin, message, help=raising("nodes")))
            raise CompileError(tuple(self.diagnostics))

    def check_name(self, name: str, context: Context) -> None:
        if len(name) > LAYER_NAME_LIMIT:
            self.diagnostics.add(error(codes.LIMIT_NAME, context.origin, f"the layer's name would have {len(name)} characters; {LAYER_NAME_LIMIT} are allowed"))
        if name in self.names:
            self.clash(name, context)

    def clash(self, name: str, context: Context) -> None:
        """Two layers of one name, told in the innermost text that leads to both: there a name can be changed.

        It is the fault of the `as` that reaches furthest into the name, where that text has one.
        """
        here, there = context.origin, self.nodes[self.names[name]].origin
        place, other = _beside(here, there), _beside(there, here)
        named, before = _named(context.named, place), _named(self.named.get(name), other)
        if named == before:
            named = None
        elif before is not None and (named is None or before.reach > named.reach):
            place, other, named = other, place, before
        help = "give one of the steps another name with `as`" if named is None else "choose another name for this step"
        place = place if named is None else Origin(named.span, place.call, place.turn)
        note = Note(f"the other is written at {other.span}", other.span)
        self.diagnostics.add(error(codes.LAYER_NAME, place, f"two layers would have the name `{name}`", notes=[note], help=help))

    def fold(self, folded: Folded, inputs: Sequence[Tensor], prefix: str, context: Context) -> Tensor:
        """A node that stands for those of an equal macro call; their names and number count as if they stood here."""
        self.hidden += folded.figures.layers
        self.check_limit(context)
        index = len(self.nodes)
        names = [prefix + one for one in folded.names]
        if len(prefix) + folded.longest > LAYER_NAME_LIMIT or not self.names.keys().isdisjoint(names):
            for one in names:
                self.check_name(one, context)
        self.names.update(dict.fromkeys(names, index))
        shapes = tuple(self.shape(one) for one in inputs)
        self.nodes.append(Node(index, names[-1], folded, tuple(inputs), shapes, (folded.output,), context.origin, context.group))
        return Tensor(index)

    def share(self, share: str, operator: Operator, shapes: tuple[Shape, ...], context: Context) -> int | None:
        """The node whose weights a further call uses."""
        first_index = self.shared.get(share)
        if first_index is None:
            return None
        first = self.nodes[first_index]
        if first.operator != operator:
            changed = _difference(first.operator, operator)
            self.diagnostics.add(error(codes.SHARE, context.origin, f"steps that share weights must be alike, and {changed}", notes=[Note(f"first used at {first.origin.span}", first.origin.span)]))
        elif [one.shape for one in operator.weights(shapes)] != [one.shape for one in first.weights]:
            label = f"the input is {_listed(shapes)} here and {_listed(first.input_shapes)} there"
            self.diagnostics.add(error(codes.SHARE, context.origin, "steps that share weights need inputs with the same channels", label=label, notes=[Note(f"first used at {first.origin.span}", first.origin.span)]))
        elif context.trainable != first.trainable:
            one, other = ("trained", "frozen") if context.trainable else ("frozen", "trained")
            message = f"steps that share weights are trained or frozen together, and these are {one} here and {other} there"
            self.diagnostics.add(error(codes.SHARE, context.origin, message, notes=[Note(f"first used at {first.origin.span}", first.origin.span)], help="write `trainable: false` at both, or at neither"))
        return first_index


def _beside(origin: Origin, other: Origin) -> Origin:
    """The origin in the innermost text that also leads to the other: itself, or the call that leads to it."""
    around: list[Call] = []
    call = other.call
    while call is not None:
        around.append(call)
        call = call.outer
    found, call = origin, origin.call
    while call is not None and not any(call is one for one in around):
        found, call = Origin(call.span, call.outer), call.outer
    return found


def _named(named: Named | None, place: Origin) -> Named | None:
    """The `as`, where it stands in the place's own text."""
    return named if named is not None and named.call is place.call else None


def _difference(first: Operator, second: Operator) -> str:
    if first.name != second.name:
        return f"these are `{first.name}` and `{second.name}`"
    before, after = first.attributes(), second.attributes()
    key = next(one for one in before if before[one] != after[one])
    return f"`{key}` is {_shown(before[key])} in one and {_shown(after[key])} in the other"


def _listed(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(show(one) for one in shapes)


def _shown(value: Any) -> str:
    return f"`{value}`"
