"""Validate and compile specs, and prove what they expect. No framework is loaded."""

from __future__ import annotations

import argparse
from typing import Any

from archc.commands import DONE, WRONG_SPEC
from archc.commands.console import Console, count, large
from archc.commands.targets import add_spec, add_strict, families, values
from archc.diagnostics import CompileError, Diagnostic
from archc.diagnostics.render import as_data
from archc.operators import show
from archc.pipeline import Compiled, Family

EXAMPLES = """examples:
  archc check mynet.yaml          one file, all its variants
  archc check vgg:D resnet        a shipped variant, and a whole shipped family
  archc check 'specs/*'           every spec in a folder
  cat net.yaml | archc check -    a spec from standard input"""


MANY = 8
"""Variants from which checking a family takes long enough to be shown."""
WORDS = {"params": "parameters", "macs": "MACs", "weight_layers": "weight layers"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    add_spec(parser, several=True)
    add_strict(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Checks every network; exit code 1 where one is wrong."""
    given = values(options.values)
    results: list[dict[str, Any]] = []
    told: set[tuple[object, ...]] = set()
    wrong = False
    for family, variant in _families(options, console, results):
        if family is None:
            wrong = True
            continue
        names = list(family) if variant in ("", "*") else [family.choose(variant)]
        with console.working(f"checking {family.spec.name}", long=len(names) > MANY) as now:
            for name in names:
                now(name)
                wrong |= not _one(family, name, given, options.strict, console, results, told)
    if console.is_json:
        console.data(results)
    return WRONG_SPEC if wrong else DONE


def _families(options: argparse.Namespace, console: Console, results: list[dict[str, Any]]) -> Any:
    for address in options.specs:
        try:
            yield from families([address])
        except CompileError as problem:
            _tell(console, problem.diagnostics, set())
            results.append({"address": address, "ok": False, "diagnostics": [as_data(one) for one in problem.diagnostics]})
            yield None, ""


def _one(
    family: Family, name: str, given: Any, strict: bool, console: Console,
    results: list[dict[str, Any]], told: set[tuple[object, ...]],
) -> bool:
    address = f"{family.spec.name}:{name}" if name else family.spec.name
    try:
        compiled = family.compile(name or None, given)
    except CompileError as problem:
        _tell(console, problem.diagnostics, told)
        results.append({"address": address, "ok": False, "diagnostics": [as_data(one) for one in problem.diagnostics]})
        return False
    _tell(console, compiled.warnings, told)
    good = not (strict and compiled.warnings)
    results.append(_result(compiled, good))
    if not console.is_json:
        console.line(_line(compiled, good))
    return good


def _tell(console: Console, found: tuple[Diagnostic, ...], told: set[tuple[object, ...]]) -> None:
    fresh = [one for one in found if one.key not in told]
    told.update(one.key for one in fresh)
    if fresh and not console.is_json:
        console.diagnostics(fresh)


def _result(compiled: Compiled, good: bool) -> dict[str, Any]:
    cost = compiled.analysed.cost
    return {
        "address": compiled.graph.address,
        "ok": good,
        "params": cost.params,
        "trainable": cost.trainable,
        "macs": cost.macs,
        "expectations": [
            {"key": one.key, "expected": one.stated, "actual": one.actual, "holds": one.holds, "paper": one.paper, "source": one.source}
            for one in compiled.expectations
        ],
        "diagnostics": [as_data(one) for one in compiled.warnings],
    }


def _line(compiled: Compiled, good: bool) -> str:
    cost = compiled.analysed.cost
    held = len(compiled.expectations)
    proved = f"{held} expectation{'' if held == 1 else 's'} held" if held else "nothing expected"
    claims = [f"{WORDS.get(one.key, one.key)} {large(int(one.paper))}" for one in compiled.expectations if isinstance(one.paper, int | float)]
    papers = f"; the paper's own: {', '.join(claims)}" if claims else ""
    word = "ok" if good else "no"
    return f"{word}  {compiled.graph.address:<16} {count(cost.params):>13} parameters  {large(cost.macs):>7} MACs  {shapes(compiled):<18}  {proved}{papers}"


def shapes(compiled: Compiled) -> str:
    """What goes in and what comes out: `224x224x3 -> 1000`."""
    graph = compiled.graph
    inputs = ", ".join(show(graph.nodes[one].shape) for one in graph.inputs)
    return f"{inputs} -> {', '.join(show(graph.shape(tensor)) for _, tensor in graph.outputs)}"
