"""The page as a whole: its head, its sections, and all scripts and styles in it."""

from __future__ import annotations

from collections.abc import Sequence

from archc.analyses import AnalysedGraph
from archc.analyses.expectations import Expectation
from archc.analyses.memory import Memory, memory
from archc.backends.diagram.styles import recolouring
from archc.backends.diagram.words import amount_text, shape_text, shown
from archc.backends.report.costs import bytes_text, sums
from archc.backends.report.listing import listing
from archc.backends.report.markup import attributes, digest, resource, text
from archc.backends.report.origins import Origins
from archc.backends.report.tables import by_part, checked, kinds, layers
from archc.backends.report.views import Drawn, Views, chart_parts, views
from archc.graph.graph import Graph

SCRIPTS = ("vendor/panzoom.min.js", "vendor/datatables.min.js", "vendor/chartist.umd.js", "assets/report.js")
STYLES = ("vendor/chartist.css", "assets/report.css")

LEGEND = (
    '<ul class="legend"><li><span class="params"></span>parameters</li><li><span class="macs"></span>MACs</li>'
    '<li><span class="bytes"></span>memory of outputs</li></ul>\n'
)


def page(graph: Graph, expectations: Sequence[Expectation] = ()) -> str:
    """The report about a network, as HTML."""
    analysed, origins = AnalysedGraph(graph), Origins(graph)
    held = memory(graph, analysed.cost)
    scripts = [resource(one) for one in SCRIPTS]
    dark = "@media screen{" + "".join(recolouring("colour", ":root[data-theme=dark] #drawing ")) + "}\n"
    style = "".join(resource(one) for one in STYLES) + dark
    parts = [
        _head(graph, scripts, style),
        _heading(graph, analysed, held),
        "<main>",
        _workspace(graph, analysed, origins),
        _section("cost", "Cost by block", f'{LEGEND}<div id="chart" aria-hidden="true"></div>\n<div class="scroll" tabindex="0" role="region" aria-label="Cost by block, as a table">{by_part(sums(chart_parts(graph), analysed, held))}</div>'),
        _section("checks", "Checks", f'<div class="scroll" tabindex="0" role="region" aria-label="Checked facts">{checked(expectations)}</div>'),
        _section("spec", "Spec", f"<p>Lines that belong together are marked together; each leads to the other.</p>\n<div class=\"panes\">{listing(graph, origins)}</div>"),
        "</main>",
        _foot(),
        *(f"<script>{one}</script>" for one in scripts),
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _head(graph: Graph, scripts: list[str], style: str) -> str:
    allowed = " ".join(map(digest, scripts))
    policy = f"default-src 'none'; script-src {allowed}; style-src-elem {digest(style)}; style-src-attr 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="archc">
<link rel="icon" href="data:,">
<title>{text(shown(_title(graph), 200))}</title>
<style>{style}</style>
</head>
<body>"""


def _title(graph: Graph) -> str:
    return graph.title or graph.address


def _heading(graph: Graph, analysed: AnalysedGraph, held: Memory) -> str:
    cost = analysed.cost
    read = ", ".join(shape_text(graph.nodes[index].shape) for index in graph.inputs[:4])
    made = ", ".join(shape_text(graph.shape(tensor)) for _, tensor in graph.outputs[:4])
    figures = {
        "parameters": f"{amount_text(cost.params)}",
        "MACs": "open" if cost.macs is None else amount_text(cost.macs),
        "layers": f"{len(graph.nodes) - len(graph.inputs):,}",
        "memory of outputs": "open" if held.activations is None else bytes_text(held.activations),
        "peak in inference": "open" if held.peak is None else bytes_text(held.peak.bytes),
        "input": read + (" …" if len(graph.inputs) > 4 else ""),
        "output": made + (" …" if len(graph.outputs) > 4 else ""),
    }
    told = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in figures.items())
    source = ", ".join(str(graph.source[key]) for key in ("authors", "title", "year") if key in graph.source)
    about = [f"<p>{text(graph.doc)}</p>"] if graph.doc else []
    about += [f'<p class="faint">{text(source)}</p>'] if source else []
    return f"""<a class="skip" href="#layers-region">Skip to the table of layers</a>
<header>
<div><h1>{text(shown(_title(graph), 200))}</h1> <code>{text(shown(graph.address, 200))}</code></div>
<button type="button" id="theme" aria-pressed="false">Dark</button>
{"".join(about)}
<dl>{told}</dl>
</header>"""


def _workspace(graph: Graph, analysed: AnalysedGraph, origins: Origins) -> str:
    drawn = views(graph)
    levels = _distinct(drawn.levels)
    hidden = [*levels[1:], *drawn.opened]
    stored = "\n".join(f"<template{attributes({'id': f'view-{one.key}', 'data_title': one.title})}>{one.svg}</template>" for one in hidden)
    return f"""<div class="workspace" id="workspace">
<section id="diagram" aria-labelledby="diagram-title">
<h2 id="diagram-title">Diagram</h2>
<div class="tools">
<fieldset id="levels"{"" if levels[1:] else " hidden"}><legend class="unseen">Detail</legend>{_choices(levels)}</fieldset>
<span class="zoom"><button type="button" id="smaller" aria-label="Zoom out">−</button><button type="button" id="larger" aria-label="Zoom in">+</button><button type="button" id="fit">Fit</button><button type="button" id="wide" aria-pressed="false">Wide</button></span>
</div>
<div id="viewport" tabindex="0" role="region" aria-label="Diagram: arrow keys move it, plus and minus zoom, 0 fits it" aria-describedby="hint">
<div id="drawing" data-view="{levels[0].key}">{levels[0].svg}</div>
</div>
<p id="hint" class="faint">{_hint(drawn)}</p>
<p id="detail" role="status"></p>
{stored}
</section>
<section id="table" aria-labelledby="layers-title">
<h2 id="layers-title">Layers</h2>
<div class="tools" role="search" aria-label="Layers">
<label for="search">Find</label> <input type="search" id="search" autocomplete="off" spellcheck="false" placeholder="name, operator, attribute">
<label for="kind">Kind</label> <select id="kind">{kinds(graph.nodes)}</select>
<button type="button" id="next">Next in diagram</button>
<span id="found" role="status"></span>
</div>
<div class="scroll" id="layers-region" tabindex="0" role="region" aria-label="Table of layers">
{layers(analysed, origins)}
</div>
</section>
</div>"""


def _distinct(levels: Sequence[Drawn]) -> list[Drawn]:
    """The levels, without those that look like one before."""
    return list({one.svg: one for one in reversed(levels)}.values())[::-1]


def _choices(levels: Sequence[Drawn]) -> str:
    return "".join(
        f'<label><input type="radio" name="level" value="{one.key}"{" checked" if not number else ""}> {text(one.title)}</label>' for number, one in enumerate(levels)
    )


def _hint(drawn: Views) -> str:
    parts = ["Drag to move, pinch or hold Ctrl and turn the wheel to zoom."]
    if drawn.opened:
        parts.append("Press a block to open it where it stands, and its frame to close it; one is open at a time.")
    if not drawn.all_open:
        parts.append("This network has too many blocks to open the innermost ones here; the level Layers shows them.")
    return " ".join(parts)


def _section(name: str, title: str, content: str) -> str:
    return f'<section id="{name}" aria-labelledby="{name}-title">\n<h2 id="{name}-title">{title}</h2>\n{content}\n</section>'


def _foot() -> str:
    return f"""<footer>
<p>Made by archc. Nothing on this page is loaded from elsewhere, and nothing is sent.</p>
<details><summary>Licences of Panzoom, DataTables and Chartist, which are in this page</summary>
<pre>{text(resource("vendor/LICENSES.md"))}</pre></details>
</footer>"""
