from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.errors import ExportFileError, UnknownStrategyError
from annotation.pairs import ordered_texts, pairs_from_store, write_jsonl
from annotation.store import AnnotationStore

_TEXTS = st.lists(st.text(min_size=1, max_size=3), min_size=5, max_size=5)
_FEW = st.lists(st.sampled_from("abc"), min_size=5, max_size=5)
_TAGS = st.permutations(range(5)).map(lambda order: (order[0], order[1]))


def test_best_worst_is_one_pair() -> None:
    assert ordered_texts(list("abcde"), 1, 3, "best-worst") == [("b", "d")]


def test_all_is_the_seven_that_the_tags_imply() -> None:
    pairs = ordered_texts(list("abcde"), 1, 3, "all")
    assert set(pairs) == {
        ("b", "a"),
        ("b", "c"),
        ("b", "d"),
        ("b", "e"),
        ("a", "d"),
        ("c", "d"),
        ("e", "d"),
    }
    assert len(pairs) == 7


def test_an_unknown_strategy_is_named() -> None:
    with pytest.raises(UnknownStrategyError, match="best-worst, all"):
        ordered_texts(list("abcde"), 0, 1, "some")  # type: ignore[arg-type]


@given(texts=_TEXTS | _FEW, tags=_TAGS)
def test_pairs_never_contradict_themselves(texts: list[str], tags: tuple[int, int]) -> None:
    best, worst = tags
    pairs = ordered_texts(texts, best, worst, "all")
    assert all(chosen != rejected for chosen, rejected in pairs)
    assert len(set(pairs)) == len(pairs)
    assert not {(b, a) for a, b in pairs} & set(pairs)
    # Nothing is better than the best, nothing worse than the worst.
    assert texts[best] not in {rejected for _, rejected in pairs}
    assert texts[worst] not in {chosen for chosen, _ in pairs}


@given(texts=_TEXTS | _FEW, tags=_TAGS)
def test_the_one_pair_is_among_all(texts: list[str], tags: tuple[int, int]) -> None:
    one, every = (ordered_texts(texts, *tags, s) for s in ("best-worst", "all"))  # type: ignore[arg-type]
    assert set(one) <= set(every)
    assert bool(one) == bool(every) == (texts[tags[0]] != texts[tags[1]])


@given(texts=st.lists(st.text(), min_size=5, max_size=5, unique=True), tags=_TAGS)
def test_different_texts_give_seven(texts: list[str], tags: tuple[int, int]) -> None:
    assert len(ordered_texts(texts, *tags, "all")) == 7


def _judge_all(store: AnnotationStore, annotator: str) -> None:
    while task := store.assignments.next_task(annotator):
        by_text = {c.text: c.id for c in task.candidates}
        store.judgements.judge(task.id, annotator, by_text["two"], by_text["five"])


def test_rows_are_what_trl_takes(filled: AnnotationStore) -> None:
    _judge_all(filled, "ann")
    pair = pairs_from_store(filled.path, "best-worst")[1]
    assert pair.annotator == "ann"
    assert pair.to_row() == {
        "prompt": [
            {"role": "system", "content": "You recommend."},
            {"role": "user", "content": pair.instruction},
        ],
        "chosen": [{"role": "assistant", "content": "two"}],
        "rejected": [{"role": "assistant", "content": "five"}],
        "language": "ko",
        "situation": "passive",
        "form": "direct",
        "task_id": "2",
        "weight": 1.0,
        "chosen_finish": "stop",
        "rejected_finish": "stop",
    }


def test_what_was_undone_or_skipped_gives_no_pair(filled: AnnotationStore) -> None:
    _judge_all(filled, "ann")
    assert len(pairs_from_store(filled.path, "all")) == 28
    filled.judgements.undo("ann")
    filled.judgements.skip("1", "ann")
    assert {p.task_id for p in pairs_from_store(filled.path, "all")} == {"2", "3"}


def test_two_annotators_give_pairs_of_their_own(filled: AnnotationStore) -> None:
    _judge_all(filled, "a")
    _judge_all(filled, "b")
    assert [p.annotator for p in pairs_from_store(filled.path)] == ["a"] * 4 + ["b"] * 4


def test_a_store_that_is_not_there_has_no_pairs(tmp_path: Path) -> None:
    assert pairs_from_store(tmp_path / "none.db") == []
    assert list(tmp_path.iterdir()) == []


def test_write_jsonl_replaces_the_file(filled: AnnotationStore, tmp_path: Path) -> None:
    _judge_all(filled, "ann")
    out = tmp_path / "pairs.jsonl"
    out.write_text("old")
    pairs = pairs_from_store(filled.path, "all")
    assert write_jsonl(pairs, out) == 28
    lines = out.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [p.to_row() for p in pairs]
    assert "오래된" in lines[0]
    assert {p.name for p in tmp_path.iterdir() if ".part" in p.name} == set()


def test_a_failed_write_keeps_the_old_file(filled: AnnotationStore, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    out.write_text("old")

    def broken():
        yield from ()
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError):
        write_jsonl(broken(), out)
    assert out.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".part"] == []
    with pytest.raises(ExportFileError, match="No such file"):
        write_jsonl([], tmp_path / "nowhere" / "pairs.jsonl")
