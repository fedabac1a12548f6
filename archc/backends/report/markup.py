"""Texts as parts of a page: whatever they hold, they are never markup or script."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files

from archc.backends.diagram.words import sound


def text(value: object) -> str:
    """A text as HTML, also within an attribute's quotes; without control characters and those that turn its direction.

    >>> text('</script> & "more"')
    '&lt;/script&gt; &amp; &quot;more&quot;'
    """
    return escape(sound(str(value)), quote=True)


def attributes(values: dict[str, object]) -> str:
    """Attributes of an element; those that are `None` are left out. Names are written as Python writes them.

    >>> attributes({"class_": "number", "data_share": 3, "title": None})
    ' class="number" data-share="3"'
    """
    return "".join(f' {name.rstrip("_").replace("_", "-")}="{text(value)}"' for name, value in values.items() if value is not None)


def cell(content: object, value: object = None, tag: str = "td", **more: object) -> str:
    """A cell of a table; `value` is what it is sorted by, where that is not what it shows."""
    return f"<{tag}{attributes({'data_order': value, **more})}>{text(content)}</{tag}>"


def resource(name: str) -> str:
    """A file that the report is made of, by its path in this package."""
    return files("archc.backends.report").joinpath(name).read_text(encoding="utf-8").strip() + "\n"


def digest(content: str) -> str:
    """How a content security policy names an inline script or style sheet."""
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
