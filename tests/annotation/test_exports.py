"""Files that other tools take as they are."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from annotation.errors import ExportFileError
from annotation.export.judgements_csv import COLUMNS, write_judgements
from annotation.export.llama_factory import write_llama_factory
from annotation.export.parquet import write_parquet
from annotation.pairs import PreferencePair, pairs_from_store, write_jsonl
from annotation.store import AnnotationStore

_LOAD = """
import json, sys
from datasets import load_dataset
from trl.data_utils import is_conversational
for kind, file in zip(("json", "parquet"), sys.argv[1:]):
    rows = load_dataset(kind, data_files=file, split="train", cache_dir=sys.argv[3])
    assert is_conversational(rows[0]), rows[0]
    print(json.dumps(rows.to_list(), ensure_ascii=False))
"""


@pytest.fixture
def pairs(filled: AnnotationStore) -> list[PreferencePair]:
    while task := filled.assignments.next_task("ann"):
        by_text = {c.text: c.id for c in task.candidates}
        filled.judgements.judge(task.id, "ann", by_text["two"], by_text["five"])
    return pairs_from_store(filled.path, "all")


@pytest.mark.slow
def test_datasets_and_trl_take_both_files(pairs: list[PreferencePair], tmp_path: Path) -> None:
    files = [str(tmp_path / "pairs.jsonl"), str(tmp_path / "pairs.parquet")]
    assert write_jsonl(pairs, Path(files[0])) == write_parquet(pairs, Path(files[1])) == 28
    # A process of its own: `datasets` keeps files open until the end.
    command = [sys.executable, "-c", _LOAD, *files, str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    from_lines, from_parquet = (json.loads(line) for line in done.stdout.splitlines()[-2:])
    assert from_lines == from_parquet == [pair.to_row() for pair in pairs]


def test_llama_factory_finds_the_columns(pairs: list[PreferencePair], tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "dataset_info.json").write_text('{"other": {"file_name": "other.json"}}')
    assert write_llama_factory(pairs, folder) == 28
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    assert set(info) == {"other", "zeroshelf_preference"}
    entry = info["zeroshelf_preference"]
    assert entry["ranking"] is True
    rows = json.loads((folder / entry["file_name"]).read_text(encoding="utf-8"))
    assert all(set(row) == set(entry["columns"].values()) for row in rows)
    assert rows[0]["instruction"] == pairs[0].instruction
    assert (rows[0]["system"], rows[0]["chosen"]) == ("You recommend.", pairs[0].chosen)


def test_llama_factory_leaves_a_file_that_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "dataset_info.json").write_text("not JSON")
    with pytest.raises(ExportFileError, match="not JSON"):
        write_llama_factory([], tmp_path)
    assert (tmp_path / "dataset_info.json").read_text() == "not JSON"


def test_csv_has_every_row_of_the_log(filled: AnnotationStore, tmp_path: Path) -> None:
    task = filled.assignments.next_task("=ann")
    assert task
    ids = [c.id for c in task.candidates]
    filled.judgements.judge(task.id, "=ann", ids[1], ids[0])
    filled.judgements.undo("=ann")
    filled.judgements.flag(task.id, "=ann", '+1 안녕, "quoted"\nsecond line')
    file = tmp_path / "judgements.csv"
    assert write_judgements(filled.log(), file) == 3
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == list(COLUMNS)
    assert [(r["kind"], r["counts"], r["supersedes"]) for r in rows] == [
        ("judge", "False", ""),
        ("undo", "False", "1"),
        ("flag", "True", "2"),
    ]
    assert (rows[0]["best_displayed"], rows[0]["worst_displayed"], rows[0]["best_model"]) == (
        "2",
        "1",
        "fake",
    )
    assert rows[0]["best_text"] == task.candidates[1].text
    assert json.loads(rows[0]["displayed"])[int(rows[0]["best_displayed"]) - 1] == int(rows[0]["best"])
    assert rows[0]["instruction"] == task.instruction
    # What a spreadsheet would run is text.
    assert rows[0]["annotator"] == "'=ann"
    assert rows[2]["reason"].startswith("'+1 안녕")
