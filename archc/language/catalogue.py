"""Where specs are: paths, shipped names, aliases; and the libraries that `use:` may open."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from archc.diagnostics import Code, Source, closest, codes
from archc.diagnostics.limits import limits
from archc.language.document import Mapping, Scalar, Sequence, decode, read

SHIPPED = "archc:"


class AddressError(Exception):
    """An address or a name leads to nothing: `message` says which, `help` what would, `code` of what kind it is."""

    def __init__(self, message: str, help: str = "", code: Code = codes.FILE_NOT_FOUND) -> None:
        super().__init__(message, help, code)
        self.message = message
        self.help = help
        self.code = code

    def __str__(self) -> str:
        return f"{self.message}\n  = help: {self.help}" if self.help else self.message


@dataclass(frozen=True, slots=True)
class Address:
    """A spec's source and the variant asked for: a name, `*`, or nothing."""

    source: Source
    variant: str
    path: Path | None


@lru_cache(maxsize=1)
def shipped_root() -> Path:
    """The folder of the specs that archc ships: in the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


def shipped_paths() -> list[Path]:
    """The shipped network specs, by name."""
    return sorted(shipped_root().glob("*.yaml"))


def find(address: str, standard_input: bytes | None = None) -> Address:
    """The spec that an address leads to. Raises `AddressError`."""
    if address == "-" or address.startswith("-:"):
        return Address(decode("<stdin>", standard_input or b""), address[2:], None)
    head, _, variant = address.rpartition(":")
    for path_text, wanted in ((address, ""), (head, variant)):
        if path_text and _is_path(path_text):
            path = Path(path_text)
            return Address(decode(path_text, read_bytes(path)), wanted, path)
    if os.sep in address:
        return Address(decode(address, read_bytes(Path(address))), "", Path(address))
    return _by_name(head or address, variant if head else "", address)


def _is_path(text: str) -> bool:
    return text.endswith((".yaml", ".yml", ".json")) or _is_file(Path(text))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file within the limit. Raises `AddressError`."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _folder(path)
        if not stat.S_ISREG(status.st_mode):
            raise AddressError(f"{path} is not a regular file")
        with path.open("rb") as file:
            return file.read(limits().file + 1)
    except FileNotFoundError:
        raise AddressError(f"there is no file {brief(str(path))}", _near_file(path)) from None
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise AddressError(f"{brief(str(path))} cannot be read: {reason}") from None


def _folder(path: Path) -> AddressError:
    """A folder stands where a spec is expected."""
    inside = any(path.glob("*.yaml"))
    return AddressError(f"{brief(str(path))} is a folder, not a spec", f"name a file in it, or all of them: '{brief(str(path / '*.yaml'))}'" if inside else "there is no .yaml file in it")


def brief(text: str) -> str:
    """An address or path as messages show it."""
    return text if len(text) <= 200 else f"{text[:80]}... ({len(text):,} characters)"


def _near_file(path: Path) -> str:
    """The file beside the one that is not there, if its name is close."""
    near = closest(path.name, sorted(one.name for one in path.parent.glob("*.yaml")) if path.parent.is_dir() else [])
    return f"did you mean {_shown(path.parent / near)}?" if near else ""


def _by_name(name: str, variant: str, address: str) -> Address:
    for path in _candidates(name):
        if _is_file(path):
            return Address(decode(_shown(path), read_bytes(path)), variant, path)
    if (found := _by_alias(address)) is not None:
        return found
    if _is_folder(Path(address)):
        raise _folder(Path(address))
    names = [one.stem for one in shipped_paths()]
    aliases = [alias for path in shipped_paths() for alias, _ in aliases_of(path)]
    near = closest(name, [*names, *aliases])
    raise AddressError(f"there is no spec `{brief(address)}`", f"did you mean `{near}`?" if near else f"the shipped specs are {', '.join(names)}; a file's address ends in .yaml", codes.UNKNOWN_SPEC)


def _candidates(name: str) -> Iterator[Path]:
    if name.replace("_", "").replace("-", "").isalnum():
        yield shipped_root() / f"{name}.yaml"
        yield Path(f"{name}.yaml")
        yield Path("specs") / f"{name}.yaml"


def _shown(path: Path) -> str:
    """The name that messages use: from the working folder where it is inside, else from the shipped root."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        try:
            return f"specs/{path.resolve().relative_to(shipped_root())}"
        except ValueError:
            return str(path)


def _by_alias(alias: str) -> Address | None:
    for path in shipped_paths():
        data = read_bytes(path)
        if alias.encode() in data:
            for found, variant in aliases_of(path):
                if found.lower() == alias.lower():
                    return Address(decode(_shown(path), data), variant, path)
    return None


def aliases_of(path: Path) -> Iterator[tuple[str, str]]:
    """The aliases in a spec, each with its variant; the text alone is read."""
    root = read(decode(_shown(path), read_bytes(path)))
    if not isinstance(root, Mapping):
        return
    variants = root.get("variants")
    declared = [("", root)] if not isinstance(variants, Mapping) else [(one, value) for one, (_, value) in variants.entries.items()]
    for name, value in declared:
        listed = value.get("aliases") if isinstance(value, Mapping) else None
        items = listed.items if isinstance(listed, Sequence) else (listed,)
        for one in items:
            if isinstance(one, Scalar):
                yield one.text, name


@dataclass(frozen=True)
class Opener:
    """Opens the libraries of a spec: beside it and below, the shipped ones, and in the folders that the user allows."""

    base: Path | None
    allowed: tuple[Path, ...] = ()

    def __call__(self, entry: str, user: Source) -> Source | AddressError:
        """The library's text, or why it cannot be had."""
        if entry.startswith(SHIPPED):
            return self.opened(shipped_root() / entry[len(SHIPPED) :], (shipped_root(),), entry)
        if "://" in entry or entry.startswith("~"):
            return AddressError(f"`{entry}` is no path of a library", "write a path relative to this file, or one of archc's own such as `archc:blocks/residual.yaml`")
        folder = self.folder(user)
        roots = ((self.base.parent if self.base else Path()), *self.allowed)
        return self.opened(folder / entry, (*roots, shipped_root()), entry)

    def folder(self, user: Source) -> Path:
        if user.name.startswith(SHIPPED):
            return (shipped_root() / user.name[len(SHIPPED) :]).parent
        if self.base is not None:
            main = self.base.parent
            return (Path(user.name).parent if Path(user.name).is_file() else main)
        return Path()

    def opened(self, path: Path, roots: tuple[Path, ...], entry: str) -> Source | AddressError:
        try:
            real = path.resolve()
            if not any(real.is_relative_to(root.resolve()) for root in roots):
                return AddressError(f"`{entry}` lies outside the folder of the spec", "put the library beside the spec, or below it")
            if not real.exists():
                return AddressError(f"there is no library `{entry}`: no file {_shown(path)}", _near_file(path))
            data = read_bytes(real)
        except AddressError as problem:
            return problem
        except (OSError, ValueError) as problem:
            return AddressError(f"`{entry}` cannot be read: {problem}")
        if real.is_relative_to(shipped_root().resolve()):
            return decode(f"{SHIPPED}{real.relative_to(shipped_root().resolve())}", data)
        return decode(_shown(real), data)
