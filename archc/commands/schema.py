"""Print the JSON Schema of the language, from which editors complete and check specs."""

from __future__ import annotations

import argparse

from archc.commands import DONE
from archc.commands.console import Console

EXAMPLES = """examples:
  archc schema > archc.schema.json
  # then, as the first line of a spec, for the YAML language server:
  # yaml-language-server: $schema=archc.schema.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command has no options of its own."""


def run(options: argparse.Namespace, console: Console) -> int:
    """Prints the schema."""
    from archc.language.schema import schema_text

    print(schema_text(), end="")
    return DONE
