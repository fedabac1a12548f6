"""Files of data sets: found where they usually lie, and held to the size and digest that their publishers give."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

from archc.training.data.examples import DataError

CHUNK = 1 << 20


@dataclass(frozen=True)
class Published:
    """A file as it is published."""

    name: str
    size: int
    md5: str
    url: str


def folders(folder: str | None, base: Path | None, name: str) -> list[Path]:
    """Where a data set's files may lie: in the recipe's folder, else under `ARCHC_DATA`, `data`, or Keras's own cache."""
    if folder is not None:
        given = Path(folder).expanduser()
        return [given if given.is_absolute() or base is None else base / given]
    roots = [Path(os.environ["ARCHC_DATA"])] if os.environ.get("ARCHC_DATA") else []
    roots += [Path("data"), Path.home() / ".keras" / "datasets"]
    return [one for root in roots for one in dict.fromkeys((root / name, root))]


def found(published: Published, where: list[Path], *, verify: bool) -> Path:
    """The file in the first folder that has it. Raises `DataError` where none has, or where it is another file."""
    for folder in where:
        path = folder / published.name
        if path.is_file():
            if verify:
                verified(path, published)
            return path
    raise missing(published, where)


def missing(published: Published, where: list[Path]) -> DataError:
    """What to say where a file is not there."""
    places = ", ".join(str(one) for one in where)
    return DataError(
        f"{published.name} is not there; it was looked for in {places}",
        f"archc downloads nothing: get {published.url} ({published.size:,} bytes, MD5 {published.md5}) and put it into {where[0]}; `--synthetic` tries the recipe without it",
    )


def verified(path: Path, published: Published) -> None:
    """Raises `DataError` unless a file is the published one; it is left as it is."""
    size = path.stat().st_size
    if size != published.size:
        raise DataError(f"{path} has {size:,} bytes, and the published file has {published.size:,}: it is cut short, or another file", f"get {published.url} anew; `verify: false` takes files that are not the published ones")
    digest = md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != published.md5:
        raise DataError(f"{path} has the MD5 digest {digest.hexdigest()}, and the published file has {published.md5}: it is damaged, or another file", f"get {published.url} anew; `verify: false` takes files that are not the published ones")
