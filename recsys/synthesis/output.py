"""The files of a finished job: JSON Lines and Parquet that `datasets.load_dataset` takes as they are."""

from __future__ import annotations

import heapq
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.domains.histories import Split
from recsys.files import write_whole
from recsys.synthesis.card import Tally, card_text
from recsys.synthesis.config import SynthesisConfig
from recsys.synthesis.report import Report
from recsys.synthesis.rows import Row
from recsys.synthesis.shards import read_rows

KeptFiles = Mapping[str, Sequence[tuple[Path, npt.NDArray[np.bool_]]]]

_BATCH = 1_000
_TEXTS = pa.list_(pa.string())
_SCHEMA = pa.schema(
    [
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        *((name, pa.string()) for name in ("dataset", "domain", "situation", "form", "language")),
        ("template", pa.int32()),
        *((name, pa.string()) for name in ("user", "target_id")),
        ("history_ids", _TEXTS),
        ("candidates", _TEXTS),
        ("target_position", pa.int32()),
        *((name, pa.string()) for name in ("query", "query_teacher", "teacher")),
        ("tokens", pa.int32()),
        ("score", pa.float64()),
        ("index", pa.int64()),
    ]
)


def write_outputs(
    out: Path, config: SynthesisConfig, report: Report, files: Mapping[Split, KeptFiles]
) -> None:
    """Write train and test rows in both forms, the preference prompts, the report and the card.

    Rows of all sources are mixed evenly, so that any beginning of a file has the mixture.
    """
    tallies: dict[Split, Tally] = {}
    for split, by_source in files.items():
        tallies[split] = Tally()
        if split == "preference":
            _write_prompts(out / "preference.jsonl", tallies[split].counting(_mixed(by_source)))
        else:
            _write_rows(out, split, tallies[split].counting(_mixed(by_source)))
    write_whole(out / "report.json", report.model_dump_json(indent=1).encode())
    write_whole(out / "README.md", card_text(config, report, tallies).encode())


def training_record(row: Row) -> dict[str, Any]:
    """One line of the instruction data."""
    return {
        "messages": [message.model_dump() for message in row.messages],
        "dataset": row.dataset,
        "domain": row.domain,
        "situation": row.situation,
        "form": row.form,
        "language": row.language,
        "template": row.template,
        "user": row.user,
        "target_id": row.target_id,
        "history_ids": list(row.history_ids),
        "candidates": list(row.candidate_ids),
        "target_position": row.target_position,
        "query": row.query,
        "query_teacher": row.query_teacher,
        "teacher": row.teacher,
        "tokens": row.tokens,
        "score": row.score,
        "index": row.index,
    }


def prompt_record(row: Row) -> dict[str, Any]:
    """One line of the preference prompts: what `annotation` imports, and where it comes from."""
    return {
        "system": row.system,
        "instruction": row.instruction.text,
        "heading": row.heading,
        "history": list(row.history),
        "ask": row.ask,
        "query": row.query,
        "situation": row.situation,
        "form": row.form,
        "language": row.language,
        "source_domain": row.domain if row.situation == "passive" else "",
        "target_domain": row.domain,
        "history_items": list(row.history_ids) if row.situation == "passive" else [],
        "options": list(row.candidate_ids),
        "dataset": row.dataset,
        "user": row.user,
        "target_id": row.target_id,
        "target_position": row.target_position,
    }


def _mixed(by_source: KeptFiles) -> Iterator[Row]:
    """The kept rows, source i's k-th of n at place (k + 1/2) / n."""

    def placed(number: int, name: str) -> Iterator[tuple[float, int, Row]]:
        files = by_source[name]
        total = sum(int(mask.sum()) for _, mask in files)
        rows = (row for path, mask in files if mask.any() for row in read_rows(path, mask))
        return (((k + 0.5) / total, number, row) for k, row in enumerate(rows))

    streams = [placed(number, name) for number, name in enumerate(by_source)]
    for _, _, row in heapq.merge(*streams, key=lambda entry: entry[:2]):
        yield row


def _write_rows(out: Path, split: Split, rows: Iterator[Row]) -> None:
    parts = {kind: out / f".{split}.{kind}.part" for kind in ("jsonl", "parquet")}
    with ExitStack() as stack:
        for part in parts.values():
            stack.callback(part.unlink, missing_ok=True)
        with (
            open(parts["jsonl"], "w", encoding="utf-8") as lines,
            pq.ParquetWriter(parts["parquet"], _SCHEMA, compression="zstd") as table,
        ):
            batch: list[dict[str, Any]] = []
            for row in rows:
                record = training_record(row)
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")
                batch.append(record)
                if len(batch) == _BATCH:
                    table.write_table(pa.Table.from_pylist(batch, schema=_SCHEMA))
                    batch = []
            if batch:
                table.write_table(pa.Table.from_pylist(batch, schema=_SCHEMA))
        for kind, part in parts.items():
            os.replace(part, out / f"{split}.{kind}")


def _write_prompts(path: Path, rows: Iterator[Row]) -> None:
    lines = (json.dumps(prompt_record(row), ensure_ascii=False) + "\n" for row in rows)
    write_whole(path, "".join(lines).encode())
