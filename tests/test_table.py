"""`archc table` against the tables of the papers, copied into `facts/`, and what its formats do with odd names."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
import subprocess
from functools import cache
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from hypothesis import given

import archc
from archc.analyses.rows import rows
from archc.backends.table import cells, layout
from archc.backends.table.layout import Entry, Table
from archc.backends.table.writers import WRITERS
from archc.commands import main
from archc.commands.table import chosen
from archc.language.catalogue import shipped_paths
from tests.strategies import specs

FACTS = Path(__file__).resolve().parent / "facts"
FAMILIES = [path.stem for path in shipped_paths()]


def facts(name: str) -> list[dict[str, str]]:
    with (FACTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def made(*addresses: str) -> Table:
    return chosen(addresses, [], None)


def column(table: Table, name: str) -> list[str]:
    at = table.header.index(name)
    return [row[at].text for row in table.body]


def records(table: Table) -> list[dict[str, Any]]:
    return [{name: one.data for name, one in zip(table.header, row, strict=True)} for row in table.body]


# The papers' tables


@pytest.mark.parametrize("variant", ["A", "A-LRN", "B", "C", "D", "E"])
def test_vgg_is_table_1_cell_for_cell(variant: str) -> None:
    table = made("vgg")
    assert table.header == ("output", "A", "A-LRN", "B", "C", "D", "E")
    paper = [row[variant].replace(" RGB image", "").replace(" x ", "x") for row in facts("vgg_table")]
    found = [re.sub(r"\(224x224x3\)", "(224x224)", one) for one in column(table, variant)]
    assert f"{table.totals[0][table.header.index(variant)].text} weight layers" == paper[0]
    assert found == paper[1:]


def test_vgg_has_parameters_and_macs() -> None:
    table = made("vgg")
    checks = {row["configuration"]: row for row in facts("vgg_checks")}
    for at, variant in enumerate(table.header[1:], start=1):
        assert table.totals[1][at].value == int(checks[variant]["params_computed"])
        assert table.totals[2][at].value == int(checks[variant]["macs"])


def test_vgg_marks_what_the_paper_prints_bold() -> None:
    """Each configuration's difference from the one before; the paper prints the added layers in bold."""
    marked = [[at for at, row in enumerate(made("vgg").body) if row[column].changed] for column in range(1, 7)]
    assert marked == [[], [2], [2, 5], [9, 14, 19], [9, 14, 19], [10, 15, 20]]


def test_resnet_is_table_1() -> None:
    table = made("resnet")
    assert table.header == ("stage", "output", "18", "34", "50", "101", "152")
    assert column(table, "stage") == ["conv1", "max_pool", "stage1", "stage2", "stage3", "stage4", "head"]
    paper = facts("resnet_table")
    for at, row in enumerate(paper[:-1]):
        for variant in ("18", "34", "50", "101", "152"):
            wanted = re.sub(r" x(\d+)$", r" x \1", row[f"{variant}-layer"].replace("x3,", "x3, ").replace("x1,", "x1, "))
            wanted = wanted.replace(",  ", ", ")
            assert column(table, variant)[at] == wanted
    sizes = [one or "56x56" for one in column(table, "output")]
    assert sizes[:-1] == [row["output_size"] for row in paper[:-2]]


def test_resnet_has_the_papers_flops() -> None:
    """The paper's FLOPs are multiply-accumulates, two digits of them; its strides stand at other convolutions."""
    table = made("resnet")
    claims = facts("resnet_table")[-1]
    for at, variant in enumerate(table.header[2:], start=2):
        assert table.totals[2][at].value == pytest.approx(float(claims[f"{variant}-layer"]), rel=0.08)


def test_efficientnet_is_table_1() -> None:
    """The stages of B0; the paper's last row is our last four."""
    table = made("efficientnet")
    found = records(table)
    assert table.layout == "stages"
    for row, paper in zip(found[1:8], facts("efficientnet_table")[1:8], strict=True):
        assert f"{row['operator']}{row['expand']}, k{row['kernel']}x{row['kernel']}".lower() == paper["operator"].lower()
        assert row["input"].startswith(f"{paper['resolution']}x")
        assert row["channels"] == int(paper["channels"])
        assert row["layers"] == int(paper["layers"])
        assert row["stride"] == int(paper["stride_of_first_layer"])
        assert (row["parameters"], row["MACs"]) == (int(paper["params_total_keras"]), int(paper["macs"]))
    first, top = facts("efficientnet_table")[0], facts("efficientnet_table")[-1]
    assert (found[0]["patch/stride"], found[0]["channels"], found[0]["MACs"]) == ("3x3/2", int(first["channels"]), int(first["macs"]))
    assert sum(row["parameters"] for row in found[8:]) == int(top["params_total_keras"])


def test_googlenet_is_table_1() -> None:
    """Every row of the paper that is a layer or a module; its second convolution, with a reduction, is two of ours."""
    found = [row for row in records(made("googlenet")) if row["operator"] not in ("LRN", "softmax")]
    paper = [row for row in facts("googlenet_table") if row["type"] != "softmax"]
    second = paper.index(next(row for row in paper if row["n3x3_reduce"] == "64"))
    reduction = found.pop(second)
    assert (reduction["patch/stride"], reduction["channels"], found[second]["channels"]) == ("1x1/1", 64, 192)
    for at, (row, wanted) in enumerate(zip(found, paper, strict=True)):
        assert wanted["output_size"] in (row["output"], f"1x1x{row['output']}")
        if wanted["type"].startswith("inception"):
            assert f"{row['operator']} ({row['stage']})" == wanted["type"]
            assert row["depth"] == int(wanted["depth"])
            for name in ("n1x1", "n3x3_reduce", "n3x3", "n5x5_reduce", "n5x5", "pool_proj"):
                assert row[name] == int(wanted[name])
            assert row["parameters"] == int(wanted["params_with_bias_computed"])
            assert row["MACs"] == int(wanted["macs_computed"])
        elif wanted["patch_size_stride"] and wanted["type"] != "avg pool":
            assert row["patch/stride"] == wanted["patch_size_stride"]
            assert row["depth"] == int(wanted["depth"]) or at == second


def test_mobilenetv2_is_table_2() -> None:
    """The columns t, c, n and s of the bottleneck's rows."""
    found = [row for row in records(made("mobilenetv2")) if row["operator"] == "mbconv"]
    paper = [row for row in facts("mobilenetv2_table") if row["operator"] == "bottleneck"]
    for row, wanted in zip(found, paper, strict=True):
        assert (row["expand"], row["channels"], row["layers"]) == (int(wanted["t"]), int(wanted["c"]), int(wanted["n"]))
        assert row["input"] == wanted["input"]
        assert row["output"] == wanted["output_measured"]
        assert (row["parameters"], row["MACs"]) == (int(wanted["params_total_keras"]), int(wanted["macs"]))


# Any family


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_a_table(name: str) -> None:
    """Both layouts have something to say of each, and no node is lost or counted twice, whatever the network is made of."""
    family = archc.load(name)
    networks = [family.compile(variant or None).analysed for variant in family.own()][:8]
    for one in networks:
        held = [node.index for row in rows(one.graph) for node in row.nodes]
        assert sorted(held) == [node.index for node in one.graph.nodes if node.index not in one.graph.inputs]
    for form in ("variants", "stages"):
        table = layout.table(family.title, networks, form)
        assert table.body
        assert {len(row) for row in (*table.body, *table.totals)} == {len(table.header)}
        assert all(any(one.text for one in row[table.labels :]) for row in table.body)


@given(specs())
def test_drawn_networks_have_tables(text: str) -> None:
    """Whatever a spec says, every node is in one row, and every form can be written."""
    network = archc.load("-", text.encode()).compile().analysed
    graph = network.graph
    held = [node.index for row in rows(graph) for node in row.nodes]
    assert sorted(held) == [node.index for node in graph.nodes if node.index not in graph.inputs]
    for form in ("variants", "stages"):
        table = layout.table("net", [network], form)
        assert {len(row) for row in (*table.body, *table.totals)} == {len(table.header)}
        assert all(write(table) for write in WRITERS.values())


def test_chosen_variants_stand_side_by_side() -> None:
    assert made("vgg:D", "vgg:E").header == ("output", "D", "E")
    assert made("vgg:D", "resnet:18").header == ("stage", "output", "vgg:D", "resnet:18")
    assert len(made("vgg:*").header) == 14
    assert made("vgg:D").layout == "stages"


def test_two_networks_differ_in_marked_cells_alone() -> None:
    table = made("vgg:D", "vgg:E")
    added = [row[2].text for row in table.body if row[2].changed]
    assert added == ["conv3-256", "conv3-512", "conv3-512"]


def test_side_heads_stand_by_themselves() -> None:
    """The auxiliary heads of GoogLeNet share no row with the head of the network without them."""
    table = made("googlenet:main", "googlenet:aux")
    heads = [(row[2].text, row[3].text) for row in table.body if row[0].text == "head"]
    own = "average pool, 1000-d fc, softmax"
    assert heads == [("", "1024-d fc, 1000-d fc, softmax"), ("", "1024-d fc, 1000-d fc, softmax"), (own, own)]


def test_single_layers_are_one_row_whatever_they_are_called() -> None:
    table = made("lenet")
    assert [row[2].text for row in table.body][:4] == ["5x5, 6", "2x2 avg pool, stride 2", "5x5, 16", "2x2 avg pool, stride 2"]
    assert [row[3].text for row in table.body][2] == "[5x5, 1 x 16]"


def test_blocks_read_as_in_papers() -> None:
    def cell(address: str, stage: str) -> str:
        return next(cells.text(cells.of_row(row, False)) for row in rows(archc.compile(address).graph) if row.name == stage)

    assert cell("densenet:121", "block1") == "[1x1, 128; 3x3, 32] x 6"
    assert cell("unet:2015", "up1") == "2x2 transposed, 512, stride 2, [3x3, 512] x 2"
    assert cell("efficientnet:b0", "stage1") == "[3x3 depthwise; SE; 1x1, 16]"
    assert cell("convnext:tiny", "stage1") == "[7x7 depthwise; 384-d fc; 96-d fc] x 3"


# Formats


ODD = ["=1+1", "a|b", "<script>alert(1)</script>", "\\input{x} $x$ 50% a_b #1 & ~ ^", "*bold* _it_ `code` [l](http://x)", "@SUM(A1)", '"quoted", comma', "-1", "a\nb", "--- ,, << >> ?` `` ''"]


@pytest.fixture
def odd() -> Table:
    body = tuple((Entry(one), Entry(one, changed=True), Entry("7", 7)) for one in ODD)
    blocks = (Entry(), Entry("[a; b] x 2", blocks=(cells.Cell(("<i>&", "3x3, \\x"), 2, True),), changed=True), Entry())
    return Table("<odd> & $names$ | =x", "variants", ("stage", "=cmd|' /C calc'!A0", "<b>"), (*body, blocks), ((Entry("total"), Entry(), Entry("63", 63)),), 1)


def test_csv_has_no_formulas(odd: Table) -> None:
    read = list(csv.reader(io.StringIO(WRITERS["csv"](odd))))
    assert {len(row) for row in read} == {3}
    assert not [one for row in read for one in row if one[:1] in tuple("=+-@|\t\r")]
    assert read[1] == ["'=1+1", "'=1+1", "7"]


def test_html_has_no_markup_of_names(odd: Table) -> None:
    found: list[str] = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            found.append(tag)

    Reader().feed(WRITERS["html"](odd))
    assert set(found) <= {"html", "head", "meta", "title", "style", "body", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "br"}


def test_latex_has_no_commands_of_names(odd: Table) -> None:
    text = WRITERS["latex"](odd)
    assert "\\input" not in text
    assert "\\textbackslash{}input\\{x\\} \\$x\\$ 50\\% a\\_b \\#1 \\& " in text
    assert text.count(" \\\\\n") == len(odd.body) + len(odd.totals) + 1


def latex_cells(text: str) -> list[list[str]]:
    """The rows of the `tabular` as a parser of LaTeX reads them, set as plain text."""
    walker = pytest.importorskip("pylatexenc.latexwalker")
    nodes, _, _ = walker.LatexWalker(text, tolerant_parsing=False).get_latex_nodes()
    [table] = [one for one in nodes if one.isNodeType(walker.LatexEnvironmentNode)]
    assert table.environmentname == "table"
    [tabular] = [one for one in table.nodelist if one.isNodeType(walker.LatexEnvironmentNode)]
    assert tabular.environmentname == "tabular"
    texts = pytest.importorskip("pylatexenc.latex2text")
    known = texts.get_default_latex_context_db()
    signs = {"textbar": "|", "textquotedbl": '"', "textasciigrave": "`", "textquotesingle": "'", "textasciicircum": "^", "textasciitilde": "~", "textless": "<", "textgreater": ">"}
    known.add_context_category("signs", prepend=True, macros=[texts.MacroTextSpec(name, sign) for name, sign in signs.items()])
    set_as = texts.LatexNodes2Text(latex_context=known, math_mode="text")
    rows: list[list[list[object]]] = [[[]]]
    for node in tabular.nodelist:
        if node.isNodeType(walker.LatexMacroNode) and node.macroname in ("toprule", "midrule", "bottomrule", "addlinespace"):
            continue
        if node.isNodeType(walker.LatexMacroNode) and node.macroname == "\\":
            rows.append([[]])
        elif node.isNodeType(walker.LatexSpecialsNode) and node.specials_chars == "&":
            rows[-1].append([])
        else:
            rows[-1][-1].append(node)
    found = [[" ".join(set_as.nodelist_to_text(cell).split()) for cell in row] for row in rows]
    assert found.pop() == [""]
    return found


def test_a_parser_of_latex_reads_the_cells_back(odd: Table) -> None:
    head, *body = latex_cells(WRITERS["latex"](odd))
    assert head == ["stage", "=cmd|' /C calc'!A0", "<b>"]
    for found, row in zip(body, odd.body):
        if not row[1].blocks:
            assert found == [" ".join(one.text.split()) for one in row]
    assert body[-1] == ["total", "", "63"]


@pytest.mark.parametrize("family", ["vgg", "resnet", "googlenet", "efficientnet"])
def test_a_parser_of_latex_reads_papers_tables(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", family, "--format", "latex"]) == 0
    read = latex_cells(capsys.readouterr().out)
    assert main(["table", family, "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {len(row) for row in read} == {len(data["columns"])}
    assert len(read) == 1 + len(data["rows"]) + len(data["totals"])
    first = [data["columns"][0], *(str(row["cells"][0]) for part in ("rows", "totals") for row in data[part])]
    assert all(row[0] in ("", name) for row, name in zip(read, first))


@pytest.mark.slow
@pytest.mark.skipif(which("pdflatex") is None, reason="no TeX here")
@pytest.mark.parametrize("family", ["vgg", "resnet", "odd"])
def test_tex_sets_the_table(family: str, odd: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A document with the packages that the first line names."""
    if family == "odd":
        table = WRITERS["latex"](odd)
    else:
        assert main(["table", family, "--format", "latex"]) == 0
        table = capsys.readouterr().out
    packages = table.splitlines()[0].removeprefix("% ")
    (tmp_path / "t.tex").write_text(f"\\documentclass{{article}}{packages}\\begin{{document}}{table.split(chr(10), 1)[1]}\\end{{document}}", encoding="utf-8")
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "t.tex"], cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]


def test_markdown_keeps_its_columns(odd: Table) -> None:
    lines = [one for one in WRITERS["markdown"](odd).splitlines() if one.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", one)) for one in lines} == {4}
    assert "\\<script\\>" in "".join(lines)
    assert "\\[l\\](http\\://x)" in "".join(lines)


def test_json_says_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", "vgg:D", "vgg:E", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["columns"] == ["output", "D", "E"]
    assert data["totals"][1] == {"cells": ["parameters", 138357544, 143667240], "changed": [2]}


@pytest.mark.parametrize("format", ["text", *WRITERS])
def test_formats_are_the_same_each_time(format: str, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for _ in range(2):
        assert main(["table", "resnet", "--format", format]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != ""


def test_a_narrow_terminal_breaks_the_table_between_columns() -> None:
    from rich.console import Console

    from archc.backends.table.text import text

    shown = text(made("resnet"), Console(width=80, no_color=True), colour=False, unicode=True)
    assert max(map(len, shown.splitlines()[:-2])) <= 80
    assert shown.count("conv1 ") > 1
