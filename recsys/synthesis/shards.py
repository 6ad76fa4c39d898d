"""Finished stretches of rows on disk: one Parquet file each, there whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.files import write_whole
from recsys.synthesis.quality import SKETCH, sketch
from recsys.synthesis.rows import Row
from recsys.synthesis.writer import Shard

_TEXTS = pa.list_(pa.string())
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("dataset", "domain")),
        ("index", pa.int64()),
        *((name, pa.string()) for name in ("situation", "form", "language")),
        ("template", pa.int32()),
        ("user", pa.string()),
        ("history_ids", _TEXTS),
        *((name, pa.string()) for name in ("target_id", "target_title")),
        ("candidate_ids", _TEXTS),
        ("target_position", pa.int32()),
        *((name, pa.string()) for name in ("system", "heading")),
        ("history", _TEXTS),
        *((name, pa.string()) for name in ("ask", "query", "response", "teacher", "query_teacher")),
        ("tokens", pa.int32()),
        ("score", pa.float64()),
        ("dropped", pa.string()),
        ("sketch", pa.binary(4 * SKETCH)),
    ]
)


def pack(rows: Sequence[Row]) -> bytes:
    """The rows as one Parquet file, with a sketch of each response; the same rows give the same bytes."""
    values = [row.model_dump() | {"sketch": sketch(row.response).tobytes()} for row in rows]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(values, schema=_SCHEMA), out, compression="zstd")
    return out.getvalue()


def read_rows(path: Path, keep: npt.NDArray[np.bool_] | None = None) -> list[Row]:
    """The rows of a shard, or those that `keep` (shape (rows,)) marks."""
    table = pq.read_table(path, columns=[name for name in _SCHEMA.names if name != "sketch"])
    if keep is not None:
        table = table.filter(pa.array(keep))
    return [Row.model_validate(values) for values in table.to_pylist()]


def read_verdicts(path: Path) -> tuple[list[str | None], npt.NDArray[np.uint32]]:
    """Why each row of a shard was dropped (None: it was not), and the sketches, shape (rows, SKETCH)."""
    table = pq.read_table(path, columns=["dropped", "sketch"])
    data = b"".join(table["sketch"].to_pylist())
    return table["dropped"].to_pylist(), np.frombuffer(data, dtype=np.uint32).reshape(-1, SKETCH)


def read_scores(path: Path) -> tuple[npt.NDArray[np.float64], list[str | None]]:
    """The score of each row (NaN without a response), and why it was dropped."""
    table = pq.read_table(path, columns=["score", "dropped"])
    return np.asarray(table["score"].to_numpy(), dtype=np.float64), table["dropped"].to_pylist()


class ShardStore:
    """The shards of one job in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, shard: Shard) -> Path:
        """Where the shard is, or will be."""
        return self._folder / shard.name

    def has(self, shard: Shard) -> bool:
        """Whether it is finished."""
        return self.path(shard).exists()

    def save(self, shard: Shard, data: bytes) -> None:
        """Put it in place; raises DiskFullError, and nothing of it is left then."""
        write_whole(self.path(shard), data)
