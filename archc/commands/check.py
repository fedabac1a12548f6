"""Validate and compile specs, and prove what they expect. No framework is loaded."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from archc.analyses.budget import BYTES, UNITS, Limits, amount, held, over_budget
from archc.commands import DONE, WRONG_CALL, WRONG_SPEC
from archc.commands.console import Console
from archc.commands.targets import add_spec, add_strict, families, filled, limits_of, values
from archc.diagnostics import CompileError, Diagnostic, codes, error
from archc.diagnostics.figures import count, large
from archc.diagnostics.limits import limits, raised, raising
from archc.diagnostics.render import as_data
from archc.language.catalogue import AddressError
from archc.operators import show
from archc.pipeline import Compiled, Family

EXAMPLES = """examples:
  archc check mynet.yaml          one file, all its variants
  archc check vgg:D resnet        a shipped variant, and a whole shipped family
  archc check 'specs/*'           every spec in a folder
  cat net.yaml | archc check -    a spec from standard input
  archc check nets/*.yaml --max-params 10M --max-macs 1G --max-memory 100MB"""


MANY = 8
"""Addresses from which processes share the work."""
WORDS = {"params": "parameters", "macs": "MACs", "weight_layers": "weight layers"}


class LargeFile(CompileError):
    """The networks of a file are too many, or too large, to be checked together."""


@dataclass(frozen=True)
class Checked:
    """How one network (or the whole of an address) fared."""

    address: str
    ok: bool
    line: str = ""
    data: dict[str, Any] | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    lost: AddressError | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    add_spec(parser, several=True)
    add_strict(parser)
    group = parser.add_argument_group("limits", "a network above one of them is an error (E603), as one whose cost is unknown")
    group.add_argument("--max-params", metavar="N", type=_count, help="the most parameters: 10M, 500k")
    group.add_argument("--max-macs", metavar="N", type=_count, help="the most multiply-accumulates for one example: 1G, 300M")
    group.add_argument("--max-memory", metavar="SIZE", type=_bytes, help="the most memory of inference, weights and the peak of activations for one example: 100MB, 2GiB")


def _count(text: str) -> int:
    """A count with a unit of thousands."""
    found = amount(text, UNITS)
    if found is None:
        raise argparse.ArgumentTypeError(f"a number with k, M, G or T is meant, such as 10M, and this is `{text}`")
    return found


def _bytes(text: str) -> int:
    """A size with its unit."""
    found = amount(text, BYTES)
    if found is None:
        raise argparse.ArgumentTypeError(f"a size with its unit is meant, such as 100MB or 2GiB, and this is `{text}`")
    return found


def run(options: argparse.Namespace, console: Console) -> int:
    """Checks every network; exit code 1 where one is wrong, 2 where an address leads nowhere."""
    values(options.values)
    results: list[dict[str, Any]] = []
    told: set[tuple[object, ...]] = set()
    codes = {DONE}
    for one in _all(options, console):
        if one.lost is not None:
            console.failure(one.lost.message, one.lost.help, one.lost.code)
            codes.add(WRONG_CALL)
            continue
        codes.add(DONE if one.ok else WRONG_SPEC)
        results.append(one.data or {"address": one.address, "ok": False, "diagnostics": [as_data(two) for two in one.diagnostics]})
        _tell(console, one.diagnostics, told)
        if one.line and not console.is_json:
            console.line(one.line)
    if console.is_json:
        console.data(results)
    return max(codes)


def _all(options: argparse.Namespace, console: Console) -> Iterator[Checked]:
    """Every network in the order of the call."""
    addresses: list[str] = []
    for one in options.specs:
        try:
            addresses += filled(one)
        except AddressError as problem:
            yield Checked(one, False, lost=problem)
    settings = (tuple(options.values), options.strict, Limits(options.max_params, options.max_macs, options.max_memory))
    held_to = limits_of(options.limits)
    if len(addresses) < MANY or "-" in addresses or (os.cpu_count() or 1) < 2:
        with console.working("checking") as now:
            for one in addresses:
                yield from _networks(one, *settings, now)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(min(len(addresses), os.cpu_count() or 1), get_context("spawn")) as pool:
        waiting = [pool.submit(_family, one, *settings, held_to) for one in addresses]
        with console.working("checking", total=len(addresses)) as now:
            for one, future in zip(addresses, waiting, strict=True):
                found = future.result()
                now(one)
                yield from found


def _family(address: str, assignments: tuple[str, ...], strict: bool, budget: Limits, held_to: dict[str, int]) -> list[Checked]:
    with raised(held_to):
        return list(_networks(address, assignments, strict, budget, lambda now: None))


def _networks(address: str, assignments: tuple[str, ...], strict: bool, budget: Limits, now: Callable[[str], None]) -> Iterator[Checked]:
    """The networks of an address, each compiled when it is asked for."""
    given = values(assignments)
    try:
        for family, variant in families([address]):
            every = variant in ("", "*")
            sound = True
            for name in list(family) if every else [family.choose(variant)]:
                title = f"{family.spec.name}:{name}" if name else family.spec.name
                now(title)
                try:
                    check_work(family)
                    compiled = family.compile(name or None, given)
                except CompileError as problem:
                    yield Checked(title, False, diagnostics=problem.diagnostics)
                    sound = False
                    if isinstance(problem, LargeFile):
                        break
                    continue
                over = over_budget(compiled.analysed, budget, compiled.place)
                good = not (over or (strict and compiled.warnings))
                found = (*compiled.warnings, *over)
                yield Checked(title, good, _line(compiled, good, budget), _result(compiled, good, budget, found), found)
            unused = tuple(family.unused_allowances()) if every and sound and not given else ()
            if unused:
                yield Checked(family.spec.name, not strict, diagnostics=unused)
    except CompileError as problem:
        yield Checked(address, False, diagnostics=problem.diagnostics)
    except AddressError as problem:
        yield Checked(address, False, lost=problem)


def check_work(family: Family) -> None:
    """Refuses the next of many networks where those before it took too long; raises `CompileError`."""
    if family.work > limits().work:
        names = family.spec.file.root.key_span("variants")
        message = f"the networks of this file take more than {limits().work:,} steps together"
        raise LargeFile((error(codes.LIMIT_VARIANTS, names, message, help=f"check a few of them at a time, by name; {raising('work')}"),))


def _tell(console: Console, found: tuple[Diagnostic, ...], told: set[tuple[object, ...]]) -> None:
    fresh = [one for one in found if one.key not in told]
    told.update(one.key for one in fresh)
    if fresh and not console.is_json:
        console.diagnostics(fresh)


def _result(compiled: Compiled, good: bool, budget: Limits, found: tuple[Diagnostic, ...]) -> dict[str, Any]:
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
        "limits": [{"key": one.option, "limit": one.limit, "actual": one.value, "holds": one.holds} for one in held(compiled.analysed, budget)],
        "diagnostics": [as_data(one) for one in found],
    }


def _line(compiled: Compiled, good: bool, budget: Limits) -> str:
    cost = compiled.analysed.cost
    facts = len(compiled.expectations)
    proved = f"{facts} expectation{'' if facts == 1 else 's'} held" if facts else "expectations not checked: --set gives other values" if compiled.variant.expect else "nothing expected"
    if budget:
        within = [one.holds for one in held(compiled.analysed, budget)]
        proved += f"; {sum(within)} of {len(within)} limit{'' if len(within) == 1 else 's'} held"
    claims = [f"{WORDS.get(one.key, one.key)} {large(int(one.paper))}" for one in compiled.expectations if isinstance(one.paper, int | float)]
    papers = f"; the paper's own: {', '.join(claims)}" if claims else ""
    word = "ok" if good else "no"
    return f"{word}  {compiled.graph.address:<16} {count(cost.params):>13} parameters  {large(cost.macs):>7} MACs  {shapes(compiled):<18}  {proved}{papers}"


def shapes(compiled: Compiled) -> str:
    """What goes in and what comes out: `224x224x3 -> 1000`."""
    graph = compiled.graph
    inputs = ", ".join(show(graph.nodes[one].shape) for one in graph.inputs)
    return f"{inputs} -> {', '.join(show(graph.shape(tensor)) for _, tensor in graph.outputs)}"
