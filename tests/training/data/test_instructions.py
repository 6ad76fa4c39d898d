from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.prompts.formats import PromptFormat
from recsys.prompts.templates import load_templates
from tests.training.support import make_instruction, write_rows
from training.data.instructions import (
    EMPTY,
    LONG_PROMPT,
    InstructionRow,
    check_instructions,
    parse_instructions,
    prepare_instructions,
    read_instructions,
    render_row,
)
from training.errors import InstructionFileError, NotEnoughRowsError

PLAIN = PromptFormat(style="plain")
WANTED = InstructionRow("Recommend.", "Next book?", "The sea.", "en")
SYSTEM = {"role": "system", "content": "Recommend."}
USER = {"role": "user", "content": "Next book?"}
ASSISTANT = {"role": "assistant", "content": "The sea. "}


def words(texts: Sequence[str]) -> list[list[int]]:
    return [[hash(word) for word in text.split()] for text in texts]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [SYSTEM, USER, ASSISTANT]},
        {"prompt": [SYSTEM, USER], "completion": [ASSISTANT]},
        {"prompt": [SYSTEM, USER], "completion": "The sea.", "language": "en", "score": 3},
    ],
)
def test_messages_and_prompt_with_completion_are_the_same(row: dict[str, Any]) -> None:
    assert parse_instructions([row]) == [WANTED]


def test_plain_texts_have_no_system_message() -> None:
    (row,) = parse_instructions([{"prompt": "다음 책은?", "completion": "바다."}])
    assert row == InstructionRow("", "다음 책은?", "바다.", "ko")


def test_parquet_holds_what_json_lines_hold(tmp_path: Path) -> None:
    rows = [make_instruction(number) for number in range(3)]
    lines = write_rows(tmp_path / "rows.jsonl", rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.anything")
    assert list(read_instructions(tmp_path / "rows.anything")) == list(read_instructions(lines))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "x"}, "neither messages nor prompt"),
        ({"messages": [USER]}, "are not system"),
        ({"messages": [USER, ASSISTANT, USER, ASSISTANT]}, "are not system"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role"),
        (["x"], "row"),
    ],
)
def test_a_row_of_another_form_is_named_with_its_line(tmp_path: Path, row: Any, said: str) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [make_instruction(0), row])
    with pytest.raises(InstructionFileError, match=f"rows.jsonl, line 2: .*{said}"):
        check_instructions(read_instructions(path))


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(InstructionFileError, match="cannot be read"):
        check_instructions(read_instructions(tmp_path / "rows.parquet"))


def test_a_base_model_is_asked_in_its_language_without_examples() -> None:
    text = render_row(InstructionRow("추천합니다.", "다음 책은?", "바다.", "ko"), PLAIN)
    cues = load_templates("ko").cues
    assert text.prompt == f"추천합니다.\n\n{cues.request}\n다음 책은?\n\n{cues.answer}\n"


def test_what_is_dropped_or_cut_is_counted() -> None:
    rows = parse_instructions([make_instruction(number) for number in range(3)])
    rows.append(InstructionRow("", "  ", "x", "en"))
    rows.append(InstructionRow("", "x", "", "en"))
    rows.append(InstructionRow("", "word " * 40, "x", "en"))
    rows.append(InstructionRow("", "x", "word " * 40, "en"))
    ready = prepare_instructions(rows, PLAIN, words, max_length=30, held_out=0.25, seed=0)
    assert ready.dropped == {EMPTY: 2, LONG_PROMPT: 1}
    assert (len(ready.train), len(ready.held_out), ready.truncated) == (3, 1, 1)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(NotEnoughRowsError, match="at least 2 usable instruction rows; there are 1"):
        check_instructions(parse_instructions([make_instruction(0)]))
