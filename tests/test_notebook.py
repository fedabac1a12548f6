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

NOTEBOOK = Path(__file__).resolve().parent.parent / "docs" / "notebooks" / "alexnet_cifar10.ipynb"
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


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.filterwarnings("default")
def test_the_lectures_notebook_runs(tmp_path: Path) -> None:
    """With made-up images: all cells, and what they show of the lecture's mistake and of the run."""
    client: Any = pytest.importorskip("nbclient", reason="nbclient is not installed (pip install nbclient ipykernel)")
    for name in ("ipykernel", "tensorflow", "matplotlib", "tensorboard"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    import nbformat

    book = nbformat.read(NOTEBOOK, as_version=4)
    client.NotebookClient(book, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {cell.source.splitlines()[0]: cell.outputs for cell in book.cells if cell.cell_type == "code"}
    text = "\n".join(one.text for outputs in shown.values() for one in outputs if one.output_type == "stream")
    assert "in both parts 5000\nin neither 5000" in text
    assert "train 0 to 44999 and validation 45000 to 49999" in text
    assert "5000 examples are in both parts, and 5000 in neither" in text
    assert "shape (4, 32, 32, 3) -> (4, 227, 227, 3)" in text
    assert "epoch 2/2" in text
    assert "['accuracy/training'" in text or "'loss/training'" in text
    pictures = [one for outputs in shown.values() for one in outputs if "image/png" in one.get("data", {})]
    assert len(pictures) == 3
    assert (tmp_path / "alexnet-run" / "best.keras").is_file()


def test_the_notebook_is_kept_as_it_ran() -> None:
    """Its cells have run in order, none with an error."""
    nbformat: Any = pytest.importorskip("nbformat", reason="nbformat is not installed (pip install nbclient ipykernel)")
    book = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [one for cell in code for one in cell.outputs if one.output_type == "error"]
    assert NOTEBOOK.stat().st_size < 1_000_000
