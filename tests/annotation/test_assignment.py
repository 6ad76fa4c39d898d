"""Overlap, leases, disputes, gold and repeats."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.policy import Policy
from annotation.records import ImportedPrompt, Task
from annotation.store import AnnotationStore


class Clock:
    """Stands for `time` in the modules that ask it; starts at a fixed moment."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


@contextmanager
def stopped_clock() -> Iterator[Clock]:
    clock = Clock()
    module = SimpleNamespace(time=clock.time)
    with (
        patch("annotation.leases.time", module),
        patch("annotation.assignment.time", module),
        patch("annotation.activity.time", module),
    ):
        yield clock


@pytest.fixture
def clock() -> Iterator[Clock]:
    with stopped_clock() as clock:
        yield clock


def _next(store: AnnotationStore, annotator: str) -> Task:
    task = store.assignments.next_task(annotator)
    assert task is not None
    return task


def _judge(
    store: AnnotationStore, task: Task, annotator: str, best: str = "one", worst: str = "five"
) -> None:
    by_text = {c.text: c.id for c in task.candidates}
    store.judgements.judge(task.id, annotator, by_text[best], by_text["five"])


def test_overlap_one_gives_everybody_another_prompt(filled: AnnotationStore) -> None:
    filled.policies.set(Policy(overlap=1))
    ids = [_next(filled, name).id for name in ("a", "b", "c", "d")]
    assert ids == ["1", "2", "3", "4"]
    assert filled.assignments.next_task("e") is None
    assert not filled.assignments.has_task("e")
    assert filled.assignments.ready("e") == 0


def test_a_skipped_task_is_free_again_and_a_judged_one_is_not(filled: AnnotationStore) -> None:
    filled.policies.set(Policy(overlap=1))
    _judge(filled, _next(filled, "a"), "a")
    second = _next(filled, "a")
    filled.judgements.skip(second.id, "a")
    assert _next(filled, "b").id == second.id
    assert filled.assignments.left("b") == 5  # all but the one that is judged


def test_an_undone_judgement_frees_its_place_when_the_lease_is_over(filled, clock) -> None:
    filled.policies.set(Policy(overlap=1, lease_s=100))
    first = _next(filled, "a")
    _judge(filled, first, "a")
    undone = filled.judgements.undo("a")
    assert undone
    assert _next(filled, "b").id != first.id
    clock.now += 101
    assert _next(filled, "c").id == first.id


def test_a_lease_that_expires_returns_the_task(filled: AnnotationStore, clock: Clock) -> None:
    filled.policies.set(Policy(overlap=1, lease_s=100))
    gone = _next(filled, "a")
    clock.now += 99
    assert _next(filled, "b").id != gone.id
    clock.now += 2
    assert _next(filled, "c").id == gone.id
    # Who comes back late gets another task; what they judge all the same is kept.
    assert _next(filled, "a").id not in (gone.id, "2")
    _judge(filled, gone, "a")
    assert filled.judgements.progress("a").done == 1


def test_work_keeps_the_lease(filled: AnnotationStore, clock: Clock) -> None:
    filled.policies.set(Policy(overlap=1, lease_s=100))
    mine = _next(filled, "a")
    for work in (
        lambda: filled.drafts.save(mine.id, "a", mine.candidates[0].id, None),
        lambda: filled.activity.touch(mine.id, "a"),
        lambda: filled.assignments.next_task("a"),
    ):
        clock.now += 90
        work()
        assert filled.assignments.next_task(f"b{clock.now}") != mine
    clock.now += 101
    filled.activity.touch(mine.id, "a")  # too late: an expired lease is not brought back
    assert _next(filled, "c").id == mine.id


def test_disputed_prompts_come_first_and_get_one_more(filled: AnnotationStore) -> None:
    filled.policies.set(Policy(overlap=2))
    for name, best in (("a", "one"), ("b", "two")):
        _judge(filled, _next(filled, name), name)
        _judge(filled, _next(filled, name), name, best)
    assert _next(filled, "c").id == "2"  # the first prompt is full, the second one disputed
    assert _next(filled, "d").id == "3"
    _judge(filled, filled.assignments.task("2", "c"), "c")
    assert _next(filled, "e").id == "3"


def test_nobody_gets_a_flagged_task(filled: AnnotationStore) -> None:
    task = _next(filled, "a")
    filled.judgements.flag(task.id, "a", "not a sentence")
    assert _next(filled, "b").id != task.id
    assert [(f.task_id, f.annotator, f.reason) for f in filled.history.flagged()] == [
        ("1", "a", "not a sentence")
    ]
    filled.judgements.undo("a")
    assert filled.history.flagged() == []
    assert _next(filled, "c").id == task.id


def test_gold_is_mixed_in_for_everybody(store: AnnotationStore, fill, make_prompt, make_candidates) -> None:
    fill(store, 4)
    known = ImportedPrompt(make_prompt(99), tuple(make_candidates()), best=2)
    assert store.prompts.import_all([known]) == 1
    store.policies.set(Policy(gold_every=1, overlap=1))
    assert {_next(store, name).prompt.seed for name in "abc"} == {99}
    _judge(store, _next(store, "a"), "a")
    assert _next(store, "a").prompt.seed == 0


def test_gold_that_is_never_due_comes_last(
    store: AnnotationStore, fill, make_prompt, make_candidates
) -> None:
    fill(store, 2)
    store.prompts.import_all([ImportedPrompt(make_prompt(99), tuple(make_candidates()), worst=0)])
    store.policies.set(Policy(gold_every=0))
    seeds = []
    while task := store.assignments.next_task("a"):
        seeds.append(task.prompt.seed)
        _judge(store, task, "a")
    assert seeds == [0, 1, 99]


def test_a_prompt_is_repeated_for_its_annotator_alone(store: AnnotationStore, fill) -> None:
    fill(store, 12)
    store.policies.set(Policy(repeat_every=1))
    shown = []
    for _ in range(8):
        task = _next(store, "a")
        shown.append(task)
        _judge(store, task, "a")
    again = [task for task in shown if int(task.id) > 14]
    assert again
    for task in again:
        original = next(t for t in shown if t.prompt.seed == task.prompt.seed)
        assert original.id != task.id
        assert original.prompt.instruction == task.prompt.instruction
        assert {c.text for c in original.candidates} == {c.text for c in task.candidates}
        assert not {c.id for c in original.candidates} & {c.id for c in task.candidates}
    assert max(Counter(task.prompt.seed for task in shown).values()) == 2
    assert store.judgements.counts().prompts == 14
    assert store.judgements.progress("a").total == 14 + len(again)
    assert store.judgements.progress("b").total == 14
    seen_by_b = []
    while task := store.assignments.next_task("b"):
        seen_by_b.append(task.id)
        store.judgements.skip(task.id, "b")
    assert not {task.id for task in again} & set(seen_by_b)


_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("next"), st.sampled_from("abcd")),
        st.tuples(st.just("judge"), st.sampled_from("abcd")),
        st.tuples(st.just("skip"), st.sampled_from("abcd")),
        st.tuples(st.just("flag"), st.sampled_from("abcd")),
        st.tuples(st.just("undo"), st.sampled_from("abcd")),
        st.tuples(st.just("wait"), st.just("")),
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(overlap=st.integers(1, 3), actions=_ACTIONS)
def test_places_are_never_given_twice(
    fill: Callable[..., None], overlap: int, actions: list[tuple[str, str]]
) -> None:
    """Whoever gets a new task finds a place free: judgements and live leases of others are fewer."""
    with (
        tempfile.TemporaryDirectory() as folder,
        AnnotationStore(Path(folder) / "a.db") as store,
        stopped_clock() as clock,
    ):
        fill(store, 4)
        store.policies.set(Policy(overlap=overlap, extra_on_dispute=0, lease_s=100))
        leases: dict[tuple[str, str], float] = {}
        state: dict[tuple[str, str], str] = {}
        shown: dict[str, str] = {}
        for action, name in actions:
            if action == "wait":
                clock.now += 60
            elif action == "undo":
                if undone := store.judgements.undo(name):
                    state[name, undone.id] = "undo"
                    leases[name, undone.id] = clock.now + 100
                    shown[name] = undone.id
            elif action == "next":
                task = store.assignments.next_task(name)
                assert (task is not None) or not store.assignments.has_task(name)
                if task is None:
                    shown.pop(name, None)
                    continue
                assert state.get((name, task.id)) in (None, "undo"), "closed tasks never come back"
                mine = leases.get((name, task.id), 0.0) > clock.now
                if not mine:
                    others = {n for (n, t), s in state.items() if t == task.id and s == "judge" and n != name}
                    others |= {
                        n for (n, t), e in leases.items() if t == task.id and e > clock.now and n != name
                    }
                    assert len(others) < overlap
                    flagged = {n for (n, t), s in state.items() if t == task.id and s == "flag"}
                    assert not flagged
                leases[name, task.id] = clock.now + 100
                shown[name] = task.id
            elif name in shown:
                task_id = shown.pop(name)
                task = store.assignments.task(task_id, name)
                if action == "judge":
                    _judge(store, task, name)
                elif action == "skip":
                    store.judgements.skip(task_id, name)
                else:
                    store.judgements.flag(task_id, name, "why")
                state[name, task_id] = action
                leases.pop((name, task_id), None)
        tallies = Counter(t for (_, t), s in state.items() if s == "judge")
        judged = Counter(r.judgement.task_id for _, r in store.snapshot().ratings())
        assert judged == tallies
