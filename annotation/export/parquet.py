"""TRL's conversational preference rows as Parquet; `datasets.load_dataset("parquet", ...)` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from annotation.files import whole_file
from annotation.preference import PreferencePair


def write_parquet(pairs: Sequence[PreferencePair], file: Path) -> int:
    """Write one row a pair and return their number. Raises ExportFileError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    messages = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    lists = [(name, messages) for name in ("prompt", "chosen", "rejected")]
    texts = [(name, pa.string()) for name in ("language", "situation", "form", "task_id")]
    ends = [(name, pa.string()) for name in ("chosen_finish", "rejected_finish")]
    schema = pa.schema([*lists, *texts, ("weight", pa.float64()), *ends])
    table = pa.Table.from_pylist([dict(pair.to_row()) for pair in pairs], schema=schema)
    with whole_file(file) as part:
        pq.write_table(table, part, compression="zstd")
    return len(pairs)
