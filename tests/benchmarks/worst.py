"""The worst files that are known within the limits: what `archc check` takes for each. `python -m tests.benchmarks.worst`.

The contract: at most 5 seconds and 1 GiB for any file. Each entry is the text that costs most in one part of the compiler.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HEAD = "archc: 1\nname: worst\ninput: [32, 32, 3]\n"
ROOM = (1 << 20) - 300
SECONDS, KILOBYTES = 5.0, 1 << 20


def filled(head: str, line: Callable[[int], str], tail: str = "") -> str:
    """A text of about 1 MiB: a head, as many lines as fit, and a tail."""
    lines: list[str] = []
    room = ROOM - len(head) - len(tail)
    while room > 0:
        lines.append(line(len(lines)))
        room -= len(lines[-1])
    return head + "".join(lines[:-1]) + tail


def doubled(count: int, first: str) -> str:
    macros = "".join(f"  m{at}: [m{at - 1}, m{at - 1}]\n" for at in range(1, count))
    return f"{HEAD}macros:\n  m0: {first}\n{macros}layers: [m{count - 1}, flatten]\n"


def long_list(items: int) -> str:
    return HEAD + f"layers:\n  - {{for: 'n in [i for i in range({items})]', when: n < 0, relu: }}\n  - flatten\n"


TEXTS: dict[str, Callable[[], str]] = {
    "120,000 nodes": lambda: HEAD + "layers:\n  - {repeat: 100, steps: [{repeat: 1198, conv: [3, 3, 1, same]}]}\n",
    "120,000 nodes in merges": lambda: HEAD + "layers:\n  - {repeat: 39900, add: {a: [relu], b: [tanh]}}\n",
    "nodes under three macros": lambda: HEAD + "macros:\n  a: {params: {n: int}, body: [conv: $n]}\n  b: {params: {n: int}, body: [a: $n]}\n  c: {params: {n: int}, body: [b: $n]}\nlayers:\n  - {repeat: 70000, c: 3}\n",
    "one merge of many branches": lambda: HEAD + "layers:\n  - concat: {repeat: 99900, steps: [relu]}\n",
    "macros that double": lambda: doubled(40, "{params: {a: 1}, body: [{relu, when: a > 1}]}"),
    "macros that double and fail": lambda: doubled(24, "[missing]"),
    "macros that double, of many parameters": lambda: doubled(40, "{params: {" + ", ".join(f"p{at}: 1" for at in range(500)) + "}, body: [{relu, when: p1 > 1}]}"),
    "steps that parameters hold": lambda: HEAD + "macros:\n" + "".join(f"  m{at}: {{params: {{s: steps}}, body: [{'$s' if at == 0 else f'm{at - 1}: {{s: [$s, $s]}}'}]}}\n" for at in range(40)) + "layers: [m39: {s: [{relu, when: 1 > 2}]}, flatten]\n",
    "an expression in a loop": lambda: HEAD + "let: {rows: '$([i for i in range(1000)])'}\nlayers:\n  - {repeat: 100000, when: 'sum([n * n for n in rows]) < 0', relu: }\n  - flatten\n",
    "long lists in expressions": lambda: HEAD + "let:\n" + "".join(f"  v{at}: $([i for i in range(100000)])\n" for at in range(200)) + "layers: [flatten]\n",
    "long lists held at once": lambda: HEAD + "let:\n  a: $([[i] for i in range(50000)])\n" + "".join(f"  v{at}: $([[i, i] for i in range(33000)])\n" for at in range(1000)) + "layers: [flatten]\n",
    "texts in expressions": lambda: HEAD + "let:\n" + "".join(f"  v{at}: $(['{'x' * 1900}' for i in range(100000)])\n" for at in range(100)) + "layers: [flatten]\n",
    "a loop over a list": lambda: long_list(99000),
    "values by aliases": lambda: HEAD + "params:\n  a: &a [" + ", ".join(["1"] * 1000) + "]\n  b: [" + ", ".join(["*a"] * 99) + "]\nlayers: [flatten]\n",
    "steps by aliases": lambda: HEAD + "layers:\n  - steps: &a [" + ", ".join(["relu"] * 900) + "]\n" + "  - steps: *a\n" * 100,
    "short lines": lambda: filled(HEAD + "layers:\n", lambda at: "- relu\n"),
    "one line": lambda: filled(HEAD + "layers: [", lambda at: "relu, ", "flatten]\n"),
    "many keys": lambda: filled(HEAD + "layers: [flatten]\nparams:\n", lambda at: f"  p{at}: {at}\n"),
    "many parameters read": lambda: filled(HEAD + "layers: [flatten]\nlet: {x: $p0}\nparams:\n", lambda at: f"  p{at}: $(p{at - 1} + 1)\n" if at else "  p0: 0\n"),
    "many macros": lambda: filled(HEAD + "layers: [m0, flatten]\nmacros:\n", lambda at: f"  m{at}: [relu]\n"),
    "many macros in a chain": lambda: filled(HEAD + "layers: [flatten]\nmacros:\n", lambda at: f"  m{at}: [m{at + 1}]\n", "  last: [relu]\n"),
    "many unknown words": lambda: filled(HEAD + "layers:\n", lambda at: f"- cnov{at}\n"),
    "many unknown words and many macros": lambda: filled(filled(HEAD + "macros:\n", lambda at: f"  macro{at}: [relu]\n")[: ROOM // 2].rpartition("\n")[0] + "\nlayers:\n", lambda at: f"- marco{at}\n"),
    "many unknown values and many parameters": lambda: filled(filled(HEAD + "params:\n", lambda at: f"  value{at}: 1\n")[: ROOM // 2].rpartition("\n")[0] + "\nlayers:\n", lambda at: f"- conv: $vaule{at}\n"),
    "many unknown keys": lambda: filled(HEAD + "layers: [flatten]\n", lambda at: f"layesr{at}: 1\n"),
    "many duplicate keys": lambda: filled(HEAD + "layers: [flatten]\nparams:\n", lambda at: "  a: 1\n"),
    "many wrong numbers": lambda: filled(HEAD + "layers:\n", lambda at: "- conv: 0\n"),
    "many warnings": lambda: filled(HEAD + "layers:\n", lambda at: "- {side: [relu]}\n", "- flatten\n"),
    "many tensors": lambda: filled(HEAD + "layers:\n", lambda at: f"- {{relu, as: a{at}}}\n"),
    "many cells": lambda: filled(HEAD + "notation:\n" + "".join(f"  a<x>-{at}: relu\n" for at in range(3000)) + "layers:\n", lambda at: f"- a{at % 90000}-{at % 3000}\n"),
    "cells that can be read in many ways": lambda: filled(HEAD + "notation: {<a>x<b>x<c>x<d>x<e>x<f>: relu}\nlayers:\n", lambda at: f"- {'x' * 120}-{at}\n"),
    "many variants": lambda: filled(HEAD + "params: {n: 1}\nlayers: [{repeat: $n, relu: }, flatten]\nvariants:\n", lambda at: f"  v{at}: {{n: 2}}\n"),
    "many variants, each large": lambda: HEAD + "params: {n: 1}\nlayers: [{repeat: $n, relu: }, flatten]\nvariants:\n" + "".join(f"  v{at}: {{n: 90000}}\n" for at in range(300)),
    "variants alike in a chain": lambda: filled(HEAD + "params: {n: 1}\nlayers: [{repeat: $n, relu: }, flatten]\nvariants:\n  v0: {n: 2}\n", lambda at: f"  v{at + 1}: {{like: v{at}}}\n"),
    "brackets": lambda: HEAD + "layers: " + "[" * 500_000 + "\n",
    "long expressions": lambda: filled(HEAD + "layers:\n", lambda at: "- conv: $(" + " + ".join(["1"] * 490) + f" + {at})\n"),
    "deep expressions": lambda: filled(HEAD + "layers:\n", lambda at: "- conv: $(" + "(" * 48 + "3" + ")" * 48 + f" + {at})\n"),
    "a large power": lambda: HEAD + "let: {x: '$([2 ** 39 for i in range(100000)])'}\nlayers: [flatten]\n",
    "many inputs": lambda: filled("archc: 1\nname: worst\nlayers: [concat: [i0, i1]]\ninputs:\n", lambda at: f"  i{at}: [4]\n"),
    "many outputs": lambda: filled(HEAD + "layers: [flatten]\noutputs:\n", lambda at: f"  o{at}: _\n"),
    "channels by number": lambda: HEAD + "layers:\n  - conv: 100000\n  - {repeat: 200, select: '$([i for i in range(99000)])'}\n",
    "a reshape of many axes": lambda: HEAD + "layers:\n  - {repeat: 2000, reshape: [3072" + ", 1" * 900 + "]}\n",
    "shared weights": lambda: HEAD + "layers:\n  - {repeat: 99900, share: w, conv: [3, 3, 1, same]}\n",
    "long names": lambda: HEAD + "layers:\n" + "".join(f"  - repeat: 3\n    as: {'a' * 100}{at}\n    steps: [{{repeat: 200, as: {'b' * 120}, steps: [{{repeat: 100, as: {'c' * 120}, relu: }}]}}]\n" for at in range(4)),
    "deep groups": lambda: HEAD + "layers:\n  - " + "steps: [{" * 28 + "repeat: 99900, relu: " + "}]" * 28 + "\n",
}


def main() -> int:
    """Checks each text in a process of its own; shows time and memory, and fails where one is over the limit."""
    chosen = [one for one in TEXTS if not sys.argv[1:] or any(word in one for word in sys.argv[1:])]
    over = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "worst.yaml")
        for name in chosen:
            path.write_text(TEXTS[name](), encoding="utf-8")
            seconds, user, memory, code, first = measured(path)
            bad = user > SECONDS or memory > KILOBYTES or code not in (0, 1)
            over += bad
            print(f"{'OVER' if bad else 'ok':4} {name:42} {path.stat().st_size / 1000:7.0f} kB {seconds:6.2f} s {user:6.2f} s cpu {memory / 1024:6.0f} MiB  exit {code}  {first}", flush=True)
    return 1 if over else 0


def measured(path: Path) -> tuple[float, float, int, int, str]:
    """Wall-clock and processor seconds, peak memory in kB, exit code and the first words of stderr."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen([sys.executable, "-m", "archc", "check", str(path)], stdout=subprocess.DEVNULL, stderr=errors)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        first = errors.read(90).decode(errors="replace").splitlines()
    return time.monotonic() - start, used.ru_utime + used.ru_stime, used.ru_maxrss, child.returncode, first[0] if first else ""


if __name__ == "__main__":
    sys.exit(main())
