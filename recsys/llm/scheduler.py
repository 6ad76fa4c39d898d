"""One thread of the process that does one small step at a time for whoever matters most.

Interactive jobs go before background jobs, whichever model they ask: a background job that has begun is
paused between two steps, keeps what it has done, and goes on afterwards. Jobs of the same priority run one
after another in the order of their arrival.

All models share the thread. Two would not be faster on one set of cores, and with a second team of threads
OpenMP hardly lets a thread spin before it sleeps: a step of five rows then took half as long again.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from recsys.errors import NotReadyError
from recsys.llm.base import Priority

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Job(Protocol):
    """Work that can be paused between two steps. All methods are called on the scheduler's thread."""

    @property
    def priority(self) -> Priority:
        """Who waits for it."""

    def step(self) -> bool:
        """Do a little; True when there is nothing left to do."""

    def fail(self, error: Exception) -> None:
        """The job is over because of `error`."""


class Scheduler:
    """One model's jobs among those of all models. Closed, it takes no more; ended, those left have failed."""

    def __init__(self) -> None:
        self.closed = False
        self.ended = threading.Event()

    def submit(self, job: Job) -> None:
        """Queue a job; raises NotReadyError after `close`."""
        _thread.submit(self, job)

    def call(self, function: Callable[[], T]) -> T:
        """What `function` returns, called on the thread as an interactive job of one step."""
        call = _Call(function)
        self.submit(call)
        return call.result()

    def close(self) -> None:
        """Let this model's current step end; its jobs that are left fail with NotReadyError."""
        _thread.close(self)


class _Call(Generic[T]):
    priority = Priority.INTERACTIVE

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._over = threading.Event()
        self._results: list[T] = []
        self._error: Exception | None = None

    def step(self) -> bool:
        self._results.append(self._function())
        self._over.set()
        return True

    def fail(self, error: Exception) -> None:
        self._error = error
        self._over.set()

    def result(self) -> T:
        self._over.wait()
        if self._error:
            raise self._error
        return self._results[0]


class _Thread:
    """The thread, begun with the first job, and the queues."""

    def __init__(self) -> None:
        self._queues: dict[Priority, deque[tuple[Scheduler, Job]]] = {p: deque() for p in Priority}
        self._closing: list[Scheduler] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(self, owner: Scheduler, job: Job) -> None:
        with self._changed:
            if owner.closed:
                raise NotReadyError(what="The model, which is being unloaded,")
            self._queues[job.priority].append((owner, job))
            self._begin()
            self._changed.notify()

    def close(self, owner: Scheduler) -> None:
        with self._changed:
            if not owner.closed:
                owner.closed = True
                self._closing.append(owner)
                self._begin()
                self._changed.notify()
        if threading.current_thread() is not self._thread:
            owner.ended.wait()

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="llm", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._closing or any(self._queues.values())):
                    self._changed.wait()
                closing, self._closing = self._closing, []
                left = [self._taken(owner) for owner in closing]
                queue = next((q for q in map(self._queues.__getitem__, Priority) if q), None)
                current = queue[0] if queue else None
            for owner, jobs in zip(closing, left, strict=True):
                for job in jobs:
                    job.fail(NotReadyError(what="The model, which is being unloaded,"))
                owner.ended.set()
            if queue and current and self._step(current[1]):
                with self._changed:
                    queue.remove(current)

    def _taken(self, owner: Scheduler) -> list[Job]:
        """The owner's jobs, out of all queues."""
        taken: list[Job] = []
        for queue in self._queues.values():
            taken += [job for by, job in queue if by is owner]
            kept = [pair for pair in queue if pair[0] is not owner]
            queue.clear()
            queue.extend(kept)
        return taken

    def _step(self, job: Job) -> bool:
        try:
            return job.step()
        except Exception as error:  # a job's failure is that job's alone
            _log.exception("a job failed")
            job.fail(error)
            return True


_thread = _Thread()
