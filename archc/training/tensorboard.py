"""TensorBoard's log of a run: one file, made anew from the history after each epoch, so that a resumed run has one curve.

Needs the `tensorboard` package (`archc[train]`), and no TensorFlow.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from archc.backends.base import Artefact
from archc.backends.files import write_all
from archc.diagnostics.packages import installed
from archc.graph.graph import Graph, Group
from archc.training.history import Record

FILE = "events.out.tfevents.archc"
START = 1.0
"""The time of events that have none of their own (the graph, the samples), so that equal runs give equal logs."""


def can_log() -> bool:
    """True where TensorBoard is installed."""
    return installed("tensorboard")


def write_log(folder: Path, graph: Graph, records: Sequence[Record], samples: bytes | None) -> None:
    """Writes the log of all epochs so far: scalars, the network's graph, and the samples' picture. Raises `OSError`."""
    events = list(_events(graph, records, samples))

    def write(file: BinaryIO) -> None:
        for one in events:
            _record(file, one.SerializeToString())

    write_all(folder, [Artefact(FILE, write)])


def _record(file: BinaryIO, data: bytes) -> None:
    """One record of an event file: its length and its bytes, each followed by a masked CRC."""
    crc: Any = importlib.import_module("tensorboard.compat.tensorflow_stub.pywrap_tensorflow").masked_crc32c
    length = struct.pack("<Q", len(data))
    file.write(length + struct.pack("<I", crc(length)) + data + struct.pack("<I", crc(data)))


def _events(graph: Graph, records: Sequence[Record], samples: bytes | None) -> Iterator[Any]:
    proto: Any = importlib.import_module("tensorboard.compat.proto.event_pb2")
    summary: Any = importlib.import_module("tensorboard.compat.proto.summary_pb2")
    yield proto.Event(wall_time=START, file_version="brain.Event:2")
    yield proto.Event(wall_time=START, graph_def=_graph(graph).SerializeToString())
    if samples is not None:
        image = summary.Summary.Image(encoded_image_string=samples, colorspace=4)
        yield proto.Event(wall_time=START, step=0, summary=summary.Summary(value=[summary.Summary.Value(tag="samples", image=image)]))
    elapsed = START
    for one in records:
        elapsed += float(one["seconds"])
        values = [
            summary.Summary.Value(tag=_tag(name), simple_value=float(value))
            for name, value in one.items()
            if name not in ("epoch", "steps", "seconds")
        ]
        yield proto.Event(wall_time=elapsed, step=int(one["epoch"]), summary=summary.Summary(value=values))


def _tag(name: str) -> str:
    """Training and validation of one metric stand in one group: `loss/training`, `loss/validation`."""
    return f"{name[4:]}/validation" if name.startswith("val_") else name if name == "learning_rate" else f"{name}/training"


def _graph(graph: Graph) -> Any:
    """The network as TensorBoard draws it, its blocks as scopes."""
    nodes: Any = importlib.import_module("tensorboard.compat.proto.node_def_pb2")
    graphs: Any = importlib.import_module("tensorboard.compat.proto.graph_pb2")
    names = {node.index: "/".join([*_scopes(node.group), node.name]) for node in graph.nodes}
    return graphs.GraphDef(node=[nodes.NodeDef(name=names[one.index], op=one.operator.name, input=[names[tensor.node] for tensor in one.inputs]) for one in graph.nodes])


def _scopes(group: Group | None) -> list[str]:
    labels: list[str] = []
    while group is not None:
        if group.label:
            labels.insert(0, group.label)
        group = group.parent
    return labels
