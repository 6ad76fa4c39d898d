from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from recsys.errors import NotReadyError
from recsys.llm.base import Priority
from recsys.llm.scheduler import Scheduler

WAIT = 30.0


class Steps:
    """A job of `count` steps that writes each into `log`; `during` runs within the step of that number."""

    def __init__(
        self,
        log: list[str],
        name: str,
        count: int,
        priority: Priority = Priority.INTERACTIVE,
        during: dict[int, Callable[[], object]] | None = None,
    ) -> None:
        self.priority = priority
        self.error: Exception | None = None
        self.over = threading.Event()
        self._log, self._name, self._count = log, name, count
        self._during = during or {}
        self._done = 0

    def step(self) -> bool:
        self._done += 1
        self._log.append(f"{self._name}{self._done}")
        self._during.get(self._done, lambda: None)()
        if self._done == self._count:
            self.over.set()
        return self._done == self._count

    def fail(self, error: Exception) -> None:
        self.error = error
        self.over.set()


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler()
    yield scheduler
    scheduler.close()


def _fails() -> None:
    raise ValueError("broken")


def test_jobs_of_one_priority_run_one_after_another(scheduler: Scheduler, log: list[str]) -> None:
    b = Steps(log, "b", 2)
    a = Steps(log, "a", 2, during={1: lambda: scheduler.submit(b)})
    scheduler.submit(a)
    assert b.over.wait(WAIT)
    assert log == ["a1", "a2", "b1", "b2"]


def test_background_job_is_paused_for_an_interactive_one_and_goes_on(
    scheduler: Scheduler, log: list[str]
) -> None:
    person = Steps(log, "p", 2)
    work = Steps(log, "w", 3, Priority.BACKGROUND, during={1: lambda: scheduler.submit(person)})
    scheduler.submit(work)
    assert work.over.wait(WAIT)
    assert log == ["w1", "p1", "p2", "w2", "w3"]


def test_interactive_job_goes_before_background_jobs_that_came_first(
    scheduler: Scheduler, log: list[str]
) -> None:
    second = Steps(log, "w", 1, Priority.BACKGROUND)
    person = Steps(log, "p", 1)

    def submit() -> None:
        scheduler.submit(second)
        scheduler.submit(person)

    scheduler.submit(Steps(log, "v", 2, Priority.BACKGROUND, during={1: submit}))
    assert second.over.wait(WAIT)
    assert log == ["v1", "p1", "v2", "w1"]


def test_background_job_does_not_interrupt_an_interactive_one(scheduler: Scheduler, log: list[str]) -> None:
    work = Steps(log, "w", 1, Priority.BACKGROUND)
    scheduler.submit(Steps(log, "p", 2, during={1: lambda: scheduler.submit(work)}))
    assert work.over.wait(WAIT)
    assert log == ["p1", "p2", "w1"]


def test_failing_job_fails_alone(scheduler: Scheduler, log: list[str]) -> None:
    bad = Steps(log, "x", 2, during={1: _fails})
    good = Steps(log, "a", 1)
    scheduler.submit(bad)
    assert bad.over.wait(WAIT)
    scheduler.submit(good)
    assert good.over.wait(WAIT)
    assert isinstance(bad.error, ValueError)
    assert good.error is None
    assert log == ["x1", "a1"]


def test_close_fails_what_is_left_and_refuses_more(log: list[str]) -> None:
    scheduler = Scheduler()
    begun, go = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert go.wait(WAIT)

    running = Steps(log, "a", 2, during={1: hold})
    waiting = [Steps(log, "b", 1), Steps(log, "w", 1, Priority.BACKGROUND)]
    scheduler.submit(running)
    assert begun.wait(WAIT)
    for job in waiting:
        scheduler.submit(job)
    closing = threading.Thread(target=scheduler.close)
    closing.start()
    while True:
        try:
            scheduler.submit(Steps(log, "late", 1, Priority.BACKGROUND))
        except NotReadyError:
            break
    go.set()
    closing.join(WAIT)
    assert log == ["a1"], "the current step ends, nothing else begins"
    assert isinstance(running.error, NotReadyError)
    assert all(isinstance(job.error, NotReadyError) for job in waiting)


def test_job_may_close_its_scheduler(log: list[str]) -> None:
    scheduler = Scheduler()
    job = Steps(log, "a", 2, during={1: scheduler.close})
    scheduler.submit(job)
    assert job.over.wait(WAIT)
    scheduler.close()
    assert isinstance(job.error, NotReadyError)


def test_a_person_goes_before_another_models_background_job(scheduler: Scheduler, log: list[str]) -> None:
    other = Scheduler()
    person = Steps(log, "p", 2)
    work = Steps(log, "w", 2, Priority.BACKGROUND, during={1: lambda: other.submit(person)})
    scheduler.submit(work)
    assert work.over.wait(WAIT)
    assert log == ["w1", "p1", "p2", "w2"]
    other.close()


def test_closing_one_leaves_the_others_jobs(scheduler: Scheduler, log: list[str]) -> None:
    other = Scheduler()
    begun, go = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert go.wait(WAIT)

    kept = Steps(log, "a", 2, during={1: hold})
    scheduler.submit(kept)
    assert begun.wait(WAIT)
    dropped = Steps(log, "b", 1)
    other.submit(dropped)
    closing = threading.Thread(target=other.close)
    closing.start()
    go.set()
    closing.join(WAIT)
    assert kept.over.wait(WAIT)
    assert log == ["a1", "a2"]
    assert isinstance(dropped.error, NotReadyError)


def test_call_runs_on_the_thread_and_hands_over_what_comes_of_it(scheduler: Scheduler) -> None:
    names = {scheduler.call(lambda: threading.current_thread().name) for _ in range(2)}
    assert names == {"llm"}
    with pytest.raises(ValueError, match="broken"):
        scheduler.call(_fails)
