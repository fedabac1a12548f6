"""YAML text -> a located tree: plain values, each with the span that it was written at.

The text is read event by event and the values are resolved by the language's one rule, so that nothing is dropped,
guessed or expanded in silence (YAML readers keep the last of two equal keys and read `on` as true).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import yaml

from archc.diagnostics import CompileError, Diagnostic, Note, Source, Span, closest, codes, error
from archc.diagnostics.diagnostic import MOST
from archc.diagnostics.limits import limits, raising
from archc.language.yaml_errors import flow_hint, is_cut, syntax_error, unquoted, unquoted_expression

MAGNITUDE_LIMIT = 10**12
MACRO_KEYS = ("doc", "params", "let", "inputs", "outputs", "body")
"""What stands in a macro: where such a key is written twice, it may be that it stands beside its macro."""

INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "": None}
BIDIRECTIONAL = re.compile("[\u202a-\u202e\u2066-\u2069]")
ESCAPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a quoted text may not bring in by an escape: it would end up in names, files and terminals."""
INVISIBLE = re.compile("[\x00\u00a0\u200b\u200c\u200d\u2060\ufeff]")
FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML does not allow in a text, its NULs and control characters."""

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A single value; `text` is what stands in the source (for names), `value` what it means."""

    value: bool | int | float | str | None
    text: str
    plain: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list of values. `span` covers its first character or, in block style, its first item's dash."""

    items: tuple[Value, ...]
    flow: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """A mapping, in the order of the text. Keys are texts; each keeps its span."""

    entries: dict[str, tuple[Scalar, Value]]
    flow: bool
    span: Span

    def get(self, key: str) -> Value | None:
        """The value under a key."""
        found = self.entries.get(key)
        return found[1] if found else None

    def key_span(self, key: str) -> Span:
        """Where the key itself stands."""
        return self.entries[key][0].span


Value = Scalar | Sequence | Mapping


def plain(value: Value) -> Any:
    """The value without places: bool, int, float, str, None, list or dict."""
    if isinstance(value, Scalar):
        return value.value
    if isinstance(value, Sequence):
        return [plain(one) for one in value.items]
    return {key: plain(one) for key, (_, one) in value.entries.items()}


def located(value: Any, span: Span) -> Value:
    """A plain value as a located one; all of it at one place (a value given from outside)."""
    if isinstance(value, list | tuple):
        return Sequence(tuple(located(one, span) for one in value), True, span)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        entries = {
            str(key): (Scalar(str(key), str(key), True, span), located(one, span))  # pyright: ignore[reportUnknownArgumentType]
            for key, one in value.items()  # pyright: ignore[reportUnknownVariableType]
        }
        return Mapping(entries, True, span)
    return Scalar(value, "" if value is None else str(value), False, span)


def is_null(value: Value) -> bool:
    """True for a value that is empty or `null`."""
    return isinstance(value, Scalar) and value.value is None


def is_unfinished(value: Value) -> bool:
    """True for a macro's declaration that goes on: nothing is there yet, or all but the body."""
    return is_null(value) or (isinstance(value, Mapping) and bool(value.entries) and "body" not in value.entries and set(value.entries) <= set(MACRO_KEYS))


def follow(value: Value, path: Iterator[str | int] | list[str | int]) -> Value:
    """The value at a path of keys and indices, or the last one on the way that exists."""
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str) and step in value.entries:
            value = value.entries[step][1]
        elif isinstance(value, Sequence) and isinstance(step, int) and step < len(value.items):
            value = value.items[step]
        else:
            break
    return value


def decode(name: str, data: bytes) -> Source:
    """The bytes of a file as a source; raises `CompileError` where they are no text."""
    if len(data) > limits().file:
        raise CompileError((error(codes.LIMIT_FILE, None, f"{name} is larger than {limits().file:,} bytes, which is what a spec has at most", help=raising("file")),))
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CompileError((error(codes.NOT_UTF8, None, f"{name} is not a text file"),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        is_utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        line = data.count(b"\n", 0, problem.start) + 1
        message = f"{name} is not UTF-8: {'it is UTF-16' if is_utf16 else f'byte {problem.start}, in line {line}, cannot be read'}"
        raise CompileError((error(codes.NOT_UTF8, None, message, help="save the file as UTF-8"),)) from None
    return Source(name, text)


def read(source: Source) -> Value:
    """The located tree of a text. Raises `CompileError` with what is wrong with it as YAML."""
    reader = _Reader(source)
    try:
        root = reader.run()
    except _Wrong as wrong:
        reader.problems.append(wrong.diagnostic)
        root = None
    except yaml.MarkedYAMLError as problem:
        opened = next((one.span for one in reversed(reader.stack) if one.flow), None)
        reader.problems.append(_nested(source, problem) or syntax_error(source, problem, opened))
        root = None
    except yaml.reader.ReaderError as problem:
        at = min(problem.position, len(source.text))
        where = Span(source, at, at + 1)
        reader.problems.append(
            error(codes.CHARACTER, where, f"the text holds U+{ord(source.text[at : at + 1] or ' '):04X}, which YAML does not allow")
        )
        root = None
    if reader.problems or root is None:
        raise CompileError(tuple(reader.problems))
    return root


def _nested(source: Source, problem: yaml.MarkedYAMLError) -> Diagnostic | None:
    """The parser's own limit on nesting, told as ours."""
    if "nesting depth" not in (problem.problem or "") or problem.problem_mark is None:
        return None
    at = problem.problem_mark.index
    return too_nested(Span(source, at, at + 1))


def too_nested(span: Span, why: str = "") -> Diagnostic:
    """Lists and mappings stand too deep inside each other."""
    return error(codes.LIMIT_NESTING, span, f"lists and mappings nest at most {limits().nesting} deep{why}", help=raising("nesting"))


def depth(value: Value) -> int:
    """How deep lists and mappings nest in a value, counted without recursion."""
    deepest, waiting, seen = 0, [(value, 0)], set[tuple[int, int]]()
    while waiting:
        one, level = waiting.pop()
        if isinstance(one, Scalar) or (id(one), level) in seen or level > limits().nesting:
            deepest = max(deepest, level)
            continue
        seen.add((id(one), level))
        inner = one.items if isinstance(one, Sequence) else [pair[1] for pair in one.entries.values()]
        waiting.extend((item, level + 1) for item in inner)
        deepest = max(deepest, level + 1)
    return deepest


class _Wrong(Exception):
    """Reading cannot go on."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic


@dataclass(slots=True)
class _Open:
    """A collection that is being read."""

    mapping: bool
    flow: bool
    span: Span
    anchor: str | None
    items: list[Value]
    entries: dict[str, tuple[Scalar, Value]]
    key: Scalar | None
    size: int


class _Reader:
    """Builds the tree from the parser's events, without recursion."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Diagnostic] = []
        self.stack: list[_Open] = []
        self.root: Value | None = None
        self.anchors: dict[str, tuple[Value, int]] = {}
        self.open_anchors: dict[str, Span] = {}
        self.aliased = 0
        self.limits = limits()

    def run(self) -> Value:
        documents = 0
        self.check_characters()
        events = cast("Iterator[Any]", cast(Any, yaml).parse(self.source.text, Loader=LOADER))
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self.add(self.scalar(event), event.anchor, 1)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self.open(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self.close()
                case yaml.AliasEvent():
                    self.alias(event)
                case yaml.DocumentStartEvent():
                    documents += 1
                    self.document(event, documents)
                case _:
                    pass
            if len(self.problems) > MOST:
                raise _Wrong(self.problems.pop())
        if self.root is None or (isinstance(self.root, Scalar) and self.root.value is None):
            message = f"{self.source.name} holds no spec"
            raise _Wrong(error(codes.EMPTY_SPEC, None, message, help="a spec starts with `archc: 1`, `name:`, `input:` and `layers:`"))
        return self.root

    def span(self, event: Any) -> Span:
        return Span(self.source, event.start_mark.index, max(event.end_mark.index, event.start_mark.index))

    def check_characters(self) -> None:
        """Refuses what cannot stand in a text, or cannot be seen in it; in comments and quoted texts the latter may."""
        text = self.source.text
        if bad := FORBIDDEN.search(text):
            self.refuse(bad, "which YAML does not allow", "remove it")
        if bad := BIDIRECTIONAL.search(text):
            self.refuse(bad, "which turns the direction of writing, so that the text is not what it looks like", "remove it")
        for bad in INVISIBLE.finditer(text):
            line, _ = self.source.position(bad.start())
            before = self.source.line(line)[: bad.start() - self.source.line_starts[line - 1]]
            if not any(sign in before for sign in "#\"'"):
                self.refuse(bad, "a character that cannot be seen", "replace it by a plain space, or remove it")

    def refuse(self, bad: re.Match[str], why: str, help: str) -> None:
        where = Span(self.source, bad.start(), bad.end())
        raise _Wrong(error(codes.CHARACTER, where, f"the text holds U+{ord(bad.group()):04X}, {why}", help=help))

    def document(self, event: Any, count: int) -> None:
        where = Span(self.source, event.start_mark.index, event.start_mark.index + 3)
        if count > 1:
            raise _Wrong(error(codes.SEVERAL_DOCUMENTS, where, "a file holds one spec, and a second document starts here", help="put it into a file of its own"))
        if event.version or event.tags:
            raise _Wrong(error(codes.DIRECTIVE, where, "YAML directives are not part of the language", help="remove the line that starts with `%`"))

    def scalar(self, event: Any) -> Scalar:
        span, text, is_plain = self.span(event), event.value, event.style is None or event.style == ""
        self.check_tag(event, span)
        if len(text) > self.limits.text:
            self.problems.append(error(codes.LIMIT_NAME, span, f"a text has at most {self.limits.text:,} characters, and this has {len(text):,}", help=raising("text")))
            text = text[:80]
        if bad := ESCAPED.search(text):
            self.problems.append(error(codes.CHARACTER, span, f"the text holds U+{ord(bad.group()):04X}, which is not allowed in a text", help="remove the escape"))
        if is_plain and "$(" in text and self.stack and self.stack[-1].flow and is_cut(text):
            at = Span(self.source, span.end, span.end + 1)
            raise _Wrong(unquoted(span, unquoted_expression(self.source, at)))
        return Scalar(self.resolve(text, span) if is_plain else text, text, is_plain, span)

    def resolve(self, text: str, span: Span) -> bool | int | float | str | None:
        """The one rule: JSON's numbers, `true`, `false`, `null` or nothing; the rest is text."""
        if text in WORDS:
            return WORDS[text]
        if INTEGER.match(text):
            if len(text) < 16 and abs(number := int(text)) <= MAGNITUDE_LIMIT:
                return number
            return self.too_large(text, span)
        if FLOAT.match(text):
            number = float(text) if len(text) < 64 else float("inf")
            return number if abs(number) <= MAGNITUDE_LIMIT else self.too_large(text, span)
        return text

    def too_large(self, text: str, span: Span) -> int:
        shown = text if len(text) <= 24 else f"{text[:12]}... ({len(text)} characters)"
        self.problems.append(error(codes.LIMIT_MAGNITUDE, span, f"a number is at most 10^12, and this is {shown}"))
        return 1

    def check_tag(self, event: Any, span: Span) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            key = self.stack[-1].key if self.stack else None
            advice = f"YAML takes `!` for a tag: write `not {tag[1:]}`" if key is not None and key.text in ("when", "trainable") else "write the value alone"
            written = re.compile(r"!\S*").search(self.source.text, event.start_mark.index)
            span = Span(self.source, written.start(), written.end()) if written else span
            self.problems.append(error(codes.TAG, span, f"the tag `{tag}` is not allowed", help=advice))

    def open(self, event: Any) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        start = event.start_mark.index
        span = Span(self.source, start, start + 1)
        self.check_tag(event, span)
        if len(self.stack) >= self.limits.nesting:
            raise _Wrong(too_nested(span))
        if event.anchor:
            self.open_anchors[event.anchor] = span
        self.stack.append(_Open(mapping, bool(event.flow_style), span, event.anchor, [], {}, None, 1))

    def close(self) -> None:
        done = self.stack.pop()
        value = (
            Mapping(done.entries, done.flow, done.span)
            if done.mapping
            else Sequence(tuple(done.items), done.flow, done.span)
        )
        if done.anchor:
            self.open_anchors.pop(done.anchor, None)
        self.add(value, done.anchor, done.size)

    def alias(self, event: Any) -> None:
        span = self.span(event)
        if event.anchor in self.open_anchors:
            raise _Wrong(error(codes.ALIAS, span, f"`*{event.anchor}` stands inside the value that it names"))
        if event.anchor not in self.anchors:
            near = closest(event.anchor, self.anchors)
            raise _Wrong(error(codes.ALIAS, span, f"no anchor `&{event.anchor}` stands above this alias", help=f"did you mean `*{near}`?" if near else f"set it above, as in `key: &{event.anchor} value`; a text that starts with `*` is quoted"))
        value, size = self.anchors[event.anchor]
        if len(self.stack) + depth(value) > self.limits.nesting:
            raise _Wrong(too_nested(span, f", and with `*{event.anchor}` they are deeper"))
        self.aliased += size
        if self.aliased > self.limits.aliases:
            message = f"aliases may add at most {self.limits.aliases:,} values, and with `*{event.anchor}` there are more"
            raise _Wrong(error(codes.LIMIT_ALIASES, span, message, help=raising("aliases")))
        self.add(value, None, size, span)

    def add(self, value: Value, anchor: str | None, size: int, span: Span | None = None) -> None:
        if anchor:
            if anchor in self.anchors:
                first = self.anchors[anchor][0].span
                self.problems.append(error(codes.ALIAS, value.span, f"the anchor `&{anchor}` is set twice", notes=[Note(f"first set at {first}", first)], help="give one of the two another name"))
            self.anchors[anchor] = (value, size)
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        top.size += size
        if not top.mapping:
            top.items.append(value)
        elif top.key is None:
            top.key = self.key(value)
        else:
            self.entry(top, top.key, value)
            top.key = None

    def key(self, value: Value) -> Scalar:
        if not isinstance(value, Scalar) or (value.plain and value.text in ("", "null", "~")):
            kind = "a list" if isinstance(value, Sequence) else "a mapping" if isinstance(value, Mapping) else "nothing" if not value.text else f"`{value.text}`"
            raise _Wrong(error(codes.KEY_NOT_TEXT, value.span, f"a mapping's key is a word, and this is {kind}", help=flow_hint(self.source, value.span) or "write a word before the colon, in quotes if need be"))
        if value.text == "<<" and value.plain:
            raise _Wrong(error(codes.MERGE_KEY, value.span, "merge keys (`<<`) are not part of the language", help="share settings through a macro or `params`"))
        return value

    def entry(self, top: _Open, key: Scalar, value: Value) -> None:
        first = top.entries.get(key.text)
        if first is None:
            top.entries[key.text] = (key, value)
            return
        help = "remove or rename one of the two"
        last = next(reversed(top.entries))
        if key.text in MACRO_KEYS and is_unfinished(top.entries[last][1]):
            help += f"; or indent it further than `{last}:`, where it belongs to that macro"
        note = Note(f"first written at {first[0].span}", first[0].span)
        self.problems.append(
            error(codes.DUPLICATE_KEY, key.span, f"the key `{key.text}` is written twice", notes=[note], help=help)
        )
