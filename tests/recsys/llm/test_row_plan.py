"""How many rows a step has, from how long steps take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.llm.base import MAX_ANSWERS
from recsys.llm.row_plan import RowPlan, kept_plan, measured

EVEN = {1: 13.0, 2: 25.0, 3: 41.0, 4: 32.0, 5: 48.0, 6: 39.0, 7: 55.0, 8: 35.0}
"""Milliseconds as on a processor whose kernels evaluate rows in tiles of four."""


def test_a_step_has_as_many_rows_as_there_are_sequences_where_each_costs_the_same() -> None:
    plan = RowPlan.fastest({rows: float(rows) for rows in range(1, MAX_ANSWERS + 1)})
    assert plan == RowPlan() == RowPlan(tuple(range(MAX_ANSWERS + 1)))


def test_empty_rows_are_added_where_they_make_a_step_cheaper() -> None:
    assert RowPlan.fastest(EVEN).rows == (0, 1, 2, 4, 4, 8, 8, 8, 8)


def test_some_wait_where_a_full_tile_is_so_much_cheaper() -> None:
    assert RowPlan.fastest(EVEN | {8: 70.0, 6: 60.0}).rows[5] == 4


def test_a_slow_model_is_not_timed() -> None:
    asked: list[int] = []

    def step(rows: int) -> float:
        asked.append(rows)
        return 0.5 * rows

    assert measured(step) == RowPlan()
    assert set(asked) == {1}


def test_one_slow_moment_of_the_machine_does_not_count() -> None:
    calls: dict[int, int] = {}

    def step(rows: int) -> float:
        calls[rows] = calls.get(rows, 0) + 1
        return EVEN[rows] / 1000 * (20 if calls[rows] == 2 else 1)

    assert measured(step).rows[5] == 8


def test_a_plan_is_kept_for_its_model_and_threads(tmp_path: Path) -> None:
    file, model = tmp_path / "a.rows.json", tmp_path / "a.gguf"
    model.write_bytes(b"GGUF")
    plan = kept_plan(file, model, 2, lambda rows: EVEN[rows] / 1000)
    assert plan.rows[5] == 8

    def other(rows: int) -> float:
        return rows / 1000

    assert kept_plan(file, model, 2, other) == plan, "not measured again"
    assert kept_plan(file, model, 3, other) == RowPlan()
    model.write_bytes(b"GGUF, and another one")
    assert kept_plan(file, model, 3, other) == RowPlan()


@pytest.mark.parametrize("rows", [None, "x", [0] * 9, [0, *[99] * 8], [0, 1, 2], {}])
def test_a_spoilt_file_is_measured_anew(tmp_path: Path, rows: object) -> None:
    file, model = tmp_path / "a.rows.json", tmp_path / "a.gguf"
    model.write_bytes(b"GGUF")
    kept_plan(file, model, 2, lambda rows: EVEN[rows] / 1000)
    known = json.loads(file.read_text())
    file.write_text(json.dumps(known | {"rows": rows}))
    assert kept_plan(file, model, 2, lambda rows: EVEN[rows] / 1000).rows[5] == 8
    file.write_text("[" if rows is None else "[]")
    assert kept_plan(file, model, 2, lambda rows: EVEN[rows] / 1000).rows[5] == 8
