from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.data.rows_file import named_datasets
from training.errors import RowsFileError

ROWS = [{"dataset": "movielens", "n": 1}, {"dataset": "books", "n": 2}, {"dataset": "movielens", "n": 3}]


def test_datasets_are_those_that_the_rows_name(tmp_path: Path) -> None:
    lines, table = tmp_path / "rows.jsonl", tmp_path / "rows.parquet"
    lines.write_text(
        "\n".join(json.dumps(row) for row in [*ROWS, {"n": 4}, {"dataset": 5}]), encoding="utf-8"
    )
    pq.write_table(pa.Table.from_pylist(ROWS), table)
    for file in (lines, table):
        assert named_datasets(file, RowsFileError) == ("books", "movielens")


def test_rows_without_the_column_name_none(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1]}), tmp_path / "rows.parquet")
    assert named_datasets(tmp_path / "rows.parquet", RowsFileError) == ()
    (tmp_path / "rows.jsonl").write_text("{broken", encoding="utf-8")
    with pytest.raises(RowsFileError):
        named_datasets(tmp_path / "rows.jsonl", RowsFileError)
