from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotation.errors import LanguageNotWrittenError, SamplingFailedError, TaskNotReadyError
from annotation.policy import CandidateSource, Policy
from annotation.sampling import CandidateSampler
from annotation.store import AnnotationStore
from recsys.errors import NotReadyError, PromptTooLongError
from recsys.llm.base import Backend, Completion, Delta, Priority, Request, Sampling


class FakeBackend:
    """Answers at once, or when `gate` is opened; keeps the requests."""

    name = "fake"
    languages: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fails: list[Exception] = []
        self.too_long: set[str] = set()

    def fit(self, request: Request) -> Request:
        if request.prompt.instruction in self.too_long:
            raise PromptTooLongError(tokens=9000, limit=100)
        return request

    def complete(self, request: Request) -> list[Completion]:
        self.requests.append(request)
        if self.fails:
            raise self.fails.pop(0)
        while not self.gate.wait(0.01):
            if request.cancel.is_set():
                return [Completion("half", 1, "cancelled", 0)]
        seeds = range(request.sampling.seed, request.sampling.seed + request.n)
        return [Completion(f" answer {seed} ", 3, "stop", seed) for seed in seeds]

    def stream(self, request: Request) -> Iterator[Delta]:
        raise NotImplementedError

    def close(self) -> None:
        pass

    @property
    def priorities(self) -> list[Priority]:
        return [request.priority for request in self.requests]


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def make_sampler(store: AnnotationStore, backend: FakeBackend) -> Iterator[Callable[..., CandidateSampler]]:
    made: list[CandidateSampler] = []

    def make(provider: Callable[[], Backend] = lambda: backend, **options: object) -> CandidateSampler:
        made.append(CandidateSampler(store, provider, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    backend.gate.set()
    for sampler in made:
        sampler.stop()


def _until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.01)


def _sampled(store: AnnotationStore) -> int:
    return store.judgements.counts().sampled


@pytest.fixture(autouse=True)
def prompts(store: AnnotationStore, make_prompt) -> None:
    store.prompts.add(make_prompt(n, "ko" if n % 2 else "en") for n in range(10))


def test_who_waits_comes_first_and_then_the_thread_works_ahead(store, backend, make_sampler) -> None:
    sampler = make_sampler(ahead=3)
    assert sampler.ensure("ann")
    store.assignments.next_task("ann")
    sampler.note("ann")
    _until(lambda: _sampled(store) == 4)
    time.sleep(0.1)
    assert _sampled(store) == 4
    assert backend.priorities == [Priority.INTERACTIVE] + [Priority.BACKGROUND] * 3
    assert all(request.n == 5 for request in backend.requests)


def test_a_ready_task_does_not_wait_for_the_model(store, backend, make_sampler) -> None:
    sampler = make_sampler(ahead=2)
    assert sampler.ensure("ann")
    _until(lambda: _sampled(store) == 2)
    backend.gate.clear()
    started = time.monotonic()
    assert sampler.ensure("ann")
    assert sampler.ensure("bob")
    assert time.monotonic() - started < 0.5


def test_candidates_carry_what_made_them(store, backend, make_sampler) -> None:
    sampler = make_sampler(ahead=0, sampling=Sampling(temperature=0.5, seed=7), adapter="dpo-1")
    sampler.ensure("ann")
    task = store.assignments.next_task("ann")
    made = store.prompts.candidates(task.id)
    seed = task.prompt.sampling_seed
    assert [c.seed for c in made] == list(range(seed, seed + 5))
    assert [c.text for c in made] == [f"answer {s}" for s in range(seed, seed + 5)]
    assert {(c.model, c.adapter, c.finish, c.tokens) for c in made} == {("fake", "dpo-1", "stop", 3)}
    assert [json.loads(c.sampling)["seed"] for c in made] == [c.seed for c in made]
    assert json.loads(made[0].sampling)["temperature"] == 0.5
    (request,) = backend.requests
    assert request.adapter == "dpo-1"
    assert request.prompt == task.prompt.to_prompt()


def test_nobody_waits_when_all_is_done(store, backend, make_sampler) -> None:
    sampler = make_sampler(ahead=20)
    assert sampler.ensure("ann")
    _until(lambda: _sampled(store) == 10)
    while task := store.assignments.next_task("ann"):
        store.judgements.skip(task.id, "ann")
    assert not sampler.ensure("ann", timeout_s=20)


def test_only_languages_that_the_model_writes(store, backend, make_sampler) -> None:
    sampler = make_sampler(ahead=20, languages=("en",))
    assert sampler.ensure("ann")
    _until(lambda: _sampled(store) == 5)
    assert {r.prompt.language for r in backend.requests} == {"en"}
    with pytest.raises(LanguageNotWrittenError, match="in ko"):
        sampler.ensure("bob", "ko")
    sampler.languages = ("en", "ko")
    assert sampler.ensure("bob", "ko")


def test_a_model_that_loads_is_waited_for(store, backend, make_sampler) -> None:
    ready = threading.Event()

    def provider() -> Backend:
        if not ready.is_set():
            raise NotReadyError(what="The model")
        return backend

    sampler = make_sampler(provider)
    with pytest.raises(TaskNotReadyError, match="The model is not ready yet"):
        sampler.ensure("ann", timeout_s=0.2)
    assert isinstance(sampler.last_error, NotReadyError)
    ready.set()
    assert sampler.ensure("ann", timeout_s=20)
    _until(lambda: sampler.last_error is None)


def test_an_error_is_shown_and_tried_again(store, backend, make_sampler) -> None:
    # Two, since the first may be over before anybody asks.
    backend.fails = [RuntimeError("the model fell over"), RuntimeError("the model fell over")]
    sampler = make_sampler(ahead=1)
    with pytest.raises(SamplingFailedError, match="fell over"):
        sampler.ensure("ann", timeout_s=20)
    _until(lambda: _sampled(store) >= 1)  # after a second, without being asked
    assert sampler.ensure("ann")
    assert sampler.last_error is None
    assert backend.requests[0].prompt == backend.requests[1].prompt


def test_a_prompt_that_is_too_long_is_left_out(store, backend, make_sampler) -> None:
    first = store.prompts.unsampled(1)[0].record.instruction
    backend.too_long = {first}
    sampler = make_sampler(ahead=20)
    assert sampler.ensure("ann")
    _until(lambda: _sampled(store) == 9)
    time.sleep(0.1)
    assert [p.record.instruction for p in store.prompts.unsampled(9)] == [first]
    while task := store.assignments.next_task("ann"):
        store.judgements.skip(task.id, "ann")
    assert not sampler.ensure("ann", timeout_s=20)


def test_work_in_another_language_is_put_off(store, backend, make_sampler) -> None:
    sampler = make_sampler(ahead=1)
    assert sampler.ensure("ann", "en")
    backend.gate.clear()
    store.assignments.next_task("ann", "en")
    sampler.note("ann", "en")
    _until(lambda: len(backend.requests) == 2)
    threading.Timer(0.3, backend.gate.set).start()
    assert sampler.ensure("bob", "ko", timeout_s=20)
    _until(lambda: len(backend.requests) >= 4)
    _, put_off, urgent, again = backend.requests[:4]
    assert put_off.cancel.is_set()
    assert (urgent.prompt.language, urgent.priority) == ("ko", Priority.INTERACTIVE)
    assert again.prompt == put_off.prompt


def test_it_sleeps_when_nobody_asks(store, backend, make_sampler) -> None:
    sampler = make_sampler(ahead=2, idle_s=0.3)
    assert sampler.ensure("ann")
    _until(lambda: _sampled(store) == 2)
    time.sleep(0.4)
    store.assignments.next_task("ann")
    time.sleep(0.3)
    assert _sampled(store) == 2
    sampler.note("ann")
    _until(lambda: _sampled(store) == 3)


def test_stop_gives_the_prompt_back(store, backend, make_sampler) -> None:
    backend.gate.clear()
    sampler = make_sampler()
    sampler.note("ann")
    _until(lambda: len(backend.requests) == 1)
    started = time.monotonic()
    sampler.stop()
    assert time.monotonic() - started < 2
    assert store.prompts.claim("somebody", ["en"]) == store.prompts.unsampled(1)[0]
    with pytest.raises(TaskNotReadyError):
        sampler.ensure("ann", timeout_s=1)


def test_two_samplers_never_sample_the_same_prompt(tmp_path: Path, store, make_sampler, backend) -> None:
    """As two processes would: each with a connection of its own."""
    with AnnotationStore(store.path) as second_store:
        other = FakeBackend()
        second = CandidateSampler(second_store, lambda: other, ahead=20)
        first = make_sampler(ahead=20)
        first.note("ann")
        second.note("bob")
        _until(lambda: _sampled(store) == 10)
        second.stop()
    texts = [r.prompt.instruction for r in (*backend.requests, *other.requests)]
    assert len(texts) == len(set(texts)) == 10


def test_many_who_wait_are_served(store, backend, make_sampler) -> None:
    sampler = make_sampler(ahead=1)
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(sampler.ensure(f"ann{n}", timeout_s=20)))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8
    assert _sampled(store) <= 2


def test_a_fast_annotator_has_more_ready_than_a_slow_one(store, backend, make_sampler) -> None:
    sampler = make_sampler(ahead=2)
    assert sampler.ensure("fast")
    task = store.assignments.next_task("fast")
    a, b = (c.id for c in task.candidates[:2])
    store.judgements.judge(task.id, "fast", a, b)  # within a second
    sampler.note("fast")
    _until(lambda: _sampled(store) == 9)  # one seen, and four times `ahead`
    time.sleep(0.1)
    assert _sampled(store) == 9


def test_shared_places_need_more_ready(store, backend, make_sampler) -> None:
    store.policies.set(Policy(overlap=1))
    sampler = make_sampler(ahead=2)
    for name in ("a", "b", "c"):
        sampler.note(name)
    _until(lambda: _sampled(store) == 6)
    time.sleep(0.1)
    assert _sampled(store) == 6


def test_the_claims_of_a_killed_process_are_given_back_at_once(store, backend, make_sampler) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    claimed = store.prompts.claim(f"{socket.gethostname()}:{gone.pid}:x", ["en", "ko"])
    elsewhere = store.prompts.claim("another-host:1:x", ["en", "ko"])
    assert claimed
    assert elsewhere
    assert make_sampler(ahead=1).ensure("ann", timeout_s=20)
    assert store.prompts.candidates(claimed.id)
    assert store.prompts.candidates(elsewhere.id) == []


def test_the_policy_counts_from_the_next_prompt_on(store, backend, make_sampler) -> None:
    other = FakeBackend()
    other.name, other.languages = "other", ("en", "ko")
    sampler = make_sampler(ahead=0, models={"other": other}.__getitem__)
    assert sampler.ensure("ann")
    sources = (CandidateSource(count=3), CandidateSource(count=2, model="other", adapter="dpo-1"))
    store.policies.set(Policy(sources=sources))
    store.judgements.skip(store.assignments.next_task("ann").id, "ann")
    assert sampler.ensure("ann")
    made = store.prompts.candidates(store.assignments.next_task("ann").id)
    assert [(c.model, c.adapter) for c in made] == [("fake", None)] * 3 + [("other", "dpo-1")] * 2
    assert [request.n for request in backend.requests] == [5, 3]


def test_sampling_without_anybody_waiting(store, backend, make_sampler) -> None:
    sampler = make_sampler()
    backend.too_long = {store.prompts.unsampled(1)[0].record.instruction}
    assert [p.record.seed for p in sampler.sample(3)] == [1, 2, 3]
    assert len(list(sampler.sample())) == 6
    assert {r.priority for r in backend.requests} == {Priority.BACKGROUND}
