"""Kills trainings at random moments until they are done: `python -m tests.kill_training FOLDER KILLS`.

The framework is imported once; each training is a forked child, so that a kill costs no import.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: F401

from archc.commands import main
from archc.training.checkpoint import listed, read


def child(folder: Path, name: str, *words: str) -> int:
    """Starts a training in a child process."""
    number = os.fork()
    if number == 0:
        os.chdir(folder)
        with open(folder / f"{name}.log", "a") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            code = main(["train", "mine.yaml", "-o", name, *words])
        os._exit(code)
    return number


def ended(number: int) -> int:
    """The exit code of a child; minus the signal where one ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def run(folder: Path, kills: int) -> None:
    """Trains once undisturbed and once with kills, and prints what differs."""
    began = time.monotonic()
    assert ended(child(folder, "whole")) == 0, (folder / "whole.log").read_text()
    takes = time.monotonic() - began
    chance = random.Random(1)
    done = 0
    words: tuple[str, ...] = ()
    while True:
        number = child(folder, "killed", *words)
        words = ("--resume",)
        if done < kills:
            time.sleep(chance.uniform(0.3, 1.0) * takes)
            if os.waitpid(number, os.WNOHANG) == (0, 0):
                os.kill(number, signal.SIGKILL)
                assert ended(number) == -signal.SIGKILL
                done += 1
                continue
            done = kills
            continue
        code = ended(number)
        assert code == 0, (folder / "killed.log").read_text()
        break
    one, two = (read(listed(folder / name / "checkpoints")[0]) for name in ("whole", "killed"))
    differing = [name for name in one.arrays if one.arrays[name].tobytes() != two.arrays[name].tobytes()]
    records = [[{key: value for key, value in record.items() if key != "seconds"} for record in each.meta["records"]] for each in (one, two)]
    strays = [path.name for path in (folder / "killed").rglob(".archc-*")]
    print(f"kills {done}, epochs {[record['epoch'] for record in records[1]]}, differing {differing}, records {records[0] == records[1]}, strays {len(strays)}")


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
