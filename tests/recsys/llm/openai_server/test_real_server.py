"""The backend against llama-cpp-python's own server, which gives one answer after another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.errors import (
    InputError,
    NotReadyError,
    PromptTooLongError,
    ServerKeyError,
    UnknownAdapterError,
    UnknownModelError,
)
from recsys.llm.adapters import AdapterStore
from recsys.llm.base import Completion, Request, Sampling
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.openai_server.backend import OpenAIBackend
from recsys.llm.pool import ModelPool
from recsys.llm.registry import load_spec
from recsys.prompts.formats import Prompt
from recsys.settings import Settings
from tests.recsys.llm.openai_server.support import CONTEXT

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("key")]

MakePrompt = Callable[..., Prompt]
MakeBackend = Callable[..., OpenAIBackend]

SHORT = Sampling(max_tokens=12, seed=7)
GREEDY = Sampling(max_tokens=12, temperature=0.0, repeat_penalty=1.0)


@pytest.fixture
def backend(model_server: str, make_backend: MakeBackend) -> OpenAIBackend:
    return make_backend(model_server, "smollm2", context_tokens=CONTEXT)


def _texts(completions: list[Completion]) -> list[str]:
    return [completion.text for completion in completions]


def test_three_answers_have_three_seeds_streamed_and_whole(
    backend: OpenAIBackend, make_prompt: MakePrompt
) -> None:
    request = Request(make_prompt(), SHORT, n=3)
    texts, ends = ["", "", ""], []
    for delta in backend.stream(request):
        assert delta.index not in ends
        texts[delta.index] += delta.text
        if delta.finish:
            ends.append(delta.index)
    assert sorted(ends) == [0, 1, 2]
    answers = backend.complete(request)
    assert [a.seed for a in answers] == [7, 8, 9]
    assert [bool(a.text) and a.tokens <= 12 for a in answers] == [True] * 3
    assert len(set(texts)) == 3, "the server ignores n, so each answer is asked for with its own seed"


def test_answer_is_that_of_the_same_file_in_this_process(
    backend: OpenAIBackend, smollm_file: Path, tmp_path: Path, make_prompt: MakePrompt
) -> None:
    ours = LlamaCppBackend(
        load_spec("smollm2-135m-instruct"), smollm_file, AdapterStore(tmp_path), context_tokens=CONTEXT
    )
    requests = [Request(make_prompt(size), GREEDY) for size in (1, 3, 5)]
    pairs = [(backend.complete(r)[0].text, ours.complete(r)[0].text) for r in requests]
    ours.close()
    assert sum(a[:20] == b[:20] for a, b in pairs) >= 2, pairs


def test_base_model_is_shown_worked_examples(
    model_server: str, make_backend: MakeBackend, make_prompt: MakePrompt
) -> None:
    backend = make_backend(model_server, "smollm2", "?style=few-shot", context_tokens=CONTEXT)
    prompt = make_prompt(size=2)
    answers = backend.complete(Request(prompt, SHORT, n=2))
    for answer in answers:
        assert answer.text.startswith(prompt.cues.lead)
        assert "\n" not in answer.text
    streamed = "".join(d.text for d in backend.stream(Request(prompt, SHORT)))
    assert streamed.startswith(prompt.cues.lead + " ")


def test_stop_string_ends_the_answer_before_it(backend: OpenAIBackend, make_prompt: MakePrompt) -> None:
    whole = backend.complete(Request(make_prompt(), GREEDY))[0]
    stop = whole.text[10:16]
    sampling = GREEDY.model_copy(update={"stop": ("never written", stop)})
    cut = backend.complete(Request(make_prompt(), sampling))[0]
    assert cut.text == whole.text[: whole.text.index(stop)].strip()
    assert cut.finish == "stop"


def test_many_prompts_are_answered_in_their_order(backend: OpenAIBackend, make_prompt: MakePrompt) -> None:
    requests = [Request(make_prompt(size), GREEDY.with_seed(100 + size)) for size in range(1, 8)]
    answers = backend.complete_many(requests)
    assert [a.seed for a in answers] == [r.sampling.seed for r in requests]
    alone = [backend.complete(request)[0].text for request in requests]
    assert sum(a.text[:15] == b[:15] for a, b in zip(answers, alone, strict=True)) >= 6
    assert backend.complete_many([]) == []
    with pytest.raises(InputError, match="one answer each"):
        backend.complete_many([replace(requests[0], n=2)])


def test_long_history_is_shortened_from_the_oldest(backend: OpenAIBackend, make_prompt: MakePrompt) -> None:
    prompt = make_prompt(size=44)
    prompt = replace(prompt, history=tuple(f"{line}, once more" for line in prompt.history))
    request = Request(prompt, SHORT)
    fitted = backend.fit(request).prompt
    assert 0 < fitted.left_out < 30
    assert fitted.history == prompt.history[fitted.left_out :]
    assert backend.fit(Request(make_prompt(), SHORT)).prompt == make_prompt()


def test_context_that_is_smaller_than_thought_is_found_when_asking(
    model_server: str, make_backend: MakeBackend, make_prompt: MakePrompt
) -> None:
    backend = make_backend(model_server, "smollm2", context_tokens=8192)
    prompt = make_prompt(size=44)
    prompt = replace(prompt, history=tuple(f"{line}, once more" for line in prompt.history))
    assert backend.complete(Request(prompt, SHORT))[0].text
    bare = replace(make_prompt(), history=(), after="many words " * CONTEXT)
    for use in (backend.complete, lambda r: list(backend.stream(r))):
        with pytest.raises(PromptTooLongError, match=f"{CONTEXT - SHORT.max_tokens:,}"):
            use(Request(bare, SHORT))


def test_cancelled_request_ends_and_the_next_one_is_answered(
    backend: OpenAIBackend, make_prompt: MakePrompt
) -> None:
    request = Request(make_prompt(), Sampling(max_tokens=600, seed=1), n=2)
    finishes = []
    for number, delta in enumerate(backend.stream(request)):
        if number == 4:
            request.cancel.set()
        if delta.finish:
            finishes.append(delta.finish)
    assert "cancelled" in finishes
    assert len(finishes) == 2
    stream = backend.stream(replace(request, cancel=threading.Event()))
    next(stream)
    stream.close()
    assert backend.complete(Request(make_prompt(), SHORT))[0].text
    request.cancel.set()
    assert backend.complete(request) == []
    assert [a.finish for a in backend.complete_many([replace(request, n=1)])] == ["cancelled"]


def test_adapter_that_the_server_does_not_offer_is_refused(
    backend: OpenAIBackend, make_prompt: MakePrompt
) -> None:
    request = Request(make_prompt(), SHORT, adapter="tuned")
    for use in (backend.fit, backend.complete, lambda r: list(backend.stream(r))):
        with pytest.raises(UnknownAdapterError, match="none on this server"):
            use(request)


@pytest.mark.parametrize("n", [0, 9])
def test_number_of_answers_is_bounded(backend: OpenAIBackend, make_prompt: MakePrompt, n: int) -> None:
    with pytest.raises(InputError, match="Between 1 and 8"):
        backend.complete(Request(make_prompt(), SHORT, n=n))


def test_wrong_key_is_explained(
    model_server: str, make_backend: MakeBackend, make_prompt: MakePrompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZEROSHELF_OPENAI_API_KEY", "sk-something-else")
    with pytest.raises(ServerKeyError, match="ZEROSHELF_OPENAI_API_KEY") as caught:
        make_backend(model_server, "smollm2").complete(Request(make_prompt(), SHORT))
    assert "sk-" not in str(caught.value)


def test_closed_backend_says_that_it_is_gone(backend: OpenAIBackend, make_prompt: MakePrompt) -> None:
    running = backend.stream(Request(make_prompt(), Sampling(max_tokens=600, seed=1)))
    next(running)
    backend.close()
    with pytest.raises(NotReadyError):
        list(running)
    for use in (backend.complete, backend.fit, lambda r: next(backend.stream(r))):
        with pytest.raises(NotReadyError):
            use(Request(make_prompt(), SHORT))
    backend.close()


@pytest.fixture
def pool(model_server: str, tmp_path: Path) -> Iterator[ModelPool]:
    pool = ModelPool(Settings(home=tmp_path, model=f"openai:{model_server}#smollm2"))
    yield pool
    pool.close()


def test_pool_offers_the_server_of_the_settings_and_no_other(
    pool: ModelPool, make_prompt: MakePrompt
) -> None:
    name = pool.settings.model
    backend, adapter = pool.resolve("")
    assert (backend.name, adapter) == (name, None)
    assert backend.complete(backend.fit(Request(make_prompt(), SHORT)))[0].text
    assert next((m.name, m.backend, m.ready) for m in pool.list()) == (name, "openai", True)
    other = name.replace("#smollm2", "#other")
    for reference in (other, "openai:http://127.0.0.1:1/v1#x", f"{other}+a"):
        with pytest.raises(UnknownModelError):
            pool.resolve(reference)
    assert pool.resolve(other, typed=True)[0].name == other
