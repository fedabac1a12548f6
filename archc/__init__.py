"""archc compiles declarative descriptions of neural networks.

>>> import archc
>>> archc.compile("lenet").stats()["params"]["total"]
61706
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["AddressError", "CompileError", "Compiled", "Family", "compile", "load"]

if TYPE_CHECKING:
    from archc.diagnostics import CompileError
    from archc.language.catalogue import AddressError
    from archc.pipeline import Compiled, Family, compile, load


def __getattr__(name: str) -> Any:
    if name == "CompileError":
        from archc.diagnostics import CompileError

        return CompileError
    if name == "AddressError":
        from archc.language.catalogue import AddressError

        return AddressError
    if name in __all__:
        from archc import pipeline

        return vars(pipeline)[name]
    raise AttributeError(f"module 'archc' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What users call, loaded or not; not the packages that it is made of."""
    return sorted([*__all__, *(one for one in globals() if one.startswith("__"))])
