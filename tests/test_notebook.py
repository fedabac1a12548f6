"""A compiled network in a notebook, which is executed as Jupyter does it."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import archc
from tests.test_report import HOSTILE, Elements, hostile_spec

SVG = re.compile(r'src="data:image/svg\+xml;base64,([^"]*)"')


def diagram(html: str) -> ElementTree.Element:
    """The picture in what a notebook shows."""
    found = SVG.search(html)
    assert found is not None
    return ElementTree.fromstring(b64decode(found[1]))


@pytest.mark.filterwarnings("default")  # what ipykernel and its libraries say of each other is not ours
def test_an_executed_notebook_shows_the_diagram_and_a_summary(tmp_path: Path) -> None:
    client: Any = pytest.importorskip("nbclient", reason="nbclient is not installed (pip install nbclient ipykernel)")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed (pip install nbclient ipykernel)")
    import nbformat

    cells = [nbformat.v4.new_code_cell(source) for source in ("import archc", 'network = archc.compile("resnet:18")\nnetwork', "print(network)")]
    book = nbformat.v4.new_notebook(cells=cells)
    client.NotebookClient(book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = book.cells[1].outputs[0]
    assert shown.output_type == "execute_result"
    assert set(shown.data) == {"text/plain", "text/html"}
    assert shown.data["text/plain"] == "<archc resnet:18: 11.7 M parameters, 1.81 G MACs, 69 layers>"
    assert "224×224×3 in · 1000 out" in shown.data["text/html"]
    assert diagram(shown.data["text/html"]).tag.endswith("svg")
    assert book.cells[2].outputs[0].text.strip() == shown.data["text/plain"]


def test_large_networks_are_overviews() -> None:
    html = archc.compile("nasnet:large")._repr_mimebundle_()["text/html"]
    assert len(html) < 200_000
    assert len(list(diagram(html).iter("{http://www.w3.org/2000/svg}g"))) < 60


def test_texts_never_become_markup(tmp_path: Path) -> None:
    html = archc.compile(str(hostile_spec(tmp_path)))._repr_mimebundle_()["text/html"]
    assert {tag for tag, _ in Elements(html).found} == {"div", "strong", "code", "br", "img"}
    assert HOSTILE[:20] not in html
    diagram(html)
