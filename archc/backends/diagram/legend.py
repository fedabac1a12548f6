"""The legend: the roles that are drawn and the signs that are used. A table of our own words, never of the text's."""

from __future__ import annotations

from archc.backends.diagram.styles import NAMES, Theme, role_style
from archc.backends.diagram.tree import Direction, Outline
from archc.operators import Role

ACROSS: dict[Direction, int] = {"TB": 3, "LR": 10}
FOLD = "<B>× N</B>  N equal blocks in a row"
SKIP = "- - -  skip connection"


class Markup(str):
    """A label that is markup. The only one is made here, of our own words and numbers."""

    __slots__ = ()


def table(outline: Outline, direction: Direction, theme: Theme, totals: bool = False) -> Markup:
    """The legend as an HTML-like label; with the totals above it, where they have no other place."""
    roles = {box.role for box in outline.boxes if not box.title}
    cells = [_swatch(role, theme) for role in Role if role in roles]
    signs = [SKIP] if outline.skips else []
    if outline.folded:
        signs.append(FOLD)
    across = ACROSS[direction]
    rows = ["".join(cells[start : start + across]) for start in range(0, len(cells), across)]
    if signs and direction == "TB":
        rows.append(_text("   ".join(signs), across))
    elif signs:
        rows[0] += _text("   ".join(signs), 1)
    if totals:
        rows.insert(0, _text("<BR/>".join(outline.totals.split("\n")), across))
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return Markup(f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="1">{body}</TABLE>>')


def _swatch(role: Role, theme: Theme) -> str:
    style = role_style(role, theme)
    drawn = [name for name in ("rounded", "dashed") if name in style.get("style", "")]
    kind = f' STYLE="{drawn[0].upper()}"' if drawn else ""
    name = NAMES.get(role, role.value)
    cell = f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" COLOR="{style["color"]}"'
    return f'<TD>{cell} BGCOLOR="{style["fillcolor"]}"{kind}><TR><TD> {name} </TD></TR></TABLE></TD>'


def _text(text: str, span: int) -> str:
    return f'<TD COLSPAN="{span}">{text}</TD>'
