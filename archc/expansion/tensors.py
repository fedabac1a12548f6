"""Names of tensors: read, given, and bound once."""

from __future__ import annotations

from typing import Any

from archc.diagnostics import Diagnostic, Note, Span, closest, codes, error
from archc.expansion.binding import Wrong
from archc.expansion.evaluation import Evaluation
from archc.expansion.place import Place
from archc.expansion.scope import POISON, Bound, Flow, Scope
from archc.graph.builder import LAYER_NAME_LIMIT
from archc.language.document import Scalar
from archc.language.spec import Step
from archc.language.steps import StepReader
from archc.language.validation import TENSOR_NAME


class Tensors:
    """Reads and binds the tensors of scopes."""

    def __init__(self, evaluation: Evaluation, reader: StepReader) -> None:
        self.evaluation = evaluation
        self.reader = reader

    def inputs(self, step: Step, scope: Scope, flow: Flow) -> list[Flow]:
        return [self.tensor(one, scope, flow) for one in step.sources or ()]

    def tensor(self, scalar: Scalar, scope: Scope, flow: Flow = None) -> Flow:
        """The tensor of a name; `_` is the flowing one."""
        name = self.evaluation.text(scalar, scope)
        if name == "_" and flow is not None:
            return flow
        try:
            return scope.tensor(name)
        except KeyError:
            raise Wrong(self.unknown_tensor(name, scalar.span, scope)) from None

    def unknown_tensor(self, name: str, span: Span, scope: Scope) -> Any:
        values, tensors = scope.visible()
        if name == "_":
            return error(codes.NO_FLOW, span, "`_` is the flowing tensor, and there is none here")
        near = closest(name, tensors)
        help = f"did you mean `{near}`?" if near else f"the tensors here are {', '.join(sorted(set(tensors)))}; name others with `as`"
        elsewhere = self.named_elsewhere(name, span)
        if elsewhere is not None:
            below = elsewhere.source is span.source and elsewhere.start > span.start
            help = f"it is named at {elsewhere}, and a step reads only what is named above it" if below else f"it is named at {elsewhere}, inside a macro or branch; give it out from there"
        if name in values:
            help = f"`{name}` is a value, not a tensor"
        return error(codes.UNKNOWN_TENSOR, span, f"there is no tensor `{name}` here", help=help)

    def named_elsewhere(self, name: str, span: Span) -> Span | None:
        """Where a step that cannot be seen gives a tensor this name."""
        for _, steps in self.reader.known.values():
            for step in steps:
                for one in step.names:
                    if one.text == name and step.span.start != span.start:
                        return one.span
        return None

    def names(self, step: Step, scope: Scope) -> list[str]:
        if not step.names:
            return []
        found: list[str] = []
        for scalar in step.names:
            name = self.evaluation.text(scalar, scope)
            if len(name) > LAYER_NAME_LIMIT:
                raise Wrong(error(codes.LIMIT_NAME, scalar.span, f"a tensor's name has at most {LAYER_NAME_LIMIT} characters, and this has {len(name)}"))
            if not TENSOR_NAME.match(name):
                raise Wrong(error(codes.NAME_FORM, scalar.span, f"`{name}` cannot name a tensor", help="use letters, digits and `_`"))
            if name == "input":
                raise Wrong(error(codes.NAME_TAKEN, scalar.span, "`input` is the name of the input", help="choose another name"))
            if name in found and name != "_":
                raise Wrong(error(codes.NAME_TAKEN, scalar.span, f"`as` has the name `{name}` twice", help="choose another name, or `_` to drop the output"))
            found.append(name)
        return found

    def bind(self, step: Step, names: list[str], results: list[Flow], scope: Scope, place: Place) -> None:
        if len(names) > 1 and len(names) != len(results):
            raise Wrong(error(codes.STEP_FORM, step.names[0].span, f"`as` has {len(names)} names, and the step has {len(results)} output{'' if len(results) == 1 else 's'}"))
        for name, result in zip(names, results, strict=False):
            if name != "_":
                self.bind_one(step, name, result, scope, place)

    def bind_one(self, step: Step, name: str, tensor: Flow, scope: Scope, place: Place) -> None:
        """Binds a name in the body around."""
        self.check_name(step, name, scope, place)
        scope.body.tensors[name] = tensor
        scope.body.places[name] = Bound((*place.path, step.site), step.names[0].span)

    def check_name(self, step: Step, name: str, scope: Scope, place: Place) -> None:
        """Each name is bound once, save what a loop binds anew."""
        if not _is_seen(name, scope):
            return
        body, path = scope.body, (*place.path, step.site)
        for one in scope.chain():
            bound = one.places.get(name)
            looped = bound is not None and bound.path == path
            again = one is body and name in one.tensors and (looped or _among(name, place.reread))
            elsewhere = name in one.tensors and (one is body or one.tensors is not body.tensors)
            if (name in one.values or elsewhere) and not again:
                if name in one.values:
                    raise Wrong(_value_taken(name, step, _declared(name, scope, place)))
                raise Wrong(_taken(name, step, bound))

    def lost(self, step: Step, scope: Scope, place: Place) -> None:
        """The names of a step that failed stand for tensors that nobody complains about."""
        for name in step.names:
            start, computed, _ = name.text.partition("$")
            if computed:
                scope.body.failed.append(start)
            elif start not in scope.body.tensors and scope.peek(start) is None:
                scope.body.tensors[start] = POISON
                scope.body.places[start] = Bound((*place.path, step.site), name.span)


def _is_seen(name: str, scope: Scope) -> bool:
    """True where a value or a tensor of that name can be seen."""
    at: Scope | None = scope
    while at is not None:
        if name in at.values or name in at.tensors:
            return True
        at = at.parent
    return False


def _declared(name: str, scope: Scope, place: Place) -> Span | None:
    """Where a parameter or a derived value is declared: in the macro that runs, or by the family. A loop's variable has no such place."""
    macro = scope.file.macro(place.call.macro) if place.call is not None else None
    for params, lets in ((macro.params, macro.let) if macro else ({}, ()), (scope.file.params, scope.file.let)):
        if name in params:
            return params[name].span
        if found := next((span for one, span, _ in lets if one == name), None):
            return found
    return None


def _value_taken(name: str, step: Step, declared: Span | None) -> Diagnostic:
    """Values and tensors share one namespace."""
    notes = [Note(f"the value is declared at {declared}", declared)] if declared else []
    return error(codes.NAME_TAKEN, step.names[0].span, f"`{name}` is the name of a value already", notes=notes, help="choose another name")


def _taken(name: str, step: Step, bound: Bound | None) -> Diagnostic:
    """A second binding; the text of a notation cell, `$steps` or an alias can stand in a body twice."""
    span = step.names[0].span
    if bound is not None and bound.path[-1] == step.site:
        help = "move the `as` to the steps that stand for this text, where the names can differ"
        return error(codes.NAME_TAKEN, span, f"the text that names the tensor `{name}` stands in one body twice", help=help)
    notes = [Note(f"first named at {bound.span}", bound.span)] if bound is not None else []
    return error(codes.NAME_TAKEN, span, f"`{name}` is the name of a tensor already", notes=notes, help="choose another name")


def _among(name: str, written: frozenset[str]) -> bool:
    """True where a name is among names as they are written: the start counts of those that are computed."""
    return name in written or any("$" in one and name.startswith(one.split("$", 1)[0]) for one in written)
