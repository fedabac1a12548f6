"""Prints the seconds and peak bytes of one target for a chain, or a residual chain, of many layers."""

import io
import resource
import sys
import tempfile
import time
from pathlib import Path

from archc.backends import backend
from archc.pipeline import load

kind, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
step = "{conv: {filters: 4, kernel: 3, padding: same}}" if kind == "chain" else "{add: {residual: [conv: {filters: 4, kernel: 3, padding: same}], shortcut: []}}"
repeats = count if kind == "chain" else count // 2
text = f"archc: 1\nname: long\ninput: [8, 8, 4]\nlayers:\n  - repeat: {repeats}\n    steps: [{step}]\n"
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "long.yaml"
    path.write_text(text)
    start = time.perf_counter()
    graph = load(str(path)).compile().graph
    if target != "check":
        options = {"detail": "overview"} if target == "svg" else {}
        for artefact in backend(target, **options).emit(graph):
            artefact.write(io.BytesIO())
    seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
