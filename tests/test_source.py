"""The emitted Keras source: it builds the very model that the config describes, and is fit to be read."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import archc
from archc.backends.keras.config import config
from archc.pipeline import Compiled
from tests.keras_config import comparable

WRITTEN = {
    "shared": """
inputs: {left: [32, 32, 3], right: [32, 32, 3]}
macros:
  tower:
    body:
      - {conv: [8, 3], share: first}
      - relu
      - {conv: [8, 3], share: second, trainable: false}
layers:
  - {tower: , from: left, as: a}
  - {tower: , from: right, as: b}
  - subtract: [a, b]
  - flatten
  - dense: 1
""",
    "shared_in_loop": """
input: [16, 16, 8]
layers:
  - {repeat: 4, share: cell, conv: {filters: 8, kernel: 3, padding: same}}
  - repeat: 3
    as: round
    steps:
      - {conv: {filters: 8, kernel: 1}, share: other}
      - relu
  - global_avg_pool
""",
    "one_tensor_for_two_inputs": """
input: [16, 16, 4]
macros:
  cell:
    params: {fitted: true}
    inputs: [cur, prev]
    outputs: [out, cur]
    body:
      - {conv: 4, from: prev, when: fitted, as: p}
      - {conv: 4, from: cur, as: h}
      - {add: [p, h], as: out}
layers:
  - {conv: 4, as: stem}
  - {cell: {fitted: false}, from: [stem, stem], as: [first, _]}
  - {cell: , from: [first, stem], as: [cur, prev]}
  - {repeat: 3, cell: , from: [cur, prev], as: [cur, prev]}
  - global_avg_pool
""",
    "ends": """
inputs: {image: [32, 32, 3], words: {shape: [12], dtype: float32}}
layers:
  - {conv: [8, 3], from: image}
  - {side: [global_avg_pool: , dense: 3], as: aux}
  - {flatten: , as: flat}
  - {concat: [flat, words]}
  - {dense: 4, as: main}
outputs: [main, aux]
""",
    "loops": """
input: [32, 32, 4]
macros:
  unit:
    params: {width: int, depth: 2, squeeze: false, rate: 0.0}
    body:
      - repeat: $depth
        as: layer
        steps:
          - conv: {filters: "$(width if index == 0 else 2 * width)", kernel: 3, padding: same}
          - batch_norm
          - relu
      - {dropout: $rate, when: rate > 0}
      - multiply:
          features: []
          gate:
            - when: squeeze
              steps: [{conv: {filters: $(2 * width), activation: sigmoid}}]
        when: squeeze
layers:
  - for: width, depth in [[4, 2], [8, 3], [16, 4]]
    as: stage
    steps:
      - {unit: {width: $width, depth: $depth, rate: "$(0.1 * index)", squeeze: "$(index > 0)"}}
      - max_pool: 2
  - repeat: 6
    as: tail
    steps: [{conv: {filters: 8, kernel: 3, padding: same}}, relu]
  - {repeat: 5, dense: 3}
""",
    "dense_net": """
input: [32, 32, 3]
macros:
  grow:
    params: {growth: int}
    body:
      - concat:
          old: []
          new: [batch_norm, relu, {conv: {filters: $growth, kernel: 3, padding: same}}]
layers:
  - conv: [8, 3]
  - for: n in [3, 4, 5]
    as: block
    steps:
      - {repeat: $n, grow: 4, as: unit}
      - {avg_pool: 2}
  - global_avg_pool
""",
    "unet": """
input: [64, 64, 1]
macros:
  double: {params: {filters: int}, body: [{conv: [$filters, 3, 1, same, relu]}, {conv: [$filters, 3, 1, same, relu]}]}
layers:
  - for: filters in [4, 8, 16]
    as: down
    steps:
      - {double: $filters, as: enc$(index)}
      - max_pool: 2
  - double: 32
  - for: filters in [16, 8, 4]
    as: up
    steps:
      - conv_transpose: {filters: $filters, kernel: 2, stride: 2}
      - concat: {up: [], skip: "enc$(2 - index)"}
      - double: $filters
  - conv: {filters: 1, activation: sigmoid}
""",
    "two_hands": """
input: [32, 32, 8]
macros:
  cell:
    inputs: [cur, prev]
    outputs: [out, cur]
    params: {filters: int}
    body:
      - add:
          a: [{conv: [$filters, 3, 1, same]}]
          b: [{from: prev, conv: [$filters, 1]}]
        from: cur
        as: out
layers:
  - {conv: [8, 1], as: cur}
  - {conv: [8, 1], as: prev}
  - {repeat: 4, from: [cur, prev], cell: 8, as: [cur, prev]}
  - {add: [cur, prev]}
""",
    "clashes": """
input: [16, 16, 3]
macros:
  layers: {params: {name: 3, x: 3, range: 1}, body: [{conv: {filters: $x, kernel: $name, stride: $range}}, relu]}
  build_model: {params: {match: int}, body: [{layers: {x: $match}}, {layers: {x: $(2 * match)}, as: 1}]}
  enumerate: {params: {ops: [1, 2]}, body: [{dense: "$(ops[1])"}, relu]}
layers:
  - {build_model: 4, as: def}
  - {build_model: 5, as: lambda}
  - {conv: 3, as: for}
  - {conv: 3, as: 1}
  - add: {None: [conv: 4], True: [{conv: 4}], import: [{conv: 4, as: return}]}
  - flatten
  - {enumerate: , as: if}
""",
    "parts": """
input: [32, 32, 8]
layers:
  - lrn
  - {avg_pool: {size: 3, stride: 2, padding: 1, count_include_pad: false}}
  - channel_shuffle: 2
  - {split: 2, as: [left, right]}
  - concat: {a: [{from: left, conv: 4}], b: [{from: right, conv: 4}]}
  - {conv_transpose: {filters: 4, kernel: 4, stride: 2, padding: 1}}
  - {layer_norm: {epsilon: 1e-6}}
  - {leaky_relu: 0.2}
  - global_avg_pool: {keep_dims: true}
  - flatten
  - dense: {units: 3, kernel_initializer: he_normal}
""",
    "operations": """
input: [9, 9, 8]
macros:
  halve: {body: [{split: 2, as: [left, right]}, {subtract: [left, right]}]}
layers:
  - {max_pool: {size: 3, stride: 2, padding: 1}}
  - {pad: {amounts: [1, [0, 2]], mode: reflect}}
  - {repeat: 3, abs: }
  - {select: [5, 1, 2, 7]}
  - {halve: , as: first}
  - {slice: {axis: height, step: 2}}
  - {repeat: 2, lrn: {size: 3, beta: 0.5}}
""",
    "named_operations": """
input: [9, 9, 8]
layers:
  - {max_pool: {size: 3, stride: 2, padding: 1}, as: first}
  - pad: 1
  - pad: 1
  - lrn
  - {conv: 4, as: power_12}
""",
    "nest": """
input: [32, 32, 8]
macros:
  res: {params: {body: steps}, body: [{add: {a: [$body], b: []}}, relu]}
layers:
  - res: {body: [{conv: [8, 3, 1, same]}, {res: {body: [{conv: [8, 1]}]}}]}
  - res: {body: [{conv: [8, 3, 1, same]}]}
  - {repeat: 3, res: {body: [{repeat: $(index + 2), conv: [8, 3, 1, same], index: k}]}}
""",
    "texts": """
input: [16, 16, 4]
params: {table: [[basic, 8, relu], [deep, 8, silu], [basic, 8, c8], [deep, 8, elu]]}
notation: {c<n>: {conv: $n}}
macros:
  basic: {params: {n: int}, body: [conv: [$n, 3, 1, same], batch_norm]}
  deep: {params: {n: int}, body: [conv: [$n, 3, 1, same], basic: $n]}
  ended: {params: {n: int, act: str, more: true, unit: str}, body: [
    {side: [conv: $n], when: more, as: extra},
    add: {body: [$unit: $n], extra: extra},
    multiply: {body: [$unit: $n], gate: [global_avg_pool: {keep_dims: true}, basic: $n]},
    instance_norm, $act]}
layers:
  - for: unit, n, act in table
    as: stage
    steps:
      - {repeat: 2, ended: {n: $n, act: $act, more: $(index > 0), unit: $unit}, as: block}
  - ended: {n: 8, act: tanh, unit: basic}
  - space_to_depth: 2
  - depth_to_space: [2, channels]
  - global_avg_pool
""",
    "sides": """
input: [16, 16, 8]
macros:
  unit:
    params: {more: bool}
    body:
      - {side: [batch_norm], when: more, as: same}
      - add: {a: [conv: [8, 3, 1, same]], b: [conv: 8], same: same}
      - relu
layers:
  - {repeat: 4, unit: {more: $(index > 0)}}
  - {repeat: 3, steps: [{side: [conv: 8], when: index == 1, as: s$(index)}, {add: [_, s$(index), input]}]}
""",
    "choices": """
input: [32, 32, 8]
macros:
  runs: {params: {sizes: {list: int}, stride: int}, body: [conv: [8, 3, $stride, same], {for: one in sizes, steps: [conv: [$one, 3, 1, same], relu]}]}
  rounds: {params: {stride: int}, body: [conv: [8, 3, $stride, same], {repeat: 3, steps: [conv: "$((8 if stride == 1 else 5) if index == 0 else 32)"]}]}
  firsts:
    params: {stride: int}
    body:
      - conv: [8, 3, $stride, same]
      - {repeat: 3, steps: [{add: {main: [conv: [8, 3, 1, same]], skip: [{when: index > 0 or stride == 1, relu: }]}}]}
layers:
  - {runs: {sizes: [8, 9], stride: 2}, as: p}
  - {runs: {sizes: [8, 9, 9], stride: 1}, as: q}
  - {runs: {sizes: [8, 9], stride: 2}, as: r}
  - {rounds: {stride: 2}, as: s}
  - {rounds: {stride: 1}, as: t}
  - {rounds: {stride: 2}, as: u}
  - {firsts: {stride: 1}, as: v}
  - {firsts: {stride: 2}, as: w}
  - {firsts: {stride: 1}, as: z}
""",
    "units": """
input: [32, 32, 8]
macros:
  a: {params: {n: int}, body: [{conv: [$n, 3, 1, same]}, relu]}
  b: {params: {n: int}, body: [{conv: [$n, 1]}, {conv: [$n, 3, 1, same]}, batch_norm]}
  stage: {params: {unit: macro, n: int, count: 2, last: false}, body: [{repeat: $count, $unit: $n, as: u}, {when: last, conv: [3, 1]}, {when: not last, max_pool: 2} ]}
layers:
  - stage: {unit: a, n: 4}
  - stage: {unit: b, n: 5, count: 3}
  - stage: {unit: a, n: 6, count: 3, last: true}
""",
    "uses": """
input: [32, 32, 3]
macros:
  two: {inputs: [p, q], params: {k: 1}, body: [{add: [p, q]}, {conv: [4, $k, 1, same]}]}
layers:
  - {conv: [4, 1], as: s0}
  - {conv: [4, 1], as: s1}
  - {two: 1, from: [s0, s1], as: s2}
  - {two: 3, from: [s1, s2], as: s3}
  - {two: 3, from: [s0, s3], as: s4}
  - {for: 'k in [1, 3, 5]', two: $k, from: [s0, _], as: z}
  - {repeat: 3, as: w, steps: [{conv: [4, 3, 1, same]}, {add: [_, s4]}, {relu: , when: index < 2}]}
  - concat: {for: 'r in [1, 2, 3]', steps: [{conv: {filters: 4, kernel: 3, padding: same, dilation: $r}}, relu]}
outputs: [s2, z, _]
""",
    "firsts": """
input: [32, 32, 3]
macros:
  g: {params: {n: int, first: false}, body: [{when: not first, steps: [batch_norm, relu]}, {conv: [$n, 3, 1, same]}, {when: first, max_pool: {size: 3, stride: 1, padding: same}}]}
layers:
  - {for: 'n, d in [[4, 2], [8, 3]]', as: s, steps: [{repeat: $d, as: b, index: i, g: {n: $n, first: $(i == 0)}}, {avg_pool: 2}]}
  - {repeat: 4, as: t, trainable: false, steps: [{dropout: $(0.1 * index)}, {conv: [$(4 + index), 1]}, {conv: [4, "$([1, 3] if index > 1 else [3, 1])", 1, same]}]}
""",
    "hostile": """
input: [4, 4, 1]
doc: 'ends with a backslash \\'
title: "a\\\"\\\"\\\"b\\nimport os\\u2028# x\\\\"
source: {title: "x\\\"\\\"\\\" \\r\\n__import__('os')", authors: 'q"', year: 2000}
macros:
  m: {doc: "closes \\\"\\\"\\\"\\nraise SystemExit \\\\", params: {n: int}, body: [{conv: $n}, relu]}
layers:
  - {m: 2, doc: "one\\nraise SystemExit\\u2028raise SystemExit\\u2029\\u2029raise"}
  - {m: 3, doc: "two \\\\"}
  - {flatten: , doc: "# three\\rraise SystemExit"}
""",
}

SHIPPED = [
    "lenet",
    "vgg:A-LRN",
    "vgg:D",
    "alexnet",
    "googlenet:main",
    "googlenet:aux",
    "resnet:18",
    "resnet:50",
    "resnet:152",
]

BUILD = """
import json, sys
from pathlib import Path
for path in sorted(Path(sys.argv[1]).glob("*.py")):
    names = {"__name__": "emitted"}
    try:
        exec(compile(path.read_text("utf-8"), path.name, "exec"), names)
        model = names["build_model"]()
        path.with_suffix(".json").write_text(model.to_json())
    except Exception as problem:
        path.with_suffix(".json").write_text(json.dumps(f"{type(problem).__name__}: {problem}"))
"""


def spec(text: str, folder: Path, name: str = "net") -> Compiled:
    path = folder / f"{name}.yaml"
    path.write_text(f"archc: 1\nname: {name.replace('_', '-')}\n{text}", "utf-8")
    return archc.compile(str(path))


def built(folder: Path, backend: str = "tensorflow") -> None:
    """Runs all sources of a folder in a clean interpreter without archc, and keeps the models' configs beside them."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(
        [sys.executable, "-I", "-c", f"import os; os.environ.update({environment!r})\n{BUILD}", str(folder)], check=True
    )


def assert_builds(compiled: Compiled, path: Path) -> None:
    got = json.loads(path.with_suffix(".json").read_text())
    assert isinstance(got, dict), f"{got}\n{path.read_text()}"
    assert comparable(got)["config"] == comparable(config(compiled.lowered))["config"], path.read_text()


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Compiled]]:
    """All networks here, with their sources in one folder."""
    folder = tmp_path_factory.mktemp("sources")
    found = {one: spec(text, folder, one) for one, text in WRITTEN.items()}
    found |= {one: archc.compile(one) for one in SHIPPED}
    for name, compiled in found.items():
        (folder / f"{name.replace(':', '-')}.py").write_text(compiled.to_python(), "utf-8")
    return folder, found


@pytest.fixture(scope="module")
def models(networks: tuple[Path, dict[str, Compiled]]) -> Path:
    """The folder, once Keras has built all networks."""
    built(networks[0])
    return networks[0]


@pytest.mark.keras
@pytest.mark.parametrize("name", [*WRITTEN, *SHIPPED])
def test_source_builds_the_model_of_the_config(
    name: str, networks: tuple[Path, dict[str, Compiled]], models: Path
) -> None:
    assert_builds(networks[1][name], models / f"{name.replace(':', '-')}.py")


@pytest.mark.keras
def test_source_builds_on_jax(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    compiled = archc.compile("resnet:50")
    path = tmp_path / "resnet.py"
    path.write_text(compiled.to_python(), "utf-8")
    built(tmp_path, "jax")
    assert_builds(compiled, path)


@pytest.mark.parametrize("name", [*WRITTEN, *SHIPPED])
def test_source_is_laid_out(name: str, networks: tuple[Path, dict[str, Compiled]]) -> None:
    text = networks[1][name].to_python()
    assert text == networks[1][name].to_python()
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert max(map(len, text.splitlines())) <= 100
    assert text.endswith("build_model().summary()\n")
    assert all(one.rstrip() == one for one in text.splitlines())
    assert text.isascii() or name == "hostile"


def test_text_of_the_spec_stays_text(tmp_path: Path) -> None:
    """Titles and comments hold quotes and all kinds of line ends, and none of it is code."""
    text = spec(WRITTEN["hostile"], tmp_path).to_python()
    tree = ast.parse(text)
    kinds = [type(one).__name__ for one in tree.body]
    assert kinds == ["Expr", "ImportFrom", "FunctionDef", "FunctionDef", "If"]
    assert not any(isinstance(one, ast.Raise) for one in ast.walk(tree))
    assert "import os" in (ast.get_docstring(tree) or "")
    assert "# one raise SystemExit raise SystemExit raise" in text and "# two \\\n" in text


def test_macros_are_functions_and_repeats_are_loops() -> None:
    text = archc.compile("resnet:152").to_python()
    tree = ast.parse(text)
    assert [one.name for one in tree.body if isinstance(one, ast.FunctionDef)] == [
        "conv_bn",
        "bottleneck",
        "build_model",
    ]
    assert sum(isinstance(one, ast.For) for one in ast.walk(tree)) == 2
    assert "4 * filters" in text
    assert len(text.splitlines()) < 90


def test_lines_for_a_deep_network_take_no_stack_and_no_square(tmp_path: Path) -> None:
    flat = "\n".join("  - relu" for _ in range(5_000))
    text = spec(f"input: [4, 4, 1]\nlayers:\n{flat}\n", tmp_path).to_python()
    assert text.count("layers.Activation") == 5_000
    looped = spec(
        "input: [4, 4, 1]\nlayers:\n  - {repeat: 10000, as: unit, steps: [{conv: 1}, relu]}\n", tmp_path
    ).to_python()
    assert "in range(1, 10001):" in looped


@pytest.mark.parametrize("name", [*WRITTEN, *SHIPPED])
def test_source_has_one_import_of_keras_alone(name: str, networks: tuple[Path, dict[str, Compiled]]) -> None:
    tree = ast.parse(networks[1][name].to_python())
    imports = [ast.unparse(one) for one in ast.walk(tree) if isinstance(one, (ast.Import, ast.ImportFrom))]
    assert len(imports) == 1 and imports[0].startswith("from keras import ")


def test_operations_have_names_where_a_layer_has_one_of_keras(networks: tuple[Path, dict[str, Compiled]]) -> None:
    """Keras names what `keras.ops` makes `pad` and `power_1`: no layer may be called so beside it."""
    free, taken = (networks[1][one].to_python() for one in ("operations", "named_operations"))
    assert "ops.pad(" in free and "operation(" not in free
    assert "ops." not in taken.partition("def build_model")[2]
    assert 'operation("Power", name=' in taken
