"""Layers in the making: each part of a node becomes a layer, or a call of one that is there."""

from __future__ import annotations

from dataclasses import dataclass, field

from archc.backends.keras.layers import KerasCall, KerasLayer, KerasTensor
from archc.backends.keras.lowering.parts import Part
from archc.graph.graph import Node


@dataclass(slots=True)
class _Draft:
    """A layer whose calls are still being found."""

    part: Part
    name: str
    trainable: bool
    calls: list[KerasCall] = field(default_factory=list[KerasCall])

    def finish(self) -> KerasLayer:
        part = self.part
        return KerasLayer(
            part.module, part.class_name, self.name, part.config, part.weights, self.trainable, tuple(self.calls)
        )


@dataclass(slots=True)
class Drafts:
    """The layers so far, the names that are taken, and where each node's weights and outputs are."""

    taken: set[str]
    layers: list[_Draft] = field(default_factory=list[_Draft])
    weighted: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    outputs: dict[int, tuple[KerasTensor, ...]] = field(default_factory=dict[int, tuple[KerasTensor, ...]])

    def name(self, node: Node, part: Part) -> str:
        """A name that no other layer has. The first call of a node's own name takes it as it is."""
        if not part.suffix and node.shared is None:
            return node.name
        base = f"{node.name}_{part.suffix}" if part.suffix else node.name
        number, found = 1, base
        while found in self.taken:
            number += 1
            found = f"{base}_{number}"
        self.taken.add(found)
        return found

    def add(self, node: Node, part: Part, inputs: tuple[KerasTensor, ...], again: int | None) -> KerasTensor:
        """A call: of a new layer, or (`again`) of one that is there."""
        call = KerasCall(inputs, part.as_list, part.shapes, node.index, part.arguments, part.keywords)
        if again is None:
            again = len(self.layers)
            self.layers.append(_Draft(part, self.name(node, part), node.trainable))
            if part.weights:
                self.weighted.setdefault(node.index, []).append(again)
        self.layers[again].calls.append(call)
        return KerasTensor(again, len(self.layers[again].calls) - 1)
