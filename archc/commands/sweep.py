"""Measure many variants of a family: a grid of parameter values, or a random sample of it. No framework is loaded."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from archc import __version__
from archc.analyses.budget import UNITS, amount
from archc.backends.base import Artefact
from archc.backends.files import finish, write_all
from archc.commands import DONE, WRONG_CALL, WRONG_SPEC, Failure
from archc.commands.console import Console
from archc.commands.targets import add_format, add_limit, limits_of
from archc.diagnostics import CompileError, Source
from archc.diagnostics.figures import count
from archc.diagnostics.packages import need
from archc.language.catalogue import find
from archc.language.document import read
from archc.pipeline import Family, load_address
from archc.sweeps.grid import Grid, GridError, grid, points
from archc.sweeps.journal import Busy, Changed, Journal
from archc.sweeps.work import Chunk, Job, Stale, Surveyor, Tally, columns, digest, here, in_processes, on_ray

EXAMPLES = """examples:
  archc sweep efficientnet --set width=0.5..2.0:0.1 --set depth=1,1.2,1.4
  archc sweep efficientnet:b0 --set resolution=128..512:32 --max-macs 1G -o small.parquet
  archc sweep efficientnet --set width=0.5..2.0:0.1 --set depth=1,1.4,2 --chart svg
  archc sweep nets/mine.yaml --set 'blocks=[1, 2],[2, 2]' --set width=16..256:8 --sample 1000 --seed 7

An interrupted sweep goes on where it was when the same call is made again."""

CHUNK = 100
"""Points that are measured, written and remembered together."""
FEW = 400
"""Points up to which other processes would take longer to start than to measure."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("spec", metavar="SPEC", help="path.yaml, path.yaml:VARIANT, a name such as efficientnet:b0, or - for standard input")
    parser.add_argument("--set", metavar="NAME=VALUES", action="append", default=[], dest="values", help="an axis: values with commas, ranges as START..END:STEP (both ends count); several make a grid")
    parser.add_argument("--sample", metavar="N", type=_whole, help="a random sample of N points of the grid instead of all")
    parser.add_argument("--seed", metavar="S", type=_whole, default=0, help="which sample (default 0)")
    parser.add_argument("--max-params", metavar="N", type=_amount, help="leave out networks with more parameters, as in 10M")
    parser.add_argument("--max-macs", metavar="N", type=_amount, help="leave out networks with more multiply-accumulates, as in 1.5G")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="a .csv or .parquet file (default build/NAME.sweep.csv)")
    parser.add_argument("--chart", metavar="LIST", default="", help="draw parameters against MACs beside the table: svg, png, vega")
    parser.add_argument("--jobs", metavar="N", type=_positive, help="processes (default: one for each core)")
    parser.add_argument("--ray", metavar="ADDRESS", help="a Ray cluster that does the work: its address, auto, or local to start one here")
    parser.add_argument("--restart", action="store_true", help="begin anew, and drop what an interrupted sweep left")
    add_limit(parser)
    add_format(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Measures the points that are not done yet; exit code 1 where none compiles."""
    if not options.values:
        raise Failure("a sweep needs values to go through", "for instance --set width=0.5..2.0:0.1", WRONG_CALL)
    try:
        space = grid(options.values)
    except GridError as problem:
        raise Failure(problem.message, problem.help, WRONG_CALL) from None
    family, text = loaded(options.spec)
    variant = family.choose(find(options.spec, text).variant)
    axes = checked(space, family)
    kinds = charts(options.chart) if options.chart else []
    output = destination(options, family, variant)
    job = Job(options.spec, text, variant, space, options.max_params, options.max_macs, digest(family), output.suffix == ".csv", tuple(sorted(limits_of(options.limits).items())))
    chosen = points(space, options.sample, options.seed)
    journal = opened(output, job, options, f"{','.join(columns(space))}\n")
    try:
        before = journal.tally.points
        with console.working("sweeping", total=len(chosen), at_once=len(chosen) > FEW) as now:
            now("", before)
            for one in measured(job, chosen[journal.chunks * CHUNK :], family, options):
                journal.add(one)
                now("", one.tally.points)
        drawn = draw(journal, job, kinds, output, f"{family.title} in {count(journal.tally.rows)} sizes") if kinds and journal.tally.rows else []
        written(output, journal, Surveyor(job, family) if output.suffix == ".parquet" else None)
    except KeyboardInterrupt:
        if journal.chunks:
            console.note(f"interrupted after {count(journal.tally.points)} of {count(len(chosen))} points; the same call goes on from there")
        raise
    finally:
        if journal.chunks:
            journal.close()
        else:
            journal.remove()
    report(journal.tally, before, axes, output, console, drawn)
    return DONE if journal.tally.rows or journal.tally.over else WRONG_SPEC


def loaded(address: str) -> tuple[Family, bytes | None]:
    """The family, and its text where that is standard input."""
    text = sys.stdin.buffer.read() if address.startswith("-") else None
    return load_address(find(address, text)), text


def checked(space: Grid, family: Family) -> list[str]:
    """The axes' names; values that no spec could hold, and names that this one does not know, are wrong calls."""
    for axis in space.axes:
        for text in axis.texts:
            try:
                read(Source(f"--set {axis.name}", text))
            except CompileError as problem:
                raise Failure(f"--set {axis.name}: {problem.diagnostics[0].message}", "quote lists and mappings for the shell", WRONG_CALL) from None
    names = [one.name for one in space.axes]
    family.check_names(dict.fromkeys(names, read(Source("", "0"))))
    return names


def destination(options: argparse.Namespace, family: Family, variant: str) -> Path:
    """The table's path; refuses what cannot be written before any work is done."""
    stem = f"{family.spec.name}-{variant}" if variant else family.spec.name
    output: Path = options.output or Path("build") / f"{stem.lower()}.sweep.csv"
    if output.suffix not in (".csv", ".parquet"):
        raise Failure(f"a sweep is written as .csv or .parquet, and this is `{output.name}`", "for instance -o sweep.csv", WRONG_CALL)
    if output.is_dir():
        raise Failure(f"{output} is a folder", "name a file in it", WRONG_CALL)
    if output.is_symlink() or (output.exists() and not output.is_file()):
        raise Failure(f"{output} is a link or device, and is not replaced", "name another file")
    if output.suffix == ".parquet":
        need("pyarrow", "Parquet", otherwise="a .csv file needs nothing")
    if options.ray is not None:
        need("ray", "--ray", otherwise="without --ray the processes of this machine do the work")
    return output


def opened(output: Path, job: Job, options: argparse.Namespace, first: str) -> Journal:
    """The journal of this sweep, new or gone on with."""
    head = {
        "archc": __version__, "spec": job.address, "variant": job.variant, "texts": job.digest,
        **{f"--set {one.name}": ",".join(one.texts) for one in job.grid.axes}, "axes": [one.name for one in job.grid.axes],
        "--sample": options.sample, "--seed": options.seed if options.sample is not None else None,
        "--max-params": job.max_params, "--max-macs": job.max_macs, "--limit": dict(job.limits) or None, "chunk": CHUNK,
    }
    try:
        return Journal(output, head, first, restart=options.restart)
    except Busy:
        raise Failure(f"another process writes {output} just now", "wait for it, or write another file with -o", WRONG_CALL) from None
    except Changed as changed:
        raise Failure(f"{output} has an interrupted sweep, and this call differs: {_differences(changed)}", "make that call again, begin anew with --restart, or write another file with -o", WRONG_CALL) from None


def _differences(changed: Changed) -> str:
    words = {"texts": "the spec's text was changed"}
    told = [words.get(key) or f"{key} was {_brief(before)} and is {_brief(now)}" for key, (before, now) in changed.differences.items()]
    return "; ".join(told)


def _brief(value: Any) -> str:
    text = "not given" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:40]}...{text[-12:]}"


def measured(job: Job, rest: Sequence[int], family: Family, options: argparse.Namespace) -> Iterator[Chunk]:
    """The chunks that are not done yet."""
    chunks: Iterable[Sequence[int]] = (rest[at : at + CHUNK] for at in range(0, len(rest), CHUNK))
    processes = options.jobs or os.cpu_count() or 1
    if not rest:
        return
    from concurrent.futures import BrokenExecutor

    try:
        if options.ray is not None:
            yield from on_ray(job, chunks, options.ray)
        elif processes == 1 or len(rest) <= FEW:
            yield from here(job, chunks, family)
        else:
            yield from in_processes(job, chunks, min(processes, -(-len(rest) // CHUNK)))
    except BrokenExecutor:
        raise Failure("a process of the sweep was ended from outside", "the same call goes on from there; with less memory, give it fewer --jobs") from None
    except Stale:
        raise Failure("the spec was changed while the sweep ran", "begin anew with --restart", WRONG_CALL) from None
    except OSError as problem:
        if options.ray is None:
            raise
        raise Failure(f"no Ray cluster answers at `{options.ray}`: {str(problem).splitlines()[0]}", "give the address of a running cluster, or `local`", WRONG_CALL) from None


def charts(text: str) -> list[str]:
    """The kinds that `--chart` names; refuses those that cannot be drawn here."""
    from archc.backends.charts.render import PICTURES
    from archc.backends.charts.sweep import KINDS
    from archc.commands.build import chosen

    kinds = chosen(text, tuple(KINDS), "--chart")
    if set(kinds) & set(PICTURES):
        need("vl_convert", "a chart as a picture", otherwise="--chart vega needs none")
    return kinds


def draw(journal: Journal, job: Job, kinds: list[str], output: Path, title: str) -> list[Path]:
    """Writes the chart of the rows that there are; a few thousand of them are held at most."""
    import csv

    from archc.backends.charts.render import artefacts
    from archc.backends.charts.sweep import chart, evenly
    from archc.backends.tabular import Table

    with journal.part_path.open(encoding="utf-8", newline="") as file:
        rows = list(evenly(csv.DictReader(file), journal.tally.rows))
    names = columns(job.grid)[: len(job.grid.axes)]
    spec = chart(rows, names, title, journal.tally.rows)
    return write_all(output.parent, artefacts(output.stem, spec, Table(title, (), ()), kinds))


def written(output: Path, journal: Journal, surveyor: Surveyor | None) -> None:
    """The table in its place."""
    if surveyor is None:
        finish(journal.part_path, output)
    else:
        from archc.sweeps.parquet import convert, kinds

        names, types = columns(surveyor.job.grid), kinds(surveyor)
        write_all(output.parent, [Artefact(output.name, lambda file: convert(journal.part_path, file, names, types))])
    journal.remove()


def report(tally: Tally, before: int, axes: list[str], output: Path, console: Console, drawn: Sequence[Path]) -> None:
    """What was written, what was left out, and why."""
    if console.is_json:
        console.data({
            "output": str(output), "axes": axes, "points": tally.points, "resumed": before, "rows": tally.rows, "over": tally.over,
            "invalid": [{"code": code, **asdict(one)} for code, one in sorted(tally.faults.items())],
            **({"charts": [str(one) for one in drawn]} if drawn else {}),
        })
        return
    parts = [f"{count(tally.rows)} written"]
    parts += [f"{count(number)} over {option}" for option, number in tally.over.items()]
    parts += [f"{count(sum(one.count for one in tally.faults.values()))} invalid"] if tally.faults else []
    console.line(f"{output}  {count(tally.points)} point{'' if tally.points == 1 else 's'}: {', '.join(parts)}")
    for one in drawn:
        console.line(str(one))
    for code, one in sorted(tally.faults.items()):
        console.line(f"  {code}  {count(one.count)} times, first at {one.example}: {one.message}" if one.count > 1 else f"  {code}  once, at {one.example}: {one.message}")


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"takes a whole number from 0, and this is `{text}`")
    return int(text)


def _positive(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError("takes a whole number from 1, and this is 0")
    return number


def _amount(text: str) -> int:
    found = amount(text.upper().replace("K", "k"), UNITS)
    if found is None:
        raise argparse.ArgumentTypeError(f"takes a number such as 800k, 10M or 1.5G, and this is `{text}`")
    return found
