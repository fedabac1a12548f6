"""A Vega-Lite specification as SVG, PNG, HTML or JSON. Pictures and pages need vl-convert (`pip install 'archc[charts]'`)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from archc.backends.base import Artefact
from archc.backends.tabular import Table, comma_separated, markdown, page

KINDS = {"svg": "svg", "png": "png", "html": "html", "vega": "vl.json", "csv": "csv", "markdown": "md"}
"""What a comparison is written as, and the ends of the files' names."""
PICTURES = ("svg", "png", "html")
VERSION = "6.1"
GLOBALS = "window.vegaEmbed = vegaEmbed;"
SCALE = 2.0
"""Pixels of a PNG for each point of the chart."""


def artefacts(stem: str, spec: dict[str, Any], table: Table, kinds: Sequence[str]) -> list[Artefact]:
    """The files of one chart. A kind of `PICTURES` needs vl-convert."""
    return [Artefact.data(f"{stem}.{KINDS[kind]}", _bytes(kind, spec, table)) for kind in kinds]


def _bytes(kind: str, spec: dict[str, Any], table: Table) -> bytes:
    if kind == "vega":
        return f"{json.dumps(spec, indent=1, ensure_ascii=False)}\n".encode()
    if kind == "csv":
        return comma_separated(table).encode()
    if kind == "markdown":
        return markdown(table).encode()
    import vl_convert

    if kind == "svg":
        return numbered(vl_convert.vegalite_to_svg(spec, vl_version=VERSION)).encode()
    if kind == "png":
        return vl_convert.vegalite_to_png(spec, vl_version=VERSION, scale=SCALE)
    return interactive(spec, table, vl_convert.javascript_bundle(GLOBALS, vl_version=VERSION)).encode()


def numbered(svg: str) -> str:
    """The picture with its clips numbered from 1: Vega counts on from chart to chart of one process."""
    names: dict[str, str] = {}
    return re.sub(r"\b(clip|gradient_)\d+\b", lambda one: names.setdefault(one[0], f"{one[1]}{len(names) + 1}"), svg)


def interactive(spec: dict[str, Any], table: Table, bundle: str) -> str:
    """One page with nothing to load: the chart (tooltips, zoom, families by a click), and the figures as a table below it."""
    data = json.dumps(spec, ensure_ascii=False).replace("</", "<\\/")
    code = bundle.replace("</script", "<\\/script")
    chart = (
        '<div id="chart" role="figure" aria-label="The chart; the table below has its figures."></div>\n'
        f"<script>{code}</script>\n"
        f'<script>\nvegaEmbed("#chart", {data}, {{renderer: "svg", actions: {{export: true, source: false, compiled: false, editor: false}}}});\n</script>'
    )
    return page(table, f"{chart}\n<p>Click a family in the legend to single it out; scroll to zoom, drag to move, double-click to go back.</p>")
