from __future__ import annotations

import sqlite3

import pytest

from annotation.prompts import CLAIM_SECONDS
from annotation.store import AnnotationStore


def test_add_counts_only_what_is_new(store: AnnotationStore, make_prompt) -> None:
    assert store.prompts.add([make_prompt(1), make_prompt(2), make_prompt(1)]) == 2
    assert store.prompts.add([make_prompt(2), make_prompt(3)]) == 1
    assert store.prompts.add([]) == 0


def test_a_prompt_comes_back_as_it_was(store: AnnotationStore, make_prompt) -> None:
    store.prompts.add([make_prompt(1, "ko")])
    (stored,) = store.prompts.unsampled(10)
    assert stored.record == make_prompt(1, "ko")
    assert stored.record.instruction.splitlines() == [
        "The films this person watched:",
        "- Film 1 (오래된 영화)",
        "- Another film",
        "What next? (ko)",
    ]
    prompt = stored.record.to_prompt()
    assert prompt.language == "ko"
    assert prompt.examples
    assert prompt.cues.lead


def test_unsampled_keeps_order_limit_and_language(store: AnnotationStore, make_prompt) -> None:
    store.prompts.add(make_prompt(n, "ko" if n % 2 else "en") for n in range(6))
    assert [p.record.seed for p in store.prompts.unsampled(2)] == [0, 1]
    assert [p.record.seed for p in store.prompts.unsampled(9, ["ko"])] == [1, 3, 5]
    assert store.prompts.unsampled_languages() == {"en", "ko"}
    korean = [p.id for p in store.prompts.unsampled(9, ["ko"])]
    assert store.prompts.unsampled_languages(without=korean) == {"en"}


def test_five_candidates_or_none(store: AnnotationStore, make_prompt, make_candidates) -> None:
    store.prompts.add([make_prompt()])
    (prompt,) = store.prompts.unsampled(1)
    with pytest.raises(ValueError, match="4 candidates"):
        store.prompts.save_candidates(prompt.id, make_candidates("a", "b", "c", "d"))
    bad = [*make_candidates()[:4], *make_candidates(None, model="fake")]
    with pytest.raises(sqlite3.IntegrityError):
        store.prompts.save_candidates(prompt.id, bad)
    assert store.prompts.candidates(prompt.id) == []
    assert store.prompts.save_candidates(prompt.id, make_candidates())
    assert store.prompts.candidates(prompt.id) == make_candidates()


def test_the_first_candidates_stay(store: AnnotationStore, make_prompt, make_candidates) -> None:
    store.prompts.add([make_prompt()])
    (prompt,) = store.prompts.unsampled(1)
    assert store.prompts.save_candidates(prompt.id, make_candidates())
    assert not store.prompts.save_candidates(prompt.id, make_candidates(model="later"))
    assert {c.model for c in store.prompts.candidates(prompt.id)} == {"fake"}


def test_claim_gives_each_prompt_once(store: AnnotationStore, make_prompt, make_candidates) -> None:
    store.prompts.add(make_prompt(n, "ko" if n % 2 else "en") for n in range(4))
    first = store.prompts.claim("a", ["en", "ko"])
    second = store.prompts.claim("b", ["en", "ko"])
    assert first
    assert second
    assert (first.record.seed, second.record.seed) == (0, 1)
    third = store.prompts.claim("a", ["en"])
    assert third
    assert third.record.seed == 2
    assert store.prompts.claim("b", ["en"]) is None
    fourth = store.prompts.claim("b", ["ko"], without=["4"])
    assert fourth is None

    store.prompts.release(first.id, "b")  # not b's to give back
    assert store.prompts.claim("b", ["en"]) is None
    store.prompts.release(first.id, "a")
    assert store.prompts.claim("b", ["en"]) == first

    store.prompts.save_candidates(second.id, make_candidates())
    again = store.prompts.claim("c", ["ko"])
    assert again
    assert again.record.seed == 3


def test_the_claim_of_a_dead_process_lapses(
    store: AnnotationStore, make_prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prompts.add([make_prompt()])
    claimed = store.prompts.claim("dead", ["en"])
    import annotation.prompts as module

    later = module.time.time() + CLAIM_SECONDS + 1
    monkeypatch.setattr(module.time, "time", lambda: later)
    assert store.prompts.claim("alive", ["en"]) == claimed


@pytest.mark.parametrize(
    "statement",
    ["UPDATE prompts SET ask = 'x'", "UPDATE candidates SET text = 'x'", "DELETE FROM prompts"],
)
def test_what_was_stored_cannot_be_changed(filled: AnnotationStore, statement: str) -> None:
    connection = sqlite3.connect(filled.path)
    connection.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()
