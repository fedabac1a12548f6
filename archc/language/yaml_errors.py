"""YAML's syntax errors in words about a spec, and the quotes that an expression lacks."""

from __future__ import annotations

import re

import yaml

from archc.diagnostics import Diagnostic, Note, Source, Span, codes, error


def syntax_error(source: Source, problem: yaml.MarkedYAMLError, opened: Span | None) -> Diagnostic:
    """A parser's error in the language's own words, at the place where the fault began."""
    mark = problem.problem_mark or problem.context_mark
    at = min(mark.index, len(source.text)) if mark else 0
    span = Span(source, at, min(at + 1, len(source.text)))
    said = problem.problem or "the text is not well-formed YAML"
    if "incompatible" in said:
        return error(codes.DIRECTIVE, Span(source, at, at + 5), "YAML directives are not part of the language", help="remove the line that starts with `%`")
    if quoted := unquoted_expression(source, span):
        return unquoted(span, quoted)
    if span.text in ("[", "{") and (cut := _cut_by_bracket(source, span)):
        return cut
    if "\\t" in said or source.text[at : at + 1] == "\t":
        return error(codes.TAB, span, "a tab stands where YAML allows only spaces", help="indent with spaces")
    if opened is not None and at >= len(source.text.rstrip()):
        return _unclosed(opened, span)
    context = problem.context_mark
    if context is not None and context.index < at and ("stream" in said or "',' or" in said):
        start = Span(source, context.index, context.index + 1)
        if start.text in "[{":
            return _unclosed(start, span)
        return error(codes.YAML_SYNTAX, start, f"the quote `{start.text}` that opens here is never closed", help="close the quoted text")
    line = source.line(source.position(at)[0]) if at < len(source.text) else ""
    message, help = _syntax_words(said, span.text, line)
    return error(codes.YAML_SYNTAX, span, message, help=("" if "escape" in said else _syntax_hint(line)) or help)


def _cut_by_bracket(source: Source, sign: Span) -> Diagnostic | None:
    """A bracket or brace after the words of a text, which it ends in flow style."""
    number, column = sign.position
    found = re.search(r"[{,]\s*([A-Za-z_]+): +([^\s,\[\]{}\"'][^,\[\]{}\"']*)\Z", source.line(number)[: column - 1])
    if found is None:
        return None
    key, text = found.groups()
    message = f"a bracket or brace in flow style ends the text of `{key}`"
    return error(codes.UNQUOTED_EXPRESSION, sign, message, help=f"quote it: `{key}: \"{text}{sign.text}...\"`")


def _unclosed(opened: Span, reached: Span) -> Diagnostic:
    sign = opened.text
    note = Note(f"read as far as {reached}", reached)
    return error(codes.YAML_SYNTAX, opened, f"the `{sign}` that opens here is not closed, or a comma is missing in it", notes=[note], help=f"close it with `{'}' if sign == '{' else ']'}`, and put commas between its parts")


def _syntax_words(said: str, sign: str, line: str) -> tuple[str, str]:
    """What YAML's parser says, in a person's words, and what to do."""
    if "mapping values" in said:
        key, _, value = line.partition(":")
        return "a colon makes a key of the text before it, and no key may stand here", f"quote the text that holds the colon, as in `{key.strip()}: \"{value.strip()}\"`"
    if "cannot start any token" in said:
        return f"a text cannot start with {'a backtick' if sign == '`' else f'`{sign}`'}", "quote the text"
    if "'-' indicator" in said:
        return "this line belongs to no item of the list above: its indentation fits none", "indent it like the items above it, or further"
    if "expected key" in said:
        return "this fits nothing above it: a key of a mapping was expected", "indent it like the keys above it, or look for a bracket or quote too many"
    if "node content" in said:
        return "a value is missing before this sign", "write the value, or remove the sign"
    if "escape" in said:
        return "this escape is not known in a text in double quotes", "double the backslash, or use single quotes"
    return f"this is not well-formed YAML: {said}", "check quotes, brackets and indentation near this place"


def unquoted(span: Span, quoted: str | None) -> Diagnostic:
    """An expression that YAML cuts in two, and its quoted form."""
    message = "an expression that holds a comma, bracket, brace or `: ` must be quoted here"
    return error(codes.UNQUOTED_EXPRESSION, span, message, help=f"write {quoted or 'it in quotes'}")


def is_cut(text: str) -> bool:
    """True where an expression opens in the text and does not close in it."""
    at = text.find("$(")
    return text.count("(", at) > text.count(")", at)


def _syntax_hint(line: str) -> str:
    if re.search(r"(when|repeat|[A-Za-z_]+):\s*[\"'][^\"']*[\"']\s*\S", line):
        return "an expression that starts with a quote is quoted whole: `when: '\"relu\" == act'`"
    if re.search(r":\s*!", line):
        return "YAML takes `!` for a tag: write `not x`"
    if re.search(r"(^|[\s{,])[a-z_]+:[^\s:]", line):
        return "is a space missing after a colon?"
    return ""


def flow_hint(source: Source, span: Span) -> str:
    """The quoted form of an expression on the line, as a hint."""
    quoted = unquoted_expression(source, span)
    return f"quote the expression: {quoted}" if quoted else ""


def unquoted_expression(source: Source, span: Span) -> str | None:
    """The quoted form of an expression on the span's line that flow style cuts in two, if there is one."""
    number, column = span.position
    line = source.line(number)
    for found in re.finditer(r"\$\(", line):
        end = _matching(line, found.end() - 1)
        inner = line[found.start() : end]
        opened = line[: found.start()]
        in_flow = opened.count("{") > opened.count("}") or opened.count("[") > opened.count("]")
        quoted = opened.rstrip().endswith(('"', "'"))
        cut = re.search(r"[,\[\]{}]|: " if in_flow else ": ", inner)
        if cut and not quoted and found.start() < column <= max(end, column):
            key = re.search(r"([A-Za-z_][A-Za-z0-9_]*):\s*\Z", opened)
            sign = "'" if '"' in inner else '"'
            return f"`{key.group(1) + ': ' if key else ''}{sign}{inner}{sign}`"
    return None


def _matching(text: str, start: int) -> int:
    """The offset after the parenthesis that closes the one at `start`; the text's end where none does."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)
