"""Changes archc's meaning in small ways and counts the changes that no test notices: `make mutate SAMPLE=500`.

mutmut makes the mutants and runs on each the tests that reach it; `[tool.mutmut]` in pyproject.toml says of which packages and
with which tests. All of them take days, so a sample is drawn, the same for one seed and source. What the figures were, and what kinds
of mutants survive: docs/robustness.md. `mutmut show NAME` shows one.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

MUTANTS = Path("mutants")
FIRST = "archc.operators.dense.*__mutmut_1"
"""A few, for whose sake mutmut writes them all, and finds out which tests reach what."""
KILLED = frozenset({1, 3})
UNREACHED = 33


def results() -> dict[str, int | None]:
    """Each mutant's name and the exit code of the tests that ran on it."""
    found: dict[str, int | None] = {}
    for path in sorted(MUTANTS.rglob("*.meta")):
        found.update(json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"])
    return found


def run(names: Sequence[str]) -> None:
    """Runs the tests on mutants, one at a time."""
    program = Path(sys.executable).with_name("mutmut")
    subprocess.run([program, "run", "--max-children", "1", *names], check=True)


def fate(code: int | None) -> str:
    """What became of a mutant."""
    if code in KILLED:
        return "killed"
    if code == 0:
        return "survived"
    return "reached by no test" if code == UNREACHED else "out of time"


def report(codes: Mapping[str, int | None]) -> None:
    """The figures by package, and the names of the mutants that live."""
    totals = Counter((".".join(name.split(".")[:2]), fate(code)) for name, code in codes.items())
    for package in sorted({package for package, _ in totals}):
        print(package, {what: count for (one, what), count in sorted(totals.items()) if one == package})
    dead = sum(fate(code) in ("killed", "out of time") for code in codes.values())
    print(f"{dead} of {len(codes)} mutants are noticed: {dead / len(codes):.1%}")
    for name, code in sorted(codes.items()):
        if fate(code) != "killed":
            print(f"  {fate(code)}: {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=500, help="how many mutants are tried")
    parser.add_argument("--seed", type=int, default=6, help="which ones")
    options = parser.parse_args()
    run([FIRST])
    names = sorted(results())
    chosen = sorted(random.Random(options.seed).sample(names, min(options.sample, len(names))))
    run(chosen)
    found = results()
    print(f"{len(chosen)} of {len(names)} mutants, seed {options.seed}")
    report({name: found[name] for name in chosen})


if __name__ == "__main__":
    main()
