"""Names and texts of a spec are shown and never run: in no output do they become code, markup, a formula or a path."""

from __future__ import annotations

import ast
import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc import Compiled, load
from archc.backends import BACKENDS, backend
from archc.backends.base import Artefact
from archc.commands import main

SVG = "{http://www.w3.org/2000/svg}"
NODES = {
    "Module", "FunctionDef", "arguments", "arg", "Return", "Expr", "Constant", "Call", "Name", "Load", "Store", "Attribute", "Assign", "keyword", "List",
    "Tuple", "For", "If", "IfExp", "Compare", "BinOp", "UnaryOp", "BoolOp", "Import", "ImportFrom", "alias", "Subscript", "Slice", "JoinedStr", "FormattedValue",
    "Dict", "Starred", "AugAssign", "ListComp", "comprehension", "Add", "Sub", "Mult", "Div", "FloorDiv", "Mod", "Pow", "USub", "Not", "And", "Or", "Eq", "NotEq",
    "Lt", "LtE", "Gt", "GtE", "In", "NotIn", "AnnAssign",
}
"""The syntax that emitted source is made of."""

HOSTILE = (
    '"""', "'''", "\\", "a\\", '"); import os; os.system("id")#', "x\nimport os\nos.system('id')", "\u2028import os", "\x85import os", "# -*- coding: rot13 -*-", "{__import__('os')}", "%s%n",
    "</text><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "]]>", "--><script>", "&lt;&#60;", "<!ENTITY x SYSTEM 'file:///etc/passwd'>", "javascript:alert(1)",
    "\\N\\G\\l\\r", "{a|b}", "<b>bold</b>", "label=\"x\", URL=\"javascript:alert(1)\"", "a -> b", "]; x [shape=box", "=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://x\")", "\t=1",
    "|", "`", "[x](javascript:alert(1))", "![x](file:///etc/passwd)", "$(1+1)", "\\input{/etc/passwd}", "~^_&#%", "../../up", "/etc/passwd", "CON", "\u202eevil", "\u4e2d\u6587\U0001f600", "x" * 5000,
)


def network(text: str, branch: str = "left") -> Compiled:
    """A network that shows a text wherever a spec may hold one."""
    text = text.replace("\u202e", "").strip() or "x"
    quoted, value = json.dumps(text, ensure_ascii=False), json.dumps("x" if "$" in text else text, ensure_ascii=False)
    return load("-", f"""archc: 1
name: net
title: {quoted}
doc: {quoted}
source: {{title: {quoted}, authors: {quoted}, url: {quoted}, note: {quoted}}}
params: {{n: {{type: int, default: 4, doc: {quoted}}}, label: {{default: {value}}}}}
macros:
  block: {{doc: {quoted}, params: {{n: int, text: str}}, body: [{{dense: $n, doc: {quoted}}}, tanh]}}
input: [8]
layers:
  - block: {{n: 4, text: $label}}
  - {{repeat: 3, block: {{n: $(n + index), text: {value}}}, doc: {quoted}}}
  - concat: {{{branch}: [dense: 3], right: [block: [5, {value}]]}}
  - {{dense: 2, doc: {quoted}, allow: {{W904: {quoted}}}}}
implementation: {quoted}
""".encode()).compile()


def emitted(made: Compiled, kind: str) -> Artefact:
    return backend(kind).emit(made.graph)[0]


def text_of(artefact: Artefact) -> str:
    file = io.BytesIO()
    artefact.write(file)
    return file.getvalue().decode()


def check_python(source: str) -> None:
    """Only the syntax of a network; Keras and its like are all that is imported and called."""
    for node in ast.walk(ast.parse(source)):
        assert type(node).__name__ in NODES, ast.dump(node)[:100]
        if isinstance(node, ast.Import):
            assert {one.name for one in node.names} <= {"keras", "math"}
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] in ("keras", "math", "__future__")
        elif isinstance(node, ast.Name | ast.Attribute):
            word = node.id if isinstance(node, ast.Name) else node.attr
            assert word == "__name__" or not word.startswith("__")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec", "open", "compile", "__import__", "getattr")


def check_svg(svg: str, nodes: int | None = None) -> None:
    """No script, no handler, no link and no reference to anything outside."""
    root = ElementTree.fromstring(svg)
    for one in root.iter():
        assert one.tag.removeprefix(SVG) not in ("script", "foreignObject", "image", "iframe", "a", "use", "animate", "set"), one.tag
        for key, value in one.attrib.items():
            assert not key.lower().startswith("on")
            assert not key.endswith(("href", "src"))
            assert "javascript:" not in value.lower() or key in ("aria-label", "id")
            assert "url(" not in value or value.startswith("url(#")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda one: ascii(one)[:40])
def test_texts_never_become_code_or_markup(text: str) -> None:
    made, plain = network(text), network("plain")
    check_python(text_of(emitted(made, "python")))
    svg = text_of(emitted(made, "svg"))
    check_svg(svg)
    dot = text_of(emitted(made, "dot"))
    assert dot.count(" -> ") >= text_of(emitted(plain, "dot")).count(" -> ")
    assert not any(word in line.split("=")[0] for line in dot.splitlines() for word in ("URL", "href", "image ") if '"' not in line)
    for kind in ("config", "stats"):
        json.loads(text_of(emitted(made, kind)), parse_constant=pytest.fail)
    again = load("-", text_of(emitted(made, "spec")).encode()).compile()
    assert [one.name for one in again.graph.nodes] == [one.name for one in made.graph.nodes]
    assert {one.filename for kind in BACKENDS if kind not in ("png", "pdf", "keras") for one in backend(kind).emit(made.graph)} == {
        one.filename for kind in BACKENDS if kind not in ("png", "pdf", "keras") for one in backend(kind).emit(plain.graph)
    }


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40))
def test_any_text_is_only_shown(text: str) -> None:
    try:
        made = network(text)
    except Exception as problem:  # a text that YAML or the language refuses, in words
        assert "E1" in str(problem)
        return
    check_python(text_of(emitted(made, "python")))
    check_svg(text_of(emitted(made, "svg")))


@pytest.mark.parametrize("name", ["class", "None", "keras", "print", "_", "x" * 100, "1conv", "node", "graph", "edge", "strict", "subgraph", "digraph", "model", "inputs", "build_model", "self", "layers"])
def test_names_are_layers_in_every_output(name: str) -> None:
    """Words that Python and DOT keep for themselves name branches; the edges of the drawing stay the graph's."""
    if name == "_":
        return
    made, plain = network("t", name), network("t", "left")
    check_python(text_of(emitted(made, "python")))
    check_svg(text_of(emitted(made, "svg")))
    dots = [text_of(emitted(one, "dot")) for one in (made, plain)]
    assert dots[0].count(" -> ") == dots[1].count(" -> ")


def test_the_source_runs_no_more_than_it_shows() -> None:
    """Under an audit hook the definitions of the emitted module open, start and connect to nothing."""
    import sys
    import types

    source = text_of(emitted(network(HOSTILE[4]), "python"))
    keras: Any = types.ModuleType("keras")
    keras.layers = keras.ops = keras.Model = keras.Input = keras
    seen: list[str] = []
    code = compile(source, "emitted", "exec")

    def hook(event: str, _: object) -> None:
        if active and event.startswith(("open", "subprocess", "os.", "socket", "shutil")):
            seen.append(event)

    active = False
    sys.addaudithook(hook)
    before = sys.modules.get("keras")
    sys.modules["keras"] = keras
    try:
        active = True
        exec(code, {"__name__": "emitted"})
        active = False
    finally:
        del sys.modules["keras"]
        if before is not None:
            sys.modules["keras"] = before
    assert seen == []


STOCK = ("keras", "keras.layers", "builtins", "keras.src.models.functional", "keras.initializers", "keras.regularizers", None)


@pytest.mark.parametrize("text", ["plain", HOSTILE[4]])
def test_the_archive_names_stock_classes_alone(text: str, tmp_path: Path) -> None:
    """No Lambda, no serialised function, no module but Keras's own; three members with plain names."""
    path = tmp_path / "net.keras"
    with path.open("w+b") as file:
        emitted(network(text), "keras").write(file)
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == {"metadata.json", "config.json", "model.weights.h5"}
        config = json.loads(archive.read("config.json"))
    for one in parts(config):
        assert one.get("module") in STOCK
        assert one.get("class_name") not in ("Lambda", "TorchModuleWrapper", "TFSMLayer", "__lambda__", "function")
        assert not one.get("registered_name") or ">" not in str(one["registered_name"])


def parts(value: Any) -> list[dict[str, Any]]:
    """The mappings in a config that name a class."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    here = [value] if isinstance(value, dict) and "class_name" in value else []
    return here + [one for item in inner for one in parts(item)]


def test_tables_hold_no_formulas(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """CSV cells that a spreadsheet would compute, and Markdown that would be a link; for the formats that commands have."""
    path = tmp_path / "net.yaml"
    path.write_text("archc: 1\nname: net\ntitle: '=HYPERLINK(\"http://x\")'\ninput: [4]\nlayers: [dense: 2]\n")
    for command in ("stats", "list", "table", "compare"):
        for form in ("csv", "markdown", "html"):
            try:
                code = main([command, *([] if command == "list" else [str(path)]), "--format", form])
            except SystemExit as end:
                code = int(end.code or 0)
            out = capsys.readouterr().out
            if code == 0 and form == "csv":
                cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
                assert not [one for one in cells if one.startswith(("=", "+", "@", "\t"))]
            if code == 0 and form == "html":
                assert "<script" not in out.replace("</script>", "")
