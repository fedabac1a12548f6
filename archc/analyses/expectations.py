"""`expect:`: facts that a spec states about its network, checked against the compiled graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archc.diagnostics import Diagnostics, codes, error
from archc.language.document import Mapping, Value, plain
from archc.language.spec import Variant
from archc.language.validation import kind_of
from archc.operators import show

if TYPE_CHECKING:
    from archc.analyses import AnalysedGraph


@dataclass(frozen=True, slots=True)
class Expectation:
    """One stated fact: what was stated, what is true, and what the paper claims where that differs."""

    key: str
    stated: Any
    actual: Any
    holds: bool
    paper: Any = None
    source: str = ""


def output_shapes(analysed: AnalysedGraph) -> Any:
    """The shape of the output, or those of all outputs."""
    shapes = [list(analysed.graph.shape(tensor)) for _, tensor in analysed.graph.outputs]
    return shapes[0] if len(shapes) == 1 else shapes


def largest_field(analysed: AnalysedGraph) -> int | None:
    """The longest path's receptive field of the feature maps that the outputs are made from, on the longer axis."""
    field = analysed.field
    return None if field is None else int(max(field.size))


FACTS: dict[str, Callable[[AnalysedGraph], Any]] = {
    "params": lambda analysed: analysed.cost.params,
    "trainable": lambda analysed: analysed.cost.trainable,
    "non_trainable": lambda analysed: analysed.cost.non_trainable,
    "macs": lambda analysed: analysed.cost.macs,
    "weight_layers": lambda analysed: analysed.cost.weight_layers,
    "output": output_shapes,
    "receptive_field": largest_field,
}
"""What can be stated of a network; each is found where it is stated."""


def check_expectations(analysed: AnalysedGraph, variant: Variant, diagnostics: Diagnostics) -> tuple[Expectation, ...]:
    """Every stated fact, checked; those that do not hold become errors."""
    return tuple(_check(key, value, FACTS[key](analysed), diagnostics) for key, (_, value) in variant.expect.items() if key in FACTS)


def _check(key: str, value: Value, actual: Any, diagnostics: Diagnostics) -> Expectation:
    stated = plain(value)
    paper, source, place = None, "", value
    if isinstance(value, Mapping):
        paper, source = stated.get("paper"), str(stated.get("source", ""))
        if "about" in stated:
            return _about(key, value, stated, actual, diagnostics)
        place = value.get("value") or value
        stated = stated.get("value")
    holds = stated == actual and isinstance(stated, bool) == isinstance(actual, bool)
    if not holds:
        diagnostics.add(error(codes.EXPECTATION, place.span, f"`{key}` is {_show(actual)}, and the spec expects {_show(stated)}", label=_difference(stated, actual), help="mend the network, or state what is true of it"))
    return Expectation(key, stated, actual, holds, paper, source)


def _about(key: str, value: Mapping, stated: dict[str, Any], actual: Any, diagnostics: Diagnostics) -> Expectation:
    middle, within = stated["about"], stated.get("within", "1%")
    share = _share(within)
    numbers = isinstance(middle, int | float) and not isinstance(middle, bool)
    if not numbers or share is None:
        diagnostics.add(error(codes.WRONG_TYPE, value.span, f"`about` takes a number and `within` a share, and these are {kind_of(middle)} and {kind_of(within)}", help="write `{about: 3.8e9, within: 2%}`"))
        return Expectation(key, middle, actual, False)
    holds = actual is not None and not isinstance(actual, list) and abs(actual - middle) <= share * abs(middle)
    if not holds:
        diagnostics.add(error(codes.EXPECTATION, value.span, f"`{key}` is {_show(actual)}, and the spec expects about {_show(middle)} within {within}", label=_difference(middle, actual)))
    return Expectation(key, middle, actual, holds, stated.get("paper"), str(stated.get("source", "")))


def _share(within: Any) -> float | None:
    if isinstance(within, int | float) and not isinstance(within, bool):
        return float(within)
    if isinstance(within, str) and within.endswith("%"):
        try:
            return float(within[:-1]) / 100
        except ValueError:
            return None
    return None


def _show(value: Any) -> str:
    if value is None:
        return "unknown (a size is open)"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    return show(tuple(value)) if isinstance(value, list) and not any(isinstance(one, list) for one in value) else str(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _difference(stated: Any, actual: Any) -> str:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (stated, actual))
    return f"the difference is {_number(actual - stated)}" if numbers else ""


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,}"
