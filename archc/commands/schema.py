"""Print the JSON Schema of the language, or of recipes, from which editors complete and check them."""

from __future__ import annotations

import argparse

from archc.commands import DONE
from archc.commands.console import Console

EXAMPLES = """examples:
  archc schema > archc.schema.json
  archc schema --recipe > archc-recipe.schema.json
  # then, as the first line of a spec, for the YAML language server:
  # yaml-language-server: $schema=archc.schema.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--recipe", action="store_true", help="the schema of recipes")


def run(options: argparse.Namespace, console: Console) -> int:
    """Prints the schema."""
    from archc.language.schema import schema_text
    from archc.training.schema import schema_text as recipe_text

    print(recipe_text() if options.recipe else schema_text(), end="")
    return DONE
