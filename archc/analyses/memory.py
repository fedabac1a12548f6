"""Memory: activations, weights, the peak in inference by liveness, and an estimate for training. Bytes, for one batch.

Values are 32-bit floats, inputs have their own type. What a runtime adds (workspaces of convolutions, padding to blocks,
fragments) is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from archc.analyses.work import ACTIVATIONS
from archc.graph.graph import Graph, Node, Tensor
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
    """The most memory that activations take at one time, and the node that is computed then."""

    bytes: int
    node: int


@dataclass(frozen=True)
class Memory:
    """What a network holds for a batch; `None` where a size is open.

    `nodes` has the bytes that each node's outputs take (0 for views), `weights` each weight once. `peak` lets element-wise
    operators write over their input, `peak_apart` gives each output memory of its own. Weights come on top of both.
    """

    nodes: tuple[int | None, ...]
    activations: int | None
    weights: int
    peak: Peak | None
    peak_apart: Peak | None


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


def memory(graph: Graph, batch: int = 1) -> Memory:
    """The memory of inference, nodes computed in the graph's order."""
    whole = [_output_bytes(node, batch) for node in graph.nodes]
    own = tuple(0 if is_view(node) else one for node, one in zip(graph.nodes, whole, strict=True))
    weights = sum(FLOAT * weight.size for node in graph.nodes if node.shared is None for weight in node.weights)
    sizes = [one for one in whole if one is not None]
    if len(sizes) < len(whole):
        return Memory(own, None, weights, None, None)
    return Memory(own, sum(one for one in own if one is not None), weights, peak(graph, batch, True), peak(graph, batch, False))


def peak(graph: Graph, batch: int, in_place: bool) -> Peak:
    """Goes through the graph in its order: a tensor lives from its node to its last reader, an output to the end."""
    root, last, kept = _lifetimes(graph)
    ends: list[list[Tensor]] = [[] for _ in graph.nodes]
    for tensor, at in last.items():
        ends[at].append(tensor)
    live = most = at_node = 0
    for node in graph.nodes:
        made = [] if is_view(node) else [Tensor(node.index, at) for at in range(len(node.shapes))]
        needed = sum(_bytes(graph, one, batch) for one in made)
        if in_place and _overwrites(graph, node, root, last, kept):
            needed = 0
        if live + needed > most:
            most, at_node = live + needed, node.index
        live += sum(_bytes(graph, one, batch) for one in made)
        live -= sum(_bytes(graph, one, batch) for one in ends[node.index])
    return Peak(most, at_node)


def training(graph: Graph, optimizer: str = "adam", batch: int = 1) -> Training:
    """Weights, gradients, the optimiser's state, the tensors that the backward pass reads, and the gradients it holds at once.

    Kept are the outputs and inputs of all nodes from the first trainable weight on. The gradients held at once are those of one
    node's inputs and outputs, where they are the most. Raises `KeyError` for an optimiser that `OPTIMIZERS` lacks.
    """
    trainable = [sum(one.size for one in node.weights if one.trainable) if node.trainable else 0 for node in graph.nodes]
    every = sum(one.size for node in graph.nodes if node.shared is None for one in node.weights)
    learned = sum(count for count, node in zip(trainable, graph.nodes, strict=True) if node.shared is None)
    kept, extra, backward = _kept(graph, trainable, batch)
    return Training(optimizer, batch, FLOAT * every, FLOAT * learned, FLOAT * learned * OPTIMIZERS[optimizer],
                    None if kept is None or extra is None else kept + extra, backward)


def is_view(node: Node) -> bool:
    """True where the node's output needs no memory of its own in inference."""
    return node.operator.name in VIEWS or node.operator.role is Role.REGULARISATION


def _kept(graph: Graph, trainable: list[int], batch: int) -> tuple[int | None, int | None, int | None]:
    root = _lifetimes(graph)[0]
    learns: list[bool] = []
    tensors: set[Tensor] = set()
    extra = backward = 0
    for node in graph.nodes:
        learns.append(bool(trainable[node.index]) or any(learns[one.node] for one in node.inputs))
        if not learns[-1]:
            continue
        outputs = [Tensor(node.index, at) for at in range(len(node.shapes))]
        sizes = [product(graph.shape(one)) for one in (*node.inputs, *outputs)]
        if None in sizes:
            return None, None, None
        backward = max(backward, FLOAT * batch * sum(one for one in sizes if one is not None))
        tensors.update(root.get(one, one) for one in (*node.inputs, *outputs))
        if vars(node.operator).get("activation") in KEEPS_INPUT:
            extra += _bytes(graph, outputs[0], batch)
    return sum(_bytes(graph, one, batch) for one in tensors), extra, backward


def _lifetimes(graph: Graph) -> tuple[dict[Tensor, Tensor], dict[Tensor, int], set[Tensor]]:
    """The tensor whose memory each view is, the last reader of each memory, and what is kept to the end."""
    root: dict[Tensor, Tensor] = {}
    last: dict[Tensor, int] = {}
    for node in graph.nodes:
        for one in node.inputs:
            last[root.get(one, one)] = node.index
        for at in range(len(node.shapes)):
            tensor = Tensor(node.index, at)
            if is_view(node):
                root[tensor] = root.get(node.inputs[0], node.inputs[0])
                last[root[tensor]] = node.index
            else:
                last[tensor] = node.index
    kept = {root.get(tensor, tensor) for _, tensor in graph.outputs}
    return root, {tensor: at for tensor, at in last.items() if tensor not in kept}, kept


def _overwrites(graph: Graph, node: Node, root: dict[Tensor, Tensor], last: dict[Tensor, int], kept: set[Tensor]) -> bool:
    name = node.operator.name
    if name not in IN_PLACE and (name not in ACTIVATIONS or "softmax" in name):
        return False
    size = product(node.shape)
    for one in node.inputs:
        memory = root.get(one, one)
        read_later = memory in kept or last[memory] > node.index
        of_network = graph.nodes[memory.node].operator.role is Role.INPUT
        if not read_later and not of_network and product(graph.shape(memory)) == size:
            return True
    return False


def _bytes(graph: Graph, tensor: Tensor, batch: int) -> int:
    values = product(graph.shape(tensor))
    assert values is not None
    return values * batch * _width(graph.nodes[tensor.node])


def _width(node: Node) -> int:
    return DTYPES[vars(node.operator)["dtype"]] if node.operator.role is Role.INPUT else FLOAT


def _output_bytes(node: Node, batch: int) -> int | None:
    total = 0
    for shape in node.shapes:
        values = product(shape)
        if values is None:
            return None
        total += values * batch * _width(node)
    return total
