"""Several trainings: recipes, with each point of a grid of values, one after the other here or on a Ray cluster.

A trial goes on from its own checkpoints, so that one whose machine is lost ends as if it had not been.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from archc.backends.base import Artefact
from archc.backends.keras.weight_files import WeightsError
from archc.backends.tabular import guarded
from archc.diagnostics import CompileError, Source
from archc.language.catalogue import AddressError
from archc.language.document import read
from archc.sweeps.cluster import cluster
from archc.sweeps.grid import Grid
from archc.training.data.examples import DataError
from archc.training.folder import FolderError
from archc.training.loop import Diverged
from archc.training.recipe import load_recipe
from archc.training.reporters import SessionReporter, Silent
from archc.training.session import Wishes, train
from archc.training.spread import SpreadError

RETRIES = 2
"""How often a trial is started anew, and goes on, when its machine is lost."""
TOLD = (CompileError, AddressError, DataError, FolderError, SpreadError, WeightsError, Diverged, OSError)
"""What a training may end with; one trial's is no other's."""


@dataclass(frozen=True)
class Trial:
    """One training: a recipe's address, the values that it is given, and the whole path of its folder."""

    name: str
    address: str
    given: Mapping[str, str]
    folder: str
    epochs: int
    synthetic: int | None = None
    distribute: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a trial: its results, or what it ended with."""

    trial: Trial
    result: Mapping[str, Any]
    problem: str = ""


def trials(addresses: Sequence[str], grid: Grid, given: Mapping[str, str], folder: Path, synthetic: int | None, distribute: str | None) -> list[Trial]:
    """Each recipe at each point. Folders are named by what tells the trials apart. Raises `CompileError`, `AddressError`."""
    found: list[Trial] = []
    for address in addresses:
        for point in range(grid.size):
            values = {one.name: one.texts[place] for one, place in zip(grid.axes, grid.places(point), strict=True)}
            recipe = load_recipe(address, located({**given, **values}))
            words = [recipe.name] if len(addresses) > 1 else []
            words += [f"{name}={value}" for name, value in values.items()]
            name = ", ".join(words) or recipe.name
            path = Path(address)
            found.append(Trial(name, str(path.resolve()) if path.is_file() else address, {**given, **values}, str((folder / plain(name)).resolve()), recipe.run.epochs, synthetic, distribute))
    return found


def plain(name: str) -> str:
    """A trial's name as that of a folder."""
    return "".join(one if one.isalnum() or one in "=,.-_" else "_" for one in name.replace(", ", ","))


def located(given: Mapping[str, str]) -> dict[str, Any]:
    """Values as the recipe's reader takes them. Raises `CompileError`."""
    return {name: read(Source(f"--set {name}", text)) for name, text in given.items()}


def attempt(trial: Trial, reporter: SessionReporter) -> Outcome:
    """Trains, or goes on with what a trial has begun."""
    try:
        recipe = load_recipe(trial.address, located(trial.given))
        wishes = Wishes(Path(trial.folder), resume=True, synthetic=trial.synthetic, given=trial.given, distribute=trial.distribute)
        return Outcome(trial, train(recipe, wishes, reporter))
    except TOLD as problem:
        return Outcome(trial, {}, message(problem))


def message(problem: BaseException) -> str:
    """A problem in one line."""
    if isinstance(problem, CompileError):
        return problem.diagnostics[0].message
    return str(problem).splitlines()[0] if str(problem) else type(problem).__name__


def here(chosen: Sequence[Trial], reporter: Callable[[Trial], Any]) -> Iterator[Outcome]:
    """One trial after the other, in this process; `reporter` gives a context that tells of one."""
    for one in chosen:
        with reporter(one) as shown:
            outcome = attempt(one, shown)
        yield outcome


class Telling(Silent):
    """Tells Ray Tune of each epoch."""

    def __init__(self, report: Callable[[dict[str, Any]], None]) -> None:
        self.report = report

    def epoch(self, record: Mapping[str, Any], improved: bool) -> None:
        """Its metrics, and no more."""
        self.report(dict(record))


def on_worker(config: Mapping[str, Any]) -> None:
    """A trial as Ray Tune's function."""
    tune: Any = import_module("ray.tune")
    outcome = attempt(Trial(**config["trial"]), Telling(tune.report))
    tune.report({"outcome": json.dumps({"result": outcome.result, "problem": outcome.problem})})


def on_ray(chosen: Sequence[Trial], address: str, storage: Path, told: Callable[[Trial, Mapping[str, Any]], None]) -> Iterator[Outcome]:
    """Trials as a run of Ray Tune, each on one processor, and one GPU where the cluster has some; `told` hears of each epoch.

    archc, the recipes and their data must be found on all machines, and the folders be shared among them. Raises `OSError`
    where there is no cluster.
    """
    with cluster(address) as library:
        tune: Any = import_module("ray.tune")
        by_folder = {one.folder: one for one in chosen}
        base: Any = tune.Callback

        class Listener(base):
            def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **_: Any) -> None:
                if "outcome" not in result:
                    told(by_folder[trial.config["trial"]["folder"]], result)

        resources = {"cpu": 1, **({"gpu": 1} if library.cluster_resources().get("GPU") else {})}
        run = tune.RunConfig(
            name="ray", storage_path=str(storage), failure_config=tune.FailureConfig(max_failures=RETRIES), callbacks=[Listener()], verbose=0,
        )
        space = {"trial": tune.grid_search([vars(one) for one in chosen])}
        found: Any = tune.Tuner(tune.with_resources(on_worker, resources), param_space=space, run_config=run).fit()
        ended: dict[str, Any] = {found[at].config["trial"]["folder"]: found[at] for at in range(len(found))}
        for trial in chosen:
            metrics: dict[str, Any] = ended[trial.folder].metrics or {}
            text: str | None = metrics.get("outcome")
            yield Outcome(trial, {}, f"its process was lost {RETRIES + 1} times") if text is None else Outcome(trial, **json.loads(text))


def table(outcomes: Sequence[Outcome], grid: Grid) -> Artefact:
    """`trials.csv`: a line for each trial, with its values and what came of it."""
    names = [one.name for one in grid.axes]
    metrics = list(dict.fromkeys(name for one in outcomes for name in one.result.get("test", {})))
    text = io.StringIO(newline="")
    write = csv.writer(text, lineterminator="\n").writerow
    write(["trial", *names, "best_epoch", *(f"test_{name}" for name in metrics), "seconds", "problem"])
    for one in outcomes:
        measured = one.result.get("test", {})
        write([guarded(one.trial.name), *(guarded(one.trial.given[name]) for name in names), one.result.get("best_epoch", ""), *(measured.get(name, "") for name in metrics), one.result.get("seconds", ""), guarded(one.problem)])
    return Artefact.text("trials.csv", text.getvalue())
