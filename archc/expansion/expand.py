"""Steps -> nodes: macros, branches, loops, notation and expressions run, each node with its origin."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from typing import Any

from archc.diagnostics import (
    Call,
    CompileError,
    Diagnostics,
    Note,
    Origin,
    Span,
    Turn,
    closest,
    codes,
    error,
    foreign_letter,
    warning,
)
from archc.expansion.binding import (
    Evaluator,
    Wrong,
    at_call,
    bind,
    check_parameter,
    check_value,
    has_expression,
    located_error,
    macro_signature,
    missing,
    operator_signature,
    type_error,
)
from archc.expansion.naming import Chain, iterated, label_of, number, numbered
from archc.expansion.scope import POISON, Closure, Flow, MacroValue, Poison, Poisoned, Scope, TensorView
from archc.graph.builder import NODE_LIMIT, Builder, Context
from archc.graph.graph import Group, Tensor
from archc.language.document import Scalar, Value, located
from archc.language.expressions import Budget, Clause, Expression, ExpressionError, evaluate, parse, parse_clause
from archc.language.spec import Branch, Cell, File, Macro, Parameter, Step
from archc.language.steps import StepReader, is_merge
from archc.language.validation import NAME_LIMIT, TENSOR_NAME, kind_of
from archc.operators import OPERATORS, Operator, fields_of

REPEAT_LIMIT = 100_000
DEPTH_LIMIT = 64
RUN_LIMIT = 1_000_000

Bindings = Map[str, Any]


@dataclass(slots=True, eq=False)
class Sharing:
    """One call of a step with `share`: what it runs, and how many operators with weights it has met so far."""

    name: str
    operation: object
    span: Span
    values: Bindings | None = None
    count: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where in the expansion steps run: name prefix, group, call, and the settings in force.

    `reread` holds the names that the loops around read with `from`: a loop may bind those anew. `turn` is the
    iteration of the innermost loop in this text, `runs` the product of the lengths of all the loops around.
    """

    prefix: str
    group: Group
    numbers: Map[tuple[Chain, int], int]
    chain: Chain = ()
    call: Call | None = None
    share: Sharing | None = None
    trainable: bool = True
    reread: frozenset[str] = frozenset()
    doc: str = ""
    turn: Turn | None = None
    runs: int = 1


def moved(
    place: Place,
    *,
    prefix: str | None = None,
    group: Group | None = None,
    numbers: Map[tuple[Chain, int], int] | None = None,
    chain: Chain | None = None,
    reread: frozenset[str] | None = None,
    turn: Turn | None = None,
    runs: int = 1,
) -> Place:
    """The place with another prefix, group or numbering. Written out, for `replace` is slow and this runs at every step."""
    return Place(
        place.prefix if prefix is None else prefix,
        place.group if group is None else group,
        place.numbers if numbers is None else numbers,
        place.chain if chain is None else chain,
        place.call,
        place.share,
        place.trainable,
        place.reread if reread is None else reread,
        place.doc,
        place.turn if turn is None else turn,
        place.runs * runs,
    )


@dataclass(frozen=True, slots=True, eq=False)
class CellMatch:
    """A notation cell that matched, with the parts that its pattern bound."""

    cell: Cell
    bound: Bindings


Target = type[Operator] | Macro | CellMatch


class Expander:
    """Runs steps. One per network; results go into the builder, mistakes into the diagnostics."""

    def __init__(self, builder: Builder, reader: StepReader, files: Map[int, Scope]) -> None:
        self.builder = builder
        self.reader = reader
        self.diagnostics: Diagnostics = builder.diagnostics
        self.runs = 0
        self.evaluator = Evaluator()
        self.file_scopes = dict(files)
        self.targets: dict[tuple[int, str], Target | None] = {}
        self.operators: dict[int, tuple[Operator, Map[str, str]]] = {}
        self.checked: set[tuple[type[Operator], str, str]] = set()
        self.numberings: dict[tuple[int, ...], tuple[Any, dict[tuple[Chain, int], int]]] = {}
        self.dropped: set[tuple[Scope, str]] = set()
        self.shares: dict[str, Sharing] = {}
        self.loops: dict[int, frozenset[str]] = {}

    # Bodies

    def body(self, steps: tuple[Step, ...], scope: Scope, flow: Flow, place: Place) -> Flow:
        """Runs the steps of a body that counts its own labels."""
        return self.steps(steps, scope, flow, moved(place, numbers=self.numbering(steps, scope), chain=()))

    def steps(self, steps: tuple[Step, ...], scope: Scope, flow: Flow, place: Place) -> Flow:
        """Runs steps one after the other; a step that fails gives a tensor that nobody complains about."""
        for step in steps:
            try:
                flow = self.step(step, scope, flow, place)
            except Wrong as wrong:
                for one in wrong.diagnostics:
                    self.diagnostics.add(at_call(one, Origin(step.span, place.call, place.turn)))
                flow = self.fail(step, scope, flow)
            except Poisoned:
                flow = self.fail(step, scope, flow)
        return flow

    def fail(self, step: Step, scope: Scope, flow: Flow) -> Flow:
        for name in step.names:
            start, computed, _ = name.text.partition("$")
            if computed:
                scope.body.failed.append(start)
            elif start not in scope.body.tensors and self.peek(f"${start}", scope) is None:
                scope.body.tensors[start] = POISON
                scope.body.places[start] = step.site
        return flow if step.operation == "side" else POISON

    def numbering(self, steps: tuple[Step, ...], scope: Scope) -> Map[tuple[Chain, int], int]:
        """The label numbers of a body; kept, for a body's text is run many times."""
        closures = tuple(id(one) for one in self.splices(steps, scope))
        key = (id(steps), *closures)
        found = self.numberings.get(key)
        if found is None:
            numbers = number(steps, scope, self.inline, self.name_of)
            found = self.numberings[key] = (steps, numbers)
        return found[1]

    def splices(self, steps: tuple[Step, ...], scope: Scope, depth: int = 0) -> Iterator[object]:
        """What the `$` operations in a body's own text stand for here: its numbers depend on them alone."""
        for step in steps:
            if step.operation.startswith("$"):
                value = self.peek(step.operation, scope)
                if isinstance(value, Closure):
                    yield value.steps
                    if depth < DEPTH_LIMIT:
                        yield from self.splices(value.steps, value.scope, depth + 1)
                else:
                    yield value.macro if isinstance(value, MacroValue) else None
            elif step.body is not None:
                yield from self.splices(step.body, scope, depth)

    def peek(self, text: str, scope: Scope) -> Any:
        try:
            return scope.find(text[1:])
        except KeyError:
            return None

    def inline(self, step: Step, scope: Scope) -> tuple[tuple[Step, ...], Scope] | None:
        """The steps that stand for a step which adds no label: cells, `$steps`, groups and sides without `as`."""
        if step.looped or step.names:
            return None
        if step.body is not None:
            return step.body, scope
        if step.splice:
            value = self.peek(step.operation, scope)
            return None if isinstance(value, MacroValue) else (value.steps, value.scope) if isinstance(value, Closure) else ((), scope)
        target = self.target(step.operation, scope.file) if not step.operation.startswith("$") else None
        return (target.cell.body, scope) if isinstance(target, CellMatch) else None

    def name_of(self, step: Step, scope: Scope) -> str:
        if not step.operation.startswith("$"):
            return "steps" if isinstance(self.target(step.operation, scope.file), CellMatch) else step.operation
        value = self.peek(step.operation, scope)
        return value.macro.name if isinstance(value, MacroValue) else "steps"

    # One step

    def step(self, step: Step, scope: Scope, flow: Flow, place: Place) -> Flow:
        """Runs a step, looped or not."""
        if not step.looped:
            return self.once(step, scope, flow, place, 0)
        label = self.base_label(step, scope, place)
        loop = Group("loop", label, label, place.group, step.site, doc=step.doc)
        reread = place.reread | self.read_in(step)
        rows = self.iterations(step, scope, place)
        self.check_runs(step, len(rows), place)
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

    def check_runs(self, step: Step, count: int, place: Place) -> None:
        """Refuses nested loops by the product of their lengths, before any of them runs."""
        if place.runs > 1 and place.runs * count > NODE_LIMIT:
            scalar = step.repeat if step.repeat is not None else step.clause
            span = scalar.span if scalar is not None else step.span
            message = f"with the loops around it this step would run {place.runs * count:,} times; a network has at most {NODE_LIMIT:,} nodes"
            self.diagnostics.add(error(codes.LIMIT_REPEAT, Origin(span, place.call), message))
            raise CompileError(tuple(self.diagnostics))

    def read_in(self, step: Step) -> frozenset[str]:
        """The names that a loop's text reads with `from`, as they are written."""
        found = self.loops.get(step.site)
        if found is None:
            found = self.loops[step.site] = frozenset(_sources(step))
        return found

    def base_label(self, step: Step, scope: Scope, place: Place) -> str:
        label = numbered(label_of(step, self.name_of(step, scope)), place.numbers.get((place.chain, step.site), 1))
        return label.split("$", 1)[0] or "steps"

    def iterations(self, step: Step, scope: Scope, place: Place | None = None) -> list[dict[str, Any]]:
        """The variables of each iteration."""
        self.check_free(step.index, step, scope)
        if step.repeat is not None:
            count = self.evaluate(step.repeat, scope)
            if not isinstance(count, int) or isinstance(count, bool):
                wrong = type_error("`repeat`", "a whole number from 0", count, step.repeat.span)
                raise Wrong(replace(wrong, help="to loop over a list write `for: n in [...]`") if isinstance(count, list) else wrong)
            if count < 0:
                raise Wrong(error(codes.WRONG_VALUE, step.repeat.span, f"`repeat` is at least 0, and this is {count}"))
            self.check_repeat(count, step.repeat.span)
            if place is not None:
                self.check_runs(step, count, place)
            return [{step.index: at} for at in range(count)]
        assert step.clause is not None
        return self.rows(step, step.clause, scope)

    def check_free(self, name: str, step: Step, scope: Scope) -> None:
        """A loop's variable hides nothing, save that an inner counter hides an outer one."""
        for one in scope.chain():
            if name in one.values and one.index != name:
                what = "a value"
            elif name in one.tensors:
                what = "a tensor"
            else:
                continue
            place = step.clause.span if step.clause is not None else step.span
            raise Wrong(error(codes.NAME_TAKEN, place, f"`{name}` is the name of {what} already", help="choose another name for the loop's variable"))

    def check_repeat(self, count: int, span: Span) -> None:
        if count > REPEAT_LIMIT:
            raise Wrong(error(codes.LIMIT_REPEAT, span, f"a loop runs at most {REPEAT_LIMIT:,} times, and this one {count:,}"))

    def rows(self, step: Step, scalar: Scalar, scope: Scope) -> list[dict[str, Any]]:
        """The variables of each iteration of `names in list`."""
        clause = self.clause(scalar)
        for name in clause.names:
            self.check_free(name, step, scope)
        items = self.expression(clause.iterable, scalar, scope)
        if not isinstance(items, list):
            raise Wrong(error(codes.LOOP_FORM, scalar.span, f"`for` runs over a list, and this is {kind_of(items)}"))
        self.check_repeat(len(items), scalar.span)  # pyright: ignore[reportUnknownArgumentType]
        rows = [self.row(clause, item, at, scalar) for at, item in enumerate(items)]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if step.index in clause.names:
            return rows
        return [{**row, step.index: at} for at, row in enumerate(rows)]

    def clause(self, scalar: Scalar) -> Clause:
        try:
            return parse_clause(scalar.text)
        except ExpressionError as problem:
            raise Wrong(located_error(scalar, problem)) from None

    def row(self, clause: Clause, item: Any, at: int, scalar: Scalar) -> dict[str, Any]:
        if len(clause.names) == 1:
            return {clause.names[0]: item}
        if isinstance(item, dict):
            unknown = [one for one in clause.names if one not in item]
            if unknown:
                raise Wrong(error(codes.LOOP_FORM, scalar.span, f"row {at + 1} has no key `{unknown[0]}`", help=f"its keys are {', '.join(map(str, item))}"))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            return {one: item[one] for one in clause.names}
        if not isinstance(item, list) or len(item) != len(clause.names):  # pyright: ignore[reportUnknownArgumentType]
            size = f"a list of {len(item)} item{'' if len(item) == 1 else 's'}" if isinstance(item, list) else kind_of(item)  # pyright: ignore[reportUnknownArgumentType]
            raise Wrong(error(codes.LOOP_FORM, scalar.span, f"row {at + 1} is {size}, and `for` names {len(clause.names)} values"))
        return dict(zip(clause.names, item, strict=True))  # pyright: ignore[reportUnknownArgumentType]

    def once(self, step: Step, scope: Scope, flow: Flow, place: Place, iteration: int) -> Flow:
        """Runs a step one time."""
        self.spend(step, place)
        inputs = self.inputs(step, scope, flow)
        start = inputs[0] if inputs else flow
        if step.when is not None and not self.condition(step.when, scope):
            return self.skip(step, scope, flow, inputs or [flow], place)
        names = self.names(step, scope)
        for name in names:
            self.check_name(step, name, scope, place)
        label = self.label(step, scope, place, names, iteration)
        here = self.settings(step, scope, place, label)
        results = self.run(step, scope, start, inputs, here, label)
        self.bind_names(step, names, results, scope, place)
        if step.share is not None and here.share is not None:
            self.check_shared_count(here.share)
        if step.operation == "side":
            return flow
        return results[0] if results else POISON

    def spend(self, step: Step, place: Place) -> None:
        """Counts what is run: steps that make no node cost time too."""
        self.runs += 1
        if self.runs > RUN_LIMIT:
            self.diagnostics.add(error(codes.LIMIT_NODES, Origin(step.span, place.call), f"a network runs at most {RUN_LIMIT:,} steps, macro calls and loops written out, and here it grows beyond them"))
            raise CompileError(tuple(self.diagnostics))

    def skip(self, step: Step, scope: Scope, flow: Flow, inputs: list[Flow], place: Place) -> Flow:
        """A step under a false `when` is the identity; a `side` leaves no trace."""
        names = self.names(step, scope)
        if step.operation == "side":
            self.dropped |= {(scope.body, name) for name in names}
            return flow
        results = inputs if len(inputs) == len(names) else [inputs[0]] * len(names)
        for name, tensor in zip(names, results, strict=True):
            if name != "_":
                self.bind_one(step, name, tensor, scope, place)
        return inputs[0]

    def condition(self, scalar: Scalar, scope: Scope) -> bool:
        value = self.bare(scalar, scope)
        if not isinstance(value, bool):
            raise Wrong(error(codes.EXPRESSION_TYPE, scalar.span, f"`when` takes a condition, and this is {kind_of(value)}", help="compare it, as in `when: stride > 1`"))
        return value

    def names(self, step: Step, scope: Scope) -> list[str]:
        found: list[str] = []
        for scalar in step.names:
            name = self.text(scalar, scope)
            if len(name) > NAME_LIMIT:
                raise Wrong(error(codes.LIMIT_NAME, scalar.span, f"a name has at most {NAME_LIMIT} characters, and this has {len(name)}"))
            if not TENSOR_NAME.match(name):
                raise Wrong(error(codes.NAME_FORM, scalar.span, f"`{name}` cannot name a tensor", help="use letters, digits and `_`"))
            if name == "input":
                raise Wrong(error(codes.NAME_TAKEN, scalar.span, "`input` is the name of the input", help="choose another name"))
            found.append(name)
        return found

    def label(self, step: Step, scope: Scope, place: Place, names: list[str], iteration: int) -> str | None:
        """The step's part of layer names; `None` where it adds nothing."""
        if self.inline(step, scope) is not None:
            return None
        named = next((one for one in names if one != "_"), None)
        label = named or label_of(step, self.name_of(step, scope))
        label = numbered(label, place.numbers.get((place.chain, step.site), 1))
        return iterated(label, iteration) if iteration else label

    def settings(self, step: Step, scope: Scope, place: Place, label: str | None) -> Place:
        share = place.share
        if step.share is not None:
            share = self.sharing(step, self.text(step.share, scope), scope)
        trainable = place.trainable
        if step.trainable is not None:
            value = self.evaluate(step.trainable, scope)
            if not isinstance(value, bool):
                raise Wrong(error(codes.WRONG_TYPE, step.trainable.span, f"`trainable` takes `true` or `false`, and this is {kind_of(value)}"))
            trainable = trainable and value
        doc = step.doc or place.doc
        if (share, trainable, doc) == (place.share, place.trainable, place.doc):
            return place
        return replace(place, share=share, trainable=trainable, doc=doc)

    def sharing(self, step: Step, name: str, scope: Scope) -> Sharing:
        """A further call of shared weights; it runs what the first one ran."""
        target: object = step.operation
        if step.body is None and not step.operation.startswith("$"):
            target = self.target(step.operation, scope.file)
        made = Sharing(name, step.operation if isinstance(target, CellMatch) else target, step.span)
        first = self.shares.setdefault(name, made)
        if first.operation != made.operation:
            raise Wrong(self.unlike(first, step.span, f"these are `{first.span.text}` and `{step.operation}`"))
        return made

    def unlike(self, first: Sharing, span: Span, why: str) -> Any:
        note = Note(f"first used at {first.span}", first.span)
        return error(codes.SHARE, span, f"steps that share weights must be alike, and {why}", notes=[note], help="give them names of their own in `share`")

    def check_shared_values(self, share: Sharing, values: Bindings) -> None:
        """A macro that shares weights has the same arguments at each call."""
        share.values = {name: value for name, value in values.items() if not isinstance(value, Closure | MacroValue)}
        first = self.shares[share.name]
        for name, value in (first.values or {}).items():
            if name in share.values and share.values[name] != value:
                raise Wrong(self.unlike(first, share.span, f"`{name}` is {value} in one and {share.values[name]} in the other"))

    def check_shared_count(self, share: Sharing) -> None:
        """Steps that share weights have equally many operators with weights."""
        first = self.shares[share.name]
        if first.count != share.count and not self.diagnostics.errors:
            raise Wrong(self.unlike(first, share.span, f"one has {first.count} layers with weights and the other {share.count}"))

    def inputs(self, step: Step, scope: Scope, flow: Flow) -> list[Flow]:
        return [self.tensor(one, scope, flow) for one in step.sources or ()]

    def tensor(self, scalar: Scalar, scope: Scope, flow: Flow = None) -> Flow:
        """The tensor of a name; `_` is the flowing one."""
        name = self.text(scalar, scope)
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

    def bind_names(self, step: Step, names: list[str], results: list[Flow], scope: Scope, place: Place) -> None:
        if len(names) > 1 and len(names) != len(results):
            raise Wrong(error(codes.STEP_FORM, step.names[0].span, f"`as` has {len(names)} names, and the step has {len(results)} output{'' if len(results) == 1 else 's'}"))
        for name, result in zip(names, results, strict=False):
            if name != "_":
                self.bind_one(step, name, result, scope, place)

    def bind_one(self, step: Step, name: str, tensor: Flow, scope: Scope, place: Place) -> None:
        """Binds a name in the body around."""
        self.check_name(step, name, scope, place)
        scope.body.tensors[name] = tensor
        scope.body.places[name] = step.site

    def check_name(self, step: Step, name: str, scope: Scope, place: Place) -> None:
        """Each name is bound once, save what a loop binds anew."""
        body = scope.body
        for one in scope.chain():
            again = one is body and name in one.tensors and (one.places.get(name) == step.site or _among(name, place.reread))
            elsewhere = name in one.tensors and (one is body or one.tensors is not body.tensors)
            if (name in one.values or elsewhere) and not again:
                what = "a value" if name in one.values else "a tensor"
                raise Wrong(error(codes.NAME_TAKEN, step.names[0].span, f"`{name}` is the name of {what} already", help="choose another name"))
            if one.macro:
                break

    # What an operation does

    def run(self, step: Step, scope: Scope, start: Flow, inputs: list[Flow], place: Place, label: str | None) -> list[Flow]:
        """The results of an operation."""
        if step.body is not None:
            return [self.arranged(step, step.body, scope, start, place, label)]
        if step.operation.startswith("$"):
            return self.held(step, scope, start, inputs, place, label)
        target = self.target(step.operation, scope.file)
        if isinstance(target, Macro):
            return self.call(step, target, scope, start, inputs, place, label or "")
        if isinstance(target, CellMatch):
            inner = Scope(scope.file, self.file_scope(scope.file), dict(target.bound), around=scope)
            inner.tensors, inner.places = scope.body.tensors, scope.body.places
            return [self.arranged(step, target.cell.body, inner, start, place, label)]
        if target is None:
            raise Wrong(unknown_operation(step, scope.file))
        return self.operation(step, target, scope, start, inputs, place, label or "")

    def arranged(self, step: Step, steps: tuple[Step, ...], inner: Scope, start: Flow, place: Place, label: str | None) -> Flow:
        """Runs steps put in place."""
        if label is None:
            return self.steps(steps, inner, start, moved(place, chain=(*place.chain, step.site)))
        group = place.group if step.looped else Group("steps", label, label, place.group, step.site, doc=step.doc)
        here = moved(place, prefix=f"{place.prefix}{label}_", group=group)
        return self.body(steps, inner, start, here)

    def held(self, step: Step, scope: Scope, start: Flow, inputs: list[Flow], place: Place, label: str | None) -> list[Flow]:
        """`$name`: steps that a parameter holds, or a call of the macro that it names."""
        name = step.operation[1:]
        try:
            value = scope.find(name)
        except KeyError:
            values, _ = scope.visible()
            near = closest(name, values)
            raise Wrong(error(codes.UNKNOWN_VALUE, step.span, f"there is no value `{name}` here", help=f"did you mean `${near}`?" if near else "")) from None
        if isinstance(value, MacroValue):
            return self.call(step, value.macro, scope, start, inputs, place, label or "")
        if not isinstance(value, Closure) or step.arguments is not None:
            raise Wrong(error(codes.WRONG_TYPE, step.span, f"`{step.operation}` does not hold steps{' or a macro' if step.arguments else ''}, but {kind_of(value)}", help=f"declare the parameter as `{name}: steps` or `{name}: macro`"))
        # Tensors that they name belong to the body they are written in; put in place elsewhere, they are a body.
        inner = Scope(value.scope.file, value.scope, loop=value.scope.body is scope.body)
        return [self.arranged(step, value.steps, inner, start, place, label)]

    def target(self, word: str, file: File) -> Target | None:
        """What a word means in a file: a macro, an operator, an exact cell, then a pattern."""
        key = id(file), word
        if key not in self.targets:
            self.targets[key] = file.macro(word) or OPERATORS.get(word) or match_cell(word, file)
        return self.targets[key]

    def operation(self, step: Step, operator: type[Operator], scope: Scope, start: Flow, inputs: list[Flow], place: Place, label: str) -> list[Flow]:
        """An operator on its inputs."""
        built, text = self.operator(step, operator, scope, place)
        labels: list[str] = []
        if is_merge(operator.name) and step.branches:
            group = Group("merge", label, operator.name, place.group, step.site, doc=step.doc)
            inputs, labels = self.branches(step, scope, start, moved(place, group=group), label)
            place = moved(place, group=group)
        elif not inputs:
            inputs = [start]
        else:
            labels = [self.text(one, scope) for one in step.sources or ()]
        if any(isinstance(one, Poison) for one in inputs):
            return [POISON] * max(1, len(step.names))
        tensors = [one for one in inputs if isinstance(one, Tensor)]
        if len(tensors) != len(inputs):
            raise Wrong(error(codes.NO_FLOW, step.span, f"`{step.operation}` has no input: there is no flowing tensor here", help="name its input with `from`"))
        self.check_count(step, operator, len(tensors) if step.branches is None or step.branches else 0)
        self.check_repeated(step, operator, tensors, labels)
        context = Context(Origin(step.span, place.call, place.turn), place.group, step.site, place.trainable, place.doc, text)
        share = None
        if place.share is not None and built_has_weights(built, self.builder, tensors):
            share = f"{place.share.name}/{place.share.count}"
            place.share.count += 1
        made = self.builder.add(built, tensors, place.prefix + label, context, labels=labels, share=share)
        return list(made) if made is not None else [POISON] * max(1, len(step.names))

    def check_count(self, step: Step, operator: type[Operator], count: int) -> None:
        least, most = operator.arity
        if count >= least and (most is None or count <= most):
            return
        wanted = str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        advice = "join them first, with `concat` or `add`"
        if is_merge(operator.name):
            advice = f"list them, as in `{operator.name}: [_, input]`, or name branches, as in `{operator.name}: {{left: [...], right: [...]}}`"
        raise Wrong(error(codes.INPUT_COUNT, step.span, f"`{operator.name}` takes {wanted} input{'' if wanted == '1' else 's'}, and here it gets {count}", help=advice))

    def check_repeated(self, step: Step, operator: type[Operator], tensors: list[Tensor], labels: list[str]) -> None:
        if is_merge(operator.name) and len(set(tensors)) < len(tensors):
            places: dict[Tensor, list[str]] = {}
            for one, label in zip(tensors, labels, strict=False):
                places.setdefault(one, []).append(f"`{label}`")
            which = next((" and ".join(found[:3]) for found in places.values() if len(found) > 1), "")
            if operator.name == "concat":
                self.diagnostics.add(warning(codes.CONCAT_SAME, step.span, "`concat` joins a tensor to itself", label=f"{which} are one tensor" if which else "", help="name two tensors, where that was meant"))
                return
            raise Wrong(error(codes.SAME_TENSOR, step.span, f"`{operator.name}` merges a tensor with itself", label=f"{which} are one tensor" if which else "", help="a shortcut starts before the block: in a macro it is `input`"))

    def operator(self, step: Step, operator: type[Operator], scope: Scope, place: Place) -> tuple[Operator, Map[str, str]]:
        """The operator with its arguments bound and checked; kept where they hold no expression."""
        if step.site in self.operators:
            return self.operators[step.site]
        arguments = step.arguments
        fixed = arguments is None or not has_expression(arguments)
        if isinstance(arguments, Scalar) and not fixed:
            arguments = self.known(arguments, scope)
        signature = operator_signature(operator)
        bound, problems = bind(arguments, signature, step.span)
        problems += missing(arguments, bound, signature, step.span)
        values: dict[str, Any] = {}
        for name, written in bound.items():
            values[name] = self.attribute(operator, name, written, scope, problems)
        if problems:
            raise Wrong(*problems)
        python = {one.name: getattr(one, "python_name", one.name) for one in fields_of(operator)}
        kinds = {one.name: one.kind for one in fields_of(operator)}
        built = operator(**{python[name]: kinds[name].normalise(value) for name, value in values.items()})
        text = {name: one.text for name, one in bound.items() if isinstance(one, Scalar) and has_expression(one)}
        if fixed:
            self.operators[step.site] = built, text
        return built, text

    def attribute(self, operator: type[Operator], name: str, written: Value, scope: Scope, problems: list[Any]) -> Any:
        try:
            value = self.evaluate(written, scope)
        except Wrong as wrong:
            problems.extend(wrong.diagnostics)
            return None
        if isinstance(value, Closure | MacroValue):
            problems.append(error(codes.WRONG_TYPE, written.span, f"`{name}` of `{operator.name}` takes a value, and this is {'a list of steps' if isinstance(value, Closure) else 'a macro'}"))
            return None
        key = operator, name, repr(value)
        if key not in self.checked:
            found = check_value(operator, name, value, written)
            problems.extend(found)
            if not found:
                self.checked.add(key)
        return value

    def known(self, scalar: Scalar, scope: Scope) -> Value:
        """A scalar argument whose expression gives a list or mapping binds as that; else it stays as written."""
        value = self.evaluate(scalar, scope)
        return located(value, scalar.span) if isinstance(value, list | dict) else scalar

    def branches(self, step: Step, scope: Scope, start: Flow, place: Place, label: str) -> tuple[list[Flow], list[str]]:
        """The tensors of a merge's branches and what a person calls them."""
        prefix = place.prefix if label == step.operation else f"{place.prefix}{label}_"
        here = moved(place, prefix=prefix)
        found: list[Flow] = []
        labels: list[str] = []
        loops = 0
        for at, branch in enumerate(step.branches or (), start=1):
            loops += branch.clause is not None or branch.repeat is not None
            for name, tensor in self.branch(branch, at, numbered("steps", loops), scope, start, here):
                found.append(tensor)
                labels.append(name)
        return found, labels

    def branch(self, branch: Branch, at: int, label: str, scope: Scope, start: Flow, place: Place) -> Iterator[tuple[str, Flow]]:
        if branch.tensor is not None:
            name = self.text(branch.tensor, scope)
            yield branch.name or name, self.tensor(branch.tensor, scope, start)
            return
        if branch.clause is None and branch.repeat is None:
            name = branch.name or f"branch{at}"
            yield name, self.one_branch(branch, name, Scope(scope.file, scope), start, place)
            return
        rows = self.branch_rows(branch, scope, place)
        place = moved(place, runs=len(rows))
        for turn, values in enumerate(rows, start=1):
            name = iterated(label, turn)
            inner = Scope(scope.file, scope, values, index=branch.index)
            yield name, self.one_branch(branch, name, inner, start, place, turn)

    def branch_rows(self, branch: Branch, scope: Scope, place: Place) -> list[dict[str, Any]]:
        loop = Step(0, "steps", branch.span, None, clause=branch.clause, repeat=branch.repeat, index=branch.index)
        rows = self.iterations(loop, scope, place)
        self.check_runs(loop, len(rows), place)
        return rows

    def one_branch(self, branch: Branch, name: str, scope: Scope, start: Flow, place: Place, turn: int = 0) -> Flow:
        if not branch.steps:
            return start
        group = Group("branch", name, name, place.group, branch.steps[0].site, turn, dict(scope.values))
        return self.body(branch.steps, scope, start, moved(place, prefix=f"{place.prefix}{name}_", group=group))

    # Macros

    def call(self, step: Step, macro: Macro, scope: Scope, start: Flow, inputs: list[Flow], place: Place, label: str) -> list[Flow]:
        """A macro on its inputs."""
        depth = place.call.depth + 1 if place.call else 1
        if depth > DEPTH_LIMIT:
            self.diagnostics.add(error(codes.LIMIT_DEPTH, Origin(step.span, place.call), f"macro calls nest at most {DEPTH_LIMIT} deep"))
            raise CompileError(tuple(self.diagnostics))
        signature = macro_signature(f"the macro `{macro.name}`", macro.params)
        arguments = step.arguments
        if isinstance(arguments, Scalar) and has_expression(arguments):
            arguments = self.known(arguments, scope)
        bound, problems = bind(arguments, signature, step.span)
        problems += missing(arguments, bound, signature, step.span)
        if problems:
            raise Wrong(*problems)
        inner = Scope(macro.file, self.file_scope(macro.file), macro=True)
        flow = self.macro_inputs(step, macro, start, inputs, inner)
        written = self.parameters(macro.params, bound, scope, inner, f"the macro `{macro.name}`")
        shown = tuple((name, value) for name, value in inner.values.items())
        call = Call(macro.name, step.span, shown, place.call, depth)
        self.lets(macro.let, inner, call)
        if step.share is not None and place.share is not None:
            self.check_shared_values(place.share, inner.values)
        group = Group("macro", label, macro.name, place.group, step.site, 0, dict(inner.values), written, step.doc or macro.doc)
        here = replace(place, prefix=f"{place.prefix}{label}_", group=group, call=call, reread=frozenset(), turn=None)
        result = self.body(macro.body, inner, flow, here)
        if macro.outputs is None:
            return [result]
        return [self.tensor(one, inner, result) for one in macro.outputs]

    def macro_inputs(self, step: Step, macro: Macro, start: Flow, inputs: list[Flow], inner: Scope) -> Flow:
        given = inputs or [start]
        names = macro.inputs or ("input",)
        if len(given) != len(names):
            raise Wrong(error(codes.INPUT_COUNT, step.span, f"the macro `{macro.name}` takes {len(names)} input{'' if len(names) == 1 else 's'}, and here it gets {len(given)}", help=f"its inputs are {', '.join(names)}; give them with `from`"))
        if any(one is None for one in given):
            raise Wrong(error(codes.NO_FLOW, step.span, f"`{macro.name}` has no input: there is no flowing tensor here", help="name its input with `from`"))
        inner.tensors.update(zip(names, given, strict=True))
        return given[0] if len(given) == 1 else None

    def parameters(self, params: Map[str, Parameter], bound: Map[str, Value], outer: Scope, inner: Scope, owner: str) -> dict[str, str]:
        """Puts parameters' values into the inner scope; gives those that were written as expressions."""
        text: dict[str, str] = {}
        for name, parameter in params.items():
            written = bound.get(name, parameter.default)
            if written is None:
                continue
            scope = outer if name in bound else inner
            try:
                value = self.argument(parameter, written, scope)
            except Wrong as wrong:
                if name in bound:
                    raise
                order = "a default reads the parameters before it, and no others"
                raise Wrong(*(replace(one, help=one.help if one.help.startswith("did you mean") else order) if one.code is codes.UNKNOWN_VALUE else one for one in wrong.diagnostics)) from None
            if problems := check_parameter(parameter, value, written, owner):
                raise Wrong(*problems)
            if isinstance(written, Scalar) and has_expression(written):
                text[name] = written.text
            inner.values[name] = value
        return text

    def argument(self, parameter: Parameter, written: Value, scope: Scope) -> Any:
        """The value of an argument; a list of steps stays text, a macro is looked up."""
        if parameter.type == "steps" and not self.holds(written):
            return Closure(self.reader.steps(written), scope)
        value = self.evaluate(written, scope)
        if parameter.type == "macro" and isinstance(value, str):
            macro = scope.file.macro(value)
            if macro is None:
                near = closest(value, scope.file.macro_names())
                raise Wrong(error(codes.UNKNOWN_OPERATION, written.span, f"there is no macro `{value}`", help=f"did you mean `{near}`?" if near else ""))
            return MacroValue(macro)
        return value

    def holds(self, written: Value) -> bool:
        """True for `$name`, which hands on the steps that another parameter holds."""
        return isinstance(written, Scalar) and written.text.startswith("$") and written.text[1:].isidentifier()

    def lets(self, lets: tuple[tuple[str, Span, Value], ...], scope: Scope, call: Call | None) -> None:
        for name, span, written in lets:
            if name in scope.values:
                raise Wrong(at_call(error(codes.NAME_TAKEN, span, f"`{name}` is a parameter already"), Origin(span, call)))
            try:
                scope.values[name] = self.evaluate(written, scope)
            except Wrong as wrong:
                raise Wrong(*(at_call(one, Origin(span, call)) for one in wrong.diagnostics)) from None

    def file_scope(self, file: File) -> Scope:
        """The scope of a library: its own parameters at their defaults, and its `let`."""
        found = self.file_scopes.get(id(file))
        if found is None:
            found = self.file_scopes[id(file)] = Scope(file, None)
            self.parameters(file.params, {}, found, found, file.source.name)
            self.lets(file.let, found, None)
        return found

    # Expressions

    def evaluate(self, value: Value, scope: Scope) -> Any:
        """A located value with its expressions evaluated."""
        return self.evaluator.value(value, self.lookup(scope))

    def text(self, scalar: Scalar, scope: Scope) -> str:
        """A name: the scalar's own text, with expressions filled in."""
        if "$" not in scalar.text:
            return scalar.text
        value = self.evaluator.scalar(replace(scalar, value=scalar.text), self.lookup(scope))
        if isinstance(value, Closure):
            raise Wrong(error(codes.BRANCH_FORM, scalar.span, f"`{scalar.text}` holds steps, and a text here is the name of a tensor", help=f"write `[{scalar.text}]` for the steps"))
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
        raise Wrong(error(codes.EXPRESSION_TYPE, scalar.span, f"a name is a text, and this is {kind_of(value)}"))

    def bare(self, scalar: Scalar, scope: Scope) -> Any:
        """A bare expression, as in `when`; `$(...)` around it is allowed."""
        if not isinstance(scalar.value, str):
            return scalar.value
        try:
            if "$" in scalar.text:
                return self.whole(scalar, scope)
            return self.expression(parse(scalar.text), scalar, scope)
        except ExpressionError as problem:
            raise Wrong(located_error(scalar, problem)) from None

    def whole(self, scalar: Scalar, scope: Scope) -> Any:
        """The value of `$(...)` or `$name` that stands alone where a bare expression is expected."""
        parts = self.evaluator.template(scalar.text)
        if parts is not None and len(parts.parts) == 1:
            return self.evaluator.scalar(scalar, self.lookup(scope))
        bare = scalar.text.replace("$", "")
        raise Wrong(error(codes.EXPRESSION_SYNTAX, scalar.span, "this is an expression already, and names in it need no `$`", help=f"write `{bare}`"))

    def expression(self, expression: Expression, scalar: Scalar, scope: Scope) -> Any:
        try:
            return evaluate(expression, self.lookup(scope), self.budget)
        except ExpressionError as problem:
            raise Wrong(located_error(scalar, problem)) from None

    @property
    def budget(self) -> Budget:
        """The steps that expressions may still take."""
        return self.evaluator.budget

    def lookup(self, scope: Scope) -> Any:
        """What expressions read: values as they are, tensors as what they show of themselves."""

        def find(name: str) -> Any:
            try:
                value = scope.find(name)
            except KeyError:
                values, tensors = scope.visible()
                raise KeyError(name, *values, *tensors) from None
            if isinstance(value, Tensor):
                return TensorView(self.builder.shape(value))
            if isinstance(value, Poison):
                return TensorView(None)
            return value

        return find


def _sources(step: Step) -> Iterator[str]:
    """The names in the `from` of a step and of the steps in it."""
    yield from (one.text for one in step.sources or ())
    for inner in (*(step.body or ()), *(one for branch in step.branches or () for one in branch.steps or ())):
        yield from _sources(inner)


def _among(name: str, written: frozenset[str]) -> bool:
    """True where a name is among names as they are written: the start counts of those that are computed."""
    return name in written or any("$" in one and name.startswith(one.split("$", 1)[0]) for one in written)


def built_has_weights(operator: Operator, builder: Builder, inputs: list[Tensor]) -> bool:
    """True where the operator has weights to share; one that does not fit its inputs has none yet."""
    shapes = tuple(builder.shape(one) for one in inputs)
    if any(not one.warning for one in operator.check(shapes)):
        return False
    return bool(operator.weights(shapes))


def match_cell(word: str, file: File) -> CellMatch | None:
    """The notation cell that a word is: an exact one first; two patterns that both match are an error."""
    for cell in file.cells:
        if cell.exact and cell.pattern == word:
            return CellMatch(cell, {})
    if len(word) > NAME_LIMIT:
        return None
    matches = [(cell, found) for cell in file.cells if not cell.exact and (found := cell.expression.match(word))]
    if len(matches) > 1:
        listed = " and ".join(f"`{cell.pattern}`" for cell, _ in matches)
        raise Wrong(error(codes.AMBIGUOUS_NOTATION, matches[1][0].span, f"the cell `{word}` matches {listed}", help="make one of the patterns narrower"))
    if not matches:
        return None
    cell, found = matches[0]
    return CellMatch(cell, {name: int(part) if part.isdigit() else part for name, part in found.groupdict().items()})


def unknown_operation(step: Step, file: File) -> Any:
    """No operator, macro or cell has the name; says which one was probably meant."""
    word = step.operation
    names = [*file.macro_names(), *OPERATORS, *(cell.pattern for cell in file.cells if cell.exact), "steps", "side"]
    aliases = {"conv2d": "conv", "conv1d": "conv", "conv3d": "conv", "maxpool": "max_pool", "batchnorm": "batch_norm", "linear_layer": "dense", "fc": "dense", "avgpool": "avg_pool", "concatenate": "concat"}
    near = aliases.get(word.lower()) or closest(word, names)
    cells = f"the notation's cells are {', '.join(cell.pattern for cell in file.cells[:12])}{', ...' if len(file.cells) > 12 else ''}"
    if odd := foreign_letter(word):
        help = f"{odd}; did you mean `{near}`?" if near else odd
    elif ":" in word:
        help = f"put a space after the colon: `{word.replace(':', ': ', 1)}`"
    elif word in ("do", "body", "layers", "block", "sequence", "loop"):
        help = "several steps stand under `steps:`, also after `for` and `repeat`"
    elif near:
        help = f"did you mean `{near}`?{f' {cells[0].upper()}{cells[1:]}' if file.cells else ''}"
    elif file.cells:
        help = cells
    else:
        help = "define a macro of that name under `macros`, or see docs/operators.md"
    return error(codes.UNKNOWN_OPERATION, step.span, f"there is no operator, macro or notation cell `{word[:80]}`", help=help)
