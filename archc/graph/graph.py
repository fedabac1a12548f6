"""The typed graph: nodes in topological order, each with its operator, shapes, name and origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from archc.diagnostics import Origin
from archc.operators import Operator, Shape, Weight

GroupKind = Literal["network", "macro", "merge", "branch", "steps", "loop", "iteration"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One output of one node."""

    node: int
    output: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A part of the text that nodes came from: a macro call, a branch, a loop or one of its iterations.

    `label` is what it adds to layer names (may be empty); `title` is the macro's, branch's or group's own word.
    `arguments` are a macro call's values, or an iteration's loop variables. `text` maps an argument to the
    expression it was written as, where it was one. `site` is equal for all the groups that one place of the text made:
    it is the identity of that place. A merge that is `silent` adds nothing to the names of the layers in its branches.
    """

    kind: GroupKind
    label: str
    title: str
    parent: Group | None
    site: int = 0
    iteration: int = 0
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    text: Mapping[str, str] = field(default_factory=dict[str, str])
    doc: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operation on tensors, at a place in the network.

    `shared` is the index of the node whose weights it uses, where it is a later call of shared weights. `text` maps an
    attribute to the expression it was written as, where it was one; `site` is the step's place in the text.
    """

    index: int
    name: str
    operator: Operator
    inputs: tuple[Tensor, ...]
    input_shapes: tuple[Shape, ...]
    shapes: tuple[Shape, ...]
    origin: Origin
    group: Group
    site: int = 0
    trainable: bool = True
    shared: int | None = None
    doc: str = ""
    text: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def shape(self) -> Shape:
        """The shape of the first output."""
        return self.shapes[0]

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The weight tensors that the node's operator has."""
        return self.operator.weights(self.input_shapes)


@dataclass(frozen=True, eq=False)
class Graph:
    """A network: what `archc` knows after expansion, before any target.

    `nodes` holds the inputs (operator `input`) too, in an order where each node comes after what it reads; a node's
    `index` is its place. `outputs` gives each output's name and tensor, `allowed` the codes of the warnings that the
    spec keeps back, with its reasons.
    """

    name: str
    variant: str
    title: str
    doc: str
    source: Mapping[str, Any]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[tuple[str, Tensor], ...]
    root: Group
    allowed: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def address(self) -> str:
        """The name that the command line knows it by: `vgg:D`."""
        return f"{self.name}:{self.variant}" if self.variant else self.name

    @property
    def slug(self) -> str:
        """The stem of the files it becomes: `vgg-d`."""
        return self.address.replace(":", "-").lower()

    def shape(self, tensor: Tensor) -> Shape:
        """The shape of a tensor."""
        return self.nodes[tensor.node].shapes[tensor.output]

    def consumers(self) -> list[list[int]]:
        """For each node, the nodes that read it (one entry per read), in order."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for tensor in node.inputs:
                found[tensor.node].append(node.index)
        return found
