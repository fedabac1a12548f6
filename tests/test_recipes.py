"""Recipes: every option is checked before a framework loads, and what is wrong is told with its place."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from archc.commands import main
from archc.diagnostics import CompileError, Diagnostic
from archc.diagnostics.source import Source
from archc.language.catalogue import AddressError
from archc.language.document import plain, read
from archc.operators import fields_of
from archc.training.data.sets import DATA_SETS
from archc.training.options import LOSSES, OPTIMISERS, SCHEDULES, Run, Start, Stop
from archc.training.preparation import AUGMENTING, PREPARING
from archc.training.recipe import load_recipe, shipped_recipes
from archc.training.schema import schema, schema_text
from archc.training.script import script
from archc.training.settings import Call, as_operator

ROOT = Path(__file__).resolve().parent.parent
HEAD = "archc: 1\nrecipe: mine\nnetwork: lenet\n"
GOOD = HEAD + "data: digits\nprepare: [resize: 32]\n"


def wrong(text: str, folder: Path) -> list[Diagnostic]:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CompileError) as found:
        load_recipe(str(path))
    return list(found.value.diagnostics)


@pytest.mark.parametrize("path", shipped_recipes(), ids=lambda path: path.stem)
def test_shipped_recipes_are_right(path: Path) -> None:
    recipe = load_recipe(path.stem)
    assert recipe.name == path.stem
    assert recipe.network.expectations or recipe.params
    assert recipe.watched == ("loss" if path.stem == "lenet-digits" else "val_accuracy")


@pytest.mark.parametrize("path", shipped_recipes(), ids=lambda path: path.stem)
def test_shipped_recipes_are_valid_under_the_schema(path: Path) -> None:
    value = plain(read(Source(path.name, path.read_text())))
    assert [one.message for one in jsonschema.Draft202012Validator(schema()).iter_errors(value)] == []


def test_the_schema_finds_mistakes() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    good = {"archc": 1, "recipe": "mine", "network": "lenet", "data": "digits"}
    assert validator.is_valid(good)
    for bad in ({"batch": 0}, {"optimizer": "adam"}, {"optimiser": "adm"}, {"optimiser": {"sgd": {"lr": 1}}}, {"data": {"digits": {}, "mnist": {}}}):
        assert not validator.is_valid({**good, **bad})


def test_the_committed_schema_is_fresh() -> None:
    assert (ROOT / "docs" / "archc-recipe.schema.json").read_text() == schema_text(), "archc schema --recipe > docs/archc-recipe.schema.json"


@pytest.mark.parametrize(
    ("text", "code", "line", "words", "help"),
    [
        (GOOD + "optimizer: adam\n", "E201", 6, "no key `optimizer`", "did you mean `optimiser`?"),
        (GOOD + "optimiser: adm\n", "E204", 6, "cannot be `adm`", "did you mean `adam`?"),
        (GOOD + "optimiser: {sgd: {lr: 0.1}}\n", "E208", 6, "no parameter `lr`", "learning_rate"),
        (GOOD + "optimiser: {sgd: -0.1}\n", "E204", 6, "more than 0", ""),
        (GOOD + "optimiser: {sgd: '0.1'}\n", "E203", 6, "takes a number above 0", "without quotes"),
        (GOOD + "optimiser: {sgd: 1, adam: 2}\n", "E204", 6, "one choice", ""),
        (GOOD + "batch: 0\n", "E204", 6, "at least 1", ""),
        (GOOD + "batch: 2.5\n", "E203", 6, "a whole number", ""),
        (GOOD + "epochs: yes\n", "E203", 6, "a whole number", ""),
        (GOOD + "batch: 8\nbatch: 9\n", "E103", 7, "written twice", ""),
        (GOOD + "schedule: {steps: {at: [3, 2]}}\n", "E204", 6, "rise", ""),
        (GOOD + "schedule: steps\n", "E202", 6, "needs `at`", ""),
        (GOOD + "metrics: [acc]\n", "E204", 6, "cannot be", ""),
        (GOOD + "best: val_f1\n", "E204", 6, "cannot be", "it is one of val_accuracy"),
        (GOOD + "augment: [flipp]\n", "E204", 6, "cannot be `flipp`", "did you mean `flip`?"),
        (GOOD + "augment: {flip: vertical}\n", "E203", 6, "takes a list", ""),
        (GOOD + "augment: [shift: 8]\n", "E303", 6, "8x8x1", ""),
        (GOOD + "params: {clases: 3}\n", "E005", 3, "no parameter `clases`", ""),
        (HEAD.replace("lenet", "lennet") + "data: digits\n", "E002", 3, "no spec `lennet`", "did you mean"),
        (HEAD + "data: digits\n", "E250", 3, "takes 32x32x1, and the examples of digits are 8x8x1", "resize: [32, 32]"),
        (HEAD.replace("lenet", "alexnet:2012") + "data: cifar10\nprepare: [resize: 227]\n", "E250", 4, "10 classes, and alexnet:2012 tells 1000", "params: {classes: 10}"),
        (HEAD.replace("lenet", "unet") + "data: digits\n", "E250", 3, "trains classifiers", ""),
        (HEAD.replace("lenet", "googlenet:aux") + "data: digits\n", "E250", 3, "one input and one output", ""),
        (HEAD + "data: {mnist: {holdout: 60000}}\nprepare: [pad: 2]\n", "E204", 4, "none is left", "holdout: 6000"),
        (HEAD + "data: {mnist: {holdout: 1.5}}\nprepare: [pad: 2]\n", "E204", 4, "less than 1", ""),
        (HEAD + "data: {mnist: {holdout: 0}}\nprepare: [pad: 2]\nbest: val_loss\n", "E204", 6, "needs a validation part", "best: loss"),
        (HEAD + "data: digits\nprepare: [rescale, resize: 32, normalise: channel]\n", "E204", 5, "`rescale` has changed them", "put it before `rescale`"),
        (HEAD + "data: digits\nprepare: [resize: 32, normalise: pixel]\n", "E204", 5, "`resize` has changed them", "put it before `resize`"),
        (GOOD.replace("archc: 1", "archc: 2"), "E205", 1, "version 1", ""),
        (GOOD.replace("data: digits\n", ""), "E202", 1, "`data`", ""),
        (GOOD.replace("recipe: mine", "recipe: ../mine"), "E212", 2, "cannot be called", ""),
        ("archc: 1\nname: net\ninput: [8, 8, 3]\nlayers: [relu]\n", "E204", 1, "the spec of a network", ""),
        ("- 1\n", "E203", 1, "a mapping of keys", ""),
    ],
)
def test_mistakes_have_places(text: str, code: str, line: int, words: str, help: str, tmp_path: Path) -> None:
    found = wrong(text, tmp_path)
    assert [one.code.id for one in found] == [code], found
    assert found[0].span is None or found[0].span.position[0] == line
    assert words in found[0].message
    assert help in found[0].help


def test_all_mistakes_are_reported_in_one_run(tmp_path: Path) -> None:
    assert len(wrong(GOOD + "batch: 0\nepochs: 0\nseed: -1\nstop: 0\n", tmp_path)) == 4


def test_a_resize_that_a_hint_suggests_is_right(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(HEAD + "data: digits\nprepare: [{resize: [32, 32]}]\n")
    assert load_recipe(str(tmp_path / "mine.yaml")).steps[0].shape((8, 8, 1)) == (32, 32, 1)


def test_values_are_given_from_outside(tmp_path: Path) -> None:
    def given(name: str, text: str) -> dict[str, object]:
        return {name: read(Source(f"--set {name}", text))}

    assert load_recipe("lenet-digits", given("batch", "7")).run.batch == 7  # type: ignore[arg-type]
    assert load_recipe("lenet-digits", given("optimiser", "{sgd: 0.5}")).optimiser.rate == 0.5  # type: ignore[arg-type]
    assert load_recipe("lenet-digits", given("optimiser.sgd.momentum", "0.5")).optimiser.values()["momentum"] == 0.5  # type: ignore[arg-type]
    assert load_recipe("alexnet-cifar10", given("data.cifar10.holdout", "10")).data.value.holdout == 10  # type: ignore[arg-type]
    assert load_recipe("lenet-mnist", given("schedule.cosine.warmup", "2")).schedule.values()["warmup"] == 2  # type: ignore[arg-type]
    with pytest.raises(CompileError, match="leads into"):
        load_recipe("lenet-digits", given("augment.flip", "1"))  # type: ignore[arg-type]


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(AddressError) as found:
        load_recipe("lenet-digit")
    assert "lenet-digits" in found.value.help


def test_a_network_beside_its_recipe(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("archc: 1\nname: net\ninput: [8, 8, 1]\nlayers: [flatten, dense: [10, softmax]]\n")
    (tmp_path / "mine.yaml").write_text("archc: 1\nrecipe: mine\nnetwork: net.yaml\ndata: digits\n")
    assert load_recipe(str(tmp_path / "mine.yaml")).classes == 10


def test_no_framework_is_loaded_for_a_check(tmp_path: Path) -> None:
    """A wrong recipe is told before Keras, TensorFlow, JAX or even NumPy are imported."""
    (tmp_path / "mine.yaml").write_text(GOOD + "batch: none\n")
    code = "import sys; from archc.commands import main; code = main(['train', 'mine.yaml']); print(code, [one for one in ('keras', 'tensorflow', 'jax', 'torch', 'numpy', 'matplotlib') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT), "PATH": ""})
    assert done.stdout.strip() == "1 []", done.stderr
    assert "E203" in done.stderr


@pytest.mark.parametrize("path", shipped_recipes(), ids=lambda path: path.stem)
def test_scripts_are_python_without_archc(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", path.stem, "--emit", "script"]) == 0
    text = next((tmp_path / "build").iterdir()).read_text()
    assert text == script(load_recipe(path.stem))
    compile(text, path.stem, "exec")
    assert "archc" not in {name.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for name in node.names}
    assert max(map(len, text.splitlines())) < 400


@pytest.mark.parametrize("table", [DATA_SETS, OPTIMISERS, SCHEDULES, LOSSES, PREPARING, AUGMENTING, {"a": Run, "b": Start, "c": Stop}], ids=lambda table: next(iter(table)))
def test_settings_are_documented(table: dict[str, type]) -> None:
    for setting in table.values():
        assert setting.__doc__
        fields = fields_of(as_operator(setting))
        assert set(setting.positional) <= {one.name for one in fields}
        assert all(one.doc for one in fields)


def test_schedules_reckon_in_steps() -> None:
    """The paper's times are the steps after which the rate falls; Keras's boundaries are the last steps before."""
    recipe = load_recipe("resnet20-cifar10")
    assert recipe.schedule.call(0.1, 352, 182) == Call("optimizers.schedules", "PiecewiseConstantDecay", {"boundaries": [31999, 47999], "values": [0.1, 0.1 * 0.1, 0.1 * 0.1**2]})
    assert 352 * 182 >= 64_000 > 352 * 181


def test_the_best_epoch_is_marked_with_the_metric_that_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    from archc.commands.console import Console
    from archc.commands.training import Display

    recipe = load_recipe("lenet-digits", {})
    record = {"epoch": 1, "loss": 0.5, "val_loss": 0.6, "learning_rate": 0.1, "seconds": 1.0}
    Display(Console(), recipe).epoch(record, True)
    Display(Console(), recipe).epoch(record, False)
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{second}  best {recipe.watched}"
