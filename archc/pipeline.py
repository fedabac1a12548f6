"""The compiler on one page: text -> located document -> validated spec -> expanded graph -> analyses -> artefacts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archc.analyses import AnalysedGraph
from archc.analyses.cost import figures
from archc.analyses.expectations import Expectation, check_expectations
from archc.analyses.lints import lint
from archc.diagnostics import Allowance, CompileError, Diagnostic, Diagnostics, Span, closest, codes, error, warning
from archc.diagnostics.figures import count
from archc.diagnostics.limits import limits, raising
from archc.diagnostics.packages import need
from archc.expansion.calls import Calls
from archc.expansion.learnt import Learnt
from archc.expansion.network import expand
from archc.expansion.static import check_spec
from archc.graph.folded import Figures
from archc.language.catalogue import Address, AddressError, Opener
from archc.language.catalogue import find as find_spec
from archc.language.document import Mapping as Entries
from archc.language.document import Scalar, Value
from archc.language.expressions import STEPS_PER_RUN, Budget
from archc.language.families import Opener as Libraries
from archc.language.families import SpecReader, given, told_of, written
from archc.language.index import FamilyEntry, digest
from archc.language.spec import Spec, Variant
from archc.language.steps import StepReader
from archc.language.validation import VARIANT_KEYS
from archc.operators import Shape

if TYPE_CHECKING:
    from archc.backends.keras.layers import KerasModel


WORK_OF_A_NETWORK = 2_500
"""What a variant takes in steps, however small it is."""
NAMED = 12
"""Variants that a family's short form names."""


@dataclass(frozen=True, eq=False)
class Compiled:
    """A compiled network: its graph and analyses, the warnings, and how its stated facts fared."""

    spec: Spec
    variant: Variant
    analysed: AnalysedGraph
    warnings: tuple[Diagnostic, ...]
    expectations: tuple[Expectation, ...]

    @property
    def graph(self) -> Any:
        """The expanded graph."""
        return self.analysed.graph

    @property
    def place(self) -> Span:
        """Where the text has the network's name: the variant's, or the spec's."""
        root = self.spec.file.root
        declared = root.get("variants")
        if isinstance(declared, Entries) and self.variant.name in declared.entries:
            return declared.entries[self.variant.name][0].span
        name = root.get("name")
        return root.span if name is None else name.span

    @cached_property
    def lowered(self) -> KerasModel:
        """The list of Keras layers."""
        from archc.backends.keras.lowering import lower

        return lower(self.graph)

    def to_keras(self, seed: int = 0, *, modules: Collection[str] = (), weights: str | Path | None = None) -> Any:
        """A `keras.Model` with seeded initial weights, or those in a file (`.keras`, `.h5`, `.pth`). Needs Keras.

        A user's own `layer:` is imported where `modules` holds its module; raises `CompileError` (E312) elsewhere, and
        where Keras is not installed (`MissingPackage`, E803).
        """
        from archc.backends.keras.model import set_weights, to_keras

        self.check_modules(modules)
        need("keras", "a live model")
        model = to_keras(self.lowered, seed=seed, modules=modules)
        if weights is not None:
            from archc.backends.keras.weight_files import read_weights

            set_weights(model, read_weights(Path(weights), self.lowered))
        return model

    def check_modules(self, allowed: Collection[str]) -> None:
        """Raises `CompileError` (E312) where a `layer:` step names a module that is not allowed."""
        diagnostics = Diagnostics()
        for node in self.graph.nodes:
            if node.operator.name != "layer":
                continue
            module = node.operator.attributes()["class"].partition(":")[0]
            if module not in allowed:
                diagnostics.add(error(codes.ESCAPE, node.origin, f"the layer's module `{module}` is not allowed", help=f"where you trust it, allow it: --allow-module {module}"))
        diagnostics.stop_on_errors()

    def to_dot(self, **options: Any) -> str:
        """The diagram as DOT text."""
        from archc.backends.diagram.backend import to_dot

        return to_dot(self.graph, **options)

    def to_svg(self, **options: Any) -> str:
        """The diagram as SVG text."""
        from archc.backends.diagram.backend import to_svg

        return to_svg(self.graph, **options)

    def to_python(self) -> str:
        """Keras source that builds the network."""
        from archc.backends.keras.source import source

        return source(self.analysed)

    def stats(self, *, batch: int = 1, optimizer: str = "adam") -> dict[str, Any]:
        """What the network costs, holds and sees, and the layer table, as plain data.

        Parameters, MACs and FLOPs are for one example; memory is for `batch` examples, in bytes. Raises `KeyError` for an
        optimiser that `archc.analyses.memory.OPTIMIZERS` lacks.
        """
        from archc.backends.stats import stats

        return stats(self.analysed, batch=batch, optimizer=optimizer)

    def to_html(self) -> str:
        """The report: one page with the diagram, the layers, their cost, the checked facts and the spec."""
        from archc.backends.report.page import page

        return page(self.graph, self.expectations)

    def __repr__(self) -> str:
        from archc.backends.report.notebook import summary

        return summary(self.analysed)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from archc.backends.report.notebook import bundle

        return bundle(self.analysed)


@dataclass(frozen=True, slots=True)
class Measured:
    """A network's figures, and the names and shapes of its outputs."""

    figures: Figures
    outputs: tuple[tuple[str, Shape], ...]


class Family:
    """A loaded spec; `family["D"]` compiles a variant, and iterating gives the variants' names.

    >>> import archc
    >>> archc.load("vgg")["D"].analysed.cost.params
    138357544
    >>> archc.load("lenet")
    <Family lenet: keras, original>
    """

    def __init__(self, address: Address, spec: Spec, reader: StepReader, notices: tuple[Diagnostic, ...]) -> None:
        self.address = address
        self.spec = spec
        self.reader = reader
        self.notices = notices
        self.work = 0
        self._learnt = Learnt()

    def __repr__(self) -> str:
        names = list(self) if self.spec.is_family else []
        more = f", ... ({len(names)})" if len(names) > NAMED else ""
        return f"<Family {self.spec.name}{': ' if names else ''}{', '.join(names[:NAMED])}{more}>"

    def __getitem__(self, variant: str) -> Compiled:
        return self.compile(variant)

    def __iter__(self) -> Iterator[str]:
        return iter(self.spec.variants)

    def __len__(self) -> int:
        return len(self.spec.variants)

    def compile(self, variant: str | None = None, values: Mapping[str, Any] | None = None) -> Compiled:
        """A variant, with values given from outside. Raises `CompileError`, `AddressError`."""
        chosen = self.spec.variants[self.choose(variant)]
        outside: dict[str, Value] = given(dict(values or {}))
        self.check_names(outside)
        try:
            return self._compiled(chosen, outside)
        except CompileError as problem:
            # As it is written, a loaded network is right.
            raise CompileError(tuple(told_of(one, outside) if one.severity == "error" else one for one in problem.diagnostics)) from None

    def _compiled(self, chosen: Variant, outside: Mapping[str, Value]) -> Compiled:
        diagnostics = Diagnostics(self.allowances(chosen))
        self.reader.diagnostics = diagnostics
        budget = Budget()
        room = budget.steps_left
        try:
            graph = expand(self.spec, chosen, outside, self.reader, diagnostics, budget, self._learnt)
        finally:
            self.work += WORK_OF_A_NETWORK + (room - budget.steps_left) // STEPS_PER_RUN
        diagnostics.stop_on_errors()
        assert graph is not None
        for one in lint(graph):
            diagnostics.add(one)
        analysed = AnalysedGraph(replace(graph, allowed=diagnostics.allowed))
        check_weights(analysed, diagnostics)
        facts: tuple[Expectation, ...] = ()
        if outside and chosen.expect:
            key = next(iter(chosen.expect.values()))[0]
            diagnostics.add(warning(codes.NOT_APPLICABLE, key.span, "`expect` holds for the variant as written; values were given from outside, so it was not checked"))
        else:
            facts = check_expectations(analysed, chosen, diagnostics)
        diagnostics.stop_on_errors()
        return Compiled(self.spec, chosen, analysed, (*self.notices, *diagnostics), facts)

    def allowances(self, variant: Variant) -> list[Allowance]:
        """The warnings that the spec allows in a variant."""
        return [*self.spec.allowances, *self.reader.allowances, *variant.allowances]

    def unused_allowances(self) -> list[Diagnostic]:
        """The spec's own allowances that no network compiled so far had a use for; those of libraries are for others too."""
        found = dict.fromkeys(one for variant in self.spec.variants.values() for one in self.allowances(variant))
        used = {one.span for one in found if one.used}
        own = [one for one in found if one.span not in used and one.span.source is self.spec.file.source]
        message = "nothing here gives {}, which is allowed"
        return [warning(codes.UNUSED_ALLOWANCE, one.span, message.format(one.code), help="remove the allowance") for one in own]

    @property
    def title(self) -> str:
        """The family's own title, or else its name."""
        title = self.spec.file.root.get("title")
        return title.text if isinstance(title, Scalar) else self.spec.name

    def own(self) -> list[str]:
        """The variants that are not derived from another one with `like`."""
        declared = self.spec.file.root.get("variants")
        if not isinstance(declared, Entries):
            return list(self)
        return [name for name, (_, value) in declared.entries.items() if not (isinstance(value, Entries) and value.get("like") is not None)]

    def measure(self, variant: str | None = None, values: Mapping[str, Any] | None = None) -> Measured:
        """What `compile` would tell of a network's cost, without its graph. Raises `CompileError`, `AddressError`.

        Made for many calls: a macro call that is equal to one of an earlier network is not run again. What is wrong is
        told by `compile` itself.
        """
        chosen = self.spec.variants[self.choose(variant)]
        outside: dict[str, Value] = given(dict(values or {}))
        self.check_names(outside)
        diagnostics = self.reader.diagnostics = Diagnostics()
        try:
            graph = expand(self.spec, chosen, outside, self.reader, diagnostics, learnt=self._learnt, calls=self.calls)
        except CompileError:
            graph = None
        if graph is None or diagnostics.met:
            graph = self.compile(variant, values).graph
        found = figures(graph.nodes)
        if found.params > limits().parameters:
            self.compile(variant, values)  # which says where they are
        return Measured(found, tuple((name, graph.shape(tensor)) for name, tensor in graph.outputs))

    @cached_property
    def calls(self) -> Calls:
        """The macro calls that `measure` has seen."""
        return Calls(self.spec.file, figures)

    def choose(self, variant: str | None) -> str:
        """The variant's exact name; the default one where none is asked for."""
        variants = self.spec.variants
        if variant:
            return self._named(variant)
        if len(variants) == 1:
            return next(iter(variants))
        default = next((name for name, one in variants.items() if one.default), None)
        if default is None:
            raise AddressError(f"`{self.spec.name}` has several variants and no default", f"name one: {', '.join(f'{self.spec.name}:{one}' for one in variants)}", codes.VARIANT_NEEDED)
        return default

    def _named(self, variant: str) -> str:
        """The variant that a name or alias means; case does not matter where it is clear."""
        variants = self.spec.variants
        if variant in variants:
            return variant
        for name, one in variants.items():
            if name.lower() == variant.lower() or variant.lower() in (alias.lower() for alias in one.aliases):
                return name
        near = closest(variant, [one for one in variants if one])
        if not self.spec.is_family:
            raise AddressError(f"`{self.spec.name}` has no variants, and `{variant}` was asked for", "give the address without the colon", codes.UNKNOWN_VARIANT)
        listed = ", ".join(variants)
        raise AddressError(f"`{self.spec.name}` has no variant `{variant}`", f"did you mean `{self.spec.name}:{near}`?" if near else f"its variants are {listed}", codes.UNKNOWN_VARIANT)

    def check_names(self, outside: Mapping[str, Value]) -> None:
        """Raises `AddressError` where values are given for what is no parameter of the family."""
        for name, value in outside.items():
            if name not in self.spec.file.params and name in VARIANT_KEYS:
                advice = f"a variant may have another one: `variants: {{mine: {{{name}: {written(value)[:60]}}}}}`"
                if name == "input":
                    advice += "; or declare what is to be set, as in `params: {size: 224}` and `input: [$size, $size, 3]`"
                raise AddressError(f"`{name}` is a key of the spec `{self.spec.name}`, not a parameter of it, and parameters alone are set from outside", advice, codes.UNKNOWN_PARAMETER)
            if name not in self.spec.file.params:
                near = closest(name, self.spec.file.params)
                listed = ", ".join(self.spec.file.params) or "none"
                raise AddressError(f"`{self.spec.name}` has no parameter `{name}`", f"did you mean `{near}`?" if near else f"its parameters are {listed}", codes.UNKNOWN_PARAMETER)


    def entry(self) -> FamilyEntry:
        """What the index and `archc list` tell of the family. Raises `CompileError`."""
        variants = self.spec.variants.values()
        source = next(iter(variants)).source
        networks = [self.compile(one.name or None) for one in variants]
        return {
            "digest": digest(self.address.path) if self.address.path else "",
            "title": self.title,
            "paper": str(source.get("title", "")),
            "year": source["year"] if isinstance(source.get("year"), int) else None,
            "variants": [
                {
                    "name": one.variant.name,
                    "title": one.variant.title,
                    "implementation": one.variant.implementation or None,
                    "aliases": list(one.variant.aliases),
                    "params": one.analysed.cost.params,
                    "macs": one.analysed.cost.macs,
                }
                for one in networks
            ],
        }


def check_weights(analysed: AnalysedGraph, diagnostics: Diagnostics) -> None:
    """Refuses a network that no machine holds, before anything is made of it."""
    costs = analysed.cost.nodes
    if analysed.cost.params > limits().parameters:
        largest = max(range(len(costs)), key=lambda at: costs[at].params)
        message = f"the network has {count(analysed.cost.params)} weights ({analysed.cost.params * 4 / 2**30:,.0f} GiB), and at most {count(limits().parameters)} are allowed"
        label = f"{count(costs[largest].params)} of them are here"
        diagnostics.add(error(codes.LIMIT_WEIGHTS, analysed.graph.nodes[largest].origin, message, label=label, help=raising("parameters")))


def load_address(address: Address, opener: Libraries | None = None) -> Family:
    """The family at an address, its libraries from where it is, or from where an opener finds them. Raises `CompileError`."""
    diagnostics = Diagnostics()
    reader = StepReader(diagnostics)
    specs = SpecReader(reader, opener or Opener(address.path))
    spec = specs.spec(address.source)
    if spec is None or specs.lost:
        # Without its libraries a spec has words that nobody knows; that is one cause.
        raise CompileError(tuple(diagnostics))
    diagnostics.allowances = (*spec.allowances, *reader.allowances)
    check_spec(spec, reader)
    diagnostics.stop_on_errors()
    return Family(address, spec, reader, tuple(diagnostics))


def load(address: str, standard_input: bytes | None = None) -> Family:
    """The family that an address such as `vgg` or `nets/mine.yaml` leads to.

    Raises `AddressError` where there is none, or where the address is that of one variant; `CompileError` where the spec is wrong.
    """
    found = find_spec(address, standard_input)
    family = load_address(found)
    if found.variant not in ("", "*"):
        variant = family.choose(found.variant)
        whole = address.rpartition(":")[0] or family.spec.name
        raise AddressError(f"`{address}` is one network, and `load` gives a family", f'archc.compile("{address}") gives the network, archc.load("{whole}")["{variant}"] as well', codes.BAD_CALL)
    return family


def compile(address: str, /, **values: Any) -> Compiled:
    """The network at an address, its parameters set by name. Raises `AddressError`, `CompileError`.

    >>> import archc
    >>> archc.compile("lenet").analysed.cost.params
    61706
    """
    found = find_spec(address)
    return load_address(found).compile(found.variant or None, values)
