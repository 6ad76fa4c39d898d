"""Blind comparison: hidden order, votes that stay, honest rates, and preference rows."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from recsys.errors import InputError
from recsys.prompts.formats import Prompt
from training.comparison.blind import BlindStore, Bout, Vote, new_bout
from training.data.pairs import parse_pairs

PROMPT = Prompt(system="You recommend films.", before="I liked Heat.", after="What next?")


def bout(
    left: str = "base", right: str = "tuned", texts: tuple[str, str] = ("short one", "other one")
) -> Bout:
    return Bout(PROMPT, "passive", "direct", left, right, *texts)


@pytest.fixture
def store(tmp_path: Path) -> BlindStore:
    return BlindStore(tmp_path / "comparisons.db")


def test_the_side_is_drawn_and_each_model_answers_itself() -> None:
    draw = random.Random(0)
    made = [
        new_bout(PROMPT, ("a", "b"), lambda m, _: f"by {m}", situation="passive", form="direct", draw=draw)
        for _ in range(200)
    ]
    assert all((b.left_text, b.right_text) == (f"by {b.left_model}", f"by {b.right_model}") for b in made)
    assert 70 < Counter(b.left_model for b in made)["a"] < 130


def test_a_model_is_not_compared_with_itself() -> None:
    with pytest.raises(InputError, match="itself"):
        new_bout(PROMPT, ("a", "a"), lambda m, _: m, situation="passive", form="direct")


def test_win_rate_counts_either_side_and_half_ties(store: BlindStore) -> None:
    votes: list[tuple[Bout, Vote]] = [
        (bout(), "right"),
        (bout("tuned", "base"), "left"),
        (bout(), "left"),
        (bout(), "tie"),
        (bout("tuned", "third"), "right"),
    ]
    for one, vote in votes:
        store.vote(one, vote, "kim")
    rate = store.win_rate("tuned", "base")
    assert (rate.wins, rate.losses, rate.ties, rate.votes) == (2, 1, 1, 4)
    assert rate.rate == pytest.approx(0.625)
    assert rate.low is not None
    assert rate.high is not None
    assert 0 < rate.low < 0.625 < rate.high < 1
    assert store.win_rate("base", "tuned").rate == pytest.approx(0.375)
    assert store.win_rate("base", "nobody").rate is None


def test_length_matched_rate_leaves_out_unequal_answers(store: BlindStore) -> None:
    store.vote(bout(texts=("x" * 100, "y" * 90)), "left", "kim")
    store.vote(bout(texts=("x" * 100, "y" * 10)), "right", "kim")
    assert store.win_rate("base", "tuned").votes == 2
    assert store.win_rate("base", "tuned", same_length=True).rate == 1.0


def test_votes_become_rows_that_training_takes(store: BlindStore) -> None:
    store.vote(bout(), "right", "kim")
    store.vote(bout(), "tie", "kim")
    store.vote(bout(texts=("same", "same")), "left", "kim")
    rows = parse_pairs(store.pairs())
    assert [(row.answers, row.system) for row in rows] == [(("other one", "short one"), PROMPT.system)]


def test_votes_cannot_be_changed(store: BlindStore, tmp_path: Path) -> None:
    store.vote(bout(), "left", "kim")
    with sqlite3.connect(tmp_path / "comparisons.db") as db:
        with pytest.raises(sqlite3.IntegrityError, match="cannot be changed"):
            db.execute("UPDATE votes SET vote = 'tie'")
        with pytest.raises(sqlite3.IntegrityError, match="cannot be deleted"):
            db.execute("DELETE FROM votes")
    db.close()


def test_another_word_is_no_vote(store: BlindStore) -> None:
    with pytest.raises(InputError, match="one of left, right, tie"):
        store.vote(bout(), "both", "kim")  # type: ignore[arg-type]
