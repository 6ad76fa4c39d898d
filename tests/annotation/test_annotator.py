"""What one annotator leaves behind: drafts, time, pace, history, and what they may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from annotation.activity import IDLE_SECONDS
from annotation.errors import (
    FlagReasonError,
    SameCandidateError,
    TaskNotShownError,
    UnknownCandidateError,
    UnknownLanguageError,
)
from annotation.records import Task
from annotation.service import AnnotationService
from annotation.store import AnnotationStore


@pytest.fixture
def service(filled: AnnotationStore) -> AnnotationService:
    return AnnotationService(filled)


@pytest.fixture
def clock() -> Iterator[SimpleNamespace]:
    clock = SimpleNamespace(now=1_000_000.0)
    with patch("annotation.activity.time", SimpleNamespace(time=lambda: clock.now)):
        yield clock


def _next(service: AnnotationService, annotator: str = "ann") -> Task:
    task = service.next_task(annotator)
    assert task is not None
    return task


def _judge(service: AnnotationService, task: Task, annotator: str = "ann") -> None:
    service.judge(task.id, annotator, task.candidates[0].id, task.candidates[1].id)


def test_a_draft_comes_back_and_is_no_judgement(service: AnnotationService) -> None:
    task = _next(service)
    best = task.candidates[3].id
    service.save_draft(task.id, "ann", best, None)
    with AnnotationStore(service.store.path) as again:
        found = again.assignments.next_task("ann")
    assert found is not None
    assert (found.id, found.state, found.best, found.worst) == (task.id, "open", best, None)
    assert service.pairs() == []
    assert service.progress("ann").done == 0
    service.save_draft(task.id, "ann", None, best)
    assert (_next(service).best, _next(service).worst) == (None, best)


def test_a_draft_ends_with_the_judgement(service: AnnotationService) -> None:
    task = _next(service)
    service.save_draft(task.id, "ann", task.candidates[3].id, task.candidates[4].id)
    _judge(service, task)
    judged = service.task(task.id, "ann")
    assert (judged.best, judged.worst) == (task.candidates[0].id, task.candidates[1].id)
    # A revision that is half made is a draft as well, and undo brings back what was judged.
    service.save_draft(task.id, "ann", None, None)
    assert service.task(task.id, "ann").best is None
    undone = service.undo("ann")
    assert undone
    assert (undone.best, undone.worst) == (task.candidates[0].id, task.candidates[1].id)


def test_drafts_are_checked(service: AnnotationService) -> None:
    task = _next(service)
    with pytest.raises(SameCandidateError):
        service.save_draft(task.id, "ann", task.candidates[0].id, task.candidates[0].id)
    with pytest.raises(UnknownCandidateError):
        service.save_draft(task.id, "ann", "99", None)
    with pytest.raises(TaskNotShownError):
        service.save_draft(task.id, "bob", None, None)


def test_only_active_time_counts_and_only_once(service: AnnotationService, clock: SimpleNamespace) -> None:
    task = _next(service)
    clock.now += 10
    service.save_draft(task.id, "ann", task.candidates[0].id, None)
    clock.now += 5
    service.touch(task.id, "ann")
    clock.now += 3 * 3600  # lunch
    service.next_task("ann")  # a second window on the same task
    clock.now += 7
    _judge(service, task)
    assert service.store.activity.seconds(task.id, "ann") == pytest.approx(10 + 5 + IDLE_SECONDS + 7)
    clock.now += 30  # between two tasks
    other = _next(service)
    clock.now += 4
    service.skip(other.id, "ann")
    assert service.store.activity.seconds(other.id, "ann") == pytest.approx(4)


def test_pace_and_what_is_left(service: AnnotationService, clock: SimpleNamespace) -> None:
    assert service.pace("ann").seconds_per_prompt is None
    assert service.pace("ann").eta_s is None
    for seconds in (10, 20, 60):
        task = _next(service)
        clock.now += seconds
        _judge(service, task)
    pace = service.pace("ann")
    assert (pace.judged, pace.today, pace.left) == (3, 3, 3)
    assert pace.seconds_per_prompt == pytest.approx(20)
    assert pace.eta_s == pytest.approx(60)
    assert pace.active_s == pytest.approx(90)
    assert service.pace("ann", since=datetime.now(UTC) + timedelta(hours=1)).today == 0
    assert service.pace("ann", "ko").left == 2


def test_history_is_paged_and_shows_what_counts(service: AnnotationService) -> None:
    first = _next(service)
    _judge(service, first)
    second = _next(service)
    service.skip(second.id, "ann", "unclear")
    third = _next(service)
    service.flag(third.id, "ann", "broken")
    service.judge(first.id, "ann", first.candidates[4].id, first.candidates[3].id)

    page = service.history("ann", limit=2)
    assert page.total == 3
    assert [(p.judgement.task_id, p.judgement.kind) for p in page.items] == [
        (first.id, "judge"),
        (third.id, "flag"),
    ]
    assert page.items[0].best_text == first.candidates[4].text
    assert page.items[0].revisions == 1
    (last,) = service.history("ann", offset=2).items
    assert (last.judgement.kind, last.judgement.reason, last.best_text) == ("skip", "unclear", "")
    assert service.history("bob").total == 0


def test_models_are_hidden_until_the_task_is_judged(service: AnnotationService) -> None:
    task = _next(service)
    assert service.origins(task.id, "ann") == ()
    _judge(service, task)
    assert [o.model for o in service.origins(task.id, "ann")] == ["fake"] * 5
    service.undo("ann")
    assert service.origins(task.id, "ann") == ()
    with pytest.raises(TaskNotShownError):
        service.origins(task.id, "bob")


def test_a_task_of_others_cannot_be_looked_up(service: AnnotationService) -> None:
    task = _next(service)
    with pytest.raises(TaskNotShownError):
        service.task(task.id, "bob")


def test_a_flag_needs_a_reason_and_takes_the_pairs(service: AnnotationService) -> None:
    task = _next(service)
    _judge(service, task)
    assert len(service.pairs("all")) == 7
    _next(service, "bob")
    with pytest.raises(FlagReasonError):
        service.flag(task.id, "bob", "  ")
    service.flag(task.id, "bob", "names a person")
    assert service.pairs("all") == []
    assert service.task(task.id, "bob").state == "flagged"
    service.undo("bob")
    assert len(service.pairs("all")) == 7


def test_guidelines_may_be_the_leads_own(service: AnnotationService) -> None:
    assert "best" in service.guidelines("en")
    assert "가장 좋은" in service.guidelines("ko")
    service.store.path.with_name("guidelines.ko.md").write_text("### 우리 지침", encoding="utf-8")
    assert service.guidelines("ko") == "### 우리 지침"
    with pytest.raises(UnknownLanguageError):
        service.guidelines("../x")
