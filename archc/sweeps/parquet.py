"""The rows of a sweep as Parquet, in blocks: memory does not grow with the table. Needs pyarrow (`archc[parquet]`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from archc.language.document import plain
from archc.sweeps.work import FIGURES, Surveyor


def kinds(surveyor: Surveyor) -> list[str]:
    """The type of each column: an axis of whole numbers is `int64`, of numbers `float64`, of truth values `bool`, else text."""
    found: list[str] = []
    for values in surveyor.values:
        types: set[type] = {type(plain(one)) for one, _ in values}
        found.append("int64" if types == {int} else "float64" if types <= {int, float} else "bool" if types == {bool} else "string")
    return [*found, *("string" if one == "output" else "int64" for one in FIGURES)]


def arrow(module: str) -> Any:
    """A module of pyarrow, which need not be installed."""
    return import_module(module)


def convert(rows: Path, target: BinaryIO, names: Sequence[str], types: Sequence[str]) -> None:
    """Writes a CSV file with a header as Parquet; empty numbers are null. Raises `OSError`."""
    library, reader, parquet = arrow("pyarrow"), arrow("pyarrow.csv"), arrow("pyarrow.parquet")
    schema = library.schema([(name, library.type_for_alias(kind)) for name, kind in zip(names, types, strict=True)])
    options = reader.ConvertOptions(column_types=schema, strings_can_be_null=False)
    parsing = reader.ParseOptions(newlines_in_values=True)
    with reader.open_csv(rows, convert_options=options, parse_options=parsing) as batches, parquet.ParquetWriter(target, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
