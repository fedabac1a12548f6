"""Diagnostics as text with carets, and as plain data for JSON."""

from __future__ import annotations

from archc.diagnostics.diagnostic import Diagnostic
from archc.diagnostics.source import Span

STYLES = {"error": "\033[1;31m", "warning": "\033[1;33m", "place": "\033[1;34m", "end": "\033[0m"}
LINE_LIMIT = 160


def render(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """The diagnostic as a person reads it, over several lines."""

    def paint(text: str, style: str) -> str:
        return f"{STYLES[style]}{text}{STYLES['end']}" if colour and text else text

    head = paint(f"{diagnostic.severity}[{diagnostic.code.id}]", diagnostic.severity)
    lines = [f"{head}: {printable(diagnostic.message)}"]
    margin = ""
    if diagnostic.span is not None:
        line, _ = diagnostic.span.position
        margin = " " * (len(str(line)) + 1)
        text, underline = _excerpt(diagnostic.span)
        bar = paint("|", "place")
        arrow = paint("-->", "place")
        lines.append(f"{margin[:-1]}{arrow} {diagnostic.span}".replace("--> ", "--> ", 1))
        lines.append(f"{margin}{bar}")
        lines.append(f"{paint(str(line), 'place')} {bar} {text}")
        marks = paint(underline.lstrip(), diagnostic.severity)
        pad = " " * (len(underline) - len(underline.lstrip()))
        label = f" {printable(diagnostic.label)}" if diagnostic.label else ""
        lines.append(f"{margin}{bar} {pad}{marks}{label}")
    lines.extend(f"{margin or '  '}= {printable(note.message)}" for note in diagnostic.notes)
    if diagnostic.help:
        lines.append(f"{margin or '  '}= help: {printable(diagnostic.help)}")
    return "\n".join(lines)


def as_data(diagnostic: Diagnostic) -> dict[str, object]:
    """The same facts as `render`, as values that JSON can hold."""
    return {
        "code": diagnostic.code.id,
        "word": diagnostic.code.word,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "place": _place(diagnostic.span),
        "label": diagnostic.label,
        "notes": [
            {"message": note.message, "place": _place(note.span)} for note in diagnostic.notes
        ],
        "help": diagnostic.help,
    }


def _place(span: Span | None) -> dict[str, object] | None:
    if span is None:
        return None
    line, column = span.position
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _excerpt(span: Span) -> tuple[str, str]:
    """The line of a span and its carets, cut around the span where the line is long."""
    line, column = span.position
    text = span.source.line(line).replace("\t", " ")
    first = column - 1
    last = first + max(1, min(span.end - span.start, len(text) - first))
    if len(text) > LINE_LIMIT:
        shift = max(0, min(first - 40, len(text) - LINE_LIMIT))
        start = "..." if shift else ""
        end = "..." if shift + LINE_LIMIT < len(text) else ""
        text = start + text[shift + len(start) : shift + LINE_LIMIT - len(end)] + end
        first, last = first - shift, min(last - shift, LINE_LIMIT)
    before, under = printable(text[:first]), printable(text[first:last])
    return printable(text), " " * len(before) + "^" * max(1, len(under))


def printable(text: str) -> str:
    """The text with what would disturb a terminal (control and direction marks) made visible."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else f"<U+{ord(one):04X}>" for one in text)
