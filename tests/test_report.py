"""The report: what is in the page, and that nothing in a spec can become markup. `test_report_browser.py` uses it."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

import archc
from archc.backends.report.costs import bytes_text
from archc.backends.report.origins import Origins
from archc.backends.report.page import page
from archc.backends.report.views import chart_parts, ranges, views
from archc.graph.graph import Graph

NETWORKS = ("lenet", "resnet:50", "googlenet", "efficientnet:b0", "densenet:121", "unet")
HOSTILE = "</script></title><script>hacked=1</script><img src=x onerror=hacked=1>\"'`&amp;\u2028]]>-->"


def hostile_spec(folder: Path) -> Path:
    """A spec that says hostile things wherever text is free."""
    quoted = HOSTILE.replace("'", "''").replace("\u2028", " ")
    escaped = HOSTILE.replace("\\", "\\\\").replace('"', '\\"').replace("\u2028", "\\u2028")
    path = folder / "net'&quot;.yaml"
    path.write_text(
        f"""archc: 1
name: net
title: "{escaped}"
doc: "{escaped}"
source: {{title: '{quoted}', authors: '{quoted}', year: 2000}}
input: [8, 8, 3]
macros:
  block:
    doc: "{escaped}"
    params: {{filters: int}}
    body: [{{conv: [$filters, 3], doc: "{escaped}"}}, relu, conv: 4]   # {quoted}
layers: [block: 4, block: 8, flatten, dense: 3]
expect: {{params: {{value: 659, source: '{quoted}', paper: 1}}}}
"""
    )
    return path


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] == "script" and self.cdata_elem == "script":
            self.scripts.append(data)


def graph_of(address: str) -> Graph:
    return archc.compile(address).graph


def nodes(text: str) -> list[int]:
    """The layers that a drawing's box stands for."""
    found: list[int] = []
    for part in text.split():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def test_ranges() -> None:
    assert ranges([4, 1, 2, 3, 8, 8]) == "1-4 8"
    assert nodes(ranges(range(5))) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("address", NETWORKS)
def test_every_drawing_shows_every_layer_once(address: str) -> None:
    graph = graph_of(address)
    drawn = views(graph)
    for one in (*drawn.levels, *drawn.opened):
        shown = [number for text in re.findall(r'data-nodes="([^"]*)"', one.svg) for number in nodes(text)]
        assert sorted(shown) == list(range(len(graph.nodes))), one.key


@pytest.mark.parametrize("address", NETWORKS)
def test_blocks_lead_to_drawings_that_show_them_open(address: str) -> None:
    drawn = views(graph_of(address))
    every = {one.key: one.svg for one in (*drawn.levels, *drawn.opened)}
    button = 'data-part="{}" role="button" tabindex="0" aria-expanded="{}"'
    for key, svg in every.items():
        for target, part, state in re.findall(r'data-view="([^"]*)" ' + button.format("([0-9]*)", "([a-z]*)"), svg):
            assert button.format(part, "true" if state == "false" else "false") in every[target], (key, target)


def test_open_blocks_stay_within_their_budget() -> None:
    drawn = views(graph_of("densenet:121"))
    assert not drawn.all_open
    assert sum(one.svg.count("data-nodes") for one in drawn.opened) < 4_000
    assert views(graph_of("resnet:152")).all_open


@pytest.mark.parametrize("address", NETWORKS)
def test_cost_by_block_adds_up(address: str) -> None:
    graph = graph_of(address)
    counted = sorted(node.index for part in chart_parts(graph) for node in part.nodes)
    assert counted == list(range(len(graph.nodes)))


def test_memory_is_that_of_the_outputs() -> None:
    network = archc.compile("lenet")
    text = network.to_html()
    assert f'<td data-order="{28 * 28 * 6 * 4}" class="number">18.8 kB</td>' in text
    assert f"<dd>{bytes_text(network.stats()['memory']['activations'])}</dd>" in text


def test_lines_of_macros_lead_back_to_the_step_and_its_calls(tmp_path: Path) -> None:
    graph = graph_of(str(hostile_spec(tmp_path)))
    origins = Origins(graph)
    assert [source.name for source in origins.sources] == [str(tmp_path / "net'&quot;.yaml")]
    assert origins.lines[1] == ["0-11", "0-12"]
    assert origins.lines[-1] == ["0-12"]


@pytest.mark.parametrize("address", ["lenet", "resnet:18"])
def test_the_table_has_a_row_for_each_layer(address: str) -> None:
    network = archc.compile(address)
    rows = [attributes["data-node"] for tag, attributes in Elements(network.to_html()).found if tag == "tr" and "data-node" in attributes]
    assert rows == [str(node.index) for node in network.graph.nodes]


def test_links_within_the_page_lead_somewhere() -> None:
    found = Elements(archc.compile("googlenet").to_html()).found
    ids = {attributes["id"] for _, attributes in found if "id" in attributes}
    targets = {str(attributes["href"])[1:] for tag, attributes in found if tag == "a"}
    assert targets
    assert targets <= ids


def test_the_same_page_every_time() -> None:
    assert page(graph_of("googlenet")) == page(graph_of("googlenet"))


def test_texts_never_become_markup(tmp_path: Path) -> None:
    harmless, hostile = tmp_path / "harmless", tmp_path / "hostile"
    harmless.mkdir()
    hostile.mkdir()
    path = hostile_spec(hostile)
    plain = harmless / "net.yaml"
    plain.write_text(path.read_text().replace("<", "(").replace(">", ")"))
    tags = [[tag for tag, _ in Elements(archc.compile(str(one)).to_html()).found] for one in (path, plain)]
    assert tags[0] == tags[1]
    assert "hacked=1" in archc.compile(str(path)).to_html()
    assert not any("hacked" in script for script in Elements(archc.compile(str(path)).to_html()).scripts)


def test_the_policy_allows_these_scripts_alone() -> None:
    text = archc.compile("lenet").to_html()
    elements = Elements(text)
    policy = next(str(attributes["content"]) for tag, attributes in elements.found if attributes.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digests = ["'sha256-" + b64encode(sha256(one.encode()).digest()).decode() + "'" for one in elements.scripts]
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == digests
    assert "connect-src" not in rules
    assert not re.search(r'(?:src|href)="(?!#|data:)', text)
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)


def test_libraries_are_whole_and_licensed() -> None:
    folder = files("archc.backends.report") / "vendor"
    licences = (folder / "LICENSES.md").read_text()
    for one in folder.iterdir():
        if one.name == "LICENSES.md":
            continue
        assert f"`{one.name}`" in licences
        assert "</script" not in one.read_text().lower()
        assert "<!--" not in one.read_text()
        assert "sourceMappingURL" not in one.read_text()


def test_checks_are_told(tmp_path: Path) -> None:
    text = archc.compile("resnet:50").to_html()
    assert "<td>25,610,152</td><td>25,610,152</td><td class=\"good\">✓ yes</td>" in text
    assert "Nothing was checked" in archc.compile("resnet:50", classes=10).to_html()


def test_sizes_left_open_are_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("archc: 1\nname: net\ninput: [null, null, 3]\nlayers: [conv: [4, 3], global_avg_pool, dense: 2]\n")
    text = archc.compile(str(path)).to_html()
    assert '<td data-order="4611686018427387904" class="number">open</td>' in text
    assert "<dt>MACs</dt><dd>open</dd>" in text


def test_a_network_of_many_layers_has_a_report_too(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("archc: 1\nname: net\ninput: [8]\nlayers: [{repeat: 2000, steps: [dense: 8, relu]}]\n")
    assert archc.compile(str(path)).to_html().count("<tr data-node") == 4001
