"""What a word of a spec means: a macro, an operator, a notation cell."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

from archc.diagnostics import Span, closest, codes, error, foreign_letter
from archc.expansion.binding import Signature, Wrong, bind, has_expression, is_fixed, macro_signature, missing
from archc.language.document import MAGNITUDE_LIMIT, Scalar, Value
from archc.language.spec import Cell, File, Macro, Step
from archc.language.validation import NAME_LIMIT
from archc.operators import OPERATORS, Operator


@dataclass(frozen=True, slots=True, eq=False)
class CellMatch:
    """A notation cell that matched, with the parts that its pattern bound."""

    cell: Cell
    bound: Map[str, Any]


Target = type[Operator] | Macro | CellMatch


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A macro's arguments as they are written, in the order of its parameters.

    `text` has the parameters whose value is written as an expression, in the call or as the default. `fixed` are the
    arguments that are the same wherever they are read, `constants` their values, once they were found to be right.
    """

    arguments: Map[str, Value]
    names: tuple[str, ...]
    text: Map[str, str]
    fixed: frozenset[str]
    constants: dict[str, Any] = field(default_factory=dict[str, Any])


class Words:
    """The meanings of words, each looked up once, and what macros take."""

    def __init__(self) -> None:
        self.targets: dict[tuple[int, str], Target | None] = {}
        self.signatures: dict[int, Signature] = {}
        self.calls: dict[tuple[int, int], Given] = {}

    def signature(self, macro: Macro) -> Signature:
        """What a macro's arguments bind to."""
        found = self.signatures.get(id(macro))
        if found is None:
            found = self.signatures[id(macro)] = macro_signature(f"the macro `{macro.name}`", macro.params)
        return found

    def given(self, step: Step, macro: Macro, arguments: Value | None) -> Given:
        """What a call gives to a macro's parameters. Raises `Wrong`."""
        key = step.site, id(macro)
        found = self.calls.get(key)
        if found is None or arguments is not step.arguments:
            signature = self.signature(macro)
            bound, problems = bind(arguments, signature, step.span)
            problems += missing(arguments, bound, signature, step.span)
            if problems:
                raise Wrong(*problems)
            written = {name: bound.get(name, one.default) for name, one in macro.params.items()}
            text = {name: one.text for name, one in written.items() if isinstance(one, Scalar) and has_expression(one)}
            names = tuple(name for name in macro.params if name in bound)
            fixed = frozenset(one for one in names if is_fixed(macro.params[one], bound[one]))
            found = Given({name: bound[name] for name in names}, names, text, fixed)
            if arguments is step.arguments:
                self.calls[key] = found
        return found

    def target(self, word: str, file: File) -> Target | None:
        """What a word means in a file: a macro, an operator, an exact cell, then a pattern."""
        key = id(file), word
        if key not in self.targets:
            self.targets[key] = file.macro(word) or OPERATORS.get(word) or match_cell(word, file)
        return self.targets[key]


def match_cell(word: str, file: File) -> CellMatch | None:
    """The notation cell that a word is: an exact one first; two patterns that both match are an error."""
    for cell in file.cells:
        if cell.exact and cell.pattern == word:
            return CellMatch(cell, {})
    if len(word) > NAME_LIMIT:
        return None
    matches = [(cell, found) for cell in file.cells if not cell.exact and (found := cell.expression.match(word))]
    if len(matches) > 1:
        listed = " and ".join(f"`{cell.pattern}`" for cell, _ in matches)
        raise Wrong(error(codes.AMBIGUOUS_NOTATION, matches[1][0].span, f"the cell `{word}` matches {listed}", help="make one of the patterns narrower"))
    if not matches:
        return None
    cell, found = matches[0]
    return CellMatch(cell, {name: int(part) if part.isdigit() else part for name, part in found.groupdict().items()})


def check_parts(step: Step, match: CellMatch) -> None:
    """A number in a cell is held to what numbers are held to elsewhere."""
    large = next((name for name, part in match.bound.items() if isinstance(part, int) and part > MAGNITUDE_LIMIT), None)
    if large is not None:
        raise Wrong(error(codes.LIMIT_MAGNITUDE, step.span, f"a number is at most 10^12, and `{large}` of the cell `{match.cell.pattern}` is {match.bound[large]} here"))


def cell_arguments(word: str, arguments: Value) -> Any:
    """A cell is called with arguments."""
    return error(codes.TOO_MANY_ARGUMENTS, arguments.span, f"the notation cell `{word}` takes no arguments", help="write the cell alone, or use the operator")


def unknown_macro(name: str, span: Span, file: File) -> Any:
    """No macro has the name that an argument gives."""
    near = closest(name, file.macro_names())
    return error(codes.UNKNOWN_OPERATION, span, f"there is no macro `{name[:80]}`", help=f"did you mean `{near}`?" if near else "")


def unknown_operation(step: Step, word: str, file: File) -> Any:
    """No operator, macro or cell has the word for its name; says which one was probably meant."""
    if len(word) > NAME_LIMIT:
        return error(codes.LIMIT_NAME, step.span, f"a name has at most {NAME_LIMIT} characters, and this word has {len(word):,}")
    names = [*file.macro_names(), *OPERATORS, *(cell.pattern for cell in file.cells if cell.exact), "steps", "side"]
    aliases = {"conv2d": "conv", "conv1d": "conv", "conv3d": "conv", "maxpool": "max_pool", "batchnorm": "batch_norm", "linear_layer": "dense", "fc": "dense", "avgpool": "avg_pool", "concatenate": "concat"}
    near = aliases.get(word.lower()) or closest(word, names)
    cells = f"the notation's cells are {', '.join(cell.pattern for cell in file.cells[:12])}{', ...' if len(file.cells) > 12 else ''}"
    if odd := foreign_letter(word):
        help = f"{odd}; did you mean `{near}`?" if near else odd
    elif ":" in word:
        help = f"put a space after the colon: `{word.replace(':', ': ', 1)}`"
    elif word in ("do", "body", "layers", "block", "sequence", "loop"):
        help = "several steps stand under `steps:`, also after `for` and `repeat`"
    elif near:
        help = f"did you mean `{near}`?{f' {cells[0].upper()}{cells[1:]}' if file.cells else ''}"
    elif file.cells:
        help = cells
    else:
        help = "define a macro of that name under `macros`, or see docs/operators.md"
    held = f"`{step.operation}` is this text here" if word != step.operation else ""
    return error(codes.UNKNOWN_OPERATION, step.span, f"there is no operator, macro or notation cell `{word[:80]}`", label=held, help=help)
