"""The record of a run: one line for each completed epoch, as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from archc.backends.base import Artefact

Record = Mapping[str, Any]
"""An epoch (counted from 1) with its metrics, learning rate, seconds and training steps so far."""


def improves(value: float, best: float | None, metric: str, least: float = 0.0) -> bool:
    """True where a metric's value is better than the best so far: lower for losses, higher else."""
    if not math.isfinite(value):
        return False
    if best is None:
        return True
    return value < best - least if metric.endswith("loss") else value > best + least


def artefacts(records: Sequence[Record]) -> list[Artefact]:
    """`history.csv` and `history.json`."""
    names = list(dict.fromkeys(name for one in records for name in one))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return [Artefact.text("history.csv", text.getvalue()), Artefact.text("history.json", json.dumps(list(records), indent=1) + "\n")]


def line(record: Record, epochs: int) -> str:
    """An epoch as a line for people."""
    width = len(str(epochs))
    shown = [f"epoch {record['epoch']:>{width}}/{epochs}"]
    for name, value in record.items():
        if name in ("epoch", "steps", "seconds", "learning_rate"):
            continue
        shown.append(f"{name} {100 * value:6.2f} %" if name.endswith(("accuracy", "top5")) else f"{name} {value:.4f}")
    return "  ".join([*shown, f"rate {record['learning_rate']:.3g}", f"{record['seconds']:.1f} s"])
