"""List shipped and local specs with their variants, parameters and multiply-accumulates (MACs)."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from archc.commands import DONE
from archc.commands.console import Console
from archc.diagnostics import CompileError, closest, codes
from archc.diagnostics.figures import count, large
from archc.language.catalogue import AddressError, find, shipped_paths, shipped_root
from archc.language.index import FamilyEntry, indexed

EXAMPLES = """examples:
  archc list
  archc list vgg --format json
  archc list --format markdown    one line for each family"""


SPEC = re.compile(r"^[\"']?archc[\"']?\s*:", re.MULTILINE)
"""What tells a spec from other YAML files: the key that states the version."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("families", metavar="FAMILY", nargs="*", help="only these families")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="for people, for machines, or a table of the families")


def run(options: argparse.Namespace, console: Console) -> int:
    """Lists every variant."""
    known = {path.stem for path in paths()}
    for one in options.families:
        if one not in known:
            near = closest(one, known)
            raise AddressError(f"there is no family `{one}`", f"did you mean `{near}`?" if near else f"the families are {', '.join(sorted(known))}", codes.UNKNOWN_SPEC)
    found = [(path, one) for path in paths() if not options.families or path.stem in options.families if (one := entry(path, console))]
    if options.format == "markdown":
        from archc.reference import zoo_table

        console.line(zoo_table({path.stem: one for path, one in found}))
        return DONE
    rows = [(f"{base}:{one['name']}" if one["name"] else base, one) for path, family in found for base in [address(path)] for one in family["variants"]]
    if console.is_json:
        console.data([{"address": name, **{key: value for key, value in one.items() if key != "name"}} for name, one in rows])
        return DONE
    width = max((len(name) for name, _ in rows), default=0)
    for name, one in rows:
        aliases = f"  ({', '.join(one['aliases'])})" if one["aliases"] else ""
        console.line(f"{name:<{width}}  {count(one['params']):>13} parameters  {large(one['macs']):>7} MACs  {one['title']}{aliases}")
    return DONE


def paths() -> Iterator[Path]:
    """The shipped specs, then those in the working folder and its `specs/`."""
    yield from shipped_paths()
    for folder in (Path(), Path("specs")):
        if folder.resolve() != shipped_root().resolve():
            yield from sorted(one for one in folder.glob("*.yaml") if not one.name.startswith("."))


def address(path: Path) -> str:
    """How a command names the family: by its name where archc ships it."""
    return path.stem if path.is_relative_to(shipped_root()) else str(path)


def entry(path: Path, console: Console) -> FamilyEntry | None:
    """What is known of a family: from the index, or compiled now where the index does not hold it."""
    shipped = path.is_relative_to(shipped_root())
    if shipped and (known := indexed(path)) is not None:
        return known
    if not shipped and not SPEC.search(path.read_text(errors="replace")):
        return None
    from archc.pipeline import load_address

    try:
        return load_address(find(address(path))).entry()
    except CompileError:
        console.note(f"{path}: not a sound spec; archc check {path} says why")
        return None
