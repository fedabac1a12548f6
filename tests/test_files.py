"""Outputs are whole or not there: killed, interrupted, out of room, refused and side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from archc.backends.base import Artefact
from archc.backends.files import PREFIX, STALE, SUFFIX, in_place_of, write_all
from archc.commands import main

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and locks")

SLOW = """
import sys, time
from pathlib import Path
from archc.backends.base import Artefact
from archc.backends.files import write_all
def slow(file):
    for part in range(200):
        file.write(b"new" * 1000)
        file.flush()
        print("writing", flush=True)
        time.sleep(0.05)
write_all(Path("out"), [Artefact(f"{name}.bin", slow) for name in "abc"])
"""


def old_files(folder: Path) -> dict[str, bytes]:
    """The outputs of an earlier build."""
    (folder / "out").mkdir()
    for name in "abc":
        (folder / "out" / f"{name}.bin").write_bytes(b"old " + name.encode())
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in (folder / "out").iterdir()}


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in the midst of writing over old files."""
    old_files(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", SLOW], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


OLD = {f"{name}.bin": b"old " + name.encode() for name in "abc"}


@posix
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_what_was_there(which: signal.Signals, writing: subprocess.Popen[bytes], tmp_path: Path) -> None:
    writing.send_signal(which)
    assert writing.wait(timeout=30) != 0
    assert contents(tmp_path) == OLD


@posix
def test_a_killed_build_leaves_old_files_and_the_next_one_cleans_up(writing: subprocess.Popen[bytes], tmp_path: Path) -> None:
    writing.kill()
    writing.wait(timeout=30)
    found = contents(tmp_path)
    left = [one for one in found if one.startswith(PREFIX)]
    assert {name: data for name, data in found.items() if name not in left} == OLD
    for one in left:
        past = time.time() - 2 * STALE
        os.utime(tmp_path / "out" / one, (past, past))
    write_all(tmp_path / "out", [text("a.bin", "new")])
    assert contents(tmp_path) == {**OLD, "a.bin": b"new"}


@posix
def test_a_file_that_is_written_by_its_name_takes_its_place_whole(tmp_path: Path) -> None:
    """And what a killed writer left under such a name goes like all leftovers."""
    (tmp_path / "best.keras").write_text("old")
    left = tmp_path / f"{PREFIX}left{SUFFIX}.keras"
    left.write_text("left")
    past = time.time() - 2 * STALE
    os.utime(left, (past, past))
    with pytest.raises(KeyboardInterrupt), in_place_of(tmp_path / "best.keras") as path:
        path.write_text("half")
        raise KeyboardInterrupt
    assert [one.name for one in tmp_path.iterdir()] == ["best.keras"]
    assert (tmp_path / "best.keras").read_text() == "old"
    with in_place_of(tmp_path / "best.keras") as path:
        assert path.suffix == ".keras"
        path.write_text("new")
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"best.keras": "new"}
    (tmp_path / "link.keras").symlink_to(tmp_path / "best.keras")
    with pytest.raises(OSError, match="is not replaced"), in_place_of(tmp_path / "link.keras"):
        pass


@posix
def test_the_files_of_a_build_that_is_alive_are_no_leftovers(writing: subprocess.Popen[bytes], tmp_path: Path) -> None:
    past = time.time() - 2 * STALE
    alive = [one for one in (tmp_path / "out").iterdir() if one.name.startswith(PREFIX)]
    for one in alive:
        os.utime(one, (past, past))
    write_all(tmp_path / "out", [text("d.bin", "new")])
    assert alive
    assert all(one.exists() for one in alive)


def text(name: str, words: str) -> Artefact:
    return Artefact.text(name, words)


@posix
def test_random_kills(tmp_path: Path) -> None:
    """After each kill every file is whole, that of the old build or that of the new one."""
    whole = {bytes(f"{number}", "ascii") * 100_000 for number in range(10)}
    (tmp_path / "out").mkdir()
    script = "import sys\nfrom pathlib import Path\nfrom archc.backends.base import Artefact\nfrom archc.backends.files import write_all\nprint('go', flush=True)\nfor turn in range(10**6):\n    write_all(Path('out'), [Artefact.text(f'{name}.txt', str(turn % 10) * 100_000) for name in 'abc'])\n"
    for turn in range(6):
        process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 + 0.037 * turn)
        process.kill()
        process.wait()
        process.stdout.close()
        for name, data in contents(tmp_path).items():
            assert name.startswith(PREFIX) or data in whole


@posix
def test_builds_side_by_side_do_not_mix(tmp_path: Path) -> None:
    """The set of files that is left is that of one of the builds."""
    script = "import sys\nfrom pathlib import Path\nfrom archc.backends.base import Artefact\nfrom archc.backends.files import write_all\nfor _ in range(40):\n    write_all(Path('out'), [Artefact.text(f'{at}.txt', sys.argv[1]) for at in range(20)])\n"
    running = [subprocess.Popen([sys.executable, "-c", script, f"build {number}"], cwd=tmp_path, env=ENVIRONMENT) for number in range(4)]
    assert [one.wait(timeout=120) for one in running] == [0] * 4
    assert len(set(contents(tmp_path).values())) == 1
    assert len(contents(tmp_path)) == 20


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> tuple[int, str]:
        raise PermissionError(13, "Permission denied", str(tmp_path / "out"))

    old_files(tmp_path)
    monkeypatch.setattr("tempfile.mkstemp", refused)
    assert main(["build", "lenet", "-o", str(tmp_path / "out"), "--emit", "stats"]) == 3
    assert "Permission denied" in capsys.readouterr().err
    assert contents(tmp_path) == OLD


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    old_files(tmp_path)
    (tmp_path / "out").chmod(0o555)
    assert main(["build", "lenet", "-o", str(tmp_path / "out"), "--emit", "stats"]) == 3
    (tmp_path / "out").chmod(0o755)
    assert contents(tmp_path) == OLD


def test_a_full_device(tmp_path: Path) -> None:
    """No room for the second of three files: the old ones are whole."""

    def full(file: BinaryIO) -> None:
        file.write(b"x" * 10_000)
        raise OSError(28, "No space left on device")

    old_files(tmp_path)
    with pytest.raises(OSError, match="No space"):
        write_all(tmp_path / "out", [text("a.bin", "new"), Artefact("b.bin", full), text("c.bin", "new")])
    assert contents(tmp_path) == OLD


@pytest.mark.parametrize("kind", ["link", "broken link", "folder", "pipe"])
def test_what_is_no_plain_file_is_not_replaced(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.write_text("mine")
    target = out / "lenet-keras.stats.json"
    if kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("needs named pipes")
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to(elsewhere if kind == "link" else tmp_path / "nowhere")
    assert main(["build", "lenet", "-o", str(out), "--emit", "stats"]) == 3
    assert "E801" in capsys.readouterr().err
    assert elsewhere.read_text() == "mine"
    assert [one.name for one in out.iterdir()] == ["lenet-keras.stats.json"]


def test_the_spec_is_not_replaced_by_what_is_made_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = "archc: 1\nname: net\ninput: [4]\nlayers: [dense: 2]\n"
    Path("net.expanded.yaml").write_text(words)
    assert main(["build", "net.expanded.yaml", "-o", ".", "--emit", "spec,stats"]) == 3
    assert "the spec itself" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["net.expanded.yaml"]
    assert Path("net.expanded.yaml").read_text() == words


def test_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / f"{PREFIX}mine").write_text("mine")
    assert main(["build", "lenet", "-o", str(tmp_path), "--emit", "stats"]) == 0
    assert {one.name for one in tmp_path.iterdir()} == {"notes.txt", f"{PREFIX}mine", "lenet-keras.stats.json"}
    assert not list(tmp_path.glob(f"*{SUFFIX}"))


ENTRIES = ["../secret.yaml", "inside/../../secret.yaml", "/etc/hostname", "{outside}", "~/secret.yaml", "file:///etc/hostname", "http://127.0.0.1:9/x.yaml", "$HOME/x.yaml", "*.yaml", "link.yaml", "pipe.yaml", "/dev/zero", ".", "archc:../../setup.yaml", "archc:/etc/hostname", "archc:blocks", "\\\\x\\y.yaml", "CON", "x" * 5000, ""]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda one: one[:30] or "empty")
def test_libraries_stay_inside_their_roots(entry: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused at once, at the entry, and nothing of what the file holds is told."""
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = tmp_path / "secret.yaml"
    secret.write_text("archc: 1\nname: secret\nmacros: {password: [relu]}\n")
    (inside / "link.yaml").symlink_to(secret)
    if hasattr(os, "mkfifo"):
        os.mkfifo(inside / "pipe.yaml")
    entry = entry.format(outside=secret) if "{outside}" in entry else entry
    (inside / "net.yaml").write_text(f"archc: 1\nname: net\ninput: [4]\nuse: ['{entry}']\nlayers: [dense: 2]\n")
    start = time.monotonic()
    assert main(["check", str(inside / "net.yaml")]) == 1
    told = capsys.readouterr().err
    assert "E213" in told
    assert "net.yaml:4:" in told
    assert "password" not in told
    assert time.monotonic() - start < 5
