"""Over what a training is spread: one device, all devices of a machine, or those of several processes.

With JAX this is Keras's distribution API (`DataParallel`, `ModelParallel`), across processes too; with TensorFlow it is
`tf.distribute.MirroredStrategy` on one machine. Frameworks differ in how a batch is cut; here they are told apart, and the
loop knows one interface. Process 0 alone reads and writes the folder of the run, and tells the others what it has read.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy

from archc.training.data.examples import Part
from archc.training.kinds import JOB_ADDRESSES, NUM_PROCESSES, PROCESS_ID
from archc.training.recipe import Recipe

BATCH, MODEL = "batch", "model"
"""The axes of a mesh of devices."""


class SpreadError(Exception):
    """A training cannot be spread as it was asked; `help` says what to do. `machine`: other processes, not the call."""

    def __init__(self, message: str, help: str = "", *, machine: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.machine = machine


@dataclass(frozen=True)
class Piece:
    """Examples that one call of Keras takes: their places (`None` is all), the batch of this process, and how many steps
    they are. `whole`: each device takes all of each batch."""

    places: Any
    batch: int
    steps: int
    whole: bool = False

    def of(self, part: Part) -> Part:
        """The piece of a part."""
        return part if self.places is None else part.take(self.places)


@dataclass(frozen=True, eq=False, kw_only=True)
class Spread:
    """One device, and what the others have in common. `shares` is the number of pieces that a batch is cut into."""

    kind: str = "none"
    devices: int = 1
    shares: int = 1
    processes: int = 1
    process: int = 0

    @property
    def leads(self) -> bool:
        """True in the process that owns the run's folder."""
        return self.process == 0

    def scope(self, *, whole: bool = False) -> AbstractContextManager[Any]:
        """Where models are built, trained and measured; `whole` gives each device all of a batch."""
        return nullcontext()

    def pieces(self, count: int, batch: int) -> Iterator[Piece]:
        """How `count` examples in batches are given to Keras."""
        yield Piece(None, batch, -(-count // batch))

    def values(self, variable: Any) -> Any:
        """All of a variable, as an array of this process's own."""
        keras: Any = importlib.import_module("keras")
        return numpy.asarray(keras.ops.convert_to_numpy(variable))

    def told(self, data: bytes) -> bytes:
        """What process 0 gives, in each process."""
        return data

    def summed(self, values: Any) -> Any:
        """An array of whole numbers, summed over the processes."""
        return values

    @contextmanager
    def together(self) -> Generator[None]:
        """What one process fails at ends all of them. Raises `SpreadError` in those that did not fail."""
        try:
            yield
        except BaseException:
            self.summed(numpy.ones(1, numpy.int32))
            raise
        if self.summed(numpy.zeros(1, numpy.int32)).any():
            raise SpreadError("another process of the training has failed", "its own message says at what", machine=True)

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        return {"kind": self.kind, "devices": self.devices, "processes": self.processes}


@dataclass(frozen=True, eq=False, kw_only=True)
class OverTensorFlow(Spread):
    """The devices of one machine, each with a copy of the weights."""

    strategy: Any

    def scope(self, *, whole: bool = False) -> AbstractContextManager[Any]:
        return self.strategy.scope()


@dataclass(frozen=True, eq=False, kw_only=True)
class OverJax(Spread):
    """All devices of all processes. `even` cuts each batch; `alike` gives all of it to each device."""

    even: Any
    alike: Any

    def scope(self, *, whole: bool = False) -> AbstractContextManager[Any]:
        return (self.alike if whole else self.even).scope()

    def pieces(self, count: int, batch: int) -> Iterator[Piece]:
        """A last batch that cannot be cut evenly is taken whole by each device, so that it counts as on one device."""
        rest = count % batch
        even = count - (rest if rest % self.shares else 0)
        if even:
            yield Piece(None if even == count and self.processes == 1 else self.own(even, batch), batch // self.processes, -(-even // batch))
        if even < count:
            yield Piece(numpy.arange(even, count), rest, 1, whole=True)

    def own(self, count: int, batch: int) -> Any:
        """The places of this process's share of each batch."""
        cuts = [numpy.array_split(numpy.arange(at, min(at + batch, count)), self.processes)[self.process] for at in range(0, count, batch)]
        return numpy.concatenate(cuts)

    def values(self, variable: Any) -> Any:
        value = getattr(variable, "value", variable)
        if value.is_fully_addressable or value.is_fully_replicated:
            return numpy.asarray(value)
        return numpy.asarray(multihost().process_allgather(value, tiled=True))

    def told(self, data: bytes) -> bytes:
        if self.processes == 1:
            return data
        length = int(multihost().broadcast_one_to_all(numpy.int32(len(data))))
        buffer = numpy.zeros(length, numpy.uint8)
        if self.leads:
            buffer[:] = numpy.frombuffer(data, numpy.uint8)
        return numpy.asarray(multihost().broadcast_one_to_all(buffer)).astype(numpy.uint8).tobytes()

    def summed(self, values: Any) -> Any:
        if self.processes == 1:
            return values
        found: Any = numpy.asarray(multihost().process_allgather(values))
        return found.reshape(self.processes, *values.shape).sum(axis=0)


def multihost() -> Any:
    """JAX's exchange of arrays between processes."""
    return importlib.import_module("jax.experimental.multihost_utils")


def spread(kind: str | None, recipe: Recipe) -> Spread:
    """What `--distribute` asks for, once other processes are joined; to be called before Keras has computed anything.

    Raises `SpreadError`.
    """
    if kind is None:
        return Spread()
    from archc.training.build import load_keras

    join()
    backend = load_keras().backend.backend()
    if backend == "jax":
        found = over_jax(kind, recipe)
    elif kind == "model":
        raise SpreadError(f"--distribute model needs JAX, and Keras runs on {backend}", "set KERAS_BACKEND=jax")
    elif backend == "tensorflow":
        found = over_tensorflow(kind)
    elif kind == "auto":
        return Spread()
    else:
        raise SpreadError(f"--distribute needs JAX or TensorFlow, and Keras runs on {backend}", "set KERAS_BACKEND=jax")
    if recipe.run.batch % found.shares:
        raise SpreadError(f"a batch of {recipe.run.batch} cannot be cut into {found.shares} equal parts", f"--set batch={-(-recipe.run.batch // found.shares) * found.shares}")
    return found


def join() -> None:
    """Joins the processes that Keras's variables name, if they do. Raises `SpreadError`."""
    given = [one for one in (JOB_ADDRESSES, NUM_PROCESSES, PROCESS_ID) if os.environ.get(one)]
    if not given:
        return
    missing = [one for one in (JOB_ADDRESSES, NUM_PROCESSES, PROCESS_ID) if one not in given]
    if missing:
        raise SpreadError(f"{given[0]} is set, and {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not", "each process needs the address of process 0, the number of processes, and its own number from 0")
    if not all(os.environ[one].isdigit() for one in (NUM_PROCESSES, PROCESS_ID)) or int(os.environ[PROCESS_ID]) >= int(os.environ[NUM_PROCESSES]):
        raise SpreadError(f"process {os.environ[PROCESS_ID]} of {os.environ[NUM_PROCESSES]} cannot be", f"{NUM_PROCESSES} is a whole number, and {PROCESS_ID} one from 0 and below it")
    from archc.training.build import silenced

    with silenced():
        keras: Any = importlib.import_module("keras")
    if keras.backend.backend() != "jax":
        raise SpreadError(f"a training over several processes needs JAX, and Keras runs on {keras.backend.backend()}", "set KERAS_BACKEND=jax")
    try:
        keras.distribution.initialize()
    except (RuntimeError, ValueError) as problem:
        first = str(problem).strip().splitlines()[0][:200]
        raise SpreadError(f"the {os.environ[NUM_PROCESSES]} processes did not come together at {os.environ[JOB_ADDRESSES].split(',')[0]}: {first}", "start all of them, and see that the address of process 0 can be reached", machine=True) from None


def over_jax(kind: str, recipe: Recipe) -> Spread:
    """Keras's distributions over all of JAX's devices."""
    distribution: Any = importlib.import_module("keras").distribution
    jax: Any = importlib.import_module("jax")
    names = distribution.list_devices()
    processes = jax.process_count()
    if len(names) == 1 and kind != "data":
        return Spread()
    # Weights are split within a machine, whose devices are near each other; machines share the batches.
    rows = processes if kind == "model" else len(names)
    even, alike = (mesh(distribution, names, count, kind, recipe) for count in (rows, 1))
    return OverJax(kind="model" if kind == "model" else "data", devices=len(names), shares=rows, processes=processes, process=jax.process_index(), even=even, alike=alike)


def mesh(distribution: Any, names: list[str], rows: int, kind: str, recipe: Recipe) -> Any:
    """A distribution of batches over the rows of a mesh and, where the model is split, of weights over its columns."""
    grid = distribution.DeviceMesh((rows, len(names) // rows), (BATCH, MODEL), names)
    layouts = distribution.LayoutMap(grid)
    if kind == "model":
        for path, axes in split_weights(recipe, grid.shape[1]).items():
            layouts[path] = axes
    return distribution.ModelParallel(layout_map=layouts, batch_dim_name=BATCH, auto_shard_dataset=False)


def split_weights(recipe: Recipe, columns: int) -> dict[str, tuple[str | None, ...]]:
    """The weights that are split, by path: matrices and kernels whose last axis, the outputs, divides evenly."""
    return {
        f"{layer.name}/{weight.name}": (*(None for _ in weight.shape[1:]), MODEL)
        for layer in recipe.network.lowered.layers
        for weight in layer.weights
        if len(weight.shape) > 1 and not weight.shape[-1] % columns
    }


def over_tensorflow(kind: str) -> Spread:
    """TensorFlow's mirrored strategy over the machine's GPUs, or its logical CPUs where it has none."""
    tensorflow: Any = importlib.import_module("tensorflow")
    devices: list[str] = [one.name for one in tensorflow.config.list_logical_devices("GPU") or tensorflow.config.list_logical_devices("CPU")]
    if len(devices) == 1 and kind == "auto":
        return Spread()
    return OverTensorFlow(kind="data", devices=len(devices), shares=len(devices), strategy=tensorflow.distribute.MirroredStrategy(devices))
