"""The documentation is held to the code: pages are fresh, examples compile, shown names and messages are the real ones.

A fenced block says in its info string what it is:

- `yaml` compiles, without a warning. What it leaves out of `archc`, `name` and `input` is filled in; a list of steps
  becomes the `layers`; a block with neither layers nor variants is a library.
- `yaml CODE` gives that diagnostic, and `yaml file=net.yaml` names the file that the text stands in. Files of one page
  see each other, so that `use:` works, and the page's Python sessions find them.
- `yaml recipe` is a whole recipe, and is right.
- `text layers` lists the nodes of the example before it, each by name, or by name and shape.
- `text diagnostics` is what the example before it prints.
- `console` is a command and what it prints.
"""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from archc import reference
from archc.commands import main
from archc.diagnostics import CompileError, Diagnostic
from archc.diagnostics.render import render
from archc.graph.graph import Graph
from archc.language.catalogue import Address
from archc.language.document import decode
from archc.operators import show
from archc.pipeline import load_address
from archc.training.recipe import load_recipe

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    info: str
    body: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def words(self) -> list[str]:
        return self.info.split()

    @property
    def code(self) -> str | None:
        """The diagnostic that the example is meant to give."""
        return next((one for one in self.words[1:] if re.fullmatch(r"[EW][0-9]{3}", one)), None)

    @property
    def filename(self) -> str:
        return next((one.removeprefix("file=") for one in self.words if one.startswith("file=")), "net.yaml")


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, one.start()) + 1, one["info"].strip(), one["body"]) for one in FENCE.finditer(text)
    ]


def examples() -> list[Block]:
    found = [one for page in PAGES for one in blocks(page)]
    return [one for one in found if one.words[:1] == ["yaml"] and "recipe" not in one.words]


def shown() -> Iterator[tuple[Block, Block]]:
    """What pages say of an example, with the example."""
    for page in PAGES:
        last: Block | None = None
        for block in blocks(page):
            if block.words[:1] == ["yaml"]:
                last = block
            elif block.words[:1] == ["text"] and block.words[1:]:
                assert last is not None, f"{block} follows no example"
                yield last, block


def whole(body: str) -> str:
    """An example with what it leaves out; its own lines keep their order."""
    if body.lstrip("\n").startswith("- "):
        body = "layers:\n" + "".join(f"  {line}\n" if line else "\n" for line in body.splitlines())
    keys = {line.split(":", 1)[0] for line in body.splitlines() if line and not line[0].isspace()}
    head = "" if "archc" in keys else "archc: 1\n"
    head += "" if "name" in keys else "name: example\n"
    is_library = not keys & {"layers", "variants"}
    head += "" if keys & {"input", "inputs"} or is_library else "input: [32, 32, 3]\n"
    return head + body


def write_files(page: Path, folder: Path) -> None:
    """Puts the named files of a page into a folder."""
    for one in blocks(page):
        if one.words[:1] == ["yaml"] and "recipe" not in one.words and any(word.startswith("file=") for word in one.words):
            path = folder / one.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(whole(one.body), encoding="utf-8")


@dataclass(frozen=True)
class Outcome:
    graphs: list[Graph]
    diagnostics: list[Diagnostic]


def compiled(block: Block, folder: Path) -> Outcome:
    """All variants of an example; the other named files of its page lie beside it."""
    write_files(block.page, folder)
    source = decode(block.filename, whole(block.body).encode())
    graphs: list[Graph] = []
    found: list[Diagnostic] = []
    try:
        family = load_address(Address(source, "", folder / block.filename))
        for name in family:
            one = family.compile(name or None)
            graphs.append(one.graph)
            found.extend(one.warnings)
    except CompileError as wrong:
        found.extend(wrong.diagnostics)
    return Outcome(graphs, found)


@pytest.mark.parametrize("block", [one for page in PAGES for one in blocks(page) if one.words[:2] == ["yaml", "recipe"]], ids=str)
def test_recipes_are_right(block: Block, tmp_path: Path) -> None:
    path = tmp_path / block.filename
    path.write_text(block.body, encoding="utf-8")
    assert load_recipe(str(path)).name == path.stem


def is_library(block: Block) -> bool:
    return not re.search(r"^(layers|variants):|^- ", block.body, re.MULTILINE)


@pytest.mark.parametrize("block", examples(), ids=str)
def test_examples_compile(block: Block, tmp_path: Path) -> None:
    """Every spec that a page shows is right, or wrong in the way the page says."""
    if is_library(block):
        yaml.safe_load(block.body)
        return
    outcome = compiled(block, tmp_path)
    given = {one.code.id for one in outcome.diagnostics}
    assert given == ({block.code} if block.code else set()), "\n\n".join(map(render, outcome.diagnostics))


@pytest.mark.parametrize(("example", "block"), list(shown()), ids=str)
def test_what_is_shown_is_true(example: Block, block: Block, tmp_path: Path) -> None:
    """The layer names and the messages that a page shows are those that archc gives."""
    outcome = compiled(example, tmp_path)
    wanted = block.body.rstrip("\n").splitlines()
    if block.words[1] == "diagnostics":
        # What `whole` puts before an example moves its lines, so the example must be whole.
        assert wanted == "\n\n".join(map(render, outcome.diagnostics)).splitlines()
        return
    assert block.words[1] == "layers", f"{block} says `{block.info}`"
    nodes = [one for one in outcome.graphs[0].nodes if one.operator.arity != (0, 0)]
    names = [[one.name, show(one.shape)] for one in nodes]
    assert [line.split() for line in wanted] == [one[: len(wanted[0].split())] for one in names]


@pytest.mark.parametrize("name", reference.PAGES)
def test_generated_pages_are_fresh(name: str) -> None:
    """`python -m archc.reference` would change nothing."""
    assert (DOCS.parent / name).read_text(encoding="utf-8") == reference.PAGES[name]()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in HEADING.findall(text)}


@pytest.mark.parametrize("page", [one for one in PAGES if ">>> " in one.read_text(encoding="utf-8")], ids=lambda one: one.name)
def test_sessions_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python sessions of a page give what they show, in a folder with the files that it names."""
    write_files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    text = "\n".join(one.body for one in blocks(page) if one.words[:1] == ["python"] and ">>> " in one.body)
    session = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    outcome = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session)
    assert outcome.failed == 0


CONSOLE = [one for page in PAGES for one in blocks(page) if one.words[:1] == ["console"]]


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_what_commands_print_is_shown(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], update_golden: bool) -> None:
    """A block that shows a command and its output shows what the command prints."""
    monkeypatch.chdir(tmp_path)
    call, _, output = block.body.partition("\n")
    assert call.startswith("$ archc ")
    assert main(shlex.split(call)[2:]) == 0
    found = capsys.readouterr().out
    if update_golden:
        page = block.page.read_text(encoding="utf-8")
        block.page.write_text(page.replace(block.body, f"{call}\n{found}"), encoding="utf-8", newline="\n")
    else:
        assert found == output
