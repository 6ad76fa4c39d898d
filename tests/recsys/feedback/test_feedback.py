from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.demos import load_demo
from recsys.errors import InputError, UnknownRecommendationError
from recsys.feedback.pairs import preference_rows, write_preferences
from recsys.feedback.store import FeedbackStore
from recsys.recommendation import Asked, Recommendation, RecommendedItem
from training.data.pairs import read_pairs


def recommendation(ident: str, answer: str = "Something calm.", **asked: str) -> Recommendation:
    films, games = load_demo("films").items, load_demo("games").items
    found = [films["arrival"], films["heat"], films["coco"]]
    items = (RecommendedItem(i, 0.5 - n / 10, i.text[:80], "films") for n, i in enumerate(found))
    return Recommendation(
        answer=answer,
        items=tuple(items),
        asked=Asked(
            catalog="films", domain="films", history=(("games", games["journey"]),),
            system="You recommend.", instruction="What next?", **{"model": "base", **asked},
        ),
        id=ident,
        done=True,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path / "feedback.db")


def test_nothing_is_stored_before_the_first_thumb(store: FeedbackStore, tmp_path: Path) -> None:
    store.remember(recommendation("r1"))
    assert store.all() == []
    assert not (tmp_path / "feedback.db").exists() or store.log() == []
    store.rate("r1", "heat", -1, "ann")
    [(shown, rated)] = store.all()
    assert rated == {"heat": -1}
    assert shown.query == ""
    assert [(h.catalog, h.id) for h in shown.history] == [("games", "journey")]
    assert (shown.model, shown.answer, shown.catalog) == ("base", "Something calm.", "films")
    [row] = store.log()
    assert (row.item, row.rank, row.value, row.person) == ("heat", 2, -1, "ann")


def test_a_thumb_is_taken_back_by_another_row(store: FeedbackStore) -> None:
    store.remember(recommendation("r1"))
    for value in (1, -1, 0):
        store.rate("r1", "arrival", value)  # type: ignore[arg-type]
    store.rate("r1", "", 1)
    assert store.rated("r1") == {"": 1}
    assert [(row.item, row.value) for row in store.log()] == [
        ("arrival", 1),
        ("arrival", -1),
        ("arrival", 0),
        ("", 1),
    ]


def test_rows_are_never_changed(store: FeedbackStore, tmp_path: Path) -> None:
    store.remember(recommendation("r1"))
    store.rate("r1", "heat", 1)
    with sqlite3.connect(tmp_path / "feedback.db") as db:
        for statement in ("UPDATE ratings SET value = -1", "DELETE FROM ratings", "DELETE FROM shown"):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(statement)


def test_what_is_rated_survives_a_restart(store: FeedbackStore, tmp_path: Path) -> None:
    store.remember(recommendation("r1"))
    store.rate("r1", "heat", 1)
    again = FeedbackStore(tmp_path / "feedback.db")
    assert again.rate("r1", "coco", -1) == 2
    assert again.rated("r1") == {"heat": 1, "coco": -1}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nothing", "heat", 1), UnknownRecommendationError),
        (("r1", "not-there", 1), InputError),
        (("r1", "heat", 2), InputError),
        (("r1", "heat", "1"), InputError),
        (("mute", "", 1), InputError),
    ],
)
def test_what_cannot_be_rated_is_explained(store: FeedbackStore, arguments, error) -> None:
    store.remember(recommendation("r1"))
    store.remember(recommendation("mute", answer=""))
    with pytest.raises(error):
        store.rate(*arguments)
    assert store.log() == []


def test_items_of_one_recommendation_become_pairs(store: FeedbackStore) -> None:
    store.remember(recommendation("r1"))
    store.remember(recommendation("r2"))
    store.rate("r1", "arrival", 1)
    store.rate("r1", "coco", 1)
    store.rate("r1", "heat", -1)
    store.rate("r2", "heat", -1)  # another recommendation: no pair with the first one's
    rows = preference_rows(store.all())
    assert [(r["chosen"][0]["content"], r["rejected"][0]["content"]) for r in rows] == [
        ("Arrival", "Heat"),
        ("Coco", "Heat"),
    ]
    assert rows[0]["kind"] == "item"
    assert rows[0]["chosen_item"] == {"id": "arrival", "rank": 1}
    assert "Heat" in rows[0]["prompt"][1]["content"]  # the choice is among what was shown


def test_answers_to_the_same_prompt_become_pairs(store: FeedbackStore) -> None:
    for ident, answer, model in (("a", "Good.", "tuned"), ("b", "Bad.", "base"), ("c", "Good.", "base")):
        store.remember(recommendation(ident, answer, model=model))
    other = recommendation("d", "Elsewhere.")
    assert other.asked
    store.remember(replace(other, asked=replace(other.asked, instruction="Another question?")))
    for ident, value in (("a", 1), ("b", -1), ("c", 1), ("d", -1)):
        store.rate(ident, "", value)  # type: ignore[arg-type]
    [row] = preference_rows(store.all())
    assert row["kind"] == "answer"
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == ("Good.", "Bad.")
    assert (row["chosen_model"], row["rejected_model"]) == ("tuned", "base")


def test_the_export_is_what_training_reads(store: FeedbackStore, tmp_path: Path) -> None:
    store.remember(recommendation("r1"))
    store.remember(recommendation("r2", answer="Something loud."))
    for ident, item, value in (("r1", "arrival", 1), ("r1", "heat", -1), ("r1", "", 1), ("r2", "", -1)):
        store.rate(ident, item, value)  # type: ignore[arg-type]
    file = tmp_path / "pairs.jsonl"
    assert write_preferences(store, file) == 2
    assert len(read_pairs(file)) == 2
    kinds = [json.loads(line)["kind"] for line in file.read_text(encoding="utf-8").splitlines()]
    assert kinds == ["answer", "item"]


def test_the_command_exports(tmp_path: Path) -> None:
    store = FeedbackStore(tmp_path / "feedback.db")
    store.remember(recommendation("r1"))
    store.rate("r1", "arrival", 1)
    store.rate("r1", "heat", -1)
    out = tmp_path / "out.jsonl"
    command = [
        sys.executable,
        "-m",
        "recsys",
        "feedback",
        "export",
        "--out",
        str(out),
        "--home",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 preference pairs" in done.stdout
    assert json.loads(out.read_text(encoding="utf-8"))["rejected"][0]["content"] == "Heat"
