"""The engine's SVG -> ours: accessible, plain, and the same on every run."""

from __future__ import annotations

import re
from xml.etree import ElementTree

SVG = "http://www.w3.org/2000/svg"
XLINK_TITLE = "{http://www.w3.org/1999/xlink}title"
XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
DOCTYPE = re.compile(rb"<!DOCTYPE[^>]*>")


def polish(data: bytes, title: str, description: str) -> str:
    """The SVG with a title and description for readers of any kind, and tooltips that browsers show.

    Comments (they name the engine's version), the document type (it points elsewhere) and the engine's
    link elements are left out.
    """
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(DOCTYPE.sub(b"", data, count=1))  # noqa: S314 - the engine wrote it, and its document type is gone
    for group in root.iter(f"{{{SVG}}}g"):
        _tooltip(group)
    for text in root.iter(f"{{{SVG}}}text"):
        text.attrib.pop(XML_SPACE, None)
    root.attrib.update({"role": "img", "aria-labelledby": "archc-title archc-desc"})
    root.insert(0, _named("desc", "archc-desc", description))
    root.insert(0, _named("title", "archc-title", title))
    root[0].tail = root[1].tail = "\n"
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _tooltip(group: ElementTree.Element) -> None:
    """Replaces the engine's `<title>n0</title> ... <a xlink:title="...">` by a title that holds the tooltip."""
    wrappers = [child for child in group if child.get("id", "").startswith("a_") and len(child) == 1]
    name = group.find(f"{{{SVG}}}title")
    if name is None:
        return
    if not wrappers:
        group.remove(name)
        return
    tip = wrappers[0][0].get(XLINK_TITLE, "").strip()
    for wrapper in wrappers:
        at = list(group).index(wrapper)
        group.remove(wrapper)
        for offset, child in enumerate(list(wrapper[0])):
            group.insert(at + offset, child)
    name.text = tip
    if not tip:
        group.remove(name)


def _named(tag: str, name: str, text: str) -> ElementTree.Element:
    element = ElementTree.Element(f"{{{SVG}}}{tag}", {"id": name})
    element.text = text
    return element
