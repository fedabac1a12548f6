"""Colour and outline by role, in palettes and themes. The only place that knows them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from archc.backends.diagram.tree import Box
from archc.operators import Role

ThemeName = Literal["light", "dark", "auto"]
PaletteName = Literal["colour", "mono", "print"]

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
"""The colours of Okabe and Ito, which people of every colour vision tell apart."""

GREYS: dict[Role, float] = {Role.CONVOLUTION: 0.16, Role.DENSE: 0.34, Role.NORMALISATION: 0.08, Role.INPUT: 0.24}
"""How dark a role is filled in greys; the others are white."""

NAMES: dict[Role, str] = {Role.INPUT: "input", Role.RESHAPING: "reshape", Role.OTHER: "other"}
"""Words for the legend, where they are not the role's own."""

FONT = "Helvetica"


class Theme(NamedTuple):
    """The colours that are not a role's, and how roles are coloured on this ground."""

    background: str
    text: str
    faint: str
    edge: str
    frame: str
    ground: str
    tint: float
    lift: float
    palette: PaletteName = "colour"

    @property
    def width(self) -> float:
        """The width of a box's line."""
        return 1.0 if self.palette == "mono" else 1.2

    def role(self, role: Role) -> tuple[str, str]:
        """A role's line and fill."""
        if self.palette == "mono":
            return self.edge, mix(self.text, self.background, GREYS.get(role, 0.0))
        line = mix(COLOURS[role], self.text, 1 - self.lift) if self.lift else COLOURS[role]
        return line, self.background if self.palette == "print" else mix(line, self.background, self.tint)


LIGHT = Theme("#FFFFFF", "#1A1A1A", "#595959", "#444444", "#9A9A9A", "#F8F8F8", 0.14, 0.0)
DARK = Theme("#15191E", "#ECECEC", "#A8B0B8", "#B0B6BC", "#6B737B", "#1B2027", 0.24, 0.35)


def theme_of(name: ThemeName, palette: PaletteName = "colour") -> Theme:
    """A theme in a palette; `auto` is light, and dark where the reader's system is (`dark_rules`)."""
    base = DARK if name == "dark" else LIGHT
    ground = base.background if palette == "print" else base.ground
    return Theme(base.background, base.text, base.faint, base.edge, base.frame, ground, base.tint, base.lift, palette)


def dark_rules(palette: PaletteName) -> str:
    """The style sheet that turns a light picture dark where the reader's system is."""
    return "@media (prefers-color-scheme:dark){" + "".join(recolouring(palette)) + "}"


def recolouring(palette: PaletteName, within: str = "") -> list[str]:
    """The rules that turn a light picture dark, by its colours; `within` is a selector that they are limited to."""
    dark, light = theme_of("dark", palette), theme_of("light", palette)
    pairs = [(getattr(light, one), getattr(dark, one)) for one in ("background", "text", "faint", "edge", "frame", "ground")]
    pairs += [pair for role in Role for pair in zip(light.role(role), dark.role(role), strict=True)]
    seen: dict[str, str] = {}
    for one, other in pairs:
        seen.setdefault(one, other)
    rules = [f'{within}[fill="{one}"]{{fill:{other}}}{within}[stroke="{one}"]{{stroke:{other}}}' for one, other in seen.items()]
    return [*rules, f'{within}text[fill="{light.background}"]{{fill:{dark.background}}}']


def mix(colour: str, other: str, share: float) -> str:
    """So much of one colour, the rest of another.

    >>> mix("#000000", "#FFFFFF", 0.5)
    '#808080'
    """
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one * share + two * (1 - share)):02X}" for one, two in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def css_class(role: Role) -> str:
    """The class of a role's nodes in SVG."""
    return f"role-{role.value}"


def room_beside(box: Box) -> float:
    """The room between a box's text and its sides."""
    return 17.0 if box.role is Role.POOLING else 11.0 if box.title else 9.0


def grouped(box: Box) -> bool:
    """True for convolutions whose filters see some of the channels only; they have a double border."""
    if box.role is not Role.CONVOLUTION:
        return False
    groups = box.head.operator.attributes().get("groups", 1)
    return box.head.operator.name.startswith("depthwise") or (isinstance(groups, int) and groups > 1)
