"""The same spec, options and version give the same bytes, whatever the hash seed and the working folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.zoo import CLASSIC, walked

ROOT = Path(__file__).parent.parent
SCRIPT = """
import hashlib, io, sys
from archc.backends import backend
from archc.pipeline import compile

for address in sys.argv[1:]:
    compiled = compile(address)
    for kind in ("config", "python", "dot", "svg", "html", "stats", "spec", "keras"):
        if kind == "keras" and compiled.analysed.cost.params > 12_000_000:
            continue
        for artefact in backend(kind).emit(compiled.graph):
            file = io.BytesIO()
            artefact.write(file)
            print(artefact.filename, hashlib.sha256(file.getvalue()).hexdigest())
"""


def digests(seed: str, folder: Path) -> list[str]:
    """A line for each artefact, made in a process of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", SCRIPT, *walked(CLASSIC)], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_every_artefact_of_shipped_networks_is_the_same_twice(tmp_path: Path) -> None:
    first, second = digests("0", tmp_path), digests("1", ROOT)
    assert len(first) > 80
    assert first == second
