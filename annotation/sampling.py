"""Candidates sampled ahead by one background thread, so that nobody waits for the model to annotate.

While somebody annotates, prompts that they have not seen are kept sampled, as background requests:
at least `ahead`, and as many as they get through in a minute at their own pace. Somebody who has none
comes first, as an interactive request. When nobody has asked for `idle_s` the thread sleeps. A prompt is
claimed in the store before it is sampled, so two processes on one store never sample the same one.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from annotation.errors import LanguageNotWrittenError, SamplingFailedError, TaskNotReadyError
from annotation.five import Five
from annotation.prompts import new_owner
from annotation.records import StoredPrompt
from annotation.store import AnnotationStore
from annotation.writers import choose_writers, one_writer
from recsys.demos import LANGUAGES
from recsys.errors import NotReadyError, PromptTooLongError
from recsys.llm.base import Backend, Priority, Sampling

_LOG = logging.getLogger(__name__)
_POLL_S = 0.25
_REST_S = 0.1
_NOT_READY_S = 1.0
_LONGEST_BACKOFF_S = 60.0
_LOOK_AGAIN_S = 30.0
_HORIZON_S = 60.0
_MOST = 4
"""At most so many times `ahead` prompts are kept ready, however fast somebody is."""


@dataclass(slots=True)
class _Visitor:
    """Somebody who annotates in one language (None: any): when last seen, and how many calls wait."""

    annotator: str
    language: str | None
    seen: float = 0.0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    """What the thread is sampling now."""

    prompt: StoredPrompt
    priority: Priority
    cancel: threading.Event = field(default_factory=threading.Event)


class CandidateSampler:
    """Keeps candidates ready; the thread starts when somebody first asks.

    `backend` gives the model, or raises NotReadyError while it loads; `models` gives another by name,
    where the store's policy asks for several among the five. `adapter` (its name or None) and
    `languages` (those that the model writes; other prompts are left alone) may be set at any time and
    count from the next prompt on. `last_error` is what went wrong last, None once a prompt
    has been sampled again.
    """

    def __init__(
        self,
        store: AnnotationStore,
        backend: Callable[[], Backend],
        *,
        models: Callable[[str], Backend] | None = None,
        sampling: Sampling | None = None,
        ahead: int = 4,
        adapter: str | None = None,
        languages: Collection[str] = LANGUAGES,
        idle_s: float = 900.0,
    ) -> None:
        self.adapter = adapter
        self.languages = languages
        self.last_error: Exception | None = None
        self._store = store
        self._backend = backend
        self._models = models
        self._sampling = sampling or Sampling()
        self._ahead = ahead
        self._idle_s = idle_s
        self._owner = new_owner()
        self._visitors: dict[tuple[str, str | None], _Visitor] = {}
        self._too_long: frozenset[str] = frozenset()
        self._failures = 0
        self._in_a_row = 0
        self._job: _Job | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._changed = threading.Condition()

    def note(self, annotator: str, language: str | None = None) -> None:
        """Somebody is annotating: keep prompts ready for them. Returns at once."""
        with self._changed:
            self._visitor(annotator, language)
        self._wake.set()

    def ensure(self, annotator: str, language: str | None = None, *, timeout_s: float = 60.0) -> bool:
        """Wait until there is a task for the annotator; False when no prompt is left for them.

        Raises TaskNotReadyError after `timeout_s`, SamplingFailedError when the model fails, and
        LanguageNotWrittenError when only prompts are left that this model does not write.
        """
        deadline = time.monotonic() + timeout_s
        failures = self._failures
        with self._waiting(annotator, language):
            while not self._store.assignments.has_task(annotator, language):
                if not self._can_come(language):
                    # The last one may have been sampled between the two questions.
                    return self._store.assignments.has_task(annotator, language)
                if self._failures > failures:
                    raise SamplingFailedError(problem=self.last_error) from self.last_error
                left = deadline - time.monotonic()
                if left <= 0 or self._stopping.is_set():
                    problem = self.last_error or "The model is writing them."
                    raise TaskNotReadyError(what="The task", problem=problem) from self.last_error
                # Polled as well, because another process may be the one that samples.
                with self._changed:
                    self._changed.wait(min(left, _POLL_S))
        return True

    def sample(self, limit: int | None = None, language: str | None = None) -> Iterator[StoredPrompt]:
        """Sample prompts that lack candidates in this thread, and yield each; at most `limit`.

        For the command line; the app may be sampling the same store meanwhile. Raises what the
        backend raises. A prompt that is too long is left out, and then `last_error` says so.
        """
        done = 0
        written = set(self.languages) & ({language} if language else set(self.languages))
        while limit is None or done < limit:
            prompt = self._store.prompts.claim(self._owner, written, without=self._too_long)
            if prompt is None:
                return
            if self._sample(self._backend(), _Job(prompt, Priority.BACKGROUND)):
                done += 1
                yield prompt

    def stop(self, timeout_s: float = 10.0) -> None:
        """End the thread, cancelling what it samples; the prompt is given back. For good."""
        with self._changed:
            self._stopping.set()
            if self._job:
                self._job.cancel.set()
            thread = self._thread
            self._changed.notify_all()
        self._wake.set()
        if thread:
            thread.join(timeout_s)

    def _visitor(self, annotator: str, language: str | None) -> _Visitor:
        """The visitor, seen now. Called with the lock held; starts the thread when there is none."""
        visitor = self._visitors.setdefault((annotator, language), _Visitor(annotator, language))
        visitor.seen = time.monotonic()
        if self._thread is None and not self._stopping.is_set():
            self._thread = threading.Thread(target=self._run, name="candidate-sampler", daemon=True)
            self._thread.start()
        return visitor

    @contextmanager
    def _waiting(self, annotator: str, language: str | None) -> Iterator[None]:
        with self._changed:
            visitor = self._visitor(annotator, language)
            visitor.waiting += 1
            job = self._job
            # Work done ahead that does not help the one who waits is put off.
            if job and job.priority is Priority.BACKGROUND and language not in (None, _language(job)):
                job.cancel.set()
        self._wake.set()
        try:
            yield
        finally:
            with self._changed:
                visitor.waiting -= 1
                visitor.seen = time.monotonic()

    def _can_come(self, language: str | None) -> bool:
        left = self._store.prompts.unsampled_languages(without=self._too_long)
        left &= {language} if language else left
        if left and not left & set(self.languages):
            written = ", ".join(sorted(self.languages))
            raise LanguageNotWrittenError(languages=", ".join(sorted(left)), written=written)
        return bool(left)

    def _run(self) -> None:
        self._store.prompts.release_dead()
        while True:
            # In this order: whoever sets `_wake` from here on is heard before the next pause ends.
            self._wake.clear()
            if self._stopping.is_set():
                return
            try:
                pause = 0.0 if self._step() else _LOOK_AGAIN_S if self._active() else None
            except NotReadyError as error:
                self.last_error, pause = error, _NOT_READY_S
            except Exception as error:
                # Whatever a backend raises must not end the thread: it is shown, and tried again.
                _LOG.warning("sampling candidates failed", exc_info=error)
                with self._changed:
                    self.last_error = error
                    self._failures += 1
                    self._in_a_row += 1
                    pause = min(2.0 ** (self._in_a_row - 1), _LONGEST_BACKOFF_S)
            with self._changed:
                self._changed.notify_all()
            if pause != 0.0 and self._wake.wait(pause):
                self._stopping.wait(_REST_S)  # annotators who ask at about the same time are looked at once

    def _step(self) -> bool:
        """Sample one prompt for whoever needs it most; False when there is nothing to do."""
        wanted = list(self._wanted())
        if not wanted:
            return False
        backend = self._backend()
        for priority, language in wanted:
            written = set(self.languages)
            wanted_languages = written & {language} if language else written
            prompt = self._store.prompts.claim(self._owner, wanted_languages, without=self._too_long)
            if prompt:
                self._sample(backend, _Job(prompt, priority))
                return True
        return False

    def _wanted(self) -> Iterator[tuple[Priority, str | None]]:
        """Who lacks prompts, in which language: first those who wait, then those with the fewest."""
        active, assignments = self._active(), self._store.assignments
        for visitor in active:
            if visitor.waiting and not assignments.has_task(visitor.annotator, visitor.language):
                yield Priority.INTERACTIVE, visitor.language
        ready = [(assignments.ready(v.annotator, v.language), v) for v in active]
        for count, visitor in sorted(ready, key=lambda pair: pair[0]):
            if count < self._wanted_ahead(visitor, active):
                yield Priority.BACKGROUND, visitor.language

    def _wanted_ahead(self, visitor: _Visitor, active: Sequence[_Visitor]) -> int:
        """How many prompts to keep ready: for a minute at this pace, more where places are shared."""
        pace = self._store.activity.seconds_per_prompt(visitor.annotator)
        wanted = self._ahead
        if pace is not None:
            wanted = min(max(wanted, math.ceil(_HORIZON_S / max(pace, 1.0))), _MOST * self._ahead)
        overlap = self._store.policies.get().overlap
        sharing = sum(v.language in (None, visitor.language) or visitor.language is None for v in active)
        return wanted if overlap is None else wanted * max(1, math.ceil(sharing / overlap))

    def _active(self) -> list[_Visitor]:
        """Those who asked within `idle_s`; the others are forgotten."""
        since = time.monotonic() - self._idle_s
        with self._changed:
            self._visitors = {k: v for k, v in self._visitors.items() if v.waiting or v.seen > since}
            return list(self._visitors.values())

    def _sample(self, backend: Backend, job: _Job) -> bool:
        """Sample one prompt; False when it was cancelled or is too long, and given back."""
        with self._changed:
            self._job = job
            if self._stopping.is_set():
                job.cancel.set()
        saved = False
        try:
            saved = self._ask(backend, job)
        except PromptTooLongError as error:
            # The others may fit; a larger context is a new process, which tries this one again.
            _LOG.warning("prompt %s is left out: %s", job.prompt.id, error)
            self._too_long |= {job.prompt.id}
            self.last_error = error
        finally:
            with self._changed:
                self._job = None
            if not saved:
                self._store.prompts.release(job.prompt.id, self._owner)
        return saved

    def _ask(self, backend: Backend, job: _Job) -> bool:
        """Sample and save; False when it was cancelled."""
        record, policy = job.prompt.record, self._store.policies.get()
        app = one_writer(backend, self.adapter, self._sampling)
        writers = choose_writers(policy.sources, record.language, app, self._models)
        five = Five(record, writers, job.priority, job.cancel)
        # Whoever waits would wait for every further round.
        rounds = min(policy.resamples, 1) if job.priority is Priority.INTERACTIVE else policy.resamples
        candidates = five.write(rounds)
        if candidates is None:
            return False
        self._store.prompts.save_candidates(job.prompt.id, candidates)
        with self._changed:
            self.last_error, self._in_a_row = None, 0
        return True


def _language(job: _Job) -> str:
    return job.prompt.record.language
