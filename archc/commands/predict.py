"""Tell what images show, with a trained network."""

from __future__ import annotations

import argparse
from pathlib import Path

from archc.commands import DONE, WRONG_CALL, Failure
from archc.commands.console import Console
from archc.commands.draw import count
from archc.commands.targets import add_format
from archc.commands.training import quiet
from archc.diagnostics import codes

EXAMPLES = """examples:
  archc predict photo.png --run runs/alexnet-cifar10
  archc predict *.png --run runs/lenet-digits --top 1 --format json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("images", metavar="IMAGE", type=Path, nargs="+", help="image files; they are read at the size of the training examples")
    parser.add_argument("--run", metavar="RUN", type=Path, required=True, dest="folder", help="the folder that `archc train` wrote")
    parser.add_argument("--model", choices=("best", "last"), default="best", help="the model (default: best)")
    parser.add_argument("--top", metavar="N", type=count, default=3, help="how many classes to name (default: 3)")
    add_format(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Prints the likeliest classes of each image."""
    from archc.training.data.examples import DataError
    from archc.training.folder import FolderError
    from archc.training.trained import open_run, predict

    quiet()
    try:
        trained = open_run(options.folder, options.model)
        found = predict(trained, options.images, options.top)
    except FolderError as problem:
        raise Failure(problem.message, problem.help, WRONG_CALL, codes.RUN_FOLDER) from None
    except DataError as problem:
        raise Failure(problem.message, problem.help, WRONG_CALL, codes.DATA) from None
    if console.is_json:
        console.data([{"image": str(path), "classes": [{"name": name, "probability": share} for name, share in row]} for path, row in zip(options.images, found, strict=True)])
        return DONE
    width = max(len(str(one)) for one in options.images)
    for path, row in zip(options.images, found, strict=True):
        console.line(f"{path!s:<{width}}  " + "  ".join(f"{name} {100 * share:.1f} %" for name, share in row))
    return DONE
