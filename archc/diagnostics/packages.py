"""The packages that archc can do without: what needs one says so, and how it is installed, in one way."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from archc.diagnostics import codes
from archc.diagnostics.codes import Code
from archc.diagnostics.diagnostic import CompileError, error


@dataclass(frozen=True, slots=True)
class Package:
    """A package by the name that people know, with what installs it."""

    title: str
    install: str
    code: Code = codes.NO_PACKAGE


OPTIONAL = {
    "keras": Package("Keras", "'archc[tensorflow]'", codes.NO_FRAMEWORK),
    "tensorflow": Package("TensorFlow", "'archc[tensorflow]'", codes.NO_FRAMEWORK),
    "jax": Package("JAX", "'archc[jax]'", codes.NO_FRAMEWORK),
    "torch": Package("PyTorch", "torch", codes.NO_FRAMEWORK),
    "vl_convert": Package("vl-convert", "'archc[charts]'", codes.NO_CHARTS),
    "pyarrow": Package("pyarrow", "'archc[parquet]'"),
    "ray": Package("Ray", "'archc[ray]'"),
    "matplotlib": Package("matplotlib", "'archc[train]'"),
    "PIL": Package("Pillow", "'archc[train]'"),
    "sklearn": Package("scikit-learn", "'archc[train]'"),
    "tensorboard": Package("TensorBoard", "'archc[train]'"),
    "tensorflow_datasets": Package("tensorflow-datasets", "'archc[tfds]'"),
}
"""By the name of the module."""
TRAINING = "'archc[tensorflow,train]'"
"""What installs all that training uses."""


class MissingPackage(CompileError):
    """The spec may be right, but this machine lacks an optional package; the diagnostic says how to install it."""

    def __init__(self, module: str, purpose: str = "this", *, install: str = "", otherwise: str = "") -> None:
        package = OPTIONAL[module]
        help = f"pip install {install or package.install}{f'; {otherwise}' if otherwise else ''}"
        super().__init__((error(package.code, None, f"{purpose} needs {package.title}, which is not installed", help=help),))


def installed(module: str) -> bool:
    """True where an optional package is there; it is not loaded."""
    return find_spec(module) is not None


def need(module: str, purpose: str, *, install: str = "", otherwise: str = "") -> None:
    """Raises `MissingPackage` where a package is not installed: what needs it, and what does as well.

    >>> need("ray", "--ray")  # doctest: +SKIP
    Traceback (most recent call last):
    archc.diagnostics.packages.MissingPackage: E806: --ray needs Ray, which is not installed (pip install 'archc[ray]')
    """
    if not installed(module):
        raise MissingPackage(module, purpose, install=install, otherwise=otherwise)


def lacking(problem: ModuleNotFoundError) -> MissingPackage | None:
    """A failed import as a diagnostic, where it was of an optional package."""
    module = (problem.name or "").partition(".")[0]
    return MissingPackage(module) if module in OPTIONAL else None
