"""The columns of the playground, over the real recommender."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from recsys.access import Access
from recsys.catalog import ItemRef
from recsys.errors import EmptyRequestError, UnknownModelError
from recsys.feedback.store import FeedbackStore
from recsys.llm.pool import ModelPool
from recsys.recommend import NO_MODEL, Recommender
from recsys.retrieval.catalogs import Catalogs
from recsys.ui.page import Texts
from recsys.ui.playground.link import Inputs
from recsys.ui.playground.results import SLOTS, Results

REQUEST = Inputs(history=(ItemRef("", "", "Interstellar"),), catalog="games", model=NO_MODEL, results=3)


@pytest.fixture
def results(pool: ModelPool, demo_catalogs: Catalogs, tmp_path: Path) -> Results:
    feedback = FeedbackStore(tmp_path / "feedback.db")
    return Results(Recommender(pool, demo_catalogs), feedback, Access(), Texts("en"))


def last_columns(results: Results, inputs: Inputs) -> list[str]:
    """What stands in each column at the end."""
    columns = [""] * SLOTS
    for updates in results.run(inputs, gr.Request(session_hash="a")):
        columns = [new if isinstance(new, str) else old for new, old in zip(updates, columns, strict=True)]
    return columns


def test_a_model_that_fails_beside_others_says_so_in_its_own_column(results: Results) -> None:
    inputs = Inputs(**(vars(REQUEST) | {"model": "no-such-model", "beside": (NO_MODEL, "<b>other</b>")}))
    failed, alone, escaped, *rest = last_columns(results, inputs)
    assert "is-failed" in failed
    assert "no-such-model" in failed
    assert 'role="alert"' in failed
    assert alone.count("zs-card") >= 3
    assert "is-failed" in escaped
    assert "<b>" not in escaped
    assert not any(rest)


def test_a_model_that_fails_alone_fails_the_request(results: Results) -> None:
    columns: list[list[object]] = []
    with pytest.raises(UnknownModelError):
        columns.extend(
            results.run(Inputs(**(vars(REQUEST) | {"model": "no-such-model"})), gr.Request(session_hash="a"))
        )
    assert "zs-empty" in str(columns[-1][0])
    assert columns[-1][1:] == [""] * (SLOTS - 1)


def test_what_is_wrong_with_the_request_is_said_once(results: Results) -> None:
    with pytest.raises(EmptyRequestError):
        last_columns(results, Inputs(catalog="games", model=NO_MODEL, beside=("no-such-model",)))
