"""Addresses on the command line -> compiled networks; the options that commands share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from archc.commands import WRONG_CALL, Failure
from archc.diagnostics import CompileError, Source, closest
from archc.diagnostics.limits import LIMITS
from archc.language.catalogue import AddressError, brief, find, shipped_paths
from archc.language.document import read
from archc.pipeline import Compiled, Family, load_address

FORMATS = ("text", "json")
TABLE_FORMATS = ("text", "markdown", "csv", "html", "json")


def add_spec(parser: argparse.ArgumentParser, *, several: bool = False, formats: Sequence[str] = FORMATS) -> None:
    """The SPEC argument, `--set` and `--format`."""
    help = "path.yaml, path.yaml:VARIANT, a name such as vgg:D, vgg:*, an alias such as vgg16, or - for standard input"
    parser.add_argument("specs" if several else "spec", metavar="SPEC", nargs="+" if several else None, help=help)
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="values", help="give a parameter of the family a value")
    add_limit(parser)
    add_format(parser, formats)


def add_limit(parser: argparse.ArgumentParser) -> None:
    """The `--limit` option."""
    parser.add_argument("--limit", metavar="NAME=VALUE", action="append", default=[], dest="limits", help=f"hold the spec to another limit: {', '.join(LIMITS)}")


def limits_of(assignments: Sequence[str]) -> dict[str, int]:
    """`NAME=VALUE` words as limits. Raises `Failure` where one is unknown or out of its range."""
    found: dict[str, int] = {}
    for word in assignments:
        name, _, text = word.partition("=")
        if name not in LIMITS:
            near = closest(name, LIMITS)
            raise Failure(f"--limit has no limit `{brief(name)}`", f"did you mean `{near}`?" if near else f"the limits are {', '.join(LIMITS)}", WRONG_CALL)
        most = LIMITS[name].metadata["most"]
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= most):
            raise Failure(f"--limit {name} takes a whole number from 1 to {most:,}, and this is `{brief(text)}`", f"{name}: {LIMITS[name].metadata['meaning']}", WRONG_CALL)
        found[name] = int(text)
    return found


def add_format(parser: argparse.ArgumentParser, formats: Sequence[str] = FORMATS) -> None:
    """The `--format` option."""
    help = "for people, or for machines" if formats == FORMATS else "how the result is written (default: text)"
    parser.add_argument("--format", choices=formats, default="text", help=help)


def count(text: str) -> int:
    """A whole number from 1."""
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text[:6]) <= 10_000:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to 10000 is meant, and this is `{text}`")
    return int(text)


def values(assignments: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE` words as located values, read by the language's own rule."""
    found: dict[str, Any] = {}
    for word in assignments:
        name, sign, text = word.partition("=")
        if not sign or not name:
            raise Failure(f"--set takes NAME=VALUE, and this is `{word}`", "for instance --set width=1.4", WRONG_CALL)
        try:
            found[name] = read(Source(f"--set {name}", text))
        except CompileError as problem:
            raise Failure(f"--set {name}: {problem.diagnostics[0].message}", "quote lists and mappings for the shell", WRONG_CALL) from None
    return found


def families(addresses: Sequence[str]) -> Iterator[tuple[Family, str]]:
    """The families and the variants asked for; a pattern in a path is filled in."""
    for address in addresses:
        for one in filled(address):
            found = find(one, sys.stdin.buffer.read() if one == "-" or one.startswith("-:") else None)
            yield load_address(found), found.variant


def filled(address: str) -> Iterator[str]:
    """The addresses that an address with a pattern in its path stands for. Raises `AddressError`."""
    path = address.rpartition(":")[0] or address
    if "*" not in path or os.path.exists(path):
        yield address
        return
    from glob import glob

    matches = sorted(one for one in glob(path) if one.endswith((".yaml", ".yml")))
    if not matches and path.startswith("specs/"):
        matches = [str(one) for one in shipped_paths()]
    if not matches:
        raise AddressError(f"no file matches {brief(path)}")
    yield from matches


def compiled(addresses: Sequence[str], assignments: Sequence[str], *, every: bool = False) -> Iterator[Compiled]:
    """The networks at addresses; a bare family is all of its variants where `every` says so."""
    given = values(assignments)
    for family, variant in families(addresses):
        if variant == "*" or (every and not variant):
            for name in family:
                yield family.compile(name or None, given)
        else:
            yield family.compile(variant or None, given)


def add_strict(parser: argparse.ArgumentParser) -> None:
    """The `--strict` option."""
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
