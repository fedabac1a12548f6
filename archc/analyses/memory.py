"""Memory: activations, weights, the peak in inference by liveness, and an estimate for training. Bytes, for one batch.

Values are 32-bit floats, inputs have their own type. What a runtime adds (workspaces of convolutions, padding to blocks,
fragments) is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archc.analyses.cost import Cost
from archc.analyses.work import ACTIVATIONS
from archc.graph.graph import Graph, Node
from archc.operators import Role, product

FLOAT = 4
DTYPES = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "uint8": 1, "bool": 1}
VIEWS = ("flatten", "reshape", "identity", "linear")
"""Operators whose result is their input's memory seen otherwise; in inference regularisation is one too."""
IN_PLACE = ("batch_norm", "scale", "rescale", "normalize", "add", "subtract", "multiply", "average", "maximum", "minimum")
"""Operators that can write over an input of their result's size that nobody reads later; so can activations but softmax."""
KEEPS_INPUT = ("gelu", "silu", "swish", "hard_swish", "mish")
"""Activations whose gradient needs their input: fused into a layer they keep one more tensor in training."""
OPTIMIZERS = {"sgd": 0, "momentum": 1, "nesterov": 1, "rmsprop": 1, "adagrad": 1, "lion": 1, "adadelta": 2, "adam": 2, "adamw": 2, "adamax": 2, "nadam": 2}
"""Optimisers, and how many numbers they keep for each trainable parameter."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The most memory that activations take at one time, the node that is computed then, and those whose outputs are held."""

    bytes: int
    node: int
    held: tuple[int, ...]


@dataclass(frozen=True)
class Memory:
    """What a network holds for a batch; `None` where a size is open.

    `whole` has the bytes of each node's outputs, `nodes` those that it takes (0 for views), `weights` each weight once. `peak` lets element-wise
    operators write over their input, `peak_apart` gives each output memory of its own. Weights come on top of both:
    `inference` is the first with them.
    """

    whole: tuple[int | None, ...]
    nodes: tuple[int | None, ...]
    activations: int | None
    weights: int
    peak: Peak | None
    peak_apart: Peak | None

    @property
    def inference(self) -> int | None:
        """What inference needs: the weights and the peak of activations."""
        return None if self.peak is None else self.weights + self.peak.bytes


@dataclass(frozen=True, slots=True)
class Training:
    """An estimate of what one training step holds, in bytes."""

    optimizer: str
    batch: int
    weights: int
    gradients: int
    state: int
    activations: int | None
    backward: int | None

    @property
    def total(self) -> int | None:
        """All of it; `None` where a size is open."""
        if self.activations is None or self.backward is None:
            return None
        return self.weights + self.gradients + self.state + self.activations + self.backward


def memory(graph: Graph, cost: Cost, batch: int = 1) -> Memory:
    """The memory of inference, nodes computed in the graph's order."""
    whole = tuple(_bytes(node, batch) for node in graph.nodes)
    own = tuple(0 if is_view(node) else one for node, one in zip(graph.nodes, whole, strict=True))
    if None in whole:
        return Memory(whole, own, None, FLOAT * cost.params, None, None)
    activations = sum(one for one in own if one is not None)
    lives = _lives(graph)
    return Memory(whole, own, activations, FLOAT * cost.params, *(peak(graph, lives, own, in_place) for in_place in (True, False)))


def training(graph: Graph, cost: Cost, optimizer: str = "adam", batch: int = 1) -> Training:
    """Weights, gradients, the optimiser's state, the tensors that the backward pass reads, and the gradients it holds at once.

    Kept are the outputs and inputs of all nodes from the first trainable weight on. The gradients held at once are those of one
    node's inputs and outputs, where they are the most. Raises `KeyError` for an optimiser that `OPTIMIZERS` lacks.
    """
    kept, backward = _kept(graph, cost, batch)
    learned = FLOAT * cost.trainable
    return Training(optimizer, batch, FLOAT * cost.params, learned, learned * OPTIMIZERS[optimizer], kept, backward)


def is_view(node: Node) -> bool:
    """True where the node's output needs no memory of its own in inference."""
    return node.operator.name in VIEWS or node.operator.role is Role.REGULARISATION


def peak(graph: Graph, lives: Lives, sizes: Sequence[int | None], in_place: bool) -> Peak:
    """Goes through the graph in its order: a node's outputs live from it to their last reader, a network's output to the end."""
    ends: list[list[int]] = [[] for _ in graph.nodes]
    for owner, last in lives.last.items():
        ends[last].append(owner)
    live = most = at = 0
    made_anew = False
    for node in graph.nodes:
        made = sizes[node.index] or 0
        needed = 0 if in_place and _overwrites(graph, node, lives, sizes) else made
        if live + needed > most:
            most, at, made_anew = live + needed, node.index, needed > 0
        live += made - sum(sizes[one] or 0 for one in ends[node.index])
    end = len(graph.nodes)
    before = [one for one in range(at) if lives.owner[one] == one and lives.last.get(one, end) >= at and sizes[one]]
    return Peak(most, at, (*before, at) if made_anew else tuple(before))


@dataclass(frozen=True)
class Lives:
    """For each node the node that owns the memory of its outputs, and for each owner its last reader (the end: no entry)."""

    owner: list[int]
    last: dict[int, int]


def _lives(graph: Graph) -> Lives:
    owner: list[int] = []
    last: dict[int, int] = {}
    for node in graph.nodes:
        for one in node.inputs:
            last[owner[one.node]] = node.index
        mine = owner[node.inputs[0].node] if is_view(node) else node.index
        owner.append(mine)
        last[mine] = node.index
    for _, tensor in graph.outputs:
        last.pop(owner[tensor.node], None)
    return Lives(owner, last)


def _overwrites(graph: Graph, node: Node, lives: Lives, sizes: Sequence[int | None]) -> bool:
    name = node.operator.name
    if name not in IN_PLACE and (name not in ACTIVATIONS or "softmax" in name):
        return False
    for one in node.inputs:
        owner = lives.owner[one.node]
        ours = graph.nodes[owner].operator.role is not Role.INPUT
        if ours and lives.last.get(owner) == node.index and sizes[owner] == sizes[node.index]:
            return True
    return False


def _kept(graph: Graph, cost: Cost, batch: int) -> tuple[int | None, int | None]:
    """What the forward pass keeps for the backward one, and the most gradients of activations at once."""
    owner = _lives(graph).owner
    learns: list[bool] = []
    kept: set[int] = set()
    extra = backward = 0
    for node in graph.nodes:
        weights = cost.nodes[node.index if node.shared is None else node.shared].trainable
        learns.append(bool(weights) or any(learns[one.node] for one in node.inputs))
        if not learns[-1]:
            continue
        sizes = [_bytes(graph.nodes[one], batch) for one in (node.index, *(one.node for one in node.inputs))]
        if None in sizes:
            return None, None
        known = [one for one in sizes if one is not None]
        backward = max(backward, sum(known))
        kept.update(owner[one] for one in (node.index, *(one.node for one in node.inputs)))
        extra += known[0] if vars(node.operator).get("activation") in KEEPS_INPUT else 0
    return extra + sum(_bytes(graph.nodes[one], batch) or 0 for one in kept), backward


def _bytes(node: Node, batch: int) -> int | None:
    """What a node's outputs take."""
    width = DTYPES[vars(node.operator)["dtype"]] if node.operator.role is Role.INPUT else FLOAT
    total = 0
    for shape in node.shapes:
        values = product(shape)
        if values is None:
            return None
        total += values
    return total * batch * width
