"""List shipped and local specs with their variants, parameters and multiply-accumulates (MACs)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archc.commands import DONE
from archc.commands.console import Console, count, large
from archc.commands.targets import add_format
from archc.diagnostics import CompileError, closest, codes
from archc.language.catalogue import AddressError, find, shipped_paths, shipped_root
from archc.pipeline import load_address

EXAMPLES = """examples:
  archc list
  archc list vgg --format json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("families", metavar="FAMILY", nargs="*", help="only these families")
    add_format(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Lists every variant."""
    known = {path.stem for path in paths()}
    for one in options.families:
        if one not in known:
            near = closest(one, known)
            raise AddressError(f"there is no family `{one}`", f"did you mean `{near}`?" if near else f"the families are {', '.join(sorted(known))}", codes.UNKNOWN_SPEC)
    rows = list(_rows(options.families, console))
    if console.is_json:
        console.data(rows)
        return DONE
    width = max((len(row["address"]) for row in rows), default=0)
    for row in rows:
        aliases = f"  ({', '.join(row['aliases'])})" if row["aliases"] else ""
        console.line(f"{row['address']:<{width}}  {count(row['params']):>13} parameters  {large(row['macs']):>7} MACs  {row['title']}{aliases}")
    return DONE


def paths() -> Iterator[Path]:
    """The shipped specs, then those in the working folder and its `specs/`."""
    yield from shipped_paths()
    for folder in (Path(), Path("specs")):
        if folder.resolve() != shipped_root().resolve():
            yield from sorted(folder.glob("*.yaml"))


def _rows(families: list[str], console: Console) -> Iterator[dict[str, Any]]:
    for path in paths():
        if families and path.stem not in families:
            continue
        shipped = path.is_relative_to(shipped_root())
        try:
            family = load_address(find(path.stem if shipped else str(path)))
            for name in family:
                yield _row(family.compile(name or None), None if shipped else str(path))
        except CompileError:
            if shipped or "archc" in path.read_text(errors="replace")[:2000]:
                console.note(f"{path}: not a sound spec; archc check {path} says why")


def _row(compiled: Any, path: str | None) -> dict[str, Any]:
    cost, variant = compiled.analysed.cost, compiled.variant
    address = f"{path}:{variant.name}" if path and variant.name else path or compiled.graph.address
    return {
        "address": address,
        "title": variant.title,
        "implementation": variant.implementation or None,
        "aliases": list(variant.aliases),
        "params": cost.params,
        "macs": cost.macs,
    }
