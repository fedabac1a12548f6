"""The command line: COMMANDS lists the commands; each is one thin file, loaded when it is called."""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from archc.diagnostics import Code

COMMANDS: dict[str, str] = {
    "build": "compile a spec and write Keras models, source and diagrams",
    "check": "validate and compile specs, and prove what they expect",
    "draw": "write diagrams only",
    "stats": "show layers, parameters and multiply-accumulates",
    "table": "show a family's configuration table, as its paper has it",
    "diff": "show what differs between two networks, layer by layer",
    "compare": "compare networks: accuracy, cost and depth, as tables and charts",
    "sweep": "measure a grid or a sample of a family's parameter values",
    "expand": "write the plain spec after macros, families and expressions",
    "train": "train a network as a recipe says",
    "eval": "measure a trained network on the test part of its data",
    "predict": "tell what images show, with a trained network",
    "list": "list shipped and local specs",
    "schema": "print the JSON Schema of the language, for editors",
    "explain": "explain a diagnostic's code",
}
LONG = frozenset({"train", "eval", "predict", "sweep"})
SELDOM = (200_000, 20, 100)
"""How seldom garbage is looked for by the commands that are not `LONG`: what a compiler makes lives until its end, and
searching it, then and in between, would take a quarter of a short call."""
DONE, WRONG_SPEC, WRONG_CALL, MACHINE, DIVERGED, INTERRUPTED = 0, 1, 2, 3, 4, 130


class Parser(argparse.ArgumentParser):
    """A parser that suggests the option or choice that was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Ends the call: what is wrong with it, and what was probably meant."""
        from archc.diagnostics import closest

        if found := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
            choices = re.findall(r"[\w-]+", found[2])
            near = closest(found[1], choices)
            advice = f"did you mean `{near}`?" if near else f"choose from {', '.join(choices)}"
            what = message[: found.start()].removeprefix("argument ").rstrip(": ")
            message = f"there is no command `{found[1]}`" if what == "COMMAND" else f"{what} has no choice `{found[1]}`"
        else:
            options = [one for action in self._actions for one in action.option_strings]
            odd = [word for word in message.split() if word.startswith("-")]
            near = closest(f"--{odd[0].lstrip('-')}", options) if message.startswith("unrecognized") and odd else None
            advice = f"did you mean `{near}`?" if near else f"{self.prog} --help shows what it takes"
        raise Failure(f"{self.prog}: {message}", advice, WRONG_CALL)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Words that a command does not take are its own error, which can name its options."""
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, rest


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line, the process's own where none is given; gives the exit code."""
    if arguments is not None:
        return told(list(arguments))
    if sys.argv[1:2] and sys.argv[1] not in LONG:
        gc.set_threshold(*SELDOM)
    try:
        return told(sys.argv[1:])
    finally:
        gc.freeze()


def told(words: list[str]) -> int:
    """Runs a command line, whatever becomes of it told in words."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    try:
        return run(words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except MemoryError:
        print("archc: out of memory", file=sys.stderr)
        return MACHINE
    except Exception as problem:
        if os.environ.get("ARCHC_DEBUG"):
            raise
        print(f"archc: this is a fault of archc itself ({type(problem).__name__}: {problem})", file=sys.stderr)
        print("  = help: please report it with the spec; ARCHC_DEBUG=1 shows where it happened", file=sys.stderr)
        return MACHINE


def run(words: list[str]) -> int:
    """Finds the command and runs it, its failures told in words."""
    from archc.commands.console import Console
    from archc.diagnostics import CompileError, codes
    from archc.diagnostics.packages import MissingPackage, lacking
    from archc.language.catalogue import AddressError

    console = Console("json" if asks_json(words) else "text")
    try:
        options = parse(words)
        code: int = DONE if options is None else called(options, console)
    except CompileError as problem:
        console.diagnostics(problem.diagnostics)
        code = MACHINE if isinstance(problem, MissingPackage) else WRONG_SPEC
    except ModuleNotFoundError as problem:
        missing = lacking(problem)
        if missing is None:
            raise
        console.diagnostics(missing.diagnostics)
        code = MACHINE
    except AddressError as problem:
        console.failure(problem.message, problem.help, problem.code)
        code = WRONG_CALL
    except Failure as problem:
        console.failure(problem.message, problem.help, problem.word or (codes.BAD_CALL if problem.code == WRONG_CALL else codes.CANNOT_WRITE))
        code = problem.code
    except OSError as problem:
        if isinstance(problem, BrokenPipeError):
            raise
        console.failure(f"{problem.filename or 'the machine'}: {problem.strerror or problem}", "what was there before is whole", codes.CANNOT_WRITE)
        code = MACHINE
    sys.stdout.flush()
    return code


def called(options: Any, console: Any) -> int:
    """Runs the command that the options name, under the limits that the call states."""
    if not getattr(options, "limits", None):
        return options.run(options, console)
    from archc.commands.targets import limits_of
    from archc.diagnostics.limits import raised

    with raised(limits_of(options.limits)):
        return options.run(options, console)


def asks_json(words: list[str]) -> bool:
    """True where machines read what comes of a call, one that cannot be understood included."""
    return "--format=json" in words or ("--format", "json") in itertools.pairwise(words)


class Failure(Exception):
    """A command cannot be done; one line, a hint, an exit code, and the diagnostic code where it is a special one."""

    def __init__(self, message: str, help: str = "", code: int = MACHINE, word: Code | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.code = code
        self.word = word


def parse(words: list[str]) -> Any:
    """The options of a call; only the command that is called is loaded. `None` where there is nothing to run."""
    from archc import __version__

    parser = Parser(prog="archc", description="The compiler for neural-network architectures.", epilog="archc COMMAND --help shows a command's options and examples.")
    parser.add_argument("--version", action="version", version=f"archc {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    called = next((one for one in words if not one.startswith("-")), None)
    # A call that begins with its command needs no other one's parser, and each takes time to make.
    known = {called: COMMANDS[called]} if called in COMMANDS and words[0] == called else COMMANDS
    for name, help in known.items():
        if name == called:
            module: Any = import_module(f"archc.commands.{name}_command" if name == "list" else f"archc.commands.{name}")
            command = subparsers.add_parser(
                name, help=help, description=module.__doc__, epilog=module.EXAMPLES,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            module.add_arguments(command)
            command.set_defaults(run=module.run)
        else:
            subparsers.add_parser(name, help=help, add_help=False)
    if not words:
        parser.print_help()
        return None
    options = parser.parse_args(words)
    if not hasattr(options, "run"):
        parser.error("a command is missing")
    return options
