"""What a page shows of a job's rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.settings import Settings
from recsys.synthesis.config import SynthesisConfig
from recsys.synthesis.engines import LocalEngine
from recsys.synthesis.job import Job
from recsys.synthesis.view import around, as_read, examples, job_scores, model_format


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, sources: Path, home: Settings) -> Path:
    """A job whose threshold lies among its scores, so that there are rows on both sides."""
    folder = tmp_path_factory.mktemp("view") / "out"
    config = SynthesisConfig.model_validate(
        {
            "sources": [
                {"dataset": "movielens", "path": str(sources / "films")},
                {"dataset": "steam", "path": str(sources / "games")},
            ],
            "examples": 60,
            "preference": 0,
            "test": 0,
            "histories": {"k_core": 2},
            "quality": {"max_score": 5.0},
        }
    )
    assert Job(config, folder, home).run(LocalEngine(1)) is not None
    return folder


def test_histograms_count_every_row_whose_fate_the_score_decides(out: Path) -> None:
    scores = job_scores(out)
    assert set(scores) == {"movielens", "steam"}
    for found in scores.values():
        counts = found.histogram(0.25, 96)
        assert sum(counts) == len(found.scores) > 0
        for threshold in (4.0, 5.0, 6.25):
            assert sum(counts[: int(threshold / 0.25)]) == int(np.sum(found.scores < threshold))


def test_the_last_bin_holds_all_that_is_above(out: Path) -> None:
    found = job_scores(out)["movielens"]
    assert found.histogram(0.25, 4) == [0, 0, 0, len(found.scores)]


def test_rows_around_the_threshold_are_the_nearest(out: Path) -> None:
    below, above = around(out, 5.0, each=2)
    every = np.concatenate([found.scores for found in job_scores(out).values()])
    assert [row.score for row in below] == pytest.approx(sorted(every[every < 5.0])[::-1][:2])
    assert [row.score for row in above] == pytest.approx(sorted(every[every >= 5.0])[:2])


def test_examples_come_from_all_sources_in_turn_or_from_one(out: Path) -> None:
    assert [seen.row.dataset for seen in examples(out, most=4)] == ["movielens", "steam"] * 2
    assert {seen.row.dataset for seen in examples(out, "steam")} == {"steam"}
    dropped = examples(out, reason="score")
    assert dropped
    assert all((seen.row.score or 0) >= 5.0 for seen in dropped)
    assert all(seen.row.dropped is None for seen in examples(out))
    assert examples(out, reason="wrong language") == []
    assert examples(out.parent / "nothing") == []


@pytest.mark.parametrize(
    ("model", "begin", "end"),
    [("gemma-3-270m", "", "### Answer\n"), ("smollm2-135m-instruct", "<|im_start|>system\n", "assistant\n")],
)
def test_prompts_are_shown_as_the_model_reads_them(
    out: Path, home: Settings, model: str, begin: str, end: str
) -> None:
    row = examples(out)[0].row
    shown = as_read(row, model_format(model, home.paths.models))
    assert shown.startswith(begin + row.system)
    assert shown.endswith(end)
    assert row.instruction.text in shown
    assert shown.count("### Request") <= 1  # no worked examples: a tuned model needs none
