from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.errors import (
    ReasonTooLongError,
    SameCandidateError,
    TaskNotReadyError,
    TaskNotShownError,
    UnknownCandidateError,
    UnknownTaskError,
)
from annotation.records import Task
from annotation.store import AnnotationStore


def _next(store: AnnotationStore, annotator: str = "ann", language: str | None = None) -> Task:
    task = store.assignments.next_task(annotator, language)
    assert task is not None
    return task


def _judge(store: AnnotationStore, task: Task, annotator: str = "ann") -> str:
    return store.judgements.judge(task.id, annotator, task.candidates[0].id, task.candidates[1].id).id


def test_an_open_task_comes_back_until_it_is_closed(filled: AnnotationStore) -> None:
    task = _next(filled)
    assert _next(filled) == task
    _judge(filled, task)
    second = _next(filled)
    assert second.id != task.id
    filled.judgements.skip(second.id, "ann", "not clear")
    assert _next(filled).id not in (task.id, second.id)


def test_only_prompts_with_candidates_are_given_out(filled: AnnotationStore) -> None:
    seen = []
    while task := filled.assignments.next_task("ann"):
        seen.append(task.prompt.seed)
        _judge(filled, task)
    assert seen == [0, 1, 2, 3]
    with pytest.raises(TaskNotReadyError):
        filled.assignments.task("5", "ann")


def test_the_language_filter(filled: AnnotationStore) -> None:
    assert filled.assignments.ready("ann", "ko") == 2
    assert _next(filled, language="ko").prompt.language == "ko"
    assert _next(filled, language="en").prompt.language == "en"
    assert filled.assignments.ready("ann", "ko") == 1
    assert filled.assignments.has_task("ann", "ko")
    assert not filled.assignments.has_task("ann", "fr")
    assert filled.assignments.next_task("ann", "fr") is None


def test_the_order_is_drawn_per_annotator_and_kept(filled: AnnotationStore) -> None:
    orders = {tuple(c.text for c in _next(filled, f"ann{n}").candidates) for n in range(30)}
    assert len(orders) > 10
    assert all(sorted(order) == sorted(("one", "two", "three", "four", "five")) for order in orders)
    path = filled.path
    shown = _next(filled)
    filled.close()
    with AnnotationStore(path) as again:
        assert _next(again) == shown


def test_judge_stores_what_was_chosen(filled: AnnotationStore) -> None:
    task = _next(filled)
    judgement = filled.judgements.judge(task.id, "ann", task.candidates[2].id, task.candidates[0].id)
    assert (judgement.best, judgement.worst) == (task.candidates[2].id, task.candidates[0].id)
    seen = filled.assignments.task(task.id, "ann")
    assert (seen.state, seen.best, seen.worst) == ("judged", judgement.best, judgement.worst)
    assert filled.judgements.log(task.id, "ann") == [judgement]


def test_the_same_judgement_twice_is_one_row(filled: AnnotationStore) -> None:
    task = _next(filled)
    assert _judge(filled, task) == _judge(filled, task)
    assert filled.judgements.skip(task.id, "ann", "a") == filled.judgements.skip(task.id, "ann", " a\n")
    assert [j.kind for j in filled.judgements.log(task.id, "ann")] == ["judge", "skip"]


def test_another_judgement_is_a_revision(filled: AnnotationStore) -> None:
    task = _next(filled)
    first = _judge(filled, task)
    second = filled.judgements.judge(task.id, "ann", task.candidates[4].id, task.candidates[3].id)
    assert second.supersedes == first
    ((_, rating),) = filled.snapshot().ratings()
    assert rating.judgement == second
    assert filled.judgements.progress("ann").done == 1


def test_undo_gives_the_task_back_with_what_was_chosen(filled: AnnotationStore) -> None:
    first = _next(filled)
    _judge(filled, first)
    second = _next(filled)
    filled.judgements.skip(second.id, "ann")
    third = _next(filled)

    undone = filled.judgements.undo("ann")
    assert undone
    assert (undone.id, undone.state, undone.best) == (second.id, "open", None)
    undone = filled.judgements.undo("ann")
    assert undone
    assert undone.id == first.id
    assert (undone.best, undone.worst) == (first.candidates[0].id, first.candidates[1].id)
    assert filled.judgements.undo("ann") is None

    # What was undone last comes first, and survives a reload.
    assert _next(filled) == undone
    _judge(filled, undone)
    assert _next(filled).id == second.id
    _judge(filled, second)
    assert _next(filled).id == third.id


def test_a_judgement_after_undo_may_be_the_same(filled: AnnotationStore) -> None:
    task = _next(filled)
    first = _judge(filled, task)
    filled.judgements.undo("ann")
    assert _judge(filled, task) != first
    kinds = [(j.kind, j.supersedes) for j in filled.judgements.log(task.id, "ann")]
    assert kinds == [("judge", None), ("undo", "1"), ("judge", "2")]


def test_annotators_do_not_touch_each_other(filled: AnnotationStore) -> None:
    _judge(filled, _next(filled, "a"), "a")
    assert filled.judgements.undo("b") is None
    assert _next(filled, "b").prompt.seed == 0
    assert filled.judgements.progress("b").done == 0
    _judge(filled, _next(filled, "b"), "b")
    assert [r.judgement.annotator for _, r in filled.snapshot().ratings()] == ["a", "b"]
    assert filled.judgements.counts().judged == {"a": 1, "b": 1}


def test_progress_counts_prompts(filled: AnnotationStore) -> None:
    _judge(filled, _next(filled))
    filled.judgements.skip(_next(filled).id, "ann")
    progress = filled.judgements.progress("ann")
    assert (progress.done, progress.total, progress.skipped) == (1, 6, 1)
    progress = filled.judgements.progress("ann", "en")
    assert (progress.done, progress.total, progress.skipped) == (1, 3, 0)


def test_bad_judgements_are_refused(filled: AnnotationStore) -> None:
    task = _next(filled)
    a, b = task.candidates[0].id, task.candidates[1].id
    with pytest.raises(SameCandidateError):
        filled.judgements.judge(task.id, "ann", a, a)
    with pytest.raises(TaskNotShownError):
        filled.judgements.judge(task.id, "somebody", a, b)
    for unknown in ("99", "", "x", "-1", "01", "9" * 40, "\uff11"):
        with pytest.raises(UnknownTaskError):
            filled.judgements.judge(unknown, "ann", a, b)
        with pytest.raises(UnknownTaskError):
            filled.assignments.task(unknown, "ann")
        with pytest.raises(UnknownCandidateError):
            filled.judgements.judge(task.id, "ann", a, unknown)
    other = filled.assignments.task("2", "ann").candidates[0].id
    with pytest.raises(UnknownCandidateError):
        filled.judgements.judge(task.id, "ann", a, other)
    with pytest.raises(ReasonTooLongError):
        filled.judgements.skip(task.id, "ann", "x" * 501)
    assert filled.judgements.log(task.id, "ann") == []


@contextmanager
def _raw(store: AnnotationStore) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(store.path)
    connection.execute("PRAGMA foreign_keys = ON")
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE judgements SET best = 3",
        "DELETE FROM judgements",
        "UPDATE displays SET positions = '[]'",
        "DELETE FROM displays",
        "DELETE FROM candidates",
        # best = worst; a judge without a worst; a skip with a best
        "INSERT INTO judgements VALUES (9, 1, 'ann', 'judge', 1, 1, '', 1, '')",
        "INSERT INTO judgements VALUES (9, 1, 'ann', 'judge', 1, NULL, '', 1, '')",
        "INSERT INTO judgements VALUES (9, 1, 'ann', 'skip', 1, 2, '', 1, '')",
        # another prompt's candidate; a task never shown; an undo of nothing
        "INSERT INTO judgements VALUES (9, 1, 'ann', 'judge', 1, 6, '', 1, '')",
        "INSERT INTO judgements VALUES (9, 1, 'bob', 'judge', 1, 2, '', NULL, '')",
        "INSERT INTO judgements VALUES (9, 2, 'ann', 'undo', NULL, NULL, '', NULL, '')",
        # a second chain; another prompt's chain
        "INSERT INTO judgements VALUES (9, 1, 'ann', 'judge', 1, 2, '', NULL, '')",
        "INSERT INTO judgements VALUES (9, 2, 'ann', 'judge', 6, 7, '', 1, '')",
    ],
)
def test_the_schema_itself_refuses(filled: AnnotationStore, statement: str) -> None:
    _judge(filled, filled.assignments.task("1", "ann"))
    filled.assignments.task("2", "ann")
    with _raw(filled) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


_ACTIONS = st.one_of(
    st.tuples(st.just("judge"), st.integers(0, 3), st.permutations(range(5))),
    st.tuples(st.just("skip"), st.integers(0, 3), st.just([])),
    st.tuples(st.just("undo"), st.just(0), st.just([])),
)


@settings(max_examples=25, deadline=None)
@given(actions=st.lists(st.tuples(st.sampled_from("ab"), _ACTIONS), max_size=25))
def test_the_log_agrees_with_a_plain_model(make_prompt, make_candidates, actions) -> None:
    """`model` holds what counts, oldest first: {annotator: {task: (kind, best, worst)}}."""
    model: dict[str, dict[str, tuple[str, str | None, str | None]]] = {"a": {}, "b": {}}
    with (
        tempfile.TemporaryDirectory() as folder,
        AnnotationStore(Path(folder) / "a.db") as store,
    ):
        store.prompts.add(make_prompt(n) for n in range(4))
        for prompt in store.prompts.unsampled(4):
            store.prompts.save_candidates(prompt.id, make_candidates())
        for annotator, (kind, number, order) in actions:
            mine = model[annotator]
            task_id = str(number + 1)
            if kind == "undo":
                undone = store.judgements.undo(annotator)
                assert (undone.id if undone else None) == (list(mine)[-1] if mine else None)
                if undone:
                    _, best, worst = mine.pop(undone.id)
                    assert (undone.best, undone.worst) == (best, worst)
                continue
            task = store.assignments.task(task_id, annotator)
            if kind == "judge":
                best, worst = (task.candidates[i].id for i in order[:2])
                store.judgements.judge(task_id, annotator, best, worst)
                new: tuple[str, str | None, str | None] = ("judge", best, worst)
            else:
                store.judgements.skip(task_id, annotator)
                new = ("skip", None, None)
            if mine.get(task_id) != new:
                mine.pop(task_id, None)
                mine[task_id] = new
        for annotator, mine in model.items():
            progress = store.judgements.progress(annotator)
            kinds = [kind for kind, _, _ in mine.values()]
            assert (progress.done, progress.skipped) == (kinds.count("judge"), kinds.count("skip"))
            task = store.assignments.next_task(annotator)
            assert (task is None) == (len(mine) == 4)
            assert task is None or task.id not in mine
        counted = {
            (r.judgement.annotator, r.judgement.task_id): (r.judgement.best, r.judgement.worst)
            for _, r in store.snapshot().ratings()
        }
        assert counted == {
            (annotator, task_id): (best, worst)
            for annotator, mine in model.items()
            for task_id, (kind, best, worst) in mine.items()
            if kind == "judge"
        }
