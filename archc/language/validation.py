"""Located document -> Spec: the form of a spec, checked; failures become located diagnostics."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from collections.abc import Mapping as Map
from typing import Any

from archc.diagnostics import Code, Diagnostics, Span, closest, codes, error, foreign_letter
from archc.language.document import MACRO_KEYS, Mapping, Scalar, Sequence, Value, plain
from archc.language.flow import cut_texts
from archc.language.outdented import outdented
from archc.language.spec import (
    STEP_KEYS,
    TYPES,
    Cell,
    File,
    Input,
    Macro,
    Parameter,
)
from archc.language.steps import ARRANGING, StepReader
from archc.operators import OPERATORS

VERSION = 1
TOP_KEYS = {
    "archc": "the version of the language, 1",
    "name": "the name that addresses use",
    "title": "the name that people read",
    "doc": "a sentence for people",
    "source": "where the network was published: title, authors, year, url",
    "input": "the shape of the one input, without the batch axis",
    "inputs": "several inputs by name",
    "outputs": "the tensors that the network gives",
    "layers": "the steps",
    "params": "the family's parameters",
    "let": "values derived from the parameters",
    "macros": "functions from tensors and parameters to tensors",
    "notation": "cells of the paper's own table, and the steps they stand for",
    "variants": "the networks of the family",
    "use": "library files whose macros are brought in",
    "expect": "facts that are checked against the compiled network",
    "allow": "warnings that are meant, each with its reason",
    "implementation": "the published implementation that the network equals",
    "aliases": "further names",
}
VARIANT_KEYS = (
    "default", "title", "aliases", "input", "inputs", "outputs", "layers", "implementation", "doc", "source", "expect", "allow", "like",
)
PARAMETER_KEYS = ("type", "list", "default", "min", "max", "enum", "doc")
EXPECT_KEYS = ("params", "trainable", "non_trainable", "macs", "weight_layers", "output", "receptive_field")
FACT_KEYS = ("value", "about", "within", "paper", "source")
SOURCE_KEYS = ("title", "authors", "year", "url", "venue", "section", "arxiv", "doi", "note")
RESERVED = frozenset({*STEP_KEYS, *ARRANGING, "branches", "_", "input", "true", "false", "null"})
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
TENSOR_NAME = re.compile(r"[A-Za-z0-9_]+\Z")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*\Z")
BOUND = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*)>")
NAME_LIMIT = 128
PATTERNS = 64
"""Cells with parts in angle brackets, each of which every word is held against."""


class FileReader:
    """Reads one file's declarations into a `File`."""

    def __init__(self, root: Value, file: File, steps: StepReader) -> None:
        self.root = root
        self.file = file
        self.steps = steps
        self.diagnostics: Diagnostics = steps.diagnostics

    def wrong(self, code: Code, span: Span, message: str, help: str = "", label: str = "") -> None:
        """Collects an error."""
        self.diagnostics.add(error(code, span, message, help=help, label=label))

    def check_keys(self, value: Mapping, known: Iterable[str], what: str) -> None:
        """Unknown keys are errors: in other tools they are ignored, which is the mistake that nobody sees."""
        known = dict.fromkeys(known)
        cuts = cut_texts(value, known)
        for one in cuts:
            self.diagnostics.add(one.diagnostic)
        strays = {one for cut in cuts for one in cut.strays}
        for key in value.entries:
            if key not in known and key not in strays:
                near = closest(key, known)
                help = f"did you mean `{near}`?" if near else foreign_letter(key) or f"the keys are {', '.join(known)}"
                self.wrong(codes.UNKNOWN_KEY, value.key_span(key), f"{what} has no key `{key}`", help)

    def mapping(self, value: Value | None, what: str) -> Mapping | None:
        """The value as a mapping; anything else is an error."""
        if value is None or isinstance(value, Mapping):
            return value
        self.wrong(codes.WRONG_TYPE, value.span, f"{what} takes a mapping, and this is {kind_of(value)}")
        return None

    def text(self, value: Value | None, what: str) -> str:
        """The value as a text."""
        if value is None:
            return ""
        if isinstance(value, Scalar) and value.value is not None:
            return value.text
        self.wrong(codes.WRONG_TYPE, value.span, f"{what} takes a text, and this is {kind_of(value)}")
        return ""

    def head(self) -> Mapping | None:
        """The top level, its keys and its version checked."""
        root = self.root
        if not isinstance(root, Mapping):
            self.wrong(codes.WRONG_TYPE, root.span, f"a spec is a mapping of keys, and this is {kind_of(root)}", help="start with `archc: 1` and `name: ...`")
            return None
        version = root.get("archc")
        if version is None:
            self.wrong(codes.MISSING_KEY, root.span, "the key `archc`, the version of the language, is missing", help="write `archc: 1` as the first line")
        elif plain(version) != VERSION or not isinstance(plain(version), int) or isinstance(plain(version), bool):
            newer = isinstance(plain(version), int) and plain(version) > VERSION
            self.wrong(codes.LANGUAGE_VERSION, version.span, f"this archc reads version {VERSION} of the language, and the spec says {_show(version)}", help="install a newer archc" if newer else f"write `archc: {VERSION}`")
            return None
        self.check_keys(root, TOP_KEYS, "a spec")
        return root

    def declarations(self, root: Mapping) -> None:
        """`params`, `let`, `macros` and `notation` into the file."""
        macros = self.mapping(root.get("macros"), "`macros`")
        if macros is not None:
            self.steps.macros |= set(macros.entries)
            self.steps.refused |= {name for name, (_, one) in macros.entries.items() if name in OPERATORS or name in RESERVED or isinstance(one, Scalar)}
            macros = self.without_outdented(macros)
        for one in self.file.used:
            self.steps.macros |= set(one.macros)
        self.file.params = self.params(root.get("params"), "the family")
        self.file.let = self.lets(root.get("let"))
        if macros is not None:
            self.file.macros = {
                name: macro for name in macros.entries if (macro := self.macro(macros, name)) is not None
            }
        self.file.cells = tuple(self.cells(self.mapping(root.get("notation"), "`notation`")))

    def without_outdented(self, macros: Mapping) -> Mapping:
        """The macros without those that are told to be a part of the one above; of that one nothing more is said."""
        left = dict(macros.entries)
        for one in outdented(macros):
            self.diagnostics.add(one.diagnostic)
            self.steps.refused.add(one.owner)
            for name in (one.owner, *one.keys):
                del left[name]
        return Mapping(left, macros.flow, macros.span)

    def macro(self, macros: Mapping, name: str) -> Macro | None:
        """One macro's declaration."""
        key, value = macros.entries[name]
        if name in OPERATORS or name in RESERVED:
            what = "an operator" if name in OPERATORS else "a word of the language"
            self.wrong(codes.NAME_TAKEN, key.span, f"a macro cannot be called `{name}`: that is {what}", help="choose another name")
            return None
        self.identifier(key, "a macro")
        if isinstance(value, Sequence):
            value = Mapping({"body": (key, value)}, False, key.span)
        if not isinstance(value, Mapping):
            self.wrong(codes.MACRO_FORM, value.span, f"the macro `{name}` needs a body", help="write `body:` and a list of steps under it")
            return None
        self.check_keys(value, MACRO_KEYS, f"the macro `{name}`")
        self.check_inputs(value)
        body = value.get("body")
        if body is None:
            self.wrong(codes.MACRO_FORM, key.span, f"the macro `{name}` has no `body`", help="write `body:` and a list of steps under it")
        params, lets = self.params(value.get("params"), f"the macro `{name}`"), self.lets(value.get("let"))
        self.check_lets(params, lets)
        return Macro(
            name,
            key.span,
            self.text(value.get("doc"), "`doc`"),
            params,
            lets,
            self.names(value.get("inputs"), "inputs"),
            self.scalars(value.get("outputs"), "outputs"),
            self.steps.steps(body),
            self.file,
        )

    def family_values(self) -> set[str]:
        """The names of the values that the file's macros see."""
        return {*self.file.params, *(name for name, _, _ in self.file.let)}

    def check_lets(self, params: Map[str, Parameter], lets: tuple[tuple[str, Span, Value], ...]) -> None:
        """What a macro derives hides neither its own parameters nor the family's values."""
        family = self.family_values()
        for name, span, _ in lets:
            if name in params or name in family:
                what = "a parameter of the macro" if name in params else "a value of the family"
                self.wrong(codes.NAME_TAKEN, span, f"`{name}` is the name of {what} already", help="choose another name")

    def check_inputs(self, value: Mapping) -> None:
        """A macro's inputs have names of their own: values and tensors share one namespace."""
        taken = self.family_values()
        for key in ("params", "let"):
            if isinstance(declared := value.get(key), Mapping):
                taken |= set(declared.entries)
        for one in self.scalars(value.get("inputs"), "inputs") or ():
            if not one.text:
                continue
            if one.text == "_":
                self.wrong(codes.NAME_TAKEN, one.span, "no input can be called `_`: that is the flowing tensor", help="choose another name")
            elif not TENSOR_NAME.match(one.text):
                self.wrong(codes.NAME_FORM, one.span, f"`{one.text}` cannot name an input", help="use letters, digits and `_`")
            elif one.text in taken:
                self.wrong(codes.NAME_TAKEN, one.span, f"`{one.text}` is the name of a value or input already", help="choose another name")
            taken.add(one.text)

    def names(self, value: Value | None, what: str) -> tuple[str, ...] | None:
        found = self.scalars(value, what)
        return None if found is None else tuple(one.text for one in found)

    def scalars(self, value: Value | None, what: str) -> tuple[Scalar, ...] | None:
        """A name, or a list of names."""
        if value is None:
            return None
        items = value.items if isinstance(value, Sequence) else (value,)
        if not items and what in ("inputs", "outputs"):
            self.wrong(codes.WRONG_VALUE, value.span, f"`{what}` is empty", help=f"name {what}, or leave the key out: then there is one")
        for one in items:
            if not isinstance(one, Scalar) or not one.text:
                self.wrong(codes.WRONG_TYPE, one.span, f"`{what}` takes names, and this is {kind_of(one)}")
        return tuple(one for one in items if isinstance(one, Scalar))

    def outputs(self, value: Value | None) -> tuple[tuple[Scalar, Scalar], ...] | None:
        """The outputs: names of tensors, or a mapping that gives each output's own name and its tensor."""
        if isinstance(value, Mapping):
            self.scalars(Sequence(tuple(one for _, one in value.entries.values()), True, value.span), "outputs")
            return tuple((key, one) for key, one in value.entries.values() if isinstance(one, Scalar))
        found = self.scalars(value, "outputs")
        return None if found is None else tuple((one, one) for one in found)

    def params(self, value: Value | None, owner: str) -> dict[str, Parameter]:
        """Declared parameters, in order."""
        mapping = self.mapping(value, "`params`")
        if mapping is None:
            return {}
        found: dict[str, Parameter] = {}
        for name, (key, declared) in mapping.entries.items():
            self.identifier(key, "a parameter")
            if owner == "the family" and name in VARIANT_KEYS:
                self.wrong(codes.NAME_TAKEN, key.span, f"a family's parameter cannot be called `{name}`: variants have that key", help=f"call it `{name}_`")
            found[name] = self.parameter(key, declared)
        return found

    def parameter(self, key: Scalar, value: Value) -> Parameter:
        """A type word, a default, or a mapping that declares both and more."""
        name, span = key.text, key.span
        if isinstance(value, Scalar) and value.plain and value.text in TYPES:
            return Parameter(name, span, value.text)
        if not isinstance(value, Mapping):
            return Parameter(name, span, None, default=value)
        if not set(value.entries) & {"type", "list", "default"}:
            near = "write `{default: {...}}` for a mapping as default, or `{type: int, min: 1}` to declare a type"
            self.wrong(codes.PARAMETER_FORM, value.span, f"the parameter `{name}` declares neither `type` nor `default`", near)
            return Parameter(name, span, None, default=value)
        self.check_keys(value, PARAMETER_KEYS, f"the parameter `{name}`")
        if "list" in value.entries and "type" in value.entries:
            self.wrong(codes.PARAMETER_FORM, value.key_span("list"), f"the parameter `{name}` declares both `type` and `list`", "`{list: int}` is a type of its own: keep one of the two")
        kind, item = self.type_of(value if "list" in value.entries else value.get("type"))
        limits = {one: self.limit(name, one, found) for one in ("min", "max") if (found := value.get(one)) is not None}
        choices = value.get("enum")
        if choices is not None and not (isinstance(choices, Sequence) and choices.items):
            self.wrong(codes.PARAMETER_FORM, choices.span, f"`enum` of `{name}` takes a list of values, and this is {kind_of(choices) if not isinstance(choices, Sequence) else 'an empty one'}", help="write `enum: [small, large]`")
        return Parameter(
            name, span, kind, item, value.get("default"), limits.get("min"), limits.get("max"),
            tuple(plain(choices)) if isinstance(choices, Sequence) else None, self.text(value.get("doc"), "`doc`"),
        )

    def limit(self, name: str, key: str, value: Value) -> float | None:
        """A number that a parameter's values are held to."""
        found = plain(value)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return found
        self.wrong(codes.WRONG_TYPE, value.span, f"`{key}` of `{name}` takes a number, and this is {kind_of(value)}")
        return None

    def type_of(self, value: Value | None) -> tuple[str | None, str | None]:
        if isinstance(value, Mapping) and "list" in value.entries:
            return "list", self.type_word(value.entries["list"][1])
        return (None, None) if value is None else (self.type_word(value), None)

    def type_word(self, value: Value) -> str | None:
        word = value.text if isinstance(value, Scalar) else ""
        if word in TYPES:
            return word
        near = closest(word, TYPES)
        self.wrong(codes.PARAMETER_FORM, value.span, f"`{word}` is no type" if word else "a type is a word", help=f"did you mean `{near}`?" if near else f"the types are {', '.join(TYPES)}")
        return None

    def lets(self, value: Value | None) -> tuple[tuple[str, Span, Value], ...]:
        """Derived values, in order."""
        mapping = self.mapping(value, "`let`")
        if mapping is None:
            return ()
        for key, _ in mapping.entries.values():
            self.identifier(key, "a value")
        return tuple((name, key.span, one) for name, (key, one) in mapping.entries.items())

    def file_name(self, span: Span, name: str, what: str) -> None:
        """A name that files are called by holds nothing that means something in a path or an address."""
        if len(name) > NAME_LIMIT:
            self.wrong(codes.LIMIT_NAME, span, f"a name has at most {NAME_LIMIT} characters, and this has {len(name)}")
        elif not FILE_NAME.match(name):
            self.wrong(codes.NAME_FORM, span, f"{what} cannot be called `{name}`: files and addresses use the name", help="use letters, digits, `_`, `-`, `+` and `.`, and begin with a letter or digit")

    def identifier(self, key: Scalar, what: str) -> None:
        """A value's name can be read in expressions, so it is an identifier."""
        if not IDENTIFIER.match(key.text):
            self.wrong(codes.NAME_FORM, key.span, f"{what} cannot be called `{key.text}`", help="use letters, digits and `_`, and begin with a letter")
        elif keyword.iskeyword(key.text):
            self.wrong(codes.NAME_TAKEN, key.span, f"{what} cannot be called `{key.text}`: expressions read the word as their own", help=f"call it `{key.text}_`")
        elif key.text in RESERVED:
            self.wrong(codes.NAME_TAKEN, key.span, f"{what} cannot be called `{key.text}`: the word belongs to the language", help=f"call it `{key.text}_`")
        elif len(key.text) > NAME_LIMIT:
            self.wrong(codes.LIMIT_NAME, key.span, f"a name has at most {NAME_LIMIT} characters, and this has {len(key.text)}")

    def cells(self, mapping: Mapping | None) -> Iterable[Cell]:
        """Notation: patterns as regular expressions, the longest literal parts as they stand."""
        bound = [pair[0] for pattern, pair in (mapping.entries if mapping else {}).items() if BOUND.search(pattern)]
        if len(bound) > PATTERNS:
            self.wrong(codes.LIMIT_NODES, bound[PATTERNS].span, f"a file has at most {PATTERNS} cells with parts in angle brackets, and this has {len(bound):,}", help="write the cells that are alike as one, with a part for what differs")
            return
        for pattern, (key, value) in (mapping.entries if mapping else {}).items():
            parts = BOUND.split(pattern)
            names = parts[1::2]
            if len(set(names)) != len(names):
                self.wrong(codes.NAME_TAKEN, key.span, f"the pattern `{pattern}` binds one name twice")
                continue
            if any(not part for part in parts[2:-1:2]) or len(names) > 6:
                self.wrong(codes.WRONG_VALUE, key.span, f"the pattern `{pattern[:60]}` cannot be read in one way", help="put a sign between the parts in angle brackets, and bind at most six of them")
                continue
            yield Cell(pattern, re.compile(_expression(parts)), not names, key.span, self.steps.steps(value))

    def input_list(self, root: Mapping) -> tuple[Input, ...]:
        """The declared inputs, whether by `input` or by `inputs`."""
        single, several = root.get("input"), root.get("inputs")
        if single is not None and several is not None:
            self.wrong(codes.STEP_FORM, root.key_span("inputs"), "a network has `input` or `inputs`, not both", help="keep one of the two")
        if single is not None:
            return (self.input("input", root.key_span("input"), single),)
        mapping = self.mapping(several, "`inputs`")
        if mapping is None:
            return ()
        return tuple(self.input(name, key.span, value) for name, (key, value) in mapping.entries.items())

    def input(self, name: str, span: Span, value: Value) -> Input:
        """One input: a list of sizes, or a mapping with `shape` and `dtype`."""
        if name == "_":
            self.wrong(codes.NAME_TAKEN, span, "no input can be called `_`: that is the flowing tensor", help="choose another name")
        elif not TENSOR_NAME.match(name):
            self.wrong(codes.NAME_FORM, span, f"`{name}` cannot name an input", help="use letters, digits and `_`")
        if not isinstance(value, Mapping):
            return Input(name, span, value)
        self.check_keys(value, ("shape", "dtype"), "an input")
        shape = value.get("shape")
        if shape is None:
            self.wrong(codes.MISSING_KEY, span, f"the input `{name}` has no `shape`")
        return Input(name, span, shape or value, self.text(value.get("dtype"), "`dtype`") or "float32")

    def source_of(self, value: Value | None) -> dict[str, Any]:
        """The publication, as plain values."""
        mapping = self.mapping(value, "`source`")
        if mapping is None:
            return {}
        self.check_keys(mapping, SOURCE_KEYS, "`source`")
        return {key: one.text if isinstance(one, Scalar) and key != "year" else plain(one) for key, (_, one) in mapping.entries.items()}

    def expectations(self, value: Value | None) -> dict[str, tuple[Scalar, Value]]:
        """The facts to check, unevaluated."""
        mapping = self.mapping(value, "`expect`")
        if mapping is None:
            return {}
        self.check_keys(mapping, EXPECT_KEYS, "`expect`")
        return {name: pair for name, pair in mapping.entries.items() if self.states(name, pair[1])}

    def states(self, name: str, value: Value) -> bool:
        """True where a key of `expect` has a value to hold the network to."""
        if isinstance(value, Scalar) and not value.text:
            self.wrong(codes.WRONG_TYPE, value.span, f"`{name}` of `expect` has no value", help="write what the network has, or remove the key")
            return False
        if not isinstance(value, Mapping):
            return True
        self.check_keys(value, FACT_KEYS, f"`{name}` of `expect`")
        if not {"value", "about"} & set(value.entries) and set(value.entries) <= set(FACT_KEYS):
            self.wrong(codes.MISSING_KEY, value.span, f"`{name}` of `expect` states neither `value` nor `about`", help="write `{value: 61706}`, or `{about: 3.8e9, within: 2%}`")
            return False
        return True


def _expression(parts: list[str]) -> str:
    """What the words of a cell are matched with, literals and bound parts in turn; in one pass, whatever the word.

    A part takes all the digits or letters that stand there. Where a digit follows it in the pattern, it is letters. Where
    a letter follows, letters could be read in many ways: the last such part may be letters, those before it are numbers.
    """
    before_letters = [at for at in range(1, len(parts), 2) if parts[at + 1][:1].isalpha()]
    found: list[str] = []
    for at, part in enumerate(parts):
        if at % 2 == 0:
            found.append(re.escape(part))
        elif at in before_letters:
            letters = "|[A-Za-z]+" if at == before_letters[-1] else ""
            found.append(f"(?P<{part}>[0-9]+{letters})")
        elif parts[at + 1][:1].isdecimal():
            found.append(f"(?P<{part}>[A-Za-z]+)")
        else:
            found.append(f"(?P<{part}>[0-9]+(?![0-9])|[A-Za-z]+(?![A-Za-z]))")
    return "".join(found) + r"\Z"


def kind_of(value: Value | object) -> str:
    """What a value is, in words: `the text "64"`, `a list`."""
    if isinstance(value, Sequence | list | tuple):
        return "a list"
    if isinstance(value, Mapping | dict):
        return "a mapping"
    one = value.value if isinstance(value, Scalar) else value
    if one is None:
        return "nothing"
    if isinstance(one, bool):
        return f"`{str(one).lower()}`"
    if isinstance(one, int | float):
        return f"the number {one}"
    if isinstance(one, str):
        return f'the text "{one}"' if len(one) < 60 else "a text"
    return f"{one!r}"


def _show(value: Value) -> str:
    return f"`{value.text}`" if isinstance(value, Scalar) and value.plain else kind_of(value)
