"""Files -> Spec: libraries brought in, variants put over what they are like and over the family."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import replace
from typing import Any

from archc.diagnostics import Allowance, CompileError, Diagnostic, Note, Source, Span, closest, codes, error
from archc.diagnostics.limits import limits, raising
from archc.language.allowances import allowances
from archc.language.catalogue import AddressError
from archc.language.document import Mapping, Scalar, Sequence, Value, located, read
from archc.language.spec import File, Macro, Spec, Variant
from archc.language.steps import StepReader
from archc.language.validation import TOP_KEYS, VARIANT_KEYS, FileReader, kind_of

Opener = Callable[[str, Source], "Source | AddressError"]
"""Opens a `use:` entry relative to the source that names it: the text, or why it cannot be had."""


class SpecReader:
    """Reads a spec and the libraries it uses; every file once."""

    def __init__(self, steps: StepReader, opener: Opener) -> None:
        self.steps = steps
        self.opener = opener
        self.files: dict[str, File] = {}
        self.opening: list[str] = []
        self.lost = False
        self.read_so_far = 0
        self.allowed: list[Allowance] = []

    def spec(self, source: Source) -> Spec | None:
        """The spec in a text; what is wrong goes into the step reader's diagnostics."""
        root = read(source)
        file = File(source, root if isinstance(root, Mapping) else Mapping({}, False, root.span))
        reader = FileReader(root, file, self.steps)
        if (top := reader.head()) is None:
            return None
        self.load(reader, top)
        name = reader.text(top.get("name"), "`name`")
        misspelt = {closest(one, TOP_KEYS) for one in top.entries if one not in TOP_KEYS}
        if name and (written := top.get("name")) is not None:
            reader.file_name(written.span, name, "a spec")
        if not name and "name" not in misspelt:
            reader.wrong(codes.MISSING_KEY, top.span, "the key `name` is missing", help="write `name: ...`; addresses use it")
        if "layers" not in top.entries and "variants" not in top.entries and "layers" not in misspelt:
            reader.wrong(codes.MISSING_KEY, top.span, "the key `layers` is missing: the spec has no network", help="write `layers:` and a list of steps under it")
        variants = _Variants(reader, top, name).all()
        return Spec(name, file, variants, (*self.allowed, *allowances(top.get("allow"), self.steps.diagnostics)))

    def load(self, reader: FileReader, top: Mapping) -> None:
        """The file's declarations, its libraries first."""
        libraries = self.libraries(reader, top)
        reader.file.used = tuple(libraries)
        reader.declarations(top)
        seen = dict(reader.file.macros)
        for used, entry in libraries.items():
            for name, macro in used.macros.items():
                first = seen.setdefault(name, macro)
                if first is not macro:
                    own = first.file is reader.file
                    self.clash(first.span if own else entry, first, macro)

    def clash(self, place: Span, first: Macro, second: Macro) -> None:
        """Two files bring in one name: told where the text has the later of them."""
        notes = [Note(f"`{one.name}` is written at {one.span}", one.span) for one in (first, second) if one.span is not place]
        message = f"the macro `{first.name}` is in {first.file.source.name} and in {second.file.source.name}"
        self.steps.diagnostics.add(error(codes.NAME_TAKEN, place, message, notes=notes, help="rename one of the two"))

    def libraries(self, reader: FileReader, top: Mapping) -> dict[File, Span]:
        """The files that a file uses, each with the entry that brings it in."""
        value = top.get("use")
        if value is None:
            return {}
        items = value.items if isinstance(value, Sequence) else (value,)
        found: dict[File, Span] = {}
        for one in items:
            file = self.library(reader, one)
            self.lost = self.lost or file is None
            if file is not None:
                found.setdefault(file, one.span)
        return found

    def library(self, reader: FileReader, value: Value) -> File | None:
        if not isinstance(value, Scalar) or not isinstance(value.value, str):
            reader.wrong(codes.USE, value.span, f"`use` takes the paths of library files, and this is {kind_of(value)}", help="write `use: [blocks.yaml]`")
            return None
        opened = self.opener(value.text, reader.file.source)
        if isinstance(opened, AddressError):
            reader.wrong(codes.USE, value.span, opened.message, opened.help)
            return None
        if opened.name in self.opening or opened.name == reader.file.source.name:
            chain = " -> ".join([*self.opening, opened.name])
            reader.wrong(codes.RECURSION, value.span, f"the library leads back to itself: {chain}")
            return None
        if opened.name in self.files:
            return self.files[opened.name]
        self.read_so_far += len(opened.text)
        if len(self.files) >= limits().files or self.read_so_far > limits().total:
            name, what = ("files", f"{limits().files:,} files") if len(self.files) >= limits().files else ("total", f"libraries of {limits().total:,} bytes together")
            reader.wrong(codes.LIMIT_FILE, value.span, f"a spec uses at most {what}", raising(name))
            return None
        return self.read_library(opened, value, reader)

    def read_library(self, source: Source, value: Scalar, user: FileReader) -> File | None:
        self.opening.append(source.name)
        try:
            root = read(source)
        except CompileError as wrong:
            for one in wrong.diagnostics:
                self.steps.diagnostics.add(one)
            return None
        finally:
            self.opening.pop()
        file = File(source, root if isinstance(root, Mapping) else Mapping({}, False, root.span))
        reader = FileReader(root, file, self.steps)
        if (top := reader.head()) is None:
            return None
        self.allowed += allowances(top.get("allow"), self.steps.diagnostics, source=source)
        for key in ("layers", "variants"):
            if key in top.entries:
                user.wrong(codes.USE, value.span, f"{source.name} is a network, not a library: it has `{key}`", help="put its macros into a file of their own")
        self.opening.append(source.name)
        self.load(reader, top)
        self.opening.pop()
        self.files[source.name] = file
        return file


class _Variants:
    """Resolves `like` and lays variants over the family."""

    def __init__(self, reader: FileReader, top: Mapping, name: str) -> None:
        self.reader = reader
        self.top = top
        self.name = name
        self.declared = reader.mapping(top.get("variants"), "`variants`")
        self.allowed = dict.fromkeys((*reader.file.params, *VARIANT_KEYS))
        self.done: dict[str, dict[str, tuple[Scalar, Value]]] = {}

    def all(self) -> dict[str, Variant]:
        if self.declared is None:
            return {"": self.variant("", {})}
        found = {name: self.variant(name, self.entries(name, ())) for name in self.declared.entries}
        self.check_names()
        self.check_unique(found)
        return found

    def check_names(self) -> None:
        """A variant's name becomes a part of files' names, where case may not count."""
        assert self.declared is not None
        seen: dict[str, str] = {}
        for name, (key, _) in self.declared.entries.items():
            self.reader.file_name(key.span, name, "a variant")
            if name.lower() in seen:
                self.reader.wrong(codes.NAME_TAKEN, key.span, f"the variants `{seen[name.lower()]}` and `{name}` differ in case alone", help="their files would have one name: rename one of the two")
            seen[name.lower()] = name

    def check_unique(self, variants: dict[str, Variant]) -> None:
        """One variant is the default at most, and an alias leads to one variant."""
        assert self.declared is not None
        default = ""
        aliases: dict[str, str] = {}
        for name, one in variants.items():
            span = self.declared.key_span(name)
            if one.default and default:
                self.reader.wrong(codes.NAME_TAKEN, span, f"the variants `{default}` and `{name}` both say `default: true`", "keep one of the two")
            default = name if one.default else default
            for alias in one.aliases:
                if aliases.setdefault(alias.lower(), name) != name:
                    self.reader.wrong(codes.NAME_TAKEN, span, f"the alias `{alias}` names the variants `{aliases[alias.lower()]}` and `{name}`", "rename one of the two")

    def entries(self, name: str, path: tuple[str, ...]) -> dict[str, tuple[Scalar, Value]]:
        """What a variant says, put over what the variant that it is like says."""
        if name in self.done:
            return self.done[name]
        assert self.declared is not None
        _, value = self.declared.entries[name]
        own = self.reader.mapping(None if isinstance(value, Scalar) and value.value is None else value, f"the variant `{name}`")
        own_entries = own.entries if own else {}
        self.check(name, own)
        base: dict[str, tuple[Scalar, Value]] = {}
        if "like" in own_entries and len(path) >= 64:
            self.reader.wrong(codes.RECURSION, own_entries["like"][1].span, "variants are `like` one another at most 64 deep")
        elif "like" in own_entries:
            base = self.base(own_entries["like"][1], (*path, name))
        merged = {one: pair for one, pair in base.items() if one not in ("default", "aliases", "title", "implementation", "doc")}
        merged |= {one: pair for one, pair in own_entries.items() if one != "like"}
        for one, other in (("input", "inputs"), ("inputs", "input")):
            if one in own_entries and other not in own_entries:
                merged.pop(other, None)
        for both in ("expect", "source", "allow"):
            if both in base and both in own_entries:
                merged[both] = (own_entries[both][0], _over(base[both][1], own_entries[both][1]))
        self.done[name] = merged
        return merged

    def base(self, like: Value, path: tuple[str, ...]) -> dict[str, tuple[Scalar, Value]]:
        assert self.declared is not None
        other = like.text if isinstance(like, Scalar) else ""
        if other in path:
            self.reader.wrong(codes.RECURSION, like.span, f"the variant leads back to itself: {' -> '.join([*path, other])}")
            return {}
        if other not in self.declared.entries:
            near = closest(other, self.declared.entries)
            self.reader.wrong(codes.UNKNOWN_VALUE, like.span, f"there is no variant `{other}`", help=f"did you mean `{near}`?" if near else "")
            return {}
        return self.entries(other, path)

    def check(self, name: str, own: Mapping | None) -> None:
        if own is None:
            return
        self.reader.check_keys(own, self.allowed, f"the variant `{name}`")

    def variant(self, name: str, entries: dict[str, tuple[Scalar, Value]]) -> Variant:
        reader, top = self.reader, self.top
        over = Mapping({**top.entries, **entries}, False, top.span)
        for one, other in (("input", "inputs"), ("inputs", "input")):
            if one in entries and other not in entries and other in over.entries:
                del over.entries[other]
        expect = {**reader.expectations(top.get("expect")), **reader.expectations(_get(entries, "expect"))}
        default = _get(entries, "default")
        return Variant(
            name=name,
            title=reader.text(_get(entries, "title"), "`title`") or self.title(name),
            doc=reader.text(over.get("doc"), "`doc`"),
            source={**reader.source_of(top.get("source")), **reader.source_of(_get(entries, "source"))},
            aliases=self.aliases(_get(entries, "aliases") if name else top.get("aliases")),
            default=isinstance(default, Scalar) and default.value is True,
            implementation=reader.text(over.get("implementation"), "`implementation`"),
            inputs=reader.input_list(over),
            outputs=reader.outputs(over.get("outputs")),
            layers=reader.steps.steps(over.get("layers")),
            values={key: value for key, (_, value) in entries.items() if key in reader.file.params},
            expect=expect,
            allowances=allowances(_get(entries, "allow"), reader.diagnostics),
        )

    def title(self, name: str) -> str:
        family = self.reader.text(self.top.get("title"), "`title`") or self.name
        return f"{family} {name}".strip()

    def aliases(self, value: Value | None) -> tuple[str, ...]:
        found = self.reader.scalars(value, "aliases")
        return tuple(one.text for one in found or ())


def _get(entries: dict[str, tuple[Scalar, Value]], key: str) -> Value | None:
    return entries[key][1] if key in entries else None


def _over(below: Value, above: Value) -> Value:
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return Mapping({**below.entries, **above.entries}, above.flow, above.span)
    return above


def given(values: dict[str, Any], name: str = "<call>") -> dict[str, Value]:
    """Values from outside as located ones, each in a source of its own so that messages can show it."""
    found: dict[str, Value] = {}
    for key, value in values.items():
        if isinstance(value, Scalar | Sequence | Mapping):
            found[key] = value
            continue
        text = f"{key}={value}"
        one = value.tolist() if hasattr(value, "tolist") else value  # numpy's numbers and arrays
        found[key] = located(one, Span(Source(name, text), len(key) + 1, len(text)))
    return found


def written(value: Value) -> str:
    """The text of a value from outside, lists and mappings to their end."""
    return value.span.source.text[value.span.start :]


def told_of(one: Diagnostic, values: Map[str, Value]) -> Diagnostic:
    """An error of a network that values from outside made wrong, with what was given; one that stands in such a value says so itself."""
    if not values or any(value.span.source is (one.span.source if one.span else None) for value in values.values()):
        return one
    pairs = ", ".join(f"{name} = {written(value)[:40]}" for name, value in values.items())
    where = "--set" if any(value.span.source.name.startswith("--set") for value in values.values()) else "the call"
    return replace(one, notes=(*one.notes, Note(f"with {pairs}, given by {where}")))
