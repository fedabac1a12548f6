"""Colour and outline by role: Okabe-Ito borders, pale tints, readable text. The only place that knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archc.backends.diagram.tree import Box, Direction
from archc.operators import Role

ThemeName = Literal["light", "dark"]

COLOURS: dict[Role, str] = {
    Role.INPUT: "#000000",
    Role.CONVOLUTION: "#0072B2",
    Role.POOLING: "#D55E00",
    Role.NORMALISATION: "#E69F00",
    Role.DENSE: "#009E73",
    Role.MERGE: "#CC79A7",
    Role.ACTIVATION: "#56B4E9",
    Role.RESHAPING: "#777777",
    Role.REGULARISATION: "#777777",
    Role.OTHER: "#555555",
}
OUTLINES: dict[Role, dict[str, str]] = {
    Role.INPUT: {"shape": "box", "style": "filled,rounded"},
    Role.CONVOLUTION: {"shape": "box"},
    Role.POOLING: {"shape": "polygon", "sides": "4", "distortion": "0.16", "margin": "0.0,0.02"},
    Role.NORMALISATION: {"shape": "box"},
    Role.DENSE: {"shape": "box"},
    Role.MERGE: {"shape": "box", "height": "0.22", "margin": "0.08,0.02"},
    Role.ACTIVATION: {"shape": "box", "style": "filled,rounded", "height": "0.24"},
    Role.RESHAPING: {"shape": "box", "height": "0.24"},
    Role.REGULARISATION: {"shape": "box", "style": "filled,dashed", "height": "0.24"},
    Role.OTHER: {"shape": "box"},
}
NAMES: dict[Role, str] = {Role.INPUT: "input", Role.RESHAPING: "reshape", Role.OTHER: "other"}
"""Words for the legend, where they are not the role's own."""

FONT = "Helvetica"
BOLD = "Helvetica-Bold"
CIRCLE = {"shape": "circle", "width": "0.26", "fixedsize": "true", "margin": "0", "fontsize": "13"}
BAR_PER_INPUT = {"TB": 0.55, "LR": 0.3}
"""A joining merge is a bar across what it joins."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours that are not a role's."""

    background: str
    text: str
    faint: str
    edge: str
    frame: str
    tint: float
    lift: float

    def fill(self, colour: str) -> str:
        """A tint of a colour on the background."""
        return mix(self.line(colour), self.background, self.tint)

    def line(self, colour: str) -> str:
        """A border's colour, lifted off a dark background."""
        return mix(colour, self.text, 1 - self.lift) if self.lift else colour


THEMES: dict[ThemeName, Theme] = {
    "light": Theme("#FFFFFF", "#1A1A1A", "#595959", "#444444", "#9A9A9A", 0.14, 0.0),
    "dark": Theme("#15191E", "#ECECEC", "#A8B0B8", "#B0B6BC", "#6B737B", 0.24, 0.35),
}


def mix(colour: str, other: str, share: float) -> str:
    """So much of one colour, the rest of another.

    >>> mix("#000000", "#FFFFFF", 0.5)
    '#808080'
    """
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one * share + two * (1 - share)):02X}" for one, two in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def box_style(box: Box, inputs: int, label: str, theme: Theme, direction: Direction) -> dict[str, str]:
    """The attributes of a drawn node."""
    style = role_style(box.role, theme)
    if box.title:
        return {**style, "style": "filled,rounded", "penwidth": "1.6", "margin": "0.2,0.07"}
    if box.role is Role.MERGE and len(label) == 1:
        return {**style, **CIRCLE}
    if box.role is Role.MERGE and len(box.members) > 1:
        return {**style, "style": "filled,rounded"}
    if box.role is Role.MERGE:
        side, least = ("width", 0.8) if direction == "TB" else ("height", 0.3)
        return {**style, side: f"{max(least, BAR_PER_INPUT[direction] * inputs):.2f}"}
    if _grouped(box):
        return {**style, "peripheries": "2"}
    if box.outputs:
        return {**style, "penwidth": "2"}
    return style


def role_style(role: Role, theme: Theme) -> dict[str, str]:
    """The attributes that all nodes of a role have."""
    colour = COLOURS[role]
    return {"class": css_class(role), "color": theme.line(colour), "fillcolor": theme.fill(colour), **OUTLINES[role]}


def css_class(role: Role) -> str:
    """The class of a role's nodes in SVG."""
    return f"role-{role.value}"


def _grouped(box: Box) -> bool:
    """True for convolutions whose filters see some of the channels only."""
    if box.role is not Role.CONVOLUTION:
        return False
    groups = box.head.operator.attributes().get("groups", 1)
    return box.head.operator.name.startswith("depthwise") or (isinstance(groups, int) and groups > 1)
