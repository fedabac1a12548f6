"""Several trainings from one call: `archc train` with more than one recipe, `--sweep` or `--ray`."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archc.backends.files import write_all
from archc.commands import DONE, INTERRUPTED, MACHINE, WRONG_CALL, Failure
from archc.commands.console import Console
from archc.diagnostics.packages import TRAINING, need
from archc.sweeps.grid import Grid, GridError, grid
from archc.training import history
from archc.training.kinds import NUM_PROCESSES

if TYPE_CHECKING:
    from archc.sweeps.trials import Outcome, Trial

SHOWN = ("epoch", "loss", "accuracy", "top5", "val_loss", "val_accuracy", "val_top5", "learning_rate", "seconds")
"""What is shown of an epoch that Ray tells of; it adds figures of its own."""
MOST = 1000
"""Trials of one call: each is a training."""


def run_trials(options: Any, given: Mapping[str, str], console: Console) -> int:
    """Trains each recipe at each point of the grid; exit code 3 where one of them fails."""
    space = points(options.sweep)
    if options.ray is not None:
        need("ray", "--ray", otherwise="without --ray the trials run here, one after the other")
    if options.distribute is not None and os.environ.get(NUM_PROCESSES):
        raise Failure("a training over several processes is one, and this call names several", f"train them one by one, or leave {NUM_PROCESSES} unset", WRONG_CALL)
    if options.emit == "script":
        raise Failure("a script trains one recipe, and this call names several trainings", "leave --sweep and --ray out", WRONG_CALL)
    need("keras", "training", install=TRAINING)
    from archc.commands.training import quiet
    from archc.sweeps.trials import table, trials
    from archc.training.loop import Interrupted

    folder: Path = options.output or Path("runs") / ("trials" if len(options.recipe) > 1 else Path(options.recipe[0]).stem)
    chosen = trials(options.recipe, space, given, folder, options.synthetic, options.distribute)
    begin(chosen, options)
    quiet()
    try:
        outcomes = list(outcomes_of(chosen, options, folder, console))
    except Interrupted:
        console.note("stopped and saved; the same call with --resume goes on")
        return INTERRUPTED
    write_all(folder, [table(outcomes, space)])
    report(outcomes, folder, console)
    return MACHINE if any(one.problem for one in outcomes) else DONE


def points(words: list[str]) -> Grid:
    """The grid of `--sweep`."""
    try:
        space = grid(words)
    except GridError as problem:
        raise Failure(problem.message.replace("--set", "--sweep"), problem.help.replace("--set", "--sweep"), WRONG_CALL) from None
    if space.size > MOST:
        raise Failure(f"{space.size:,} trainings are more than {MOST:,}", "give --sweep fewer values", WRONG_CALL)
    return space


def begin(chosen: list[Trial], options: Any) -> None:
    """Sees that each folder is there for its trial."""
    from archc.training.folder import MANIFEST, clear

    double = {one.folder for one in chosen if [two.folder for two in chosen].count(one.folder) > 1}
    if double:
        raise Failure(f"two trainings would have the folder {min(double)}", "name each recipe once", WRONG_CALL)
    for one in chosen:
        if options.fresh:
            clear(Path(one.folder))
        elif not options.resume and (Path(one.folder) / MANIFEST).exists():
            raise Failure(f"{one.folder} holds a run already", "--resume goes on with all of them, --fresh starts anew, and -o names another folder", WRONG_CALL)


def outcomes_of(chosen: list[Trial], options: Any, folder: Path, console: Console) -> Iterator[Outcome]:
    """Trains, here or on Ray."""
    from archc.commands.training import ordered
    from archc.sweeps.trials import here, on_ray

    if options.ray is None:
        yield from here(chosen, lambda trial: shown(trial, console))
        return

    def told(trial: Trial, record: Mapping[str, Any]) -> None:
        if not console.is_json:
            kept = {name: value for name, value in ordered(record).items() if name in SHOWN}
            console.line(f"{trial.name}  {history.line(kept, trial.epochs)}")

    try:
        yield from on_ray(chosen, options.ray, folder.resolve(), told)
    except OSError as problem:
        raise Failure(f"no Ray cluster answers at `{options.ray}`: {str(problem).splitlines()[0]}", "give the address of a running cluster, or `local`", WRONG_CALL) from None


@contextmanager
def shown(trial: Trial, console: Console) -> Generator[Any]:
    """A trial that is trained here, shown as one alone is."""
    from archc.commands.training import Display
    from archc.sweeps.trials import located
    from archc.training.recipe import load_recipe

    if not console.is_json:
        console.line(f"\n{trial.name}")
    with Display(console, load_recipe(trial.address, located(trial.given))) as display:
        yield display


def report(outcomes: list[Outcome], folder: Path, console: Console) -> None:
    """A line for each trial."""
    if console.is_json:
        console.data({"folder": str(folder), "trials": [{"trial": one.trial.name, "folder": one.trial.folder, **({"problem": one.problem} if one.problem else one.result)} for one in outcomes]})
        return
    width = max(len(one.trial.name) for one in outcomes)
    console.line()
    for one in outcomes:
        measured = "  ".join(f"{name} {100 * value:.2f} %" if name != "loss" else f"loss {value:.4f}" for name, value in one.result.get("test", {}).items())
        console.line(f"{one.trial.name:<{width}}  {one.problem}" if one.problem else f"{one.trial.name:<{width}}  {measured}  {one.result['seconds']:.0f} s")
    console.line(f"  {folder / 'trials.csv'}")
