"""Prompts out of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from annotation.errors import PromptsFileError
from annotation.prompt_files import read_prompts
from annotation.service import AnnotationService
from annotation.store import AnnotationStore


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_instruction_alone_will_do(tmp_path: Path) -> None:
    (prompt,) = read_prompts(write(tmp_path / "p.jsonl", {"instruction": "무엇을 볼까요?", "extra": 1}))
    record = prompt.record
    assert (record.instruction, record.language, record.system) == ("무엇을 볼까요?", "ko", "")


def test_parts_make_up_the_instruction(tmp_path: Path) -> None:
    row = {
        "system": "You recommend.",
        "instruction": "Watched:\n- A\n- B\nWhat next?",
        "heading": "Watched:",
        "history": ["- A", "- B"],
        "ask": "What next?",
        "form": "direct",
        "situation": "passive",
        "language": "en",
        "history_items": ["a", "b"],
        "target_domain": "films",
    }
    (prompt,) = read_prompts(write(tmp_path / "p.jsonl", row))
    record = prompt.record
    assert record.instruction == row["instruction"]
    assert record.history_items == ("a", "b")
    assert record.origin == "file:p.jsonl"


def test_import_stores_new_prompts_once(tmp_path: Path) -> None:
    service = AnnotationService(AnnotationStore(tmp_path / "annotations.db"))
    file = write(tmp_path / "p.jsonl", {"instruction": "one"}, {"instruction": "two"})
    assert service.import_prompts(file) == 2
    assert service.import_prompts(file) == 0
    assert service.counts().prompts == 2
    service.close()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"instruction": "fine"}\nnot json\n', "line 2 is not JSON"),
        ("[1]\n", "line 1"),
        ('{"system": "s"}\n', "neither an instruction nor an ask"),
        ('{"instruction": "x", "language": "fr"}\n', "'fr'"),
        ('{"instruction": "x", "form": "odd"}\n', "line 1, form"),
        ("\n", "it has no lines"),
    ],
)
def test_bad_file_is_refused_as_a_whole(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(content, encoding="utf-8")
    service = AnnotationService(AnnotationStore(tmp_path / "annotations.db"))
    with pytest.raises(PromptsFileError, match="cannot be used as a file of prompts") as caught:
        service.import_prompts(path)
    assert problem in str(caught.value)
    assert service.counts().prompts == 0
    service.close()


def test_missing_and_binary_files_are_explained(tmp_path: Path) -> None:
    with pytest.raises(PromptsFileError, match="cannot be read"):
        read_prompts(tmp_path / "none.jsonl")
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PromptsFileError, match="cannot be read"):
        read_prompts(tmp_path / "b.jsonl")
