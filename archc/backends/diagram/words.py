"""What a diagram says about nodes, shapes and counts, in the field's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archc.backends.diagram.tree import SIGNS, Box
from archc.diagnostics.figures import scaled
from archc.graph.graph import Graph, Node
from archc.operators import Role, Shape

NAMES = {
    "batch_norm": "BN",
    "layer_norm": "LN",
    "group_norm": "GN",
    "instance_norm": "IN",
    "rms_norm": "RMS norm",
    "lrn": "LRN",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "Leaky ReLU",
    "prelu": "PReLU",
    "elu": "ELU",
    "selu": "SELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "swish": "Swish",
    "depthwise_conv": "Depthwise conv",
    "conv_transpose": "Transposed conv",
}
"""Operations whose usual spelling is not their name's."""

DROPPED = re.compile(r"[\x00-\x09\x0B-\x1F\x7F-\x9F\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF\uFFFE\uFFFF\uD800-\uDFFF]+")
"""Characters that XML forbids, or that turn the direction of the text around them."""

LONGEST = 60
MULTIPLY = "×"
SEPARATOR = " · "


def sound(text: str) -> str:
    """Text without control characters, which may still have several lines.

    >>> sound("re\x00lu\u202E")
    'relu'
    """
    return DROPPED.sub("", text)


def shown(text: str, longest: int = LONGEST) -> str:
    """A line of the text as it can stand in a picture: one line, no control characters, not too long."""
    clean = " ".join(sound(text).split("\n"))
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def title(name: str) -> str:
    """An operation as people write it: `Max pool`, `BN`."""
    return NAMES.get(name) or name.replace("_", " ").capitalize()


def shape_text(shape: Shape) -> str:
    """A shape without the batch: `56×56×256`."""
    return MULTIPLY.join("?" if one is None else str(one) for one in shape) or "scalar"


def lines(box: Box) -> list[str]:
    """What is written in a box: the operation with kernel and stride, filters or units, and which outputs it makes."""
    return [*_content(box), *(["→ " + ", ".join(box.outputs)] if box.outputs else [])]


def _content(box: Box) -> list[str]:
    if box.text:
        return [box.text]
    if box.title:
        return _block_lines(box)
    first = box.head
    if first.operator.role is Role.MERGE:
        sign = SIGNS.get(first.operator.name, title(first.operator.name).lower())
        return ["  ".join([sign, *(_short(node) for node in box.members[1:])])]
    if first.operator.role is Role.INPUT:
        return [_input_title(first), shape_text(first.shape)]
    words = [_operation(first, [copy[0] for copy in box.copies], box.names), *(_short(node) for node in box.members[1:])]
    amount = _amount(first, box.names)
    if first.shared is not None and first.weights:
        amount = f"{amount} (shared)".strip()
    return [SEPARATOR.join(words), *([amount] if amount else [])]


def _block_lines(box: Box) -> list[str]:
    name = f"{box.title} {MULTIPLY} {box.count}" if box.count > 1 else box.title
    if box.told is not None:
        return [name, box.told] if box.told else [name]
    if box.tabled:
        return [name, shape_text(box.copies[-1][-1].shape)]
    nodes = [node for copy in box.copies for node in copy]
    cost = macs(nodes)
    counts = f"{amount_text(parameters(nodes))} params" + (f", {amount_text(cost)} MACs" if cost else "")
    return [name, shape_text(box.copies[-1][-1].shape), counts]


def _input_title(node: Node) -> str:
    return "Input" if node.name in ("input", "") else f"Input {node.name}"


def _operation(node: Node, copies: Sequence[Node], names: Mapping[str, str]) -> str:
    """`Conv 3×3 / 2`, with dilation, groups and an activation where the operator has them."""
    attributes = node.operator.attributes()
    text = _own_class(attributes) or title(node.operator.name)
    window = _window_text(node, attributes, names)
    if window:
        text = f"{text} {window}"
    if node.operator.role is Role.REGULARISATION:
        text = f"{text} {_rates(copies)}".rstrip()
    groups = attributes.get("groups", 1)
    if isinstance(groups, int) and groups > 1:
        text += f"{SEPARATOR}{groups} groups"
    return text + _activation(attributes)


def _own_class(attributes: dict[str, Any]) -> str:
    """The class that a step names itself, without its module."""
    name = attributes.get("class_")
    return name.rpartition(":")[2] if isinstance(name, str) else ""


def _short(node: Node) -> str:
    return title(node.operator.name) + _activation(node.operator.attributes())


def _activation(attributes: dict[str, Any]) -> str:
    """An activation that is part of the operator."""
    name = attributes.get("activation")
    return f"{SEPARATOR}{title(name)}" if isinstance(name, str) and name not in ("", "linear") else ""


def _window_text(node: Node, attributes: dict[str, Any], names: Mapping[str, str]) -> str:
    """`3×3 / 2`, for operators that have a kernel or a window size."""
    if node.operator.role not in (Role.CONVOLUTION, Role.POOLING):
        return ""
    axes = max(1, len(node.input_shapes[0]) - 1)
    kernel = _per_axis(attributes.get("kernel", attributes.get("size")), axes)
    if kernel is None:
        return ""
    stride = _per_axis(attributes.get("stride", 1), axes) or kernel
    text = names.get("kernel") or names.get("size") or MULTIPLY.join(str(one) for one in kernel)
    if any(one != 1 for one in stride) or "stride" in names:
        text += f" / {names.get('stride') or _brief(stride)}"
    dilation = _per_axis(attributes.get("dilation"), axes) or (1,)
    return text + (f"{SEPARATOR}dilation {_brief(dilation)}" if any(one != 1 for one in dilation) else "")


def _per_axis(value: Any, axes: int) -> tuple[int, ...] | None:
    """A size for each axis, from one number or one for each."""
    if isinstance(value, int):
        return (value,) * axes
    if isinstance(value, tuple) and value and all(isinstance(one, int) for one in value):  # pyright: ignore[reportUnknownVariableType]
        return value  # pyright: ignore[reportUnknownVariableType]
    return None


def _brief(values: Sequence[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else MULTIPLY.join(str(one) for one in values)


def _rates(copies: Sequence[Node]) -> str:
    """The rate of a regularisation, or the range that folded blocks have."""
    rates = [value for node in copies for value in node.operator.attributes().values() if isinstance(value, float)]
    if not rates:
        return ""
    low, high = f"{min(rates):.3g}", f"{max(rates):.3g}"
    return low if low == high else f"{low}–{high}"


def _amount(node: Node, names: Mapping[str, str]) -> str:
    """Filters or units."""
    attributes = node.operator.attributes()
    for name in ("filters", "units"):
        if name in names:
            return names[name]
        if isinstance(attributes.get(name), int):
            return str(attributes[name])
    return ""


def parameters(nodes: Iterable[Node]) -> int:
    """The number of weights; those that a later call shares count once."""
    return sum(weight.size for node in nodes if node.shared is None for weight in node.weights)


def macs(nodes: Iterable[Node]) -> int | None:
    """Multiply-accumulates for one example; `None` where a size is open."""
    total = 0
    for node in nodes:
        count = node.operator.macs(node.input_shapes, node.shapes)
        if count is None:
            return None
        total += count
    return total


def amount_text(count: int) -> str:
    """A count in three digits: `25.6 M`.

    >>> amount_text(25557032), amount_text(999), amount_text(61706), amount_text(999999)
    ('25.6 M', '999', '61.7 k', '1.00 M')
    """
    value, unit = scaled(count)
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}" if unit else str(count)


def totals(graph: Graph) -> str:
    """The lines under the title: `25.6 M parameters · 4.09 G MACs` and `input 224×224×3 · output 1000`."""
    counted = macs(graph.nodes)
    cost = f"{amount_text(counted)} MACs" if counted is not None else "MACs depend on open sizes"
    read = _shapes([graph.nodes[index].shape for index in graph.inputs])
    made = _shapes([graph.shape(tensor) for _, tensor in graph.outputs])
    counts = f"{amount_text(parameters(graph.nodes))} parameters{SEPARATOR}{cost}"
    return f"{counts}\ninput {read}{SEPARATOR}output {made}"


def _shapes(shapes: Sequence[Shape]) -> str:
    """Shapes in a line, equal ones counted."""
    texts = list(map(shape_text, shapes))
    if len(texts) > 2 and len(set(texts)) == 1:
        return f"{texts[0]} (each of {len(texts)})"
    return ", ".join(texts)


def tensor_tip(shape: Shape) -> str:
    """What a line carries: its shape, values and bytes.

    >>> tensor_tip((56, 56, 64)).split("\\n")
    ['56×56×64', '200,704 values', '803 kB as float32']
    """
    text = shape_text(shape)
    size = 1
    for one in shape:
        if one is None:
            return text
        size *= one
    return f"{text}\n{size:,} values\n{amount_text(size * 4)}B as float32"


def tooltip(box: Box) -> str:
    """All that is known of a box, over several lines."""
    parts = [_node_tooltip(node) for node in box.members[:12]]
    if len(box.members) > 12:
        parts.append(f"… {len(box.members) - 12} more layers")
    if len(box.copies) > 1:
        parts.append(f"{MULTIPLY} {len(box.copies)}, the last is {box.copies[-1][0].name}")
    return "\n".join(parts)


def _node_tooltip(node: Node) -> str:
    values = ", ".join(f"{name}={_plain(value)}" for name, value in node.operator.attributes().items())
    read = ", ".join(shape_text(shape) for shape in node.input_shapes)
    made = ", ".join(shape_text(shape) for shape in node.shapes)
    facts = [f"{node.name}: {node.operator.name}({values})", f"{read} → {made}" if read else made]
    count = sum(weight.size for weight in node.weights)
    if count:
        shared = " (shared)" if node.shared is not None else "" if node.trainable else " (frozen)"
        facts.append(f"{count:,} parameters{shared}")
    made_of = node.operator.macs(node.input_shapes, node.shapes)
    if made_of:
        facts.append(f"{made_of:,} MACs")
    if node.doc:
        facts.append(node.doc)
    facts.append(str(node.origin.span))
    return "\n".join(facts)


def _plain(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
