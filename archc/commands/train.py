"""Train a network as a recipe says: data, split, augmentation, optimiser, epochs; or write the Keras script that does it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archc.commands import DIVERGED, DONE, INTERRUPTED, MACHINE, WRONG_CALL, Failure
from archc.commands.build import seed
from archc.commands.console import Console
from archc.commands.draw import count
from archc.commands.targets import add_format, values
from archc.diagnostics import codes
from archc.training.kinds import DISTRIBUTE
from archc.training.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from archc.training.session import Wishes

EXAMPLES = """examples:
  archc train lenet-digits                      a minute on two cores; runs/lenet-digits
  archc train alexnet-cifar10 --synthetic 640   the whole path without the data
  archc train mine.yaml -o runs/a --set batch=64 --set optimiser.sgd.learning_rate=0.1
  archc train mine.yaml -o runs/a --resume      goes on after a stop, as if there had been none
  archc train lenet-digits --sweep seed=0,1,2   three trainings and a table; with --ray ADDRESS on a cluster
  archc train lenet-digits --emit script        the Keras script that does the same"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("recipe", metavar="RECIPE", nargs="+", help="path.yaml, or the name of a shipped recipe such as lenet-digits; several are trained one after the other")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, help="the folder of the run (default: runs/NAME)")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="values", help="give a key of the recipe a value, as in batch=64 or params.classes=10")
    parser.add_argument("--epochs", metavar="N", type=count, help="the number of epochs")
    parser.add_argument("--seed", metavar="N", type=seed, help="where all chance comes from")
    parser.add_argument("--weights", metavar="FILE", help="weights to start from, for a recipe that takes some")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    parser.add_argument("--fresh", action="store_true", help="remove the run in the folder, and start anew")
    parser.add_argument("--synthetic", metavar="COUNT", type=count, nargs="?", const=0, help="made-up data of the data set's form, in its own number of examples or in COUNT")
    parser.add_argument("--distribute", choices=DISTRIBUTE, help="over all devices, and the processes that Keras's variables name: `data` splits each batch, `model` the weights too (JAX), `auto` the batch where there are several devices")
    parser.add_argument("--sweep", metavar="NAME=VALUES", action="append", default=[], help="train with each of some values, as in batch=32,64 or seed=0..4:1; several make a grid")
    parser.add_argument("--ray", metavar="ADDRESS", help="a Ray cluster that does the work: its address, auto, or local to start one here")
    parser.add_argument("--emit", choices=("run", "script"), default="run", help="train, or write a Keras script that does the same")
    add_format(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Trains, or writes the script."""
    given = assignments(options)
    if options.resume and options.fresh:
        raise Failure("--resume goes on, --fresh starts anew, and both were given", "", WRONG_CALL)
    if len(options.recipe) > 1 or options.sweep or options.ray is not None:
        from archc.commands.trials import run_trials

        return run_trials(options, given.texts, console)
    recipe = load_recipe(options.recipe[0], given.values)
    folder: Path = options.output or Path("runs") / recipe.name
    if options.emit == "script":
        return write_script(recipe, options.output or Path("build"), console)
    if recipe.start is not None and recipe.start.file is None:
        console.note(f"{recipe.name} starts from random weights; --weights FILE gives it those of a file")
    from archc.training.session import Wishes

    return train(recipe, Wishes(folder, options.resume, options.fresh, options.synthetic, given.texts, options.distribute), console)


class Given:
    """Values from the command line, as located values and as the texts that they were."""

    def __init__(self, words: list[str]) -> None:
        self.values = values(words)
        self.texts = dict(word.split("=", 1) for word in words)


def assignments(options: argparse.Namespace) -> Given:
    """`--set` and its shorthands."""
    words = list(options.values)
    words += [f"{name}={value}" for name, value in (("epochs", options.epochs), ("seed", options.seed)) if value is not None]
    if options.weights is not None:
        words.append(f"start.file={json.dumps(str(Path(options.weights).resolve()))}")
    return Given(words)


def write_script(recipe: Recipe, folder: Path, console: Console) -> int:
    """Writes the script that does what the recipe says."""
    from archc.backends.base import Artefact
    from archc.backends.files import write_all
    from archc.training.script import script

    (path,) = write_all(folder, [Artefact.text(f"train_{recipe.name.replace('-', '_').replace('.', '_')}.py", script(recipe))])
    if console.is_json:
        console.data({"written": [str(path)]})
    else:
        console.line(f"  {path}")
    return DONE


def train(recipe: Recipe, wishes: Wishes, console: Console) -> int:
    """Trains; failures become words and exit codes."""
    from archc.backends.keras.weight_files import WeightsError
    from archc.commands.training import Display, quiet
    from archc.training.data.examples import DataError
    from archc.training.folder import Differs, FolderError
    from archc.training.loop import Diverged, Interrupted
    from archc.training.session import OutOfMemory
    from archc.training.session import train as run_session
    from archc.training.spread import SpreadError

    quiet()
    display = Display(console, recipe)
    try:
        with display:
            result = run_session(recipe, wishes, display)
    except OutOfMemory as problem:
        raise Failure(problem.message, problem.help, MACHINE, codes.OUT_OF_MEMORY) from None
    except DataError as problem:
        raise Failure(problem.message, problem.help, MACHINE if problem.machine else WRONG_CALL, codes.DATA) from None
    except FolderError as problem:
        raise Failure(problem.message, problem.help, WRONG_CALL, codes.RESUME_DIFFERS if isinstance(problem, Differs) else codes.RUN_FOLDER) from None
    except WeightsError as problem:
        assert recipe.start is not None
        raise Failure(f"{recipe.start.file} does not fit {recipe.address}: {problem}", "where its network tells other classes apart, say how many: --set start.classes=1000", WRONG_CALL, codes.WEIGHTS) from None
    except SpreadError as problem:
        raise Failure(problem.message, problem.help, MACHINE if problem.machine else WRONG_CALL, codes.SPREAD) from None
    except Diverged as problem:
        raise Failure(str(problem), f"the checkpoint before is kept in {wishes.folder}; try a smaller learning rate, or `clip_norm`", DIVERGED, codes.DIVERGED) from None
    except Interrupted:
        console.note(f"stopped and saved; go on with: archc train {recipe.name} -o {wishes.folder} --resume")
        return INTERRUPTED
    if result:
        report(result, wishes, console)
    return DONE


def report(result: dict[str, Any], wishes: Wishes, console: Console) -> None:
    """What came of it."""
    if console.is_json:
        console.data({"folder": str(wishes.folder), **result})
        return
    shown = ", ".join(f"{name} {100 * value:.2f} %" if name != "loss" else f"loss {value:.4f}" for name, value in result["test"].items())
    console.line(f"best model (epoch {result['best_epoch']}) on {result['test_examples']:,} test examples: {shown}" if shown else f"best model: epoch {result['best_epoch']}")
    console.line(f"  {wishes.folder}")


