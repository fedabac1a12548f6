"""Runs every benchmark and prints a Markdown table: `python -m tests.benchmarks [name ...]`."""

from __future__ import annotations

import compileall
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
IMPORTS = "import yaml, jsonschema"
SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class Result:
    """One line of the table."""

    what: str
    measured: str
    ratio: str
    goal: str
    holds: bool


def seconds(words: list[str], runs: int) -> float:
    """The median wall time of a process."""
    times: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True)
        times.append(time.perf_counter() - start)
        if done.returncode:
            raise RuntimeError(f"{words} failed:\n{done.stderr[-2000:]}")
    return statistics.median(times)


def python(code: str, runs: int) -> float:
    """The time of `python -c`."""
    return seconds([sys.executable, "-c", code], runs)


def archc(*words: str, runs: int) -> float:
    """The time of an archc command."""
    return seconds([sys.executable, "-m", "archc", *words], runs)


def script(name: str, *words: str, runs: int) -> float:
    """The time of a Keras script beside this file."""
    return seconds([sys.executable, str(SCRIPTS / f"{name}.py"), *words], runs)


def at_most(what: str, ours: float, theirs: float, goal: float) -> Result:
    """Ours may take `goal` times theirs."""
    ratio = ours / theirs
    return Result(what, f"{ours:.3f} s against {theirs:.3f} s", f"{ratio:.2f} times", f"at most {goal:g}", ratio <= goal)


def faster(what: str, ours: float, theirs: float, goal: float) -> Result:
    """Ours must be `goal` times faster."""
    ratio = theirs / ours
    return Result(what, f"{ours:.3f} s against {theirs:.3f} s", f"{ratio:.1f} times faster", f"at least {goal:g}", ratio >= goal)


def check() -> list[Result]:
    """`archc check` against the imports that it cannot do without, and against a Keras script."""
    python(IMPORTS, 1)
    ours, imports = archc("check", "vgg:D", runs=15), python(IMPORTS, 15)
    keras = script("build_vgg16", runs=3)
    return [
        at_most("`archc check vgg:D` : `import yaml, jsonschema`", ours, imports, 2.5),
        faster("`archc check vgg:D` : Keras script that builds VGG-16", ours, keras, 15),
    ]


def in_turn(runs: int, *calls: list[str]) -> list[float]:
    """The median wall time of each process, the processes run in turn."""
    rounds = [[seconds([sys.executable, *words], 1) for words in calls] for _ in range(runs + 1)][1:]
    return [statistics.median(one) for one in zip(*rounds)]


def stats() -> list[Result]:
    """`archc stats` of a network of 516 nodes against the imports that it cannot do without, run in turn."""
    medians = in_turn(21, ["-m", "archc", "stats", "resnet:152"], ["-c", IMPORTS])
    return [at_most("`archc stats resnet:152` : `import yaml, jsonschema`", *medians, 3)]


def draw() -> list[Result]:
    """`archc draw` of networks of 516 and 761 nodes against the imports that it cannot do without, run in turn."""
    goals = {"blocks": 3, "layers": 20}
    cases = [(address, detail) for address in ("resnet:152", "efficientnet:b7") for detail in goals]
    with tempfile.TemporaryDirectory() as folder:
        calls = [["-m", "archc", "draw", address, "--detail", detail, "-o", folder] for address, detail in cases]
        imports, *ours = in_turn(21, ["-c", IMPORTS], *calls)
    return [
        at_most(f"`archc draw {address} --detail {detail}` : `import yaml, jsonschema`", took, imports, goals[detail])
        for (address, detail), took in zip(cases, ours)
    ]


def build() -> list[Result]:
    """`archc build` against Keras scripts that import, build and save."""
    with tempfile.TemporaryDirectory() as folder:
        ours = archc("build", "resnet:152", "-o", folder, runs=3)
        keras = script("save_resnet152", f"{folder}/k.keras", runs=2)
        results = [faster("`archc build resnet:152` : Keras script that builds and saves it", ours, keras, 4)]
        ours = archc("build", "vgg:D", "-o", folder, runs=3)
        keras = script("save_vgg16", f"{folder}/k.keras", runs=2)
        return [*results, faster("`archc build vgg:D` : Keras script that builds and saves it", ours, keras, 3)]


def to_keras() -> list[Result]:
    """`to_keras()` against `keras.applications`, in one process."""
    results: list[Result] = []
    for address, name in (("resnet:152", "ResNet152"), ("vgg:E", "VGG19")):
        done = subprocess.run([sys.executable, str(SCRIPTS / "to_keras.py"), address, name], env=ENVIRONMENT, capture_output=True, text=True, check=True)
        ours, theirs = (float(one) for one in done.stdout.split()[-2:])
        results.append(at_most(f"`to_keras()` of {address} : `keras.applications.{name}`", ours, theirs, 1.0))
    return results


def linear() -> list[Result]:
    """Time by layers: ten times the layers in about ten times the time."""
    results: list[Result] = []
    for kind in ("chain", "residual"):
        for target in ("check", "config", "python", "svg", "keras"):
            done = [
                subprocess.run([sys.executable, str(SCRIPTS / "long.py"), kind, target, str(layers)], env=ENVIRONMENT, capture_output=True, text=True)
                for layers in (10_000, 100_000)
            ]
            if any(one.returncode for one in done):
                results.append(Result(f"{kind}, {target}: 100,000 layers", done[-1].stderr.strip().splitlines()[-1][:80], "", "linear", False))
                continue
            (small, _), (large, memory) = ([float(word) for word in one.stdout.split()] for one in done)
            results.append(Result(f"{kind}, {target}: 100,000 layers", f"{large:.1f} s, {memory / 1e6:.0f} MB", f"{large / small:.1f} times 10,000", "at most 15", large / small <= 15))
    return results


def zoo() -> list[Result]:
    """All shipped specs: listed, proved, and compiled in one process."""
    python(IMPORTS, 1)
    archc("list", runs=1)
    ours, imports = archc("list", runs=15), python(IMPORTS, 15)
    proof, keras = archc("check", "specs/*", runs=1), python("import keras", 3)
    done = subprocess.run([sys.executable, str(SCRIPTS / "compile_zoo.py")], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    networks, layers, took, memory = (float(one) for one in done.stdout.split())
    return [
        at_most("`archc list` : `import yaml, jsonschema`", ours, imports, 2),
        at_most("`archc check 'specs/*'` : `import keras`", proof, keras, 15),
        Result(f"{networks:.0f} networks compiled in one process", f"{took:.1f} s, {memory / 1e6:.0f} MB", f"{took / networks:.3f} s each, {layers / took:,.0f} layers a second", "", True),
    ]


def sweep() -> list[Result]:
    """EfficientNet variants a second and core: the goal is that of a sweep over its widths and depths."""
    done = subprocess.run([sys.executable, str(SCRIPTS / "sweep.py")], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    rates = {name: float(number) for name, number in (line.split("\t") for line in done.stdout.splitlines())}
    compiled = rates.pop("compiled")
    results = [Result("EfficientNet-B0 in other widths, compiled", f"{compiled:.0f} a second", "", "", True)]
    for at, (name, number) in enumerate(rates.items()):
        goal = "" if at else "at least 300 a second"
        results.append(Result(f"`archc sweep efficientnet`: {name}", f"{number:.0f} a second", f"{number / compiled:.1f} times compiled", goal, bool(at) or number >= 300))
    return results


def train() -> list[Result]:
    """An epoch of training against `fit` of a hand-written script, in one process; and what of it is the input's."""
    results: list[Result] = []
    for framework, recipe, examples in (
        ("tensorflow", "lenet-mnist", 12_000), ("tensorflow", "resnet20-cifar10", 1_500), ("jax", "lenet-mnist", 12_000), ("jax", "resnet20-cifar10", 1_500),
    ):
        done = subprocess.run([sys.executable, str(SCRIPTS / "train.py"), recipe, str(examples), "4"], env={**ENVIRONMENT, "KERAS_BACKEND": framework}, capture_output=True, text=True, check=True)
        ours, theirs, read, plain = (float(one) for one in done.stdout.split()[-4:])
        results.append(at_most(f"{framework}: an epoch of {recipe} on {examples:,} examples (processor) : `fit` of a Keras script", ours, theirs, 1.03))
        results.append(at_most(f"{framework}: its examples put in order : the epoch of {recipe}", read, ours, 0.03))
        if framework == "tensorflow":
            results.append(Result(f"tensorflow: an epoch of {recipe} with XLA : without (`jit: false`)", f"{ours:.2f} s : {plain:.2f} s", f"{ours / plain:.2f}", "", True))
    return results


BENCHMARKS: dict[str, Callable[[], list[Result]]] = {"check": check, "stats": stats, "draw": draw, "build": build, "to_keras": to_keras, "zoo": zoo, "sweep": sweep, "linear": linear, "train": train}


def main() -> int:
    """Runs the benchmarks that the words name, or all."""
    chosen = sys.argv[1:] or list(BENCHMARKS)
    compileall.compile_dir("archc", quiet=1)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}\n")
    print("| what | measured | ratio | goal | |\n| --- | --- | --- | --- | --- |")
    missed = 0
    for name in chosen:
        for one in BENCHMARKS[name]():
            print(f"| {one.what} | {one.measured} | {one.ratio} | {one.goal} | {'holds' if one.holds else 'missed'} |", flush=True)
            missed += not one.holds
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
