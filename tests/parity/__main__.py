"""Compares every variant that names an implementation with it: `python -m tests.parity keras.applications [NAME ...]`.

Prints one line for each, and exits with 1 where one differs or fails. A name is the implementation's last part
(`ResNet50`); without names, all that the shipped specs have are compared.
"""

from __future__ import annotations

import importlib
import sys
import time

from tests.parity.compare import LIMIT, implementations

LIBRARIES = {"keras.applications": "tests.parity.with_keras", "torchvision.models": "tests.parity.with_torchvision"}


def main(library: str, *names: str) -> int:
    """Compares the networks of one library."""
    compare = importlib.import_module(LIBRARIES[library]).compare
    found = implementations(library)
    wanted = [f"{library}.{name}" for name in names] or sorted(found)
    bad = 0
    for one in wanted:
        start = time.perf_counter()
        try:
            result = compare(one, found[one])
            good, text = result < LIMIT, f"{result:.2e}"
        except KeyError:
            good, text = False, "no shipped spec names it"
        except AssertionError as problem:
            good, text = False, str(problem)
        bad += not good
        print(f"{'ok' if good else 'NO'}  {one:<42} {found.get(one, ''):<28} {text}  ({time.perf_counter() - start:.0f} s)", flush=True)
    print(f"{len(wanted) - bad} of {len(wanted)} give the same output (relative difference of logits below {LIMIT:g})")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
