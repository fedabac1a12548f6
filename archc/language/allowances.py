"""`allow:`, the warnings that a spec allows, each with its reason: `allow: {W904: as in the published code}`."""

from __future__ import annotations

from archc.diagnostics import Allowance, Diagnostics, Source, Span, closest, codes, error
from archc.language.document import Mapping, Scalar, Value
from archc.language.spec import Step

ALLOWED = tuple(one for one in codes.CODES if one.startswith("W") and one != codes.UNUSED_ALLOWANCE.id)
EXAMPLE = "write it as in `allow: {W904: as in the published code}`"


def allowances(value: Value | None, diagnostics: Diagnostics, *, source: Source | None = None, steps: tuple[Step, ...] | None = None) -> tuple[Allowance, ...]:
    """The allowances in a mapping of codes to reasons; for one file alone, or for some steps and all in them."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        diagnostics.add(error(codes.WRONG_TYPE, value.span, "`allow` takes a mapping of warnings to reasons", help=EXAMPLE))
        return ()
    places = None if steps is None else frozenset(_places(steps))
    found: list[Allowance] = []
    for key, reason in value.entries.values():
        if key.text not in ALLOWED:
            _unknown(key, diagnostics)
        elif not isinstance(reason, Scalar) or not isinstance(reason.value, str) or not reason.text.strip():
            diagnostics.add(error(codes.WRONG_TYPE, reason.span, f"the allowance of {key.text} states no reason", help=EXAMPLE))
        else:
            found.append(Allowance(key.text, key.span, reason.text, source, places))
    return tuple(found)


def _unknown(key: Scalar, diagnostics: Diagnostics) -> None:
    words = {codes.CODES[one].word: one for one in ALLOWED}
    near = words.get(key.text) or closest(key.text, ALLOWED)
    if key.text in codes.CODES:
        message, help = f"{key.text} cannot be allowed: only warnings can, and not those about allowances", ""
    else:
        message, help = f"there is no warning `{key.text}`", f"did you mean `{near}`?" if near else "a warning's code is shown in its first line"
    diagnostics.add(error(codes.UNKNOWN_KEY, key.span, message, help=help))


def _places(steps: tuple[Step, ...]) -> list[Span]:
    """Where the steps stand, and those in them."""
    found: list[Span] = []
    waiting = list(steps)
    while waiting:
        step = waiting.pop()
        found.append(step.span)
        waiting.extend(step.body or ())
        for branch in step.branches or ():
            waiting.extend(branch.steps or ())
    return found
