"""A recipe: which network learns what, how. Its text is read and checked in full before any framework loads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archc.diagnostics import CompileError, Diagnostics, Source, closest, codes, error, foreign_letter
from archc.language.catalogue import AddressError, find, read_bytes, shipped_root
from archc.language.document import Mapping as MappingValue
from archc.language.document import Scalar, Value, decode, plain, read
from archc.language.validation import kind_of
from archc.operators import fields_of, show
from archc.operators.base import Problem, Shape
from archc.pipeline import Compiled, load_address
from archc.training.data.sets import DATA_SETS, DataSet
from archc.training.options import (
    LOSSES,
    OPTIMISERS,
    SCHEDULES,
    Constant,
    CrossEntropy,
    Optimiser,
    Run,
    Schedule,
    Start,
    Stop,
)
from archc.training.preparation import AUGMENTING, PREPARING, Normalise, Preparing, shapes
from archc.training.settings import Placed, SettingReader, as_operator

VERSION = 1
KEYS = {
    "archc": "the version of the language, 1",
    "recipe": "the recipe's name, which names its run",
    "title": "the name that people read",
    "doc": "a sentence for people",
    "source": "where the recipe was published, as in a spec",
    "network": "the address of the network, as on the command line: `lenet`, `alexnet:cifar10`, `mine.yaml:small`",
    "params": "values for the network's parameters",
    "start": "the weights to start from",
    "data": "the data set",
    "prepare": "preprocessing, a part of the saved model",
    "augment": "changes made to the examples in training only",
    "optimiser": "how weights follow gradients",
    "schedule": "how the learning rate changes",
    "loss": "what is minimised",
    "stop": "when to end early",
}
"""The keys of a recipe that hold more than a number or a word; those are the fields of `Run`."""
CHOICES = ("data", "optimiser", "schedule", "loss")
"""The keys that hold one choice each."""
REQUIRED = ("archc", "recipe", "network", "data")


@dataclass(frozen=True, eq=False)
class Recipe:
    """A checked recipe with its compiled network."""

    name: str
    title: str
    source: Source
    path: Path | None
    root: MappingValue
    network: Compiled
    address: str
    params: Mapping[str, Any]
    start: Start | None
    data: Placed[DataSet]
    prepare: tuple[Placed[Preparing], ...]
    augment: tuple[Placed[Preparing], ...]
    optimiser: Optimiser
    schedule: Schedule
    loss: CrossEntropy
    stop: Stop | None
    run: Run

    @property
    def base(self) -> Path | None:
        """The folder that relative paths of the recipe start from."""
        return self.path.parent if self.path is not None else None

    @property
    def watched(self) -> str:
        """The metric by which a model is the best."""
        if self.run.best is not None:
            return self.run.best
        return "val_accuracy" if self.validates and "accuracy" in self.run.metrics else "val_loss" if self.validates else "loss"

    @property
    def validates(self) -> bool:
        """True where a part is held out."""
        return self.data.value.holdout > 0

    @property
    def steps(self) -> tuple[Preparing, ...]:
        """Augmentation and preparation, in the order in which an example meets them."""
        return tuple(one.value for one in (*self.augment, *self.prepare))

    @property
    def shape(self) -> Shape:
        """What the network takes."""
        return self.network.graph.nodes[self.network.graph.inputs[0]].shape

    @property
    def classes(self) -> int:
        """What the network tells apart."""
        return output_shape(self.network)[-1] or 0

    def facts(self) -> dict[str, Any]:
        """Everything that the course of a run depends on, flat, by name: what a resumed run must have in common."""
        found: dict[str, Any] = {"network": self.address}
        found |= {f"params.{name}": value for name, value in self.params.items()}
        for key, one in (("data", self.data.value), ("optimiser", self.optimiser), ("schedule", self.schedule), ("loss", self.loss), ("stop", self.stop), ("start", self.start)):
            if one is not None:
                found[key] = one.name
                found |= {f"{key}.{name}": value for name, value in one.values().items()}
        for key, steps in (("prepare", self.prepare), ("augment", self.augment)):
            for at, step in enumerate(steps):
                found[f"{key}[{at}]"] = step.value.name
                found |= {f"{key}[{at}].{name}": value for name, value in step.value.values().items()}
        # The number of epochs only says where to end, but where the schedule reckons with it.
        free = {"save_minutes", *(() if self.schedule.name == "cosine" else ("epochs",))}
        return found | {name: value for name, value in self.run.values().items() if name not in free}


def output_shape(network: Compiled) -> Shape:
    """The shape of a network's one output."""
    return network.graph.shape(network.graph.outputs[0][1])


def shipped_recipes() -> list[Path]:
    """The recipes that archc ships, by name."""
    return sorted((shipped_root() / "recipes").glob("*.yaml"))


def open_recipe(address: str) -> tuple[Source, Path]:
    """The text of a recipe at a path or by a shipped name. Raises `AddressError`."""
    if address.endswith((".yaml", ".yml")) or Path(address).is_file():
        path = Path(address)
        return decode(address, read_bytes(path)), path
    shipped = {one.stem: one for one in shipped_recipes()}
    for path in (Path(f"{address}.yaml"), Path("specs") / "recipes" / f"{address}.yaml"):
        if path.is_file():
            return decode(str(path), read_bytes(path)), path
    if address in shipped:
        return decode(f"recipes/{address}.yaml", read_bytes(shipped[address])), shipped[address]
    near = closest(address, shipped)
    raise AddressError(f"there is no recipe `{address}`", f"did you mean `{near}`?" if near else f"the shipped recipes are {', '.join(shipped)}; a file's address ends in .yaml", codes.UNKNOWN_SPEC)


def load_recipe(address: str, given: Mapping[str, Value] | None = None, beside: Path | None = None) -> Recipe:
    """The recipe at an address, with values given from outside by dotted names. Raises `CompileError`, `AddressError`.

    `beside` is the file whose folder its relative paths start from, where that is not the recipe's own.
    """
    source, path = open_recipe(address)
    path = beside or path
    root = read(source)
    diagnostics = Diagnostics()
    for name, value in (given or {}).items():
        root = replaced(root, name.split("."), value, name)
    recipe = _Reader(diagnostics, source, path).recipe(root)
    diagnostics.stop_on_errors()
    assert recipe is not None
    return recipe


def replaced(value: Value, path: list[str], new: Value, name: str, chosen: bool = False) -> Value:
    """A document with one value changed; mappings on the way there are made where a word stands. Raises `CompileError`.

    `chosen` says that the value is one choice: another word takes its place.
    """
    if not path:
        return new
    if isinstance(value, Scalar):
        # `optimiser: sgd` and `--set optimiser.sgd.momentum=0.9`: the word gets arguments.
        inside: dict[str, tuple[Scalar, Value]] = {value.text: (value, Scalar(None, "", True, new.span))} if value.text == path[0] else {}
        value = MappingValue(inside, True, value.span)
    if not isinstance(value, MappingValue):
        raise CompileError((error(codes.UNKNOWN_KEY, new.span, f"there is no place `{name}` in the recipe: it leads into {kind_of(value)}"),))
    if path[0] not in value.entries and chosen:
        value = MappingValue({}, value.flow, value.span)
    key, old = value.entries.get(path[0], (Scalar(path[0], path[0], True, new.span), Scalar(None, "", True, new.span)))
    return MappingValue({**value.entries, path[0]: (key, replaced(old, path[1:], new, name, path[0] in CHOICES))}, value.flow, value.span)


class _Reader(SettingReader):
    """Reads a recipe's document."""

    def __init__(self, diagnostics: Diagnostics, source: Source, path: Path) -> None:
        super().__init__(diagnostics)
        self.source = source
        self.path = path

    def recipe(self, root: Value) -> Recipe | None:
        """The recipe, as far as it is right; nothing where it is not."""
        if not isinstance(root, MappingValue):
            self.wrong(codes.WRONG_TYPE, root.span, f"a recipe is a mapping of keys, and this is {kind_of(root)}", "start with `archc: 1` and `recipe: ...`")
            return None
        if "layers" in root.entries or "variants" in root.entries:
            self.wrong(codes.WRONG_VALUE, root.span, "this is the spec of a network, and not a recipe", "a recipe names the network: `network: mine.yaml`")
            return None
        numbers = [one.name for one in fields_of(as_operator(Run))]
        self.check_keys(root, (*KEYS, *numbers))
        run = self.filled(Run, MappingValue({key: pair for key, pair in root.entries.items() if key in numbers}, False, root.span), root.span)
        data = self.one(value, DATA_SETS, "`data`") if (value := root.get("data")) is not None else None
        prepare = self.many(root.get("prepare"), PREPARING, "`prepare`")
        augment = self.many(root.get("augment"), AUGMENTING, "`augment`")
        optimiser = self.one(value, OPTIMISERS, "`optimiser`") if (value := root.get("optimiser")) is not None else self.filled(OPTIMISERS["adam"], None, root.span)
        schedule = self.one(value, SCHEDULES, "`schedule`") if (value := root.get("schedule")) is not None else self.filled(Constant, None, root.span)
        loss = self.one(value, LOSSES, "`loss`") if (value := root.get("loss")) is not None else self.filled(CrossEntropy, None, root.span)
        stop = self.filled(Stop, value, root.key_span("stop")) if (value := root.get("stop")) is not None else None
        start = self.filled(Start, value, root.key_span("start")) if (value := root.get("start")) is not None else None
        params = self.params(root.get("params"))
        network = self.network(root, params)
        if any(one.severity == "error" for one in self.diagnostics):
            return None
        assert run is not None
        assert data is not None
        assert optimiser is not None
        assert schedule is not None
        assert loss is not None
        assert network is not None
        made = Recipe(
            self.text(root.get("recipe")), self.text(root.get("title")), self.source, self.path, root, network, self.text(root.get("network")),
            {name: plain(one) for name, one in params.items()}, start.value if start else None, data, prepare, augment,
            optimiser.value, schedule.value, loss.value, stop.value if stop else None, run.value,
        )
        for one in self.fit(made, run):
            self.diagnostics.add(one)
        return made

    def check_keys(self, root: MappingValue, known: tuple[str, ...]) -> None:
        """Unknown, missing and misspelt keys of the top level."""
        for key in root.entries:
            if key not in known:
                near = closest(key, known)
                self.wrong(codes.UNKNOWN_KEY, root.key_span(key), f"a recipe has no key `{key}`", f"did you mean `{near}`?" if near else foreign_letter(key) or f"the keys are {', '.join(known)}")
        meant = {closest(key, known) for key in root.entries if key not in known}
        for key in REQUIRED:
            if key not in root.entries and key not in meant:
                self.wrong(codes.MISSING_KEY, root.span, f"the key `{key}`, {KEYS[key]}, is missing", "write `archc: 1` as the first line" if key == "archc" else "")
        version = root.get("archc")
        if version is not None and (plain(version) != VERSION or isinstance(plain(version), bool | float)):
            self.wrong(codes.LANGUAGE_VERSION, version.span, f"this archc reads version {VERSION} of the language, and the recipe says {kind_of(version)}", f"write `archc: {VERSION}`")
        name = root.get("recipe")
        if isinstance(name, Scalar) and not all(one.isalnum() or one in "-_." for one in name.text):
            self.wrong(codes.NAME_FORM, name.span, f"a recipe cannot be called `{name.text}`", "use letters, digits, `-`, `_` and `.`: its run's folder has the name")
        for key in ("recipe", "network", "title", "doc"):
            if (value := root.get(key)) is not None and not (isinstance(value, Scalar) and value.text):
                self.wrong(codes.WRONG_TYPE, value.span, f"`{key}` takes a text, and this is {kind_of(value)}")

    def text(self, value: Value | None) -> str:
        return value.text if isinstance(value, Scalar) else ""

    def params(self, value: Value | None) -> dict[str, Value]:
        """The values for the network's parameters."""
        if value is None:
            return {}
        if not isinstance(value, MappingValue):
            self.wrong(codes.WRONG_TYPE, value.span, f"`params` takes a mapping, and this is {kind_of(value)}", "write `params: {classes: 10}`")
            return {}
        return {name: one for name, (_, one) in value.entries.items()}

    def network(self, root: MappingValue, params: Mapping[str, Value]) -> Compiled | None:
        """The network, compiled; its own diagnostics join ours."""
        value = root.get("network")
        if not isinstance(value, Scalar) or not value.text:
            return None
        try:
            return compiled(value.text, self.path, params)
        except AddressError as problem:
            self.wrong(problem.code, value.span, problem.message, problem.help)
        except CompileError as problem:
            for one in problem.diagnostics:
                self.diagnostics.add(one)
        return None

    def fit(self, recipe: Recipe, run: Placed[Run]) -> Iterator[Any]:
        """What is wrong between network, data and numbers."""
        place = recipe.root.key_span("network")
        graph = recipe.network.graph
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            yield error(codes.DATA_DOES_NOT_FIT, place, f"a recipe trains networks with one input and one output, and {recipe.address} has {len(graph.inputs)} and {len(graph.outputs)}", help="choose a variant without further heads")
            return
        output = output_shape(recipe.network)
        if len(output) != 1 or output[0] is None:
            yield error(codes.DATA_DOES_NOT_FIT, place, f"a recipe trains classifiers, and {recipe.address} gives {show(output)}")
            return
        data = recipe.data.value
        if data.count is not None and data.count != output[0]:
            yield error(codes.DATA_DOES_NOT_FIT, recipe.data.span, f"{data.name} has {data.count} classes, and {recipe.address} tells {output[0]} apart", help=class_hint(recipe, data.count))
        if data.image is not None:
            yield from shape_problems(recipe, data.image)
        if not recipe.validates and recipe.run.best is not None and recipe.run.best.startswith("val_"):
            yield error(codes.WRONG_VALUE, run.place("best"), f"`{recipe.run.best}` needs a validation part, and `holdout` is 0", help="hold out some examples, or write `best: loss`")
        if recipe.watched.endswith("accuracy") and "accuracy" not in recipe.run.metrics:
            yield error(codes.WRONG_VALUE, run.place("metrics"), f"the best model is chosen by `{recipe.watched}`, and `metrics` leaves accuracy out", help="write `best: val_loss`, or measure accuracy")
        if "top5" in recipe.run.metrics and (output[0] or 0) < 6:
            yield error(codes.WRONG_VALUE, run.place("metrics"), f"`top5` of {output[0]} classes is always 1", help="leave it out")


def class_hint(recipe: Recipe, count: int) -> str:
    """How the network is given other classes."""
    if "classes" in recipe.network.spec.file.params:
        return f"write `params: {{classes: {count}}}`"
    return "choose a network with as many outputs"


def shape_problems(recipe: Recipe, image: tuple[int, ...]) -> Iterator[Any]:
    """What is wrong with the steps on images of a shape, and with what they give the network."""
    placed = (*recipe.augment, *recipe.prepare)
    shape: Shape = image
    for one, found in zip(placed, shapes(recipe.steps, image), strict=False):
        if isinstance(found, Problem):
            yield error(found.code, one.span, found.message, help=found.help)
            return
        shape = found
    yield from order_problems(recipe)
    wanted = recipe.shape
    if len(shape) != len(wanted) or any(want is not None and have != want for have, want in zip(shape, wanted, strict=True)):
        resize = f"`prepare: [{{resize: [{wanted[0]}, {wanted[1]}]}}]`" if len(wanted) == 3 and shape[-1] == wanted[-1] else ""
        yield error(codes.DATA_DOES_NOT_FIT, recipe.root.key_span("network"), f"{recipe.address} takes {show(wanted)}, and the examples of {recipe.data.value.name} are {show(shape)} when they are prepared", help=f"resize them: {resize}" if resize else "choose a network for such images, or change their shape in `prepare`")


def order_problems(recipe: Recipe) -> Iterator[Any]:
    """`normalise` goes by the raw pixels of the training part, so nothing may have changed them before."""
    for at, one in enumerate(recipe.prepare):
        if not isinstance(one.value, Normalise):
            continue
        values = ("rescale", "standardise", "normalise")
        before = next((step.value.name for step in recipe.prepare[:at] if step.value.name in (*values, *(("resize", "pad") if one.value.per == "pixel" else ()))), None)
        if before is not None:
            yield error(codes.WRONG_VALUE, one.span, f"`normalise` goes by the raw {'images' if one.value.per == 'pixel' else 'pixels'} of the training part, and `{before}` has changed them before it", help=f"put it before `{before}`")


def compiled(address: str, recipe: Path | None, params: Mapping[str, Any]) -> Compiled:
    """The network that a recipe names; a path starts from the recipe's own folder. Raises `AddressError`, `CompileError`."""
    beside = recipe.parent / address if recipe is not None else None
    is_path = ".yaml" in address or ".yml" in address
    found = find(str(beside) if is_path and beside is not None else address)
    return load_address(found).compile(found.variant or None, params)


def with_run(recipe: Recipe, **values: Any) -> Recipe:
    """The recipe with other numbers of its run."""
    return replace(recipe, run=replace(recipe.run, **values))
