"""Lists of steps: located values -> Steps, with what is wrong in their form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archc.diagnostics import Allowance, Diagnostics, Span, closest, codes, error
from archc.language.allowances import allowances
from archc.language.document import Mapping, Scalar, Sequence, Value
from archc.language.flow import cut_texts
from archc.language.spec import STEP_KEYS, Branch, Step
from archc.operators import OPERATORS, Role, fields_of

ARRANGING = ("steps", "side")
LOOP_KEYS = ("for", "repeat", "index", "steps")


def is_merge(name: str) -> bool:
    """True for operators that take branches."""
    operator = OPERATORS.get(name)
    return operator is not None and operator.role is Role.MERGE


class StepReader:
    """Reads steps and collects what is wrong with them; each place of the text gets a site of its own.

    `macros` are the names of macros, `refused` those that no macro may have: nothing is said of the calls of these.
    """

    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics
        self.sites = 0
        self.macros: set[str] = set()
        self.refused: set[str] = set()
        self.known: dict[int, tuple[Value, tuple[Step, ...]]] = {}
        self.allowances: list[Allowance] = []

    def steps(self, value: Value | None) -> tuple[Step, ...]:
        """The steps that a value holds: a list, or one step alone. The same value gives the same steps."""
        if value is None or (isinstance(value, Scalar) and value.value is None):
            return ()
        found = self.known.get(id(value))
        if found is None:
            items = value.items if isinstance(value, Sequence) else (value,)
            found = value, tuple(step for one in items if (step := self.step(one)) is not None)
            self.known[id(value)] = found
        return found[1]

    def step(self, value: Value) -> Step | None:
        """One step: a word, or a mapping with one operation and step keys."""
        if isinstance(value, Scalar):
            if not isinstance(value.value, str) and value.value is not None and value.plain and not value.text:
                return None
            if value.value is None:
                self.wrong(codes.STEP_FORM, value.span, "a step is missing here", help="remove the dash, or write an operation after it")
                return None
            return None if value.text in self.refused else Step(self.site(), value.text, value.span, None)
        if isinstance(value, Sequence):
            self.wrong(codes.STEP_FORM, value.span, "a list stands where a step is expected", help="to group steps write `steps: [...]`")
            return None
        return self.mapping(value)

    def mapping(self, value: Mapping) -> Step | None:
        operations = [key for key in value.entries if key not in STEP_KEYS]
        if self.refused & value.entries.keys():
            return None
        if len(operations) > 1:
            value = self.without_cuts(value, operations)
            operations = [key for key in value.entries if key not in STEP_KEYS]
        if len(operations) != 1:
            self.not_one(value, operations)
            return None
        operation = operations[0]
        key, arguments = value.entries[operation]
        bare = None if isinstance(arguments, Scalar) and arguments.value is None else arguments
        site, keys = self.site(), self.keys(value)
        if operation in ARRANGING:
            step = Step(site, operation, key.span, None, body=self.steps(arguments), **keys)
        elif is_merge(operation) and bare is not None:
            branches, options = self.branches(operation, bare)
            step = Step(site, operation, key.span, options, branches=branches, **keys)
        else:
            step = Step(site, operation, key.span, bare, **keys)
        if (allowed := value.get("allow")) is not None:
            self.allowances += allowances(allowed, self.diagnostics, steps=(step,))
        return step

    def without_cuts(self, value: Mapping, operations: list[str]) -> Mapping:
        """What flow style made of an unquoted `for`, `when` or `doc` is reported as that, once, and left out."""
        known = (*STEP_KEYS, *(one for one in operations if self.is_operation(one)))
        cuts = cut_texts(value, known, ("for", "when", "doc"))
        for one in cuts:
            self.diagnostics.add(one.diagnostic)
        lost = {key for cut in cuts for key in (cut.owner, *cut.strays)}
        return replace(value, entries={key: one for key, one in value.entries.items() if key not in lost})

    def not_one(self, value: Mapping, operations: list[str]) -> None:
        if not operations:
            keys = ", ".join(f"`{one}`" for one in value.entries) or "nothing"
            self.wrong(codes.STEP_FORM, value.span, f"a step needs one operation, and this has only {keys}", help="add an operator or a macro, such as `conv: 64`")
            return
        known = [one for one in operations if one in OPERATORS]
        second = next((one for one in operations if not self.is_operation(one)), operations[1])
        span = value.key_span(second)
        if near := closest(second, STEP_KEYS):
            advice = f"did you mean the step key `{near}`?"
        elif known and second not in OPERATORS:
            advice = f"options of `{known[0]}` stand inside its own braces: `{known[0]}: {{{second}: ...}}`"
        else:
            advice = "begin each operation with a dash of its own"
        names = ", ".join(f"`{one}`" for one in operations)
        self.wrong(codes.STEP_FORM, span, f"a step has one operation, and this has {len(operations)}: {names}", help=advice)

    def keys(self, value: Mapping) -> dict[str, Any]:
        """The step keys as fields of a step."""
        found: dict[str, Any] = {}
        if (names := value.get("as")) is not None:
            found["names"] = self.texts(names, "as")
        if (sources := value.get("from")) is not None:
            found["sources"] = self.texts(sources, "from")
        for key, name in (("when", "when"), ("for", "clause"), ("share", "share")):
            if (one := value.get(key)) is not None:
                found[name] = self.text(one, key)
        for key in ("repeat", "trainable"):
            if (one := value.get(key)) is not None:
                found[key] = one
        if "repeat" in found and found.get("clause"):
            self.wrong(codes.LOOP_FORM, value.key_span("for"), "a step has `repeat` or `for`, not both", help="nest the loops with `steps: [...]`")
        if (index := value.get("index")) is not None and (word := self.text(index, "index")):
            found["index"] = word.text
            if not {"for", "repeat"} & value.entries.keys():
                self.wrong(codes.LOOP_FORM, value.key_span("index"), "`index` names a loop's counter, and this step has no loop", help="write `repeat` or `for` too")
            elif not word.text.isidentifier():
                self.wrong(codes.NAME_FORM, word.span, f"a counter cannot be called `{word.text}`", help="use letters, digits and `_`, and begin with a letter")
        if (doc := value.get("doc")) is not None and (word := self.text(doc, "doc")):
            found["doc"] = word.text
        return found

    def text(self, value: Value, key: str) -> Scalar | None:
        if isinstance(value, Scalar) and value.text != "":
            return value
        example = {"when": "when: index > 0", "for": "for: n in repeats"}.get(key, f"{key}: name")
        kind = "a list" if isinstance(value, Sequence) else "a mapping" if isinstance(value, Mapping) else "nothing"
        code = codes.LOOP_FORM if key == "for" else codes.WRONG_TYPE
        self.wrong(code, value.span, f"`{key}` takes a text, and this is {kind}", help=f"write it as in `{example}`")
        return None

    def texts(self, value: Value, key: str) -> tuple[Scalar, ...]:
        items = value.items if isinstance(value, Sequence) else (value,)
        return tuple(one for item in items if (one := self.text(item, key)) is not None)

    def branches(self, merge: str, value: Value) -> tuple[tuple[Branch, ...], Value | None]:
        """The branches of a merge, and its options where it is written in the long form."""
        options = {one.name for one in fields_of(OPERATORS[merge])} | {"branches"}
        if isinstance(value, Mapping) and ("branches" in value.entries or (value.entries and value.entries.keys() <= options)):
            rest = {key: one for key, one in value.entries.items() if key != "branches"}
            inner = value.get("branches")
            branches = self.branch_list(merge, inner) if inner is not None else ()
            return branches, Mapping(rest, value.flow, value.span) if rest else None
        return self.branch_list(merge, value), None

    def branch_list(self, merge: str, value: Value) -> tuple[Branch, ...]:
        if isinstance(value, Sequence):
            return tuple(one for item in value.items for one in self.branch_item(item))
        if isinstance(value, Mapping):
            if {"for", "repeat"} & value.entries.keys():
                return self.loop_branch(value)
            return tuple(one for name in value.entries for one in self.named_branch(value, name))
        self.wrong(codes.BRANCH_FORM, value.span, f"`{merge}` takes branches: a list of tensors, or named branches", help=f"write `{merge}: [_, input]` or `{merge}: {{left: [...], right: [...]}}`")
        return ()

    def branch_item(self, item: Value) -> tuple[Branch, ...]:
        if isinstance(item, Scalar):
            return (Branch("", item.span, tensor=item),)
        if isinstance(item, Sequence):
            return (Branch("", item.span, steps=self.steps(item)),)
        if {"for", "repeat"} & item.entries.keys() and item.entries.keys() <= set(LOOP_KEYS):
            return self.loop_branch(item)
        operations = [key for key in item.entries if key not in STEP_KEYS]
        if not item.entries:
            self.wrong(codes.BRANCH_FORM, item.span, "a branch is missing here", help="write `[]` for the flowing tensor itself")
            return ()
        if len(operations) < len(item.entries) or self.is_operation(operations[0]):
            return (Branch("", item.span, steps=self.steps(item)),)
        return tuple(one for name in item.entries for one in self.named_branch(item, name))

    def is_operation(self, word: str) -> bool:
        return word in OPERATORS or word in ARRANGING or word in self.macros or word.startswith("$")

    def named_branch(self, value: Mapping, name: str) -> tuple[Branch, ...]:
        key, inner = value.entries[name]
        if name in STEP_KEYS or name in ("branches", *ARRANGING):
            self.wrong(codes.NAME_TAKEN, key.span, f"no branch may be named `{name}`: the word belongs to the language", help=f"call it `{name}_`")
            return ()
        if not name.replace("_", "").isalnum() or not name.isascii():
            self.wrong(codes.NAME_FORM, key.span, f"`{name}` cannot name a branch", help="use letters, digits and `_`")
            return ()
        if isinstance(inner, Scalar) and inner.value is not None:
            return (Branch(name, key.span, tensor=inner),)
        return (Branch(name, key.span, steps=self.steps(inner)),)

    def loop_branch(self, value: Mapping) -> tuple[Branch, ...]:
        unknown = [key for key in value.entries if key not in LOOP_KEYS]
        if unknown or "steps" not in value.entries:
            place = value.key_span(unknown[0]) if unknown else value.span
            problem = f"`{unknown[0]}` is not part of" if unknown else "`steps` is missing in"
            self.wrong(codes.BRANCH_FORM, place, f"{problem} a loop that makes branches", help='write `{for: "n in list", steps: [...]}`')
            return ()
        keys = self.keys(value)
        span = value.key_span("for" if "for" in value.entries else "repeat")
        return (
            Branch("", span, steps=self.steps(value.get("steps")), clause=keys.get("clause"), repeat=keys.get("repeat"), index=keys.get("index", "index")),
        )

    def site(self) -> int:
        self.sites += 1
        return self.sites

    def wrong(self, code: codes.Code, span: Span, message: str, help: str = "") -> None:
        self.diagnostics.add(error(code, span, message, help=help))
