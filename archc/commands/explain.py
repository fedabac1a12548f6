"""Explain a diagnostic's code, with an example and its mend."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from archc.commands import DONE, WRONG_CALL, Failure
from archc.commands.console import Console
from archc.commands.targets import add_format
from archc.diagnostics import closest
from archc.diagnostics.codes import CODES, Code

EXAMPLES = """examples:
  archc explain E301
  archc explain shapes-differ"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("code", metavar="CODE", help="a code such as E301, or its word")
    add_format(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Prints what a code means."""
    words = {one.word: one for one in CODES.values()} | {one.id.lower(): one for one in CODES.values()}
    found = words.get(options.code.lower())
    if found is None:
        near = closest(options.code, [*CODES, *(one.word for one in CODES.values())])
        raise Failure(f"there is no code `{options.code}`", f"did you mean `{near}`?" if near else "docs/diagnostics.md lists the codes; every message begins with its own", WRONG_CALL)
    if console.is_json:
        console.data(asdict(found))
    else:
        console.line(text(found))
    return DONE


def text(code: Code) -> str:
    """A code's page."""
    lines = [f"{code.id} {code.word}", "", code.explanation]
    for title, example in (("wrong", code.bad), ("right", code.good)):
        if example:
            lines += ["", f"{title}:", *(f"    {line}" for line in example.splitlines())]
    return "\n".join(lines)
