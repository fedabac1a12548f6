"""Steps -> nodes: macros, branches, loops, notation and expressions run, each node with its origin."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map
from typing import Any

from archc.diagnostics import Call, CompileError, Diagnostics, Origin, Turn, closest, codes, error
from archc.diagnostics.limits import limits, raising
from archc.expansion.binding import Wrong, at_call, has_expression, type_error
from archc.expansion.calls import Calls
from archc.expansion.evaluation import Evaluation
from archc.expansion.labels import Labels
from archc.expansion.learnt import Learnt
from archc.expansion.loops import RUNS_OF_A_NODE, Loops
from archc.expansion.naming import iterated, numbered
from archc.expansion.operations import Operations
from archc.expansion.parameters import Parameters
from archc.expansion.place import Place, called, moved, settled
from archc.expansion.projection import advice
from archc.expansion.scope import POISON, Closure, Flow, MacroValue, Poison, Poisoned, Scope
from archc.expansion.sharing import Shares
from archc.expansion.tensors import Tensors
from archc.expansion.words import CellMatch, Given, cell_arguments, check_parts, unknown_operation
from archc.graph.builder import Builder, Context, Named
from archc.graph.graph import Group, Tensor
from archc.language.document import Scalar
from archc.language.expressions import Budget
from archc.language.spec import Branch, Macro, Step
from archc.language.steps import StepReader, is_merge
from archc.language.validation import kind_of
from archc.operators import Operator


class Expander:
    """Runs steps. One per network; results go into the builder, mistakes into the diagnostics.

    What needs no steps to run has a part of its own: words, values, loops, names, labels, shared weights. Here is what
    leads from steps to steps.
    """

    def __init__(self, builder: Builder, reader: StepReader, files: Map[int, Scope], budget: Budget, learnt: Learnt, calls: Calls | None = None) -> None:
        self.builder = builder
        self.diagnostics: Diagnostics = builder.diagnostics
        self.words = learnt.words
        self.evaluation = Evaluation(builder, budget)
        self.parameters = Parameters(self.evaluation, reader, files, learnt.constants)
        self.tensors = Tensors(self.evaluation, reader)
        self.loops = Loops(self.evaluation, self.diagnostics, learnt.reads)
        self.labels = Labels(self.words, budget, learnt.numberings)
        self.shares = Shares(self.words, self.diagnostics)
        self.operations = Operations(self.evaluation, self.diagnostics, learnt)
        self.calls = calls
        self.dropped: set[tuple[Scope, str]] = set()

    def body(self, steps: tuple[Step, ...], scope: Scope, flow: Flow, place: Place) -> Flow:
        """Runs the steps of a body that counts its own labels."""
        return self.steps(steps, scope, flow, moved(place, numbers=self.labels.numbering(steps, scope), chain=()))

    def steps(self, steps: tuple[Step, ...], scope: Scope, flow: Flow, place: Place) -> Flow:
        """Runs steps one after the other; a step that fails gives a tensor that nobody complains about."""
        for step in steps:
            try:
                flow = self.step(step, scope, flow, place)
            except Wrong as wrong:
                for one in wrong.diagnostics:
                    self.diagnostics.add(at_call(one, Origin(step.span, place.call, place.turn)))
                flow = self.lost(step, scope, flow, place)
            except Poisoned:
                flow = self.lost(step, scope, flow, place)
        return flow

    def step(self, step: Step, scope: Scope, flow: Flow, place: Place) -> Flow:
        """Runs a step, looped or not."""
        scope.flow = flow
        if not step.looped:
            return self.once(step, scope, flow, place, 0)
        label = self.labels.of_loop(step, scope, place)
        loop = Group("loop", label, label, place.group, step.site, doc=step.doc)
        reread = place.reread | self.loops.read_in(step)
        rows = self.loops.iterations(step, scope, place)
        self.loops.check_runs(step, len(rows), place)
        known = len(self.diagnostics)
        for at, values in enumerate(rows, start=1):
            inner = Scope(scope.file, scope, values, loop=True, index=step.index)
            shown = {one: value for one, value in values.items() if not one.startswith("_")}
            group = Group("iteration", iterated(label, at), label, loop, step.site, at, shown)
            turn = Turn(at, shown if step.repeat is not None else {one: shown[one] for one in shown if one != step.index})
            try:
                flow = self.once(step, inner, flow, moved(place, group=group, reread=reread, turn=turn, runs=len(rows)), at)
            except Wrong as wrong:
                raise Wrong(*(at_call(one, Origin(step.span, None, turn)) for one in wrong.diagnostics)) from None
            if len(self.diagnostics) > known + 20:
                break  # each iteration makes the same mistakes: more of them tell nothing new
        return flow

    def once(self, step: Step, scope: Scope, flow: Flow, place: Place, iteration: int) -> Flow:
        """Runs a step one time."""
        scope.flow = flow
        self.loops.spend(step, place)
        inputs = self.tensors.inputs(step, scope, flow)
        start = inputs[0] if inputs else flow
        if step.when is not None and not self.evaluation.condition(step.when, scope):
            return self.skip(step, scope, flow, inputs or [flow], place)
        names = self.tensors.names(step, scope)
        for name in names:
            self.tensors.check_name(step, name, scope, place)
        label = self.labels.of(step, scope, place, names, iteration)
        here = self.settings(step, scope, place, names, label)
        results = self.run(step, scope, start, inputs, here, label)
        self.tensors.bind(step, names, results, scope, place)
        if step.share is not None and here.share is not None:
            self.shares.check_count(here.share)
        if step.operation == "side":
            return flow
        return results[0] if results else POISON

    def skip(self, step: Step, scope: Scope, flow: Flow, inputs: list[Flow], place: Place) -> Flow:
        """A step under a false `when` is the identity; a `side` leaves no trace."""
        names = self.tensors.names(step, scope)
        if step.operation == "side":
            self.dropped |= {(scope.body, name) for name in names}
            return flow
        results = inputs if len(inputs) == len(names) else [inputs[0]] * len(names)
        for name, tensor in zip(names, results, strict=True):
            if name != "_":
                self.tensors.bind_one(step, name, tensor, scope, place)
        return inputs[0]

    def settings(self, step: Step, scope: Scope, place: Place, names: list[str], label: str | None) -> Place:
        """The place with what the step keys set."""
        if not names and step.share is None and step.trainable is None and not step.doc:
            return place
        share = place.share
        if step.share is not None:
            share = self.shares.of(step, self.evaluation.text(step.share, scope), scope)
        trainable = place.trainable
        if step.trainable is not None:
            value = self.evaluation.value(step.trainable, scope)
            if not isinstance(value, bool):
                raise Wrong(type_error("`trainable`", "`true` or `false`", value, step.trainable.span))
            trainable = trainable and value
        doc = step.doc or place.doc
        named = place.named
        at = next((at for at, name in enumerate(names) if name != "_"), None)
        if at is not None and label is not None:
            named = Named(step.names[at].span, len(place.prefix) + len(label), place.call)
        if (share, trainable, doc, named) == (place.share, place.trainable, place.doc, place.named):
            return place
        return settled(place, share, trainable, doc, named)

    def lost(self, step: Step, scope: Scope, flow: Flow, place: Place) -> Flow:
        """The flow after a step that failed."""
        self.tensors.lost(step, scope, place)
        return flow if step.operation == "side" else POISON

    # What an operation does

    def run(self, step: Step, scope: Scope, start: Flow, inputs: list[Flow], place: Place, label: str | None) -> list[Flow]:
        """The results of an operation."""
        if step.body is not None:
            return [self.arranged(step, step.body, scope, start, place, label)]
        if step.operation.startswith("$"):
            return self.held(step, scope, start, inputs, place, label)
        return self.word(step, step.operation, scope, start, inputs, place, label)

    def word(self, step: Step, word: str, scope: Scope, start: Flow, inputs: list[Flow], place: Place, label: str | None) -> list[Flow]:
        """What a word stands for, on its inputs; it is the step's operation, or the text that its `$name` holds."""
        target = self.words.target(word, scope.file)
        if isinstance(target, Macro):
            return self.call(step, target, scope, start, inputs, place, label or "")
        if isinstance(target, CellMatch):
            check_parts(step, target)
            if step.arguments is not None:
                raise Wrong(cell_arguments(word, step.arguments))
            inner = Scope(scope.file, self.parameters.file_scope(scope.file), dict(target.bound), around=scope)
            inner.tensors, inner.places = scope.body.tensors, scope.body.places
            return [self.arranged(step, target.cell.body, inner, start, place, label)]
        if target is None:
            raise Wrong(unknown_operation(step, word, scope.file))
        return self.operation(step, target, scope, start, inputs, place, label or "")

    def arranged(self, step: Step, steps: tuple[Step, ...], inner: Scope, start: Flow, place: Place, label: str | None) -> Flow:
        """Runs steps put in place."""
        path = (*place.path, step.site)
        if label is None:
            return self.steps(steps, inner, start, moved(place, chain=(*place.chain, step.site), path=path))
        group = place.group if step.looped else Group("steps", label, label, place.group, step.site, doc=step.doc)
        here = moved(place, prefix=f"{place.prefix}{label}_", group=group, path=path)
        return self.body(steps, inner, start, here)

    def held(self, step: Step, scope: Scope, start: Flow, inputs: list[Flow], place: Place, label: str | None) -> list[Flow]:
        """`$name`: steps that a parameter holds, or the macro, operator or cell that it names."""
        name = step.operation[1:]
        try:
            value = scope.find(name)
        except KeyError:
            values, _ = scope.visible()
            near = closest(name, values)
            raise Wrong(error(codes.UNKNOWN_VALUE, step.span, f"there is no value `{name}` here", help=f"did you mean `${near}`?" if near else "")) from None
        if isinstance(value, MacroValue):
            return self.call(step, value.macro, scope, start, inputs, place, label or "")
        if isinstance(value, str):
            return self.word(step, value, scope, start, inputs, place, label)
        if not isinstance(value, Closure) or step.arguments is not None:
            raise Wrong(error(codes.WRONG_TYPE, step.span, f"`{step.operation}` does not hold steps{' or a macro' if step.arguments else ''}, but {'a tensor' if isinstance(value, Tensor | Poison) else kind_of(value)}", help=f"declare the parameter as `{name}: steps` or `{name}: macro`"))
        # Tensors that they name belong to the body they are written in; put in place elsewhere, they are a body.
        inner = Scope(value.scope.file, value.scope, loop=value.scope.body is scope.body)
        return [self.arranged(step, value.steps, inner, start, place, label)]

    def operation(self, step: Step, operator: type[Operator], scope: Scope, start: Flow, inputs: list[Flow], place: Place, label: str) -> list[Flow]:
        """An operator on its inputs."""
        built, text = self.operations.built(step, operator, scope)
        labels: list[str] = []
        if is_merge(operator.name) and step.branches:
            silent = self.labels.is_silent(step, place, label)
            group = Group("merge", label, operator.name, place.group, step.site, doc=step.doc, silent=silent)
            inner = moved(place, group=group, prefix=place.prefix if silent else f"{place.prefix}{label}_")
            inputs, labels = self.branches(step, scope, start, inner)
            if len(inputs) == 1 and any(self.is_left_out(one, scope) for one in step.branches):
                return inputs
            place = moved(place, group=group)
        elif not inputs:
            inputs = [start]
        else:
            labels = [self.evaluation.text(one, scope) for one in step.sources or ()]
        if any(isinstance(one, Poison) for one in inputs):
            return [POISON] * max(1, len(step.names))
        tensors = [one for one in inputs if isinstance(one, Tensor)]
        if len(tensors) != len(inputs):
            raise Wrong(error(codes.NO_FLOW, step.span, f"`{step.operation}` has no input: there is no flowing tensor here", help="name its input with `from`"))
        self.operations.check_count(step, operator, len(tensors) if step.branches is None or step.branches else 0)
        self.operations.check_repeated(step, operator, tensors, labels)
        self.loops.spend(step, place, RUNS_OF_A_NODE)
        context = Context(Origin(step.span, place.call, place.turn), place.group, step.site, place.trainable, place.doc, text, place.named)
        share = self.shares.next(place.share, built, self.builder, tensors)
        made = self.builder.add(built, tensors, place.prefix + label, context, labels=labels, share=share, projection=lambda: advice(self.builder.nodes, tensors, labels if step.branches else (), scope, place))
        return list(made) if made is not None else [POISON] * max(1, len(step.names))

    def branches(self, step: Step, scope: Scope, start: Flow, place: Place) -> tuple[list[Flow], list[str]]:
        """The tensors of a merge's branches and what a person calls them."""
        found: list[Flow] = []
        labels: list[str] = []
        loops = 0
        for at, branch in enumerate(step.branches or (), start=1):
            loops += branch.clause is not None or branch.repeat is not None
            for name, tensor in self.branch(branch, at, numbered("steps", loops), scope, start, place):
                found.append(tensor)
                labels.append(name)
        return found, labels

    def branch(self, branch: Branch, at: int, label: str, scope: Scope, start: Flow, place: Place) -> Iterator[tuple[str, Flow]]:
        if branch.tensor is not None:
            name = self.evaluation.text(branch.tensor, scope)
            if self.is_left_out(branch, scope):
                return
            yield branch.name or name, self.tensors.tensor(branch.tensor, scope, start)
            return
        if branch.clause is None and branch.repeat is None:
            name = branch.name or f"branch{at}"
            yield name, self.one_branch(branch, name, Scope(scope.file, scope), start, place)
            return
        rows = self.loops.branch_rows(branch, scope, place)
        place = moved(place, runs=len(rows))
        for turn, values in enumerate(rows, start=1):
            name = iterated(label, turn)
            inner = Scope(scope.file, scope, values, index=branch.index)
            yield name, self.one_branch(branch, name, inner, start, place, turn)

    def is_left_out(self, branch: Branch, scope: Scope) -> bool:
        """True for a branch that is the tensor of a `side` under a false `when`: there is none."""
        if branch.tensor is None:
            return False
        name = self.evaluation.text(branch.tensor, scope)
        return not isinstance(scope.peek(name), Tensor | Poison) and any((one.body, name) in self.dropped for one in scope.chain())

    def one_branch(self, branch: Branch, name: str, scope: Scope, start: Flow, place: Place, turn: int = 0) -> Flow:
        if not branch.steps:
            return start
        group = Group("branch", name, name, place.group, branch.steps[0].site, turn, dict(scope.values))
        return self.body(branch.steps, scope, start, moved(place, prefix=f"{place.prefix}{name}_", group=group))

    def call(self, step: Step, macro: Macro, scope: Scope, start: Flow, inputs: list[Flow], place: Place, label: str) -> list[Flow]:
        """A macro on its inputs."""
        depth = place.call.depth + 1 if place.call else 1
        if depth > limits().depth:
            self.diagnostics.add(error(codes.LIMIT_DEPTH, Origin(step.span, place.call), f"macro calls nest at most {limits().depth} deep", help=raising("depth")))
            raise CompileError(tuple(self.diagnostics))
        arguments = step.arguments
        if isinstance(arguments, Scalar) and has_expression(arguments):
            arguments = self.evaluation.known(arguments, scope)
        given = self.words.given(step, macro, arguments)
        inner = Scope(macro.file, self.parameters.file_scope(macro.file), macro=True)
        flow = self.macro_inputs(step, macro, start, inputs, inner)
        owner = self.words.signature(macro).owner
        if self.calls is not None:
            values = self.parameters.values(macro.params, given, scope, owner)
            return self.recalled(self.calls, step, macro, given, values, inner, flow, inputs or [start], place, label, depth)
        self.parameters.bind(macro.params, given.arguments, scope, inner, owner)
        self.loops.spend(step, place, len(macro.params) + len(macro.let))
        return self.ran(step, macro, inner, flow, given.text, place, label)

    def recalled(
        self, calls: Calls, step: Step, macro: Macro, given: Given, values: Map[str, Any], inner: Scope, flow: Flow, inputs: list[Flow], place: Place, label: str, depth: int,
    ) -> list[Flow]:
        """What came of an equal call, or else of this one, which is kept unless something was wrong."""
        budget, prefix = self.evaluation.evaluator.budget, f"{place.prefix}{label}_"
        self.loops.spend(step, place, len(macro.params) + len(macro.let))
        key = calls.key(macro, given.names, values, inputs, self.builder, place, depth, self.parameters.files.get(id(calls.file)))
        known = calls.find(key, place, budget)
        if known is not None:
            budget.steps_left -= known.spent
            tensors = [one for at in known.reads if isinstance(one := inputs[at], Tensor)]
            return [self.builder.fold(known.operator, tensors, prefix, Context(Origin(step.span, place.call, place.turn), place.group))]
        first, met, left = len(self.builder.nodes), self.diagnostics.met, budget.steps_left
        self.parameters.complete(macro.params, values, inner, self.words.signature(macro).owner)
        results = self.ran(step, macro, inner, flow, given.text, place, label)
        if key is not None and self.diagnostics.met == met:
            calls.keep(key, first, inputs, results[0], prefix, self.builder, left - budget.steps_left)
        return results

    def ran(self, step: Step, macro: Macro, inner: Scope, flow: Flow, written: Map[str, str], place: Place, label: str) -> list[Flow]:
        """The results of a macro whose parameters are bound."""
        shown = tuple((name, value) for name, value in inner.values.items())
        call = Call(macro.name, step.span, shown, place.call, place.call.depth + 1 if place.call else 1)
        self.parameters.lets(macro.let, inner, call)
        if step.share is not None and place.share is not None:
            self.shares.check_values(place.share, inner.values)
        group = Group("macro", label, macro.name, place.group, step.site, 0, dict(inner.values), written, step.doc or macro.doc)
        here = called(place, f"{place.prefix}{label}_", group, call)
        result = self.body(macro.body, inner, flow, here)
        if macro.outputs is None:
            return [result]
        return [self.tensors.tensor(one, inner, result) for one in macro.outputs]

    def macro_inputs(self, step: Step, macro: Macro, start: Flow, inputs: list[Flow], inner: Scope) -> Flow:
        given = inputs or [start]
        names = macro.inputs or ("input",)
        if len(given) != len(names):
            raise Wrong(error(codes.INPUT_COUNT, step.span, f"the macro `{macro.name}` takes {len(names)} input{'' if len(names) == 1 else 's'}, and here it gets {len(given)}", help=f"its inputs are {', '.join(names)}; give them with `from`"))
        if any(one is None for one in given):
            raise Wrong(error(codes.NO_FLOW, step.span, f"`{macro.name}` has no input: there is no flowing tensor here", help="name its input with `from`"))
        inner.tensors.update(zip(names, given, strict=True))
        if len(given) > 1:
            return None
        inner.tensors["input"] = inner.flow = given[0]
        return given[0]
