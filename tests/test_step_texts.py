"""What one step more in a small network gives, or why not, in full: one golden text for all of them."""

from __future__ import annotations

from pathlib import Path

from archc import CompileError, load
from archc.diagnostics import Diagnostic, codes

GOLDEN = Path(__file__).resolve().parent / "golden" / "steps.txt"

HEAD = """archc: 1
name: net
input: [16, 16, 4]
params: {n: 8, r: 0.5, act: relu, flag: true, none: null, rows: [[1, 2], [3, 4]], maps: [{k: 3, f: 8}], s: {default: {kernel: 3}}, body: {type: steps, default: [relu]}, which: {type: macro, default: unit}}
notation: {q<n>: {conv: $n}, d<n>x: {conv: $n}, d<w>: relu, stop: [relu, tanh]}
macros:
  unit: {params: {filters: int, kernel: 3, kind: {type: str, default: a, enum: [a, bee]}}, body: [conv: [$filters, $kernel, 1, same]]}
  typed: {params: {i: {type: int, default: 1, min: 1, max: 9}, f: 0.5, b: true, t: text, l: {type: {list: int}, default: [1], min: 0}, m: {type: map, default: {}}}, body: [relu]}
  two: {inputs: [a, b], outputs: [x, y], body: [{conv: 4, from: a, as: x}, {conv: 4, from: b, as: y}]}
  wrap: {params: {inner: steps, times: 1}, body: [{repeat: $times, steps: [$inner]}]}
  call: {params: {what: macro}, body: [$what: 4]}
  rest: {params: {rows: list}, body: [{for: x in rows, conv: $x}]}
layers:
  - {conv: [8, 3, 1, same], as: first}
"""

STEPS = [
    # arguments
    "conv", "conv:", "conv: 8", "conv: [8]", "conv: [8, 3]", "conv: [8, 3, 1, same, relu]", "conv: [8, 3, 1, same, relu, 2]", "conv: {filters: 8, kernel: 3}", "conv: {kernel: 3}", "conv: {kernal: 3}", "conv: {filters: 8, kernal: 3}", "conv: {filter: 8}", "conv: {units: 8}", "conv: {filters: 8, strides: 2}",
    "conv: {filters: 8, use_bias: false}", "conv: {filters: 8, kernel_size: 3}", "conv: {filters: 8, rate: 0.5}", "conv: {filters: 8, momentum: 1}", "conv: {filters: 8, kernel}", "conv: {filters:8}", "conv: {filters:8, kernel:3}", "conv: {8, 3}", "conv: {filters: 8, kernel:3}", "conv: {filters: 8, a b: }", "conv: {filters: 8, zzz: 3}",
    "conv: {filters: 8, ĸernel: 3}", "conv: 0", "conv: -1", "conv: 8.0", "conv: 8.5", "conv: '8'", "conv: '08'", "conv: '+8'", "conv: 0x8", "conv: 0b11", "conv: 0o7", "conv: 1_0", "conv: '8.5'", "conv: '.5'", "conv: 1e1", "conv: '1e1'", "conv: .nan", "conv: inf", "conv: 1:30", "conv: a:b", "conv: yes", "conv: true", "conv: null", "conv: ~", "conv: None",
    "conv: none", "conv: nil", "conv: eight", "conv: []", "conv: [[8]]", "conv: {}", "conv: [8, [3]]", "conv: [8, [3, 3]]", "conv: [8, [3, 3, 3]]", "conv: [8, [3, 3, 3, 3]]", "conv: [8, [3, x]]", "conv: [8, [3, 0]]", "conv: [8, [3, 1.5]]", "conv: [8, 3, 1, SAME]", "conv: [8, 3, 1, vallid]", "conv: [8, 3, 1, -1]", "conv: [8, 3, 1, [1]]", "conv: [8, 3, 1, [1, 2]]",
    "conv: [8, 3, 1, [[1, 2], 3]]", "conv: [8, 3, 1, [[1, 2, 3]]]", "conv: [8, 3, 1, [x]]", "conv: [8, 3, 1, true]", "conv: [8, 3, 1, 1.5]", "conv: [8, 3, 1, same, rellu]", "conv: [8, 3, 1, same, 3]", "conv: [8, 3, 1, same, null]", "conv: {filters: 8, bias: yes}", "conv: {filters: 8, bias: 'true'}", "conv: {filters: 8, bias: 1}", "conv: {filters: 8, bias: y}", "conv: {filters: 8, bias: null}",
    "conv: {filters: 8, kernel_initializer: he_norml}", "conv: {filters: 8, kernel_initializer: zzz}", "conv: {filters: 8, kernel_initializer: {}}", "conv: {filters: 8, kernel_initializer: {mode: fan}}", "conv: {filters: 8, kernel_initializer: {mode: fan_in, skale: 2}}", "conv: {filters: 8, kernel_initializer: {mode: fan_in, scale: 0}}", "conv: {filters: 8, kernel_initializer: {mode: fan_in, distribution: normall}}", "conv: {filters: 8, kernel_initializer: 3}",
    "relu: 3", "relu: [3]", "relu: {a: 3}", "relu: null", "relu: {}", "dropout: 50", "dropout: 1", "dropout: 1.0", "dropout: 150", "dropout: -0.5", "dropout: half", "dropout: true", "dropout: '0.5'", "dropout: 0,5", "dropout: null", "dropout: [0.5, 1, 2]", "max_pool: 3", "max_pool: [3, 2]", "max_pool: [[3, 2]]", "max_pool: [3, 2, same]", "max_pool: [3, 2, same, floor]", "max_pool: [3, 2, causal]", "max_pool: {size: [3, 2]}",
    "max_pool: {rounding: up}", "resize: [4, 8]", "resize: [4, nearest]", "resize: [4, linear]", "resize: [4, 4, 4]", "resize: [a, b]", "resize: 4", "resize: big", "pad: 1", "pad: [1, 2]", "pad: [[1, 2], [0, 1]]", "pad: [[1, 2, 3]]", "pad: [-1]", "pad: {amounts: 1, mode: reflekt}", "crop: {to: 8}", "crop: 1", "crop: [1, [0, 2]]", "split: 2", "split: [4, 4]", "split: [4, 5]", "split: 0", "split: [0, 8]", "split: x", "reshape: [16, -1]", "reshape: 256", "reshape: [a]",
    "reshape: []", "reshape: [-2]", "reshape: [16, 16, 8, 1, 1, 1, 1, 1, 1]", "permute: [1, 3, 2]", "permute: [1, 1, 2]", "permute: [3]", "select: [0, 1]", "select: 3", "select: [-1]", "select: [9]", "select: [0, a]", "slice: {axis: height, start: 1}", "slice: {axis: depth}", "slice: {axis: 1.5}", "group_norm: 2", "group_norm: 3", "layer_norm: 1", "batch_norm: 0.9", "batch_norm: {epsilon: 0}", "batch_norm: {momentum: 1.5}", "lrn: 4", "softmax: height", "softmax: hight",
    "normalize: {mean: [0.5], variance: [0]}", "normalize: {mean: x}", "rescale: [2, 1]", "rescale: {factor: [1, 2], offset: 1}", "keras: Dropout", "keras: {class: Dropout}", "keras: {class: os.system, config: {}}", "keras: {class: Dropout, config: [], weights: [[1]]}", "layer: {class: x}", "layer: {class: a.b:C}", "upsample: [2, 3]", "upsample: 0", "channel_shuffle: 3", "conv_transpose: [4, 2, 2]", "gaussian_noise: -1", "embedding: [10, 4]", "input: 3", "input: {shape: [3, 3, 3]}",
    # expressions in arguments
    "conv: $n", "conv: $(n * 2)", "conv: $(n / 2)", "conv: $r", "conv: $act", "conv: $flag", "conv: $none", "conv: $rows", "conv: $(rows[0])", "conv: $s", "conv: $nn", "conv: [$n, $s.kernel]", "conv: [$n, $s.kernal]", "conv: {filters: $n, activation: $act}", "conv: {filters: $n, activation: $n}", "conv: {filters: $(1 / 0)}", "conv: $body", "conv: $which", "conv: $first", "conv: $(first.channels)", "conv: $(input.channels)", "conv: $(_.channels)",
    "conv: $input", "conv: $(first)", "conv: $(n", "conv: x$n", "conv: '$n'", 'conv: "$(n)"', "conv: $$n", "dropout: $r", "dropout: $(r * 3)", "max_pool: $(rows[1])", "resize: $(rows[1])", "resize: [$n, $n]", "resize: [$n, $act]", "pad: $(rows)", "add: $n", "relu: $n",
    # words
    "covn: 8", "conv2d: 8", "maxpool", "fc: 3", "batchnorm", "avgpool", "concatenate: [_, first]", "linear_layer: 3", "rleu", "zzz", "zzz: 8", "do: [relu]", "layers: [relu]", "block: [relu]", "conv:8", "relu:", "соnv: 8", "zеta", "Unit: 4", "unti: 4", "q8", "q", "d8x", "d8", "dab", "stop", "stop: 3", "q8: 3", "q9999999999999", "$body", "$body: 3", "$which: 4", "$which", "$act", "$act: 3", "$n", "$rows: 2", "$nothing", "$none", "$first", "$bodi",
    # macros
    "unit", "unit: 4", "unit: [4, 1]", "unit: [4, 1, a]", "unit: [4, 1, a, 2]", "unit: {filters: 4, kernel: 5}", "unit: {filter: 4}", "unit: {filters: 4, kernels: 5}", "unit: {filters: x}", "unit: {filters: 4.5}", "unit: {filters: $r}", "unit: {filters: $n}", "unit: {filters: 4, kind: b}", "unit: {filters: 4, kind: be}", "unit: {filters: 4, kind: 3}", "unit: {4, 3}", "unit: {filters:4}", "unit: {filters: 4, kernel:3}", "unit: null", "unit: true",
    "typed", "typed: 3", "typed: 0", "typed: 10", "typed: 1.5", "typed: '3'", "typed: true", "typed: null", "typed: {f: 1}", "typed: {f: x}", "typed: {f: true}", "typed: {b: 1}", "typed: {b: yes}", "typed: {b: $flag}", "typed: {t: 3}", "typed: {t: $act}", "typed: {l: 3}", "typed: {l: [1, a]}", "typed: {l: [1, -1]}", "typed: {l: [1, 1.5]}", "typed: {l: $rows}", "typed: {l: $(rows[0])}", "typed: {m: 3}", "typed: {m: {a: 1}}", "typed: {m: $s}", "typed: {x: 3}",
    "two", "{two, from: [_, first]}", "{two, from: [_, first], as: [p, q]}", "{two, from: first}", "{two, from: [_, first], as: [p, q, z]}", "{two, from: [_, first], as: p}", "wrap: [relu]", "wrap: relu", "wrap: {inner: [relu, tanh], times: 2}", "wrap: {inner: [relu], times: x}", "wrap: {inner: $body}", "wrap: {inner: [rleu]}", "wrap: {inner: 3}", "wrap: $body", "wrap: {times: 2}", "call: unit", "call: unti", "call: 3", "call: relu", "call: $which", "call: $act", "call: two", "rest: [2, 3]", "rest: []", "rest: 2", "rest: [2, x]", "rest: $rows",
    # step keys
    "{conv: 8, when: flag}", "{conv: 8, when: not flag}", "{conv: 8, when: n}", "{conv: 8, when: n > 4}", "{conv: 8, when: n > }", "{conv: 8, when: $flag}", "{conv: 8, when: $(n > 4)}", "{conv: 8, when: $n > 4}", "{conv: 8, when: '$n > $r'}", "{conv: 8, when: nn > 4}", "{conv: 8, when: true}", "{conv: 8, when: 1}", "{conv: 8, when: null}", "{conv: 8, when: act == relu}", "{conv: 8, when: first.channels == 8}", "{conv: 8, when: _.height > 3}", "{conv: 8, when: input.width == 16}", "{conv: 8, when: \"'a\"}",
    "{conv: 8, repeat: 2}", "{conv: 8, repeat: 0}", "{conv: 8, repeat: -1}", "{conv: 8, repeat: 1.5}", "{conv: 8, repeat: true}", "{conv: 8, repeat: x}", "{conv: 8, repeat: [1, 2]}", "{conv: 8, repeat: $n}", "{conv: 8, repeat: $rows}", "{conv: 8, repeat: null}", "{conv: 8, repeat: 100001}", "{conv: $(8 + index), repeat: 2}", "{conv: $index, repeat: 2}", "{conv: 8, repeat: 2, index: n}", "{conv: 8, repeat: 2, index: first}", "{conv: $(at + 1), repeat: 2, index: at}", "{conv: 8, repeat: 2, index: 3}",
    "{conv: $x, for: x in rows}", "{conv: $a, for: 'a, b in rows'}", "{conv: $a, for: 'a, b, c in rows'}", "{conv: $f, for: 'k, f in maps'}", "{conv: $f, for: 'k, g in maps'}", "{conv: 8, for: x in n}", "{conv: 8, for: x in act}", "{conv: 8, for: x in s}", "{conv: 8, for: x in nothing}", "{conv: 8, for: n in rows}", "{conv: 8, for: first in rows}", "{conv: 8, for: x}", "{conv: 8, for: x in}", "{conv: 8, for: 'a, b in [1, 2]'}", "{conv: 8, for: 'a, b in [[1]]'}", "{conv: 8, for: 'a, b in [[]]'}", "{conv: 8, for: x in range(100001)}", "{conv: 8, for: x in range(2), repeat: 2}",
    "{conv: $(index + 4), for: x in rows}", "{conv: $index, for: index in [4]}", "{conv: 8, from: first}", "{conv: 8, from: frist}", "{conv: 8, from: n}", "{conv: 8, from: [first, _]}", "{conv: 8, from: []}", "{conv: 8, from: x$n}", "{conv: 8, from: $act}", "{conv: 8, from: $body}", "{conv: 8, from: $r}", "{add: [_, first], from: first}", "{conv: 8, as: first}", "{conv: 8, as: input}", "{conv: 8, as: n}", "{conv: 8, as: a b}", "{conv: 8, as: a-b}", "{conv: 8, as: 1x1}", "{conv: 8, as: _}", "{conv: 8, as: [p, q]}",
    "{split: 2, as: [p, p]}", "{split: 2, as: [p, q]}", "{split: 2, as: [p, _]}", "{split: 2, as: p}", "{split: 2, as: [p, q, z]}", "{conv: 8, as: x$n}", "{conv: 8, as: x$(r)}", "{conv: 8, as: $rows}", "{conv: 8, as: $flag}", "{conv: 8, repeat: 2, as: x}", "{conv: 8, repeat: 2, as: x$index}", "{conv: 8, trainable: false}", "{conv: 8, trainable: $flag}", "{conv: 8, trainable: $n}", "{conv: 8, trainable: no}", "{conv: 8, trainable: 0}", "{conv: 8, share: w}", "{conv: 8, share: $n}", "{conv: 8, share: $rows}", "{relu, share: w}",
    "{steps: [{conv: 8, share: w}, {conv: 8, share: w}]}", "{steps: [{conv: 8, share: w}, {conv: 9, share: w}]}", "{steps: [{conv: 8, share: w}, {dense: 8, share: w}]}", "{steps: [{conv: 8, share: w}, {conv: 4}, {conv: 8, share: w}]}", "{steps: [{unit: 4, share: w}, {unit: 5, share: w}]}", "{steps: [{unit: 8, share: w}, {unit: 8, share: w}]}", "{steps: [{steps: [{conv: 8}], share: w}, {steps: [{conv: 8}, {conv: 8}], share: w}]}", "{steps: [{conv: 8, share: w}, {conv: 8, share: w, trainable: false}]}", "{steps: [{q8, share: w}, {q8, share: w}, {q9, share: w}]}",
    # merges
    "add", "add: []", "add: [first]", "add: [_, _]", "add: [_, first]", "add: [first, first]", "add: [_, frist]", "add: first", "add: 3", "add: [_, input]", "add: {a: [], b: []}", "add: {a: [conv: 8], b: []}", "add: {a: [conv: 9], b: []}", "add: {a: [covn: 8], b: []}", "add: {a: first, b: [conv: 8]}", "add: {a: $body, b: [conv: 8]}", "add: {a: 3, b: []}", "add: {branches: [first, _]}", "add: {axis: 1, branches: [_, first]}", "concat: [_, first]", "concat: {axis: height, branches: [_, [conv: 8]]}", "concat: {axis: hight, branches: [_, [conv: 8]]}",
    "concat: {axis: -1, branches: [_, [conv: 8]]}", "concat: {for: k in [1, 3], steps: [conv: 8]}", "concat: {for: 'k in [1, 3]', steps: [conv: $k]}", "concat: {repeat: 2, steps: [conv: 8]}", "concat: {repeat: 0, steps: [conv: 8]}", "concat: {repeat: x, steps: [conv: 8]}", "concat: {for: x in n, steps: [conv: 8]}", "multiply: {a: [], b: [global_avg_pool]}", "multiply: {a: [], b: [global_avg_pool, dense: 4]}", "maximum: [_, input]", "subtract: [_, first, input]", "add: {a: [{conv: 8, as: z}], b: [{conv: 8, as: z}]}", "add: {a: [{conv: 8, as: z}], b: [{conv: 8, from: z}]}",
    # arrangements
    "steps: [relu]", "steps: []", "steps: relu", "{steps: [relu, tanh], as: g}", "{steps: [conv: 0]}", "side: [relu]", "{side: [{conv: 8, as: z}], when: not flag}", "{side: [{relu, as: z}], as: y}", "{steps: [{side: [{conv: 8, as: z}], when: not flag}, {add: [_, z]}]}", "{steps: [{side: [{conv: 8, as: z}], when: flag}, {add: [_, z]}]}", "{steps: [{conv: 0, as: z}, {add: [_, z]}]}", "{steps: [{conv: 0, as: z$n}, {add: [_, z8]}]}", "{steps: [{conv: x, as: z}, {conv: $(z.channels)}]}", "{steps: [{repeat: 2, conv: 8, as: z}, {add: [_, z]}]}", "flatten", "{steps: [flatten, conv: 8]}", "{steps: [flatten, flatten, dense: 3, max_pool]}", "{steps: [global_avg_pool, {conv: 8, when: height > 1}]}",
]  # fmt: skip

ENDS = [
    "outputs: [first]", "outputs: [frist]", "outputs: [_]", "outputs: [first, first]", "outputs: {a: first, b: _}", "outputs: {a: first, b: frist}", "outputs: []", "outputs: first", "outputs: [n]", "outputs: [x$n]", "outputs: [$act]", "outputs: [input]", "let: {x: 3}", "let: {n: 3}", "let: {x: $y}", "let: {y: $x, x: 3}", "let: {x: $(1 / 0)}", "let: {x: $(first.channels)}", "variants: {a: {n: 4}, b: {n: x}}", "variants: {a: {nn: 4}}", "variants: {a: {act: 3}}", "variants: {a: {rows: 3}}", "variants: {a: {body: [tanh]}}", "variants: {a: {body: [tahn]}}",
    "variants: {a: {which: two}}", "variants: {a: {which: nope}}", "variants: {a: {input: [16, 16]}}", "variants: {a: {outputs: [frist]}}", "variants: {a: {like: b}, b: {like: a}}",
]  # fmt: skip

INPUTS = ["[16, 16, 4]", "[16, 16]", "[16]", "[]", "16", "[16, 0, 4]", "[16, -1, 4]", "[16, 1.5, 4]", "[16, x, 4]", "[16, true, 4]", "[null, null, 4]", "[16, 16, null]", "null", "[3, 224, 224]", "[1, 28, 28]", "[3, 40, 32]", "[3, 8, 9]", "[2, 28, 28]", "[3, 224, 225, 3]", "$n", "[$n, $n, 4]", "[$r, 4, 4]", "$rows", "[16, 16, $none]", "{shape: [16, 16, 4]}", "{a: [16, 16, 4]}"]  # fmt: skip


def told(one: Diagnostic) -> str:
    place = "" if one.span is None else f" {str(one.span).partition(':')[2]} {one.span.text[:60]!r}"
    parts = (f"{one.severity}[{one.code.id}]{place}: {one.message}", one.label, *(note.message for note in one.notes), one.help)
    return " | ".join(part for part in parts if part)


def answer(text: str) -> str:
    """The network's end, or what is wrong with it."""
    try:
        family = load("-", text.encode())
        networks = [family[variant] for variant in family]
    except CompileError as problem:
        return "\n".join(f"  {told(one)}" for one in problem.diagnostics)
    lines: list[str] = []
    for one in networks:
        ends = (f"{name} {one.graph.nodes[end.node].name} {one.graph.nodes[end.node].operator.non_default()} {one.graph.shape(end)}" for name, end in one.graph.outputs)
        lines.append(f"  {len(one.graph.nodes)} nodes, {', '.join(ends)}")
        lines += (f"  {told(warning)}" for warning in one.warnings if warning.code is not codes.UNUSED_PARAMETER and warning.code is not codes.UNUSED_MACRO)
    return "\n".join(lines)


def test_step_texts(update_golden: bool) -> None:
    """Arguments, words, step keys, merges, outputs and inputs: the places, messages and hints are those of the golden text."""
    cases = [*((step, f"{HEAD}  - {step}\n") for step in STEPS), *((end, f"{HEAD}{end}\n") for end in ENDS)]
    cases += [(f"input: {one}", HEAD.replace("[16, 16, 4]", one, 1)) for one in INPUTS]
    found = "\n".join(f"{case}\n{answer(text)}" for case, text in cases) + "\n"
    if update_golden:
        GOLDEN.write_text(found, encoding="utf-8", newline="\n")
    assert GOLDEN.read_text(encoding="utf-8") == found
