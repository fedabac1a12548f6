"""Functions as text: variables get their names, lines their layout."""

from __future__ import annotations

from collections.abc import Iterator

from archc.backends.keras import source_operations
from archc.backends.keras.layers import snake_case
from archc.backends.keras.source_holes import ABSENT, Hole, distinct, equal
from archc.backends.keras.source_layers import first_arguments, is_default
from archc.backends.keras.source_plan import Line, Plan, Symbol
from archc.backends.keras.source_program import Function, Program
from archc.backends.keras.source_regions import Leaf, Region
from archc.backends.keras.source_text import (
    INDENT,
    WIDTH,
    Code,
    comment,
    docstring,
    identifier,
    laid_out,
    literal,
)


class Writer:
    """Writes functions, and keeps in `needs` the names of Keras's that they use."""

    def __init__(self) -> None:
        self.needs: set[str] = {"layers"}
        self.foreign: set[tuple[str, str]] = set()

    def function(self, function: Function) -> list[str]:
        """A macro's function."""
        names = _Names(function.taken)
        plan = function.plan
        names.inputs(plan)
        given = [names[one] for one in plan.inputs]
        own = [
            one.name if one.default is ABSENT else f"{one.name}={literal(one.default)}" for one in function.parameters
        ]
        head = laid_out(f"def {function.name}", [*given, *own, "*", "name"], ":", "")
        body = _Body(self, plan, names, INDENT)
        lines = body.lines()
        results = [names.shown(one) for one in plan.results]
        if body.last and len(results) == 1 and body.last[0] == f"{INDENT}{results[0]} = {body.last[1]}":
            lines[-body.last[2]] = f"{INDENT}return {body.last[1]}"
        else:
            lines.append(f"{INDENT}return {', '.join(results)}")
        return [*head, *docstring([function.doc], INDENT), *lines]

    def network(self, program: Program, name: str) -> list[str]:
        """The function that builds the model."""
        names = _Names(program.network.taken)
        lines = _Body(self, program.network.plan, names, INDENT).lines()
        ends = [_one_or_all([names.shown(one) for one in some]) for some in (program.inputs, program.outputs)]
        return ["def build_model():", *lines, *laid_out("return Model", [*ends, f"name={literal(name)}"], "", INDENT)]


def _one_or_all(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


class _Names:
    """What variables are called: `x` along the flow, a branch's own name in it, a layer's where it is read much later."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = set(taken)
        self.names: dict[Symbol, str] = {}
        self.held: dict[str, Symbol] = {}

    def __getitem__(self, symbol: Symbol) -> str:
        return self.names[symbol]

    def shown(self, symbol: Symbol) -> str:
        name = self.names[symbol]
        return name if symbol.count == 1 else f"{name}[{symbol.column_output}]"

    def inputs(self, plan: Plan) -> None:
        for one in plan.inputs:
            self.give(one, plan, -1)

    def give(self, symbol: Symbol, plan: Plan, at: int) -> str:
        """A name that no variable has which is still read."""
        name = self.candidate(symbol, plan, at)
        self.names[symbol] = name
        self.held[name] = symbol
        return name

    def candidate(self, symbol: Symbol, plan: Plan, at: int) -> str:
        main = identifier(symbol.hint or "x")
        own = identifier(symbol.label or main)
        number = 1
        wanted = [own] if self.is_long(symbol, plan, at) else [main, own]
        while True:
            for one in wanted:
                name = one if number == 1 else f"{one}_{number}"
                if self.is_free(name, at):
                    return name
            number += 1

    def is_free(self, name: str, at: int) -> bool:
        holder = self.held.get(name)
        return name not in self.taken and (holder is None or holder.last <= at)

    def is_long(self, symbol: Symbol, plan: Plan, at: int) -> bool:
        """True where the flow goes on in another variable while this one is still to be read."""
        hint = symbol.hint or "x"
        later = plan.lines[at + 1 : symbol.last]
        return any((one.hint or "x") == hint for line in later for one in line.outputs)


class _Body:
    """The lines of a block."""

    def __init__(self, writer: Writer, plan: Plan, names: _Names, indent: str) -> None:
        self.writer = writer
        self.plan = plan
        self.names = names
        self.indent = indent
        self.last: tuple[str, str, int] | None = None
        self.doc = ""

    def lines(self) -> list[str]:
        found: list[str] = []
        for group in self.groups():
            found += self.group(group)
        return found

    def groups(self) -> Iterator[list[int]]:
        """Lines that run under one condition, together."""
        group: list[int] = []
        for at, line in enumerate(self.plan.lines):
            if group and (line.condition is None or line.condition is not self.plan.lines[group[0]].condition):
                yield group
                group = []
            group.append(at)
        if group:
            yield group

    def group(self, group: list[int]) -> list[str]:
        condition = self.plan.lines[group[0]].condition
        if condition is None:
            return self.line(group[0], self.indent)
        kept = [one for at in group for one in self.plan.lines[at].outputs if one.absent is not None]
        inside = [text for at in group for text in self.line(at, self.indent + INDENT)]
        others = [(self.names[one], self.names.shown(one.absent)) for one in kept if one.absent is not None]
        others = [(name, value) for name, value in others if name != value]
        self.last = None
        if len(inside) == 1 and len(others) == 1 and inside[0].strip().startswith(f"{others[0][0]} = "):
            line = f"{self.indent}{inside[0].strip()} if {condition.operand()} else {others[0][1]}"
            if len(line) <= WIDTH:
                return [line]
        found = [f"{self.indent}if {condition.text()}:", *inside]
        if others:
            names, values = (", ".join(one) for one in zip(*others, strict=True))
            found += [f"{self.indent}else:", f"{self.indent}{INDENT}{names} = {values}"]
        return found

    def line(self, at: int, indent: str) -> list[str]:
        line = self.plan.lines[at]
        self.last = None
        told = comment(line.doc, indent) if line.doc != self.doc else []
        self.doc = line.doc
        if line.body is not None:
            return told + self.loop(line, at, indent)
        before, arguments, after = self.leaf(line) if isinstance(line.item, Leaf) else self.call(line)
        targets = self.targets(line, at)
        found = laid_out(f"{targets} = {before}", arguments, after, indent)
        if line.condition is None:
            self.last = (found[0], found[0].strip()[len(targets) + 3 :], len(found))
        return told + found

    def targets(self, line: Line, at: int) -> str:
        if isinstance(line.item, Leaf) and len(line.outputs) > 1:
            whole = line.outputs[0]
            whole.last = max(one.last for one in line.outputs)
            name = self.names.give(whole, self.plan, at)
            for number, one in enumerate(line.outputs):
                self.names.names[one] = name
                one.column_output = number
            return name
        return ", ".join(self.names.give(one, self.plan, at) for one in line.outputs)

    # Layers and calls

    def leaf(self, line: Line) -> tuple[str, list[str], str]:
        """What stands before the brackets, in them, and after."""
        assert isinstance(line.item, Leaf)
        leaf = line.item
        reads = [self.names.shown(one) for one in line.reads]
        maker = reads.pop(0) if leaf.values is None else ""
        read = [f"[{', '.join(reads)}]"] if leaf.call is not None and leaf.call.as_list else reads
        if leaf.layer.is_operation:
            return self.operation(line, leaf.layer.class_name, read)
        read += [value.text() if key[0] == "*" else f"{key}={value.text()}" for key, value in line.call_arguments]
        if maker:
            return maker, read, ""
        assert line.name is not None
        arguments = [*self.arguments(leaf, line.arguments), f"name={line.name.text()}"]
        called = f"({', '.join(read)})" if leaf.call is not None and leaf.layer.class_name != "InputLayer" else ""
        return self.maker(leaf), arguments, called

    def operation(self, line: Line, class_name: str, read: list[str]) -> tuple[str, list[str], str]:
        """A function of `keras.ops`; or, where it has a name, the operation made and called."""
        positional = [hole.text() for key, hole in line.call_arguments if key[0] == "*"]
        named = [(key, hole) for key, hole in line.call_arguments if key[0] != "*"]
        if line.name is not None:
            self.writer.needs.add("saving")
            config = [f"{key}={hole.text()}" for key, hole in line.arguments]
            given = [f"{key}={hole.text()}" for key, hole in named]
            made = [literal(class_name), *config, f"name={line.name.text()}"]
            return "operation", made, f"({', '.join([*read, *positional, *given])})"
        self.writer.needs.add("ops")
        found = [*read, *positional]
        for key, hole in (*line.arguments, *named):
            if not (hole.constant and source_operations.is_default(class_name, key, hole.value)):
                found.append(hole.text() if source_operations.is_first(class_name, key) else f"{key}={hole.text()}")
        return f"ops.{snake_case(class_name)}", found, ""

    def maker(self, leaf: Leaf) -> str:
        layer = leaf.layer
        if layer.class_name == "InputLayer":
            self.writer.needs.add("Input")
            return "Input"
        if layer.module == "keras.layers":
            return f"layers.{layer.class_name}"
        self.writer.foreign.add((layer.module, layer.class_name))
        return layer.class_name

    def arguments(self, leaf: Leaf, given: list[tuple[str, Hole]]) -> list[str]:
        class_name = leaf.layer.class_name
        first = first_arguments(class_name)
        found: list[str] = []
        for key, hole in given:
            value = hole.value
            if hole.constant and is_default(class_name, key, value):
                continue
            for one in hole.values:
                if isinstance(one, Code):
                    self.writer.needs.update(one.needs.split())
            found.append(hole.text() if key in first else f"{key}={hole.text()}")
        return found

    def call(self, line: Line) -> tuple[str, list[str], str]:
        assert isinstance(line.item, Region) and line.name is not None
        function: Function = line.item.function
        defaults = {one.name: one.default for one in function.parameters}
        found = [self.names.shown(one) for one in line.reads]
        for key, hole in line.arguments:
            default = defaults[key]
            if default is ABSENT:
                found.append(hole.text())
            elif not (hole.constant and equal(hole.value, default)):
                found.append(f"{key}={hole.text()}")
        return function.name, [*found, f"name={line.name.text()}"], ""

    # Loops

    def loop(self, line: Line, at: int, indent: str) -> list[str]:
        assert line.body is not None and line.loop is not None
        before: list[str] = []
        inner = _Names(self.names.taken)
        for one in line.body.inputs:
            if one.absent is not None:
                inner.names[one] = self.names.shown(one.absent)
                inner.taken.add(self.names[one.absent])
        inner.taken |= {name for name, one in self.names.held.items() if one.last > at}
        for (inside, after, start), output in zip(line.carried, line.outputs, strict=True):
            name = self.carried_name(start, output, inner, at)
            if after.line >= 0 and after.count == 1 and inside.last <= after.line:
                after.hint = name
            value = self.names.shown(start)
            if name != value:
                before.append(f"{indent}{name} = {value}")
            inner.names[inside] = name
            inner.held[name] = inside
            self.names.names[output] = name
            self.names.held[name] = output
        body = _Body(self.writer, line.body, inner, indent + INDENT)
        lines = body.lines()
        changed = [
            (inner[inside], inner.shown(after))
            for inside, after, _ in line.carried
            if inner[inside] != inner.shown(after)
        ]
        if changed:
            names, values = zip(*changed, strict=True)
            lines.append(f"{indent}{INDENT}{', '.join(names)} = {', '.join(values)}")
        return [*before, *self.head(line, indent), *lines]

    def carried_name(self, start: Symbol, output: Symbol, inner: _Names, at: int) -> str:
        name = self.names[start]
        if (
            start.last <= at
            and start.count == 1
            and name not in inner.taken
            and not self.names.is_long(output, self.plan, at)
        ):
            return name
        return self.free_for_loop(output, inner, at)

    def free_for_loop(self, output: Symbol, inner: _Names, at: int) -> str:
        base = identifier(output.label if self.names.is_long(output, self.plan, at) else output.hint or "x")
        name, number = base, 2
        while name in inner.taken or name in inner.held or not self.names.is_free(name, at - 1):
            name, number = f"{base}_{number}", number + 1
        return name

    def head(self, line: Line, indent: str) -> list[str]:
        loop = line.loop
        assert loop is not None
        index = loop.index.name
        if loop.count is not None:
            count = loop.count.value if loop.count.constant else None
            if index == "_":
                return [f"{indent}for _ in range({loop.count.text()}):"]
            end = str(count + 1) if count is not None else f"{loop.count.operand()} + 1"
            return [f"{indent}for {index} in range(1, {end}):"]
        assert loop.rows is not None
        names = ", ".join(one.name for one in loop.variables)
        before, after = f"for {names} in ", ":"
        if index != "_":
            names = f"({names})" if len(loop.variables) > 1 else names
            before, after = f"for {index}, {names} in enumerate(", ", start=1):"
        rows = self.rows(loop.rows)
        if isinstance(rows, str):
            return [f"{indent}{before}{rows}{after}"]
        short = f"{indent}{before}[{', '.join(rows)}]{after}"
        if len(short) <= WIDTH:
            return [short]
        listed = distinct(f"{loop.index.name.strip('_') or 'row'}s", self.names.taken)
        return [*laid_out(f"{listed} = ", rows, "", indent, "[]"), f"{indent}{before}{listed}{after}"]

    def rows(self, hole: Hole) -> list[str] | str:
        return [literal(one) for one in hole.value] if hole.constant else hole.text()
