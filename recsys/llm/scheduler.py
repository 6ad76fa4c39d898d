"""One thread that owns a model and does one small step at a time for whoever matters most.

Interactive jobs go before background jobs: a background job that has begun is paused between two
steps, keeps what it has done, and goes on afterwards. Jobs of the same priority run one after
another in the order of their arrival.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Protocol

from recsys.errors import NotReadyError
from recsys.llm.base import Priority

_log = logging.getLogger(__name__)


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
    """Runs jobs on one thread of its own."""

    def __init__(self, name: str) -> None:
        self._queues: dict[Priority, deque[Job]] = {p: deque() for p in Priority}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"llm-{name}", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job; raises NotReadyError after `close`."""
        with self._changed:
            if self._closed:
                raise NotReadyError(what="The model, which is being unloaded,")
            self._queues[job.priority].append(job)
            self._changed.notify()

    def close(self) -> None:
        """End the thread after its current step; the jobs that are left fail with NotReadyError."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while (queue := self._next_queue()) is not None:
            job = queue[0]
            try:
                over = job.step()
            except Exception as error:  # a job's failure is that job's alone
                _log.exception("a job failed")
                job.fail(error)
                over = True
            if over:
                queue.popleft()
        for queue in self._queues.values():
            for job in queue:
                job.fail(NotReadyError(what="The model, which is being unloaded,"))

    def _next_queue(self) -> deque[Job] | None:
        with self._changed:
            while not self._closed:
                for priority in Priority:
                    if self._queues[priority]:
                        return self._queues[priority]
                self._changed.wait()
        return None
