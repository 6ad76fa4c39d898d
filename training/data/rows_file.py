"""Rows of a JSON Lines or Parquet file, with the number of each, so that a message can name it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from training.errors import RowsFileError

_PARQUET = b"PAR1"
_BATCH = 1_000


def is_parquet(path: Path) -> bool:
    """Whether the file begins as Parquet does; its name does not matter."""
    try:
        with path.open("rb") as file:
            return file.read(len(_PARQUET)) == _PARQUET
    except OSError:
        return False


def read_rows(path: Path, error: type[RowsFileError]) -> Iterator[tuple[int, object]]:
    """Each row with its line or number, from 1; empty lines are passed over.

    Raises `error` with the line when the file is missing, unreadable or holds something else.
    """
    try:
        yield from _parquet(path) if is_parquet(path) else _json_lines(path, error)
    except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as problem:
        raise error(source=path.name, line=1, problem=f"it cannot be read ({problem})") from problem


def named_datasets(path: Path, error: type[RowsFileError]) -> tuple[str, ...]:
    """The values of the rows' column `dataset`, as synthesis writes it, in order; raises `error`."""
    if is_parquet(path):
        with pq.ParquetFile(path) as file:
            if "dataset" not in file.schema_arrow.names:
                return ()
            batches = file.iter_batches(batch_size=_BATCH, columns=["dataset"])
            found = {value for batch in batches for value in batch["dataset"].unique().to_pylist()}
    else:
        found = {row.get("dataset") for _, row in read_rows(path, error) if isinstance(row, dict)}
    return tuple(sorted(name for name in found if isinstance(name, str) and name))


def _json_lines(path: Path, error: type[RowsFileError]) -> Iterator[tuple[int, object]]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as problem:
                said = f"it is not JSON ({problem.msg})"
                raise error(source=path.name, line=number, problem=said) from problem


def _parquet(path: Path) -> Iterator[tuple[int, object]]:
    number = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH):
            for row in batch.to_pylist():
                number += 1
                yield number, {key: value for key, value in row.items() if value is not None}
