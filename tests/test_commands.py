"""The command line: exit codes, addresses, values, formats, streams, and files that are whole or not there."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest

import archc
from archc.backends.base import Artefact
from archc.backends.files import write_all
from archc.commands import COMMANDS, main
from archc.diagnostics.codes import CODES
from archc.graph.graph import Graph
from archc.language import index
from archc.language.catalogue import shipped_paths
from tests.zoo import CLASSIC, walked

ROOT = Path(__file__).resolve().parent.parent
NET = "archc: 1\nname: net\ninput: [8, 8, 3]\nparams: {width: 8, name_of: a, rates: {list: float}, wide: false}\nlayers:\n  - {conv: $width, as: $name_of}\n  - {for: r in rates, dropout: $r}\n  - {relu: , when: wide}\n"
PLAIN = "archc: 1\nname: net\ninput: [8, 8, 3]\nlayers:\n  - conv: 8\n"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


class Shell:
    """Calls the command line in this process, in a folder of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capture = capture

    def __call__(self, *words: str) -> Outcome:
        self.capture.readouterr()
        try:
            code = main(words)
        except SystemExit as end:
            code = int(end.code or 0)
        found = self.capture.readouterr()
        assert "Traceback" not in found.err
        assert "fault of archc" not in found.err
        return Outcome(code, found.out, found.err)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return name


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, capsys)


def process(*words: str, cwd: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The command line in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.run([sys.executable, "-m", "archc", *words], cwd=cwd, env=environment, capture_output=True, timeout=120, check=False, **options)


# Help and words


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_examples(name: str, shell: Shell) -> None:
    found = shell(name, "--help")
    assert found.code == 0
    assert "examples:" in found.out
    assert f"archc {name}" in found.out


def test_no_words_show_the_commands(shell: Shell) -> None:
    found = shell()
    assert found.code == 0
    assert all(name in found.out for name in COMMANDS)


def test_version(shell: Shell) -> None:
    assert shell("--version").out == f"archc {archc.__version__}\n"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["chekc", "lenet"], "`check`"),
        (["check", "--strcit", "lenet"], "`--strict`"),
        (["stats", "lenet", "--fromat", "json"], "`--format`"),
        (["stats", "lenet", "--format", "jsn"], "`json`"),
        (["build", "lenet", "--emit", "kears"], "`keras`"),
        (["draw", "lenet", "--emit", "svgg"], "`svg`"),
        (["draw", "lenet", "--theme", "drak"], "`dark`"),
        (["explain", "E3O1"], "`E3"),
        (["explain", "shape-differ"], "`shapes-differ`"),
        (["check", "lennet"], "`lenet`"),
        (["check", "vgg:A-LNR"], "`vgg:A-LRN`"),
        (["stats", "vgg:D", "--set", "dropuot=0.1"], "`dropout`"),
        (["list", "resnt"], "`resnet`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_words_are_met_with_the_closest(words: list[str], meant: str, shell: Shell) -> None:
    found = shell(*words)
    assert found.code == 2
    assert "did you mean" in found.err
    assert meant in found.err


@pytest.mark.parametrize(
    "words",
    [["stats"], ["check"], ["stats", "a", "b"], ["stats", "lenet", "--set"], ["stats", "lenet", "--set", "width"], ["build", "lenet", "--emit", ""],
     ["build", "lenet", "--seed", "-1"], ["check", ""], ["check", "nothing.yaml"], ["check", "."], ["stats", "vgg"], ["check", "*.yaml"], ["explain", "E999"]],
    ids=" ".join,
)
def test_wrong_calls_exit_with_2(words: list[str], shell: Shell) -> None:
    found = shell(*words)
    assert found.code == 2
    assert found.err
    assert found.out == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["chek", "vgg"], "archc: there is no command `chek`"),
        (["check"], "archc check: the following arguments are required: SPEC"),
        (["check", "lenet", "--strct"], "archc check: unrecognized arguments: --strct"),
        (["check", "lenet", "--format", "xml"], "archc check: --format has no choice `xml`"),
        (["build", "lenet", "--seed", "x"], "a seed is a whole number from 0, and this is `x`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_call_has_a_code(words: list[str], message: str, shell: Shell) -> None:
    found = shell(*words)
    assert found.code == 2
    assert found.err.startswith("error[E006]: ")
    assert message in found.err
    assert "= help: " in found.err


def test_a_wrong_call_is_json_for_machines(shell: Shell) -> None:
    found = shell("check", "--format", "json", "lenet", "--strct")
    assert found.code == 2
    assert json.loads(found.err)["code"] == "E006"
    assert json.loads(found.err)["help"] == "did you mean `--strict`?"


@pytest.mark.parametrize("address", ["a" * 5_000, "a" * 5_000 + ".yaml", "a" * 5_000 + ":b", "a/" * 3_000 + "b.yaml", "*" + "a" * 5_000])
def test_a_long_address_is_a_wrong_call(address: str, shell: Shell) -> None:
    found = shell("check", address)
    assert found.code == 2
    assert "error[E00" in found.err
    assert len(found.err) < 1_000


def test_a_missing_file_is_named_with_the_closest(shell: Shell) -> None:
    shell.write("mynet.yaml", PLAIN)
    found = shell("check", "mynett.yaml")
    assert found.code == 2
    assert "there is no file mynett.yaml" in found.err
    assert "mynet.yaml?" in found.err


def test_words_after_two_dashes_are_files(shell: Shell) -> None:
    shell.write("-odd.yaml", PLAIN)
    assert shell("check", "./-odd.yaml").code == 0
    assert shell("check", "--", "./-odd.yaml").code == 0


@pytest.mark.parametrize("name", ["a b.yaml", "it's.yaml", "100%.yaml", "\u00e9\U0001f600.yaml", "a\nb.yaml", "n" * 200 + ".yaml"], ids=ascii)
def test_names_of_files(name: str, shell: Shell) -> None:
    shell.write(name, PLAIN.replace("conv", "covn"))
    found = shell("check", name)
    assert found.code == 1
    assert "E207" in found.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check", "nothing.yaml"], "E001"),
        (["check", "nothing"], "E002"),
        (["check", "vgg:Z"], "E003"),
        (["check", "lenet:Z"], "E003"),
        (["stats", "vgg"], "E004"),
        (["stats", "lenet", "--set", "width=3"], "E005"),
        (["build", "lenet", "--emit", "nothing"], "E006"),
        (["build", "lenet", "--emit", "stats", "-o", "file"], "E801"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_failures_have_codes(words: list[str], code: str, shell: Shell) -> None:
    """What has no place in a spec has a code as well, in text and in JSON."""
    shell.write("file", "")
    assert shell(*words).err.startswith(f"error[{code}]: ")
    assert json.loads(shell(*words, "--format", "json").err)["code"] == code


# Addresses


def test_addresses(shell: Shell) -> None:
    """A path, a name, an alias, a variant, all variants, and the default one lead where they say."""
    shell.write("mine.yaml", PLAIN + "variants:\n  small: {}\n  big: {default: true}\n")
    assert json.loads(shell("stats", "mine.yaml", "--format", "json").out)["address"] == "net:big"
    assert json.loads(shell("stats", "mine.yaml:small", "--format", "json").out)["address"] == "net:small"
    assert [one["address"] for one in json.loads(shell("stats", "mine.yaml:*", "--format", "json").out)] == ["net:small", "net:big"]
    assert json.loads(shell("stats", "vgg16", "--format", "json").out)["address"] == "vgg:D"
    assert json.loads(shell("stats", "VGG16", "--format", "json").out)["address"] == "vgg:D"
    assert json.loads(shell("stats", "vgg:d", "--format", "json").out)["address"] == "vgg:D"
    checked = json.loads(shell("check", "vgg:*", "lenet", "--format", "json").out)
    assert [one["address"] for one in checked][-2:] == ["lenet:keras", "lenet:original"]
    assert len(checked) == 15
    assert len(json.loads(shell("check", "vgg", "--format", "json").out)) == 13


def test_local_specs(shell: Shell) -> None:
    """A name finds `NAME.yaml` here and in `specs/`; a pattern finds many."""
    shell.write("mine.yaml", PLAIN)
    (shell.folder / "specs").mkdir()
    shell.write("specs/other.yaml", PLAIN.replace("name: net", "name: other"))
    assert shell("check", "mine").code == 0
    assert shell("check", "other").code == 0
    assert "other" in shell("check", "specs/*").out
    listed = [one["address"] for one in json.loads(shell("list", "--format", "json").out)]
    assert "mine.yaml" in listed
    assert "vgg:D" in listed


def test_a_family_without_default_lists_its_variants(shell: Shell) -> None:
    found = shell("build", "vgg")
    assert found.code == 2
    assert "vgg:A-LRN" in found.err


def test_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for text, code in ((PLAIN, 0), (PLAIN.replace("conv", "covn"), 1), ("", 1)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        found = shell("check", "-")
        assert found.code == code
        assert code == 0 or "<stdin>" in found.err


# Values


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["width=16", "rates=[0.5, 1e-1]", "wide=true"], 0, ""),
        (["width=1.5"], 1, "E203"),
        (["width=0"], 1, "E204"),
        (["width=sixteen"], 1, "E203"),
        (["rates=0.5"], 1, "E203"),
        (["rates=[0.5, half]"], 1, "E203"),
        (["wide=yes"], 1, "E504"),
        (["width=[8"], 2, "--set width"),
        (["=8"], 2, "NAME=VALUE"),
        (["heigth=3"], 2, "no parameter"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_values_from_outside(words: list[str], code: int, part: str, shell: Shell) -> None:
    """`--set` reads values as a spec does; a wrong one is met in words."""
    shell.write("net.yaml", NET)
    given = [] if any(one.startswith("rates") for one in words) else ["--set", "rates=[0.5]"]
    found = shell("check", "net.yaml", *given, *(part for one in words for part in ("--set", one)))
    assert found.code == code
    assert part in found.err


def test_a_value_changes_the_network(shell: Shell) -> None:
    before = json.loads(shell("stats", "vgg:D", "--format", "json").out)
    after = json.loads(shell("stats", "vgg:D", "--set", "classes=10", "--format", "json").out)
    assert after["params"]["total"] == before["params"]["total"] - 990 * 4097


# Output


def test_json(shell: Shell) -> None:
    """The keys that the design promises, each on stdout alone."""
    stats = json.loads(shell("stats", "lenet", "--format", "json").out)
    assert {"params", "macs", "output_shape", "layers"} <= stats.keys()
    assert stats["params"].keys() >= {"total", "trainable", "non_trainable"}
    assert all({"name", "op", "output_shape", "params", "macs", "receptive_field"} <= one.keys() for one in stats["layers"])
    listed = json.loads(shell("list", "--format", "json").out)
    assert all({"address", "title", "implementation", "params", "macs"} <= one.keys() for one in listed)
    checked = json.loads(shell("check", "lenet", "--format", "json").out)
    assert checked[0]["ok"] is True
    assert json.loads(shell("explain", "E301", "--format", "json").out)["word"] == "shapes-differ"
    assert json.loads(shell("expand", "lenet", "--format", "json").out)["lenet:keras"].startswith("archc: 1")


def test_json_of_a_wrong_spec(shell: Shell) -> None:
    shell.write("net.yaml", PLAIN.replace("conv", "covn"))
    found = shell("check", "net.yaml", "--format", "json")
    assert found.code == 1
    [one] = json.loads(found.out)[0]["diagnostics"]
    assert (one["code"], one["word"], one["severity"]) == ("E207", "unknown-operation", "error")
    assert one["place"] == {"file": "net.yaml", "line": 5, "column": 5, "end_line": 5, "end_column": 9}
    assert one["help"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("variable", "coloured"), [("", True), ("1", False)])
def test_colour_only_on_terminals(variable: str, coloured: bool, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.write("net.yaml", PLAIN.replace("conv", "covn"))
    assert "\033" not in shell("check", "net.yaml").err
    monkeypatch.setenv("NO_COLOR", variable)
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    main(["check", "net.yaml"])
    assert ("\033" in stream.getvalue()) is coloured


def test_warnings_are_errors_where_asked(shell: Shell) -> None:
    shell.write("net.yaml", PLAIN + "macros:\n  unused: [relu]\n")
    assert shell("check", "net.yaml").code == 0
    assert shell("check", "net.yaml", "--strict").code == 1
    assert shell("build", "net.yaml", "--strict", "--emit", "config").code == 1
    assert not (shell.folder / "build").exists()


@pytest.mark.parametrize("id", CODES)
def test_every_code_is_explained(id: str, shell: Shell) -> None:
    found = shell("explain", id.lower())
    assert found.code == 0
    assert found.out.startswith(f"{id} {CODES[id].word}\n")
    assert CODES[id].explanation in found.out


# The shipped specs


def wiring(graph: Graph) -> list[object]:
    """A graph's names, operators, inputs and outputs."""
    nodes: list[object] = [(one.name, one.operator, one.inputs, one.shapes, one.trainable, one.shared) for one in graph.nodes]
    return [*nodes, graph.outputs, graph.inputs]


ODD: dict[str, str] = {
    "long_names": f"layers: [{{as: {'a' * 120}, steps: [{{as: {'b' * 120}, steps: [{{as: {'c' * 120}, steps: [{{conv: 4, as: {'d' * 120}}}, relu]}}]}}]}}]",
    "longest_name": f"layers: [{{split: 2, as: [{'b' * 512}, other]}}, concat: [other, _]]",
    "taken_output": "layers:\n  - {split: 2, as: [x, y]}\n  - {conv: 4, as: x_output2}\n  - {conv: 4, as: x_output2_2}\n  - concat: [_, y]",
    "branch_names": "layers: [add: {null_: [conv: 4], 1e3: [conv: 4]}, {concat: {y: [relu], n: [tanh]}, as: 12}, {conv: 4, as: true}]",
    "shared": "layers: [{conv: 4, share: 'a b', trainable: false}, {conv: 4, share: 'a b', trainable: false}]",
    "words": 'title: "a\\u2028b\\u0085c"\ndoc: "$x $$ # : [{"\nlayers: [{conv: 4, doc: "it\'s \\"so\\", \\u2029 $(1)"}]',
    "null_input": "inputs: {'null': [8, 8, 4], yes: [8, 8, 4], 1e3: [null, null, 4]}\nlayers: [{add: ['null', yes], as: sum}, {conv: 4, from: 1e3, as: off}]\noutputs: [off, sum]",
}
"""Networks whose plain specs need care: names and texts at the edge of what is allowed."""


@pytest.mark.parametrize("name", ODD)
def test_odd_networks_survive_expansion(name: str, shell: Shell) -> None:
    head = "archc: 1\nname: odd\n" + ("" if "inputs:" in ODD[name] else "input: [8, 8, 4]\n")
    shell.write("odd.yaml", f"{head}{ODD[name]}\n")
    first = archc.compile("odd.yaml")
    again = archc.load("-", shell("expand", "odd.yaml").out.encode()).compile()
    assert wiring(again.graph) == wiring(first.graph)
    assert (again.graph.title, again.graph.doc) == (first.graph.title, first.graph.doc)
    assert [one.doc for one in again.graph.nodes] == [one.doc for one in first.graph.nodes]


@pytest.mark.parametrize("address", walked(CLASSIC))
def test_expanded_specs_are_the_same_network(address: str, shell: Shell) -> None:
    """`archc expand X | archc check -` is sound, and gives the same graph."""
    text = shell("expand", address).out
    again = archc.load("-", text.encode()).compile()
    assert again.warnings == ()
    assert wiring(again.graph) == wiring(archc.compile(address).graph)


# Files


EVERY_KIND = "keras,config,python,dot,svg,png,stats,spec"


def test_build_writes_every_kind(shell: Shell) -> None:
    found = shell("build", "lenet", "-o", "out", "--emit", EVERY_KIND)
    assert found.code == 0
    names = {"lenet-keras.keras", "lenet-keras.config.json", "lenet-keras.py", "lenet-keras.dot", "lenet-keras.svg", "lenet-keras.png", "lenet-keras.stats.json", "lenet-keras.expanded.yaml"}
    assert {one.name for one in (shell.folder / "out").iterdir()} == names
    assert all(name in found.out for name in names)


def test_draw(shell: Shell) -> None:
    assert shell("draw", "lenet", "-o", "out", "--emit", "svg,dot", "--detail", "layers", "--direction", "LR", "--theme", "dark").code == 0
    assert shell("draw", "vgg:A", "vgg:D", "-o", "two", "--style", "family").code == 0
    assert [one.name for one in (shell.folder / "two").iterdir()] == ["vgg-family.svg"]
    assert shell("draw", "vgg:A", "lenet", "-o", "each").code == 0
    assert sorted(one.name for one in (shell.folder / "each").iterdir()) == ["lenet-keras.svg", "vgg-a.svg"]
    assert sorted(one.name for one in (shell.folder / "out").iterdir()) == ["lenet-keras.dot", "lenet-keras.svg"]


def broken(file: BinaryIO) -> None:
    file.write(b"half")
    raise OSError(28, "No space left on device")


def whole(file: BinaryIO) -> None:
    file.write(b"new")


def interrupted(file: BinaryIO) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("writer", "expected"), [(broken, OSError), (interrupted, KeyboardInterrupt)], ids=["disk full", "interrupted"])
def test_a_build_that_fails_leaves_the_old_files(writer: Any, expected: type[BaseException], tmp_path: Path) -> None:
    """Where one file of several cannot be written, all old ones are whole and nothing is left over."""
    write_all(tmp_path, [Artefact("a.txt", whole), Artefact("b.txt", whole)])
    (tmp_path / "a.txt").write_bytes(b"old a")
    (tmp_path / "b.txt").write_bytes(b"old b")
    with pytest.raises(expected):
        write_all(tmp_path, [Artefact("a.txt", whole), Artefact("b.txt", writer)])
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"a.txt": b"old a", "b.txt": b"old b"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on file sizes")
def test_a_full_disk_exits_with_3(tmp_path: Path) -> None:
    """A file that grows over the limit: exit code 3, the path and the reason, no file, no leftovers."""
    import resource

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    found = process("build", "lenet", "-o", "out", "--emit", "keras", cwd=tmp_path, preexec_fn=limit)
    assert found.returncode == 3
    assert b"Traceback" not in found.stderr
    assert b"too large" in found.stderr.lower()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_below_a_file_exits_with_3(shell: Shell) -> None:
    shell.write("file", "")
    for folder in ("file", "file/out"):
        found = shell("build", "lenet", "-o", folder, "--emit", "stats")
        assert found.code == 3
        assert "file" in found.err


def test_an_interrupt_exits_with_130(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("archc.commands.check.values", interrupt)
    assert shell("check", "lenet").code == 130


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the hash seed and the working folder, all files are equal byte by byte."""
    found: list[dict[str, bytes]] = []
    for seed, name in (("0", "one"), ("1", "another place")):
        folder = tmp_path / name
        folder.mkdir()
        done = process("build", "lenet", "-o", "out", "--emit", EVERY_KIND, cwd=folder, env={"PYTHONHASHSEED": seed})
        assert done.returncode == 0, done.stderr
        found.append({one.name: one.read_bytes() for one in (folder / "out").iterdir()})
    assert found[0] == found[1]
    assert not any(str(tmp_path).encode() in data for data in found[0].values())


HOSTILE = ['"', "'", '"""', "a\\", "# x", "</text><b>&", "]]>", "-->", "\\N\\l{|}", "x\nimport os\nos.system('id')", "\u4e2d\u6587 \U0001f600", "</script><script>", "../up", "{0}"]


@pytest.mark.parametrize("title", HOSTILE, ids=ascii)
def test_hostile_texts_build_and_draw(title: str, shell: Shell) -> None:
    """Titles, docs and branch names are shown, never run: the source parses, and the SVG is XML."""
    from xml.etree import ElementTree

    quoted = json.dumps(title, ensure_ascii=False)
    steps = f"  - {{relu: , doc: {quoted}}}\n" + "".join(f"  - {{relu: , as: {word}}}\n" for word in ("class", "None", "1conv", "keras", "print"))
    shell.write("net.yaml", f"{PLAIN}{steps}title: {quoted}\ndoc: {quoted}\nsource: {{title: {quoted}}}\n")
    found = shell("build", "net.yaml", "-o", "out", "--emit", "python,svg,dot,config,stats,spec")
    assert found.code == 0, found.err
    assert {one.name for one in (shell.folder / "out").iterdir()} == {"net.py", "net.svg", "net.dot", "net.config.json", "net.stats.json", "net.expanded.yaml"}
    source = (shell.folder / "out" / "net.py").read_text(encoding="utf-8")
    compile(source, "net.py", "exec")
    assert "\nimport os" not in source
    ElementTree.fromstring((shell.folder / "out" / "net.svg").read_text(encoding="utf-8"))
    assert shell("check", "out/net.expanded.yaml").code == 0


@pytest.mark.parametrize("name", ["../up", "/tmp/up", "a/b", "", "a b", ".", "..", "a\\b", "a:b", "x" * 300], ids=ascii)
def test_names_never_leave_the_folder(name: str, shell: Shell) -> None:
    """Specs and variants name files, so what could be a path is refused."""
    shell.write("net.yaml", PLAIN.replace("name: net", f"name: {json.dumps(name)}"))
    shell.write("family.yaml", f"{PLAIN}variants: {{{json.dumps(name)}: {{}}}}\n")
    for address in ("net.yaml", "family.yaml"):
        assert shell("build", address, "-o", "out/deep", "--emit", "stats").code == 1
    assert {one.name for one in shell.folder.iterdir()} == {"net.yaml", "family.yaml"}


# Streams


def test_a_closed_stdout_is_quiet(tmp_path: Path) -> None:
    """`archc stats resnet:152 | head -1` prints one line and no complaint."""
    command = f"'{sys.executable}' -m archc stats resnet:152 | head -n 1"
    found = subprocess.run(["bash", "-c", command], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=60, check=False)
    assert found.returncode == 0
    assert found.stderr == b""
    assert found.stdout.count(b"\n") == 1


def test_a_poor_locale_is_no_failure(tmp_path: Path) -> None:
    """Messages and tables print where the streams are ASCII."""
    (tmp_path / "net.yaml").write_text(PLAIN.replace("conv", "c\u043envolution") + "title: \u4e2d\u6587\n", encoding="utf-8")
    poor = {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "COLUMNS": "20"}
    found = process("check", "net.yaml", cwd=tmp_path, env=poor)
    assert found.returncode == 1
    assert b"Traceback" not in found.stderr
    assert b"E207" in found.stderr
    assert process("stats", "lenet", cwd=tmp_path, env=poor).returncode == 0


def test_a_piped_spec_in_a_process(tmp_path: Path) -> None:
    """`python -m archc` is the same command, and reads a spec from a pipe."""
    found = process("check", "-", cwd=tmp_path, input=PLAIN.encode())
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout.startswith(b"ok  net")


# The Python API


def test_api() -> None:
    family = archc.load("vgg")
    assert "D" in list(family)
    assert len(family) == 13
    assert family["D"].stats()["params"]["total"] == 138357544
    assert archc.compile("vgg:D", classes=10).stats()["output_shape"] == [10]
    network = archc.compile("lenet")
    assert network.to_dot().startswith("digraph")
    assert "<svg" in network.to_svg()
    assert network.to_html().startswith("<!DOCTYPE html>")
    assert repr(network) == "<archc lenet:keras: 61.7 k parameters, 417 k MACs, 8 layers>"
    assert "build_model" in network.to_python()


def test_api_errors(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(PLAIN.replace("conv", "covn"))
    with pytest.raises(archc.CompileError) as caught:
        archc.compile(str(tmp_path / "net.yaml"))
    assert [one.code.id for one in caught.value.diagnostics] == ["E207"]
    assert "did you mean `conv`?" in str(caught.value)
    with pytest.raises(AttributeError):
        _ = archc.nothing  # pyright: ignore[reportAttributeAccessIssue]


# Many specs at once


def test_check_names_every_address_that_leads_nowhere(shell: Shell) -> None:
    found = shell("check", "nosuch", "lenet", "resnet:1")
    assert found.code == 2
    assert "no spec `nosuch`" in found.err
    assert "no variant `1`" in found.err
    assert "ok  lenet" in found.out


def test_processes_report_what_one_process_does_in_the_same_order(shell: Shell) -> None:
    bad = shell.write("bad.yaml", PLAIN.replace("conv: 8", "convx: 8"))
    specs = ["vgg:A", bad, *(path.stem for path in shipped_paths()[:8]), "nosuch"]
    together = shell("check", *specs, "--format", "json")
    alone = [json.loads(one.out) for one in (shell("check", spec, "--format", "json") for spec in specs)]
    assert together.code == 2
    assert json.loads(together.out) == [entry for one in alone for entry in one]


def test_an_entry_of_the_index_holds_for_the_very_text_only(tmp_path: Path) -> None:
    path, blocks = tmp_path / "net.yaml", tmp_path / "blocks"
    blocks.mkdir()
    path.write_text(PLAIN)
    (blocks / "b.yaml").write_text("archc: 1")
    entry = {"digest": index.digest(path), "title": "", "paper": "", "year": None, "variants": []}
    (tmp_path / index.NAME).write_text(json.dumps({"net": entry}))
    assert index.indexed(path) == entry
    path.write_text(PLAIN + "\n")
    assert index.indexed(path) is None
    path.write_text(PLAIN)
    (blocks / "b.yaml").write_text("archc: 1 ")
    index._libraries.cache_clear()
    assert index.indexed(path) is None


def test_list_as_markdown_has_a_line_for_each_family(shell: Shell) -> None:
    found = shell("list", "--format", "markdown")
    assert [line.split("|")[1].strip() for line in found.out.splitlines()[2:]] == [f"[{path.stem}]({path.stem}.yaml)" for path in shipped_paths()]


def test_list_passes_over_files_that_are_no_specs(shell: Shell) -> None:
    shell.write("hooks.yaml", "- id: archc\n  entry: archc check\n")
    shell.write(".hidden.yaml", PLAIN)
    shell.write("mine.yaml", PLAIN)
    found = shell("list")
    assert "mine.yaml" in found.out
    assert "hidden" not in found.out
    assert found.err == ""


def test_expectations_that_do_not_apply_are_not_called_none(capsys: pytest.CaptureFixture[str]) -> None:
    """With values from outside they are not checked, which is not the same as that there are none."""
    for words in ([], ["--strict"]):
        main(["check", "vgg:D", "--set", "classes=10", *words])
        out = capsys.readouterr().out
        assert "expectations not checked: --set gives other values" in out and "nothing expected" not in out


def test_list_tells_nothing_of_files_that_were_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.yaml").write_text("archc: 1\nname: broken\nlayers: [covn: 1]\n", encoding="utf-8")
    assert main(["list", "lenet"]) == 0
    told = capsys.readouterr()
    assert told.err == "" and "lenet" in told.out
    assert main(["list", "broken"]) == 0
    assert "archc check broken.yaml says why" in capsys.readouterr().err
