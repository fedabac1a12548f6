"""Measure a trained network on the test part of its data, or on the part that was held out."""

from __future__ import annotations

import argparse
from pathlib import Path

from archc.commands import DONE, MACHINE, WRONG_CALL, Failure
from archc.commands.console import Console
from archc.commands.targets import add_format
from archc.commands.training import quiet
from archc.diagnostics import codes

EXAMPLES = """examples:
  archc eval runs/lenet-digits
  archc eval runs/lenet-digits --part validation --model last"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("folder", metavar="RUN", type=Path, help="the folder that `archc train` wrote")
    parser.add_argument("--part", choices=("test", "validation", "train"), default="test", help="the part of the data (default: test)")
    parser.add_argument("--model", choices=("best", "last"), default="best", help="the model (default: best)")
    add_format(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Prints the loss and the metrics."""
    folder: Path = options.folder
    from archc.training.build import measures
    from archc.training.data.examples import DataError
    from archc.training.folder import FolderError
    from archc.training.loading import load_data
    from archc.training.loop import evaluate
    from archc.training.trained import open_run, recipe_of

    quiet()
    try:
        with console.working("loading the model", at_once=True):
            trained = open_run(folder, options.model)
            recipe = recipe_of(trained)
            loaded = load_data(recipe, trained.manifest["synthetic"])
    except FolderError as problem:
        raise Failure(problem.message, problem.help, WRONG_CALL, codes.RUN_FOLDER) from None
    except DataError as problem:
        raise Failure(problem.message, problem.help, MACHINE, codes.DATA) from None
    part = {"test": loaded.examples.test, "validation": loaded.validation, "train": loaded.train}[options.part]
    if not len(part):
        raise Failure(f"the {options.part} part is empty", "", WRONG_CALL)
    trained.model.compile(**measures(recipe))
    with console.working(f"evaluating {len(part):,} examples", at_once=True):
        measured = evaluate(trained.model, part, recipe)
    if console.is_json:
        console.data({"part": options.part, "examples": len(part), "model": options.model, **measured})
    else:
        shown = ", ".join(f"{name} {100 * value:.2f} %" if name != "loss" else f"loss {value:.4f}" for name, value in measured.items())
        console.line(f"{options.model} model on {len(part):,} {options.part} examples: {shown}")
    return DONE
