from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.errors import (
    AdapterFileError,
    InputError,
    NotReadyError,
    PromptTooLongError,
    UnknownAdapterError,
)
from recsys.llm.adapters import GGUF, AdapterStore
from recsys.llm.base import Completion, Priority, Request, Sampling
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.pool import ModelPool
from recsys.llm.registry import load_spec
from recsys.llm.row_plan import RowPlan
from recsys.prompts.formats import Prompt

pytestmark = pytest.mark.model

MakePrompt = Callable[..., Prompt]
MakeAdapter = Callable[..., Path]

CONTEXT = 768
SHORT = Sampling(max_tokens=16, seed=7)


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory, make_adapter: MakeAdapter) -> AdapterStore:
    root = tmp_path_factory.mktemp("adapters")
    whole = make_adapter(root, "random") / GGUF
    make_adapter(root, "zero", strength=0.0)
    make_adapter(root, "garbage", content=b"this is no adapter")
    make_adapter(root, "garbage-inside", content=b"GGUF\x03\x00\x00\x00" + b"\xff" * 256)
    make_adapter(root, "cut", content=whole.read_bytes()[: whole.stat().st_size // 2])
    make_adapter(root, "for-gemma", base="gemma-3-270m")
    return AdapterStore(root)


def _load(file: Path, adapters: AdapterStore) -> LlamaCppBackend:
    return LlamaCppBackend(load_spec("smollm2-135m-instruct"), file, adapters, context_tokens=CONTEXT)


@pytest.fixture(scope="module")
def backend(smollm_file: Path, adapters: AdapterStore) -> Iterator[LlamaCppBackend]:
    backend = _load(smollm_file, adapters)
    yield backend
    backend.close()


def _texts(completions: list[Completion]) -> list[str]:
    return [completion.text for completion in completions]


def test_five_answers_from_one_prompt(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    answers = backend.complete(Request(make_prompt(), SHORT, n=5))
    assert [a.seed for a in answers] == [7, 8, 9, 10, 11]
    assert len(set(_texts(answers))) == 5
    for answer in answers:
        assert answer.text
        assert 1 <= answer.tokens <= 16
        assert answer.finish in ("stop", "length")
        assert answer.finish == "stop" or answer.tokens == 16


def test_stream_gives_what_complete_gives(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    texts, ends = ["", "", ""], []
    for delta in backend.stream(Request(make_prompt(), SHORT, n=3)):
        assert delta.index not in ends
        texts[delta.index] += delta.text
        if delta.finish:
            ends.append(delta.index)
    assert sorted(ends) == [0, 1, 2]
    assert [t.strip() for t in texts] == _texts(backend.complete(Request(make_prompt(), SHORT, n=3)))


def test_seed_gives_the_same_text_with_a_cold_and_a_warm_cache(
    backend: LlamaCppBackend, make_prompt: MakePrompt
) -> None:
    request = Request(make_prompt(size=12), SHORT, n=2)
    assert backend.count_tokens(request.prompt.instruction) > 256, "long enough to be cached in blocks"
    other = Request(make_prompt(size=2, target="music"), SHORT)
    other_text = _texts(backend.complete(other))
    cold = _texts(backend.complete(request))
    warm = _texts(backend.complete(replace(request, cancel=threading.Event())))
    partly = _texts(backend.complete(Request(make_prompt(size=11), SHORT, n=2)))
    assert cold == warm == _texts(backend.complete(request))
    assert partly != cold
    assert _texts(backend.complete(other)) == other_text


@pytest.mark.parametrize("plan", [(0, 1, 2, 8, 8, 8, 8, 8, 8), (0, 2, 4, 4, 4, 4, 4, 4, 8)])
def test_answers_do_not_depend_on_how_many_rows_a_step_has(
    backend: LlamaCppBackend, make_prompt: MakePrompt, monkeypatch: pytest.MonkeyPatch, plan: tuple[int, ...]
) -> None:
    """Empty rows leave nothing behind."""
    sampling = Sampling(max_tokens=16, temperature=0.7, seed=3, ignore_eos=True)
    requests = [Request(make_prompt(size=size), sampling, n=5) for size in (2, 3)]
    monkeypatch.setattr(backend, "plan", RowPlan())
    expected = [text for request in requests for text in _texts(backend.complete(request))]
    monkeypatch.setattr(backend, "plan", RowPlan(plan))
    found = [text for request in requests for text in _texts(backend.complete(request))]
    same = sum(a == b for a, b in zip(expected, found, strict=True))
    assert same >= 8, "rounding in other shapes seldom changes a drawn token"


def test_the_context_has_room_for_the_empty_rows_of_its_last_step(
    backend: LlamaCppBackend, make_prompt: MakePrompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "plan", RowPlan((0, 8, 8, 8, 8, 8, 8, 8, 8)))
    prompt = make_prompt()
    free = CONTEXT - len(backend.token_ids(backend.prompt_text(Request(prompt, SHORT))))
    request = Request(prompt, Sampling(max_tokens=free // 5, ignore_eos=True), n=5)
    assert [c.tokens for c in backend.complete(request)] == [free // 5] * 5


def test_temperature_zero_needs_no_seed(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    greedy = Sampling(temperature=0.0, max_tokens=12)
    first, second = (
        backend.complete(Request(make_prompt(), greedy.with_seed(seed)))[0].text for seed in (1, 2)
    )
    assert first == second


def test_largest_seeds_wrap_around(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    last = Sampling(max_tokens=2, seed=2**32 - 1)
    assert [a.seed for a in backend.complete(Request(make_prompt(), last, n=2))] == [2**32 - 1, 0]


def test_stop_string_ends_the_answer_before_it(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    whole = backend.complete(Request(make_prompt(), SHORT))[0]
    stop = whole.text[10:16]
    sampling = SHORT.model_copy(update={"stop": ("never written", stop)})
    cut = backend.complete(Request(make_prompt(), sampling))[0]
    assert cut.text == whole.text[: whole.text.index(stop)].strip()
    assert cut.finish == "stop"
    assert cut.tokens < whole.tokens


def test_cancelled_request_ends_between_two_tokens(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    request = Request(make_prompt(), Sampling(max_tokens=250, seed=1), n=2)
    finishes = []
    for number, delta in enumerate(backend.stream(request)):
        if number == 4:
            request.cancel.set()
        if delta.finish:
            finishes.append(delta.finish)
    assert "cancelled" in finishes
    assert len(finishes) == 2


def test_closing_the_stream_ends_the_work_and_the_next_request_works(
    backend: LlamaCppBackend, make_prompt: MakePrompt
) -> None:
    expected = _texts(backend.complete(Request(make_prompt(), SHORT)))
    request = Request(make_prompt(), Sampling(max_tokens=250, seed=1), n=2)
    stream = backend.stream(request)
    next(stream)
    stream.close()
    assert request.cancel.is_set()
    assert _texts(backend.complete(Request(make_prompt(), SHORT))) == expected


def test_request_cancelled_before_it_begins_gives_nothing(
    backend: LlamaCppBackend, make_prompt: MakePrompt
) -> None:
    request = Request(make_prompt(), SHORT)
    request.cancel.set()
    assert backend.complete(request) == []


def test_request_may_be_streamed_again(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    request = Request(make_prompt(), SHORT)
    first = "".join(d.text for d in backend.stream(request))
    assert first == "".join(d.text for d in backend.stream(request)) != ""


@pytest.mark.parametrize("adapter", [None, "random"])
def test_person_goes_before_background_work_which_still_ends_the_same(
    backend: LlamaCppBackend, make_prompt: MakePrompt, adapter: str | None
) -> None:
    work = Request(make_prompt(size=6), Sampling(max_tokens=70, seed=3), n=2, priority=Priority.BACKGROUND)
    undisturbed = "".join(f"{d.index}{d.text}" for d in backend.stream(work))
    person = Request(make_prompt(size=3), SHORT, adapter=adapter)
    expected = _texts(backend.complete(person))
    stream = backend.stream(replace(work, cancel=threading.Event()))
    disturbed, rest = [next(stream)], []
    worker_done = threading.Event()

    def read_on() -> None:
        rest.extend(stream)
        worker_done.set()

    worker = threading.Thread(target=read_on)
    worker.start()
    assert _texts(backend.complete(replace(person, cancel=threading.Event()))) == expected
    assert not worker_done.is_set(), "16 tokens for a person come before the other 120"
    worker.join()
    assert "".join(f"{d.index}{d.text}" for d in disturbed + rest) == undisturbed


def test_long_history_is_shortened_from_the_oldest(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    prompt = make_prompt(size=44)
    request = Request(prompt, SHORT, n=3)
    fitted = backend.fit(request).prompt
    assert 0 < fitted.left_out < 44
    assert fitted.history == prompt.history[fitted.left_out :]
    assert backend.complete(request.with_prompt(fitted))
    one_more = replace(prompt, history=prompt.history[fitted.left_out - 1 :])
    with pytest.raises(PromptTooLongError):
        backend.complete(request.with_prompt(one_more))


def test_no_more_is_left_out_than_must_be(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    prompt = make_prompt(size=12)
    prompt = replace(prompt, history=("- " + "a very long title of a film " * 60, *prompt.history))
    assert backend.fit(Request(prompt, SHORT)).prompt.left_out == 1


def test_prompt_that_fits_is_left_alone(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    request = Request(make_prompt(), SHORT)
    assert backend.fit(request).prompt == request.prompt


def test_prompt_without_history_that_does_not_fit_is_refused(
    backend: LlamaCppBackend, make_prompt: MakePrompt
) -> None:
    prompt = replace(make_prompt(), after="many words " * CONTEXT)
    with pytest.raises(PromptTooLongError, match="Even without history"):
        backend.fit(Request(prompt, SHORT))
    with pytest.raises(PromptTooLongError):
        backend.complete(Request(prompt, SHORT))
    with pytest.raises(PromptTooLongError):
        list(backend.stream(Request(make_prompt(), Sampling(max_tokens=CONTEXT))))


@pytest.mark.parametrize("n", [0, 9])
def test_number_of_answers_is_bounded(backend: LlamaCppBackend, make_prompt: MakePrompt, n: int) -> None:
    with pytest.raises(InputError, match="Between 1 and 8"):
        backend.complete(Request(make_prompt(), SHORT, n=n))


def test_adapters_are_swapped_between_requests(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    prompt = make_prompt(size=3)

    def ask(adapter: str | None) -> list[str]:
        return _texts(backend.complete(Request(prompt, SHORT, n=2, adapter=adapter)))

    base = ask(None)
    tuned = ask("random")
    assert tuned != base
    assert ask("zero") == base, "an adapter of zeros changes nothing"
    assert ask("random") == tuned
    assert ask(None) == base


@pytest.mark.parametrize("name", ["nothing", "for-gemma", "../random", ""])
def test_unknown_adapter_is_refused(backend: LlamaCppBackend, make_prompt: MakePrompt, name: str) -> None:
    request = Request(make_prompt(), SHORT, adapter=name)
    for use in (backend.complete, backend.fit, lambda r: list(backend.stream(r))):
        with pytest.raises(UnknownAdapterError, match="random"):
            use(request)


@pytest.mark.parametrize("name", ["garbage", "garbage-inside", "cut"])
def test_damaged_adapter_is_refused_and_the_model_goes_on(
    backend: LlamaCppBackend, make_prompt: MakePrompt, name: str
) -> None:
    expected = _texts(backend.complete(Request(make_prompt(), SHORT)))
    for _ in range(2):
        with pytest.raises(AdapterFileError, match=name):
            backend.complete(Request(make_prompt(), SHORT, adapter=name))
        with pytest.raises(AdapterFileError, match="damaged"):
            list(backend.stream(Request(make_prompt(), SHORT, adapter=name)))
    assert _texts(backend.complete(Request(make_prompt(), SHORT))) == expected


def test_odd_text_can_be_asked(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    prompt = replace(make_prompt(), history=("\ud800", "\0 nul", "🎬" * 50, "<|im_start|>"))
    assert backend.complete(Request(prompt, Sampling(max_tokens=2)))[0].tokens >= 1


def test_closed_model_says_that_it_is_gone(
    smollm_file: Path, adapters: AdapterStore, make_prompt: MakePrompt
) -> None:
    backend = _load(smollm_file, adapters)
    running = backend.stream(Request(make_prompt(), Sampling(max_tokens=250, seed=1)))
    next(running)
    backend.close()
    with pytest.raises(NotReadyError):
        list(running)
    request = Request(make_prompt(), SHORT)
    for use in (backend.complete, backend.fit, lambda r: next(backend.stream(r))):
        with pytest.raises(NotReadyError):
            use(request)
    backend.close()


def many(make_prompt: MakePrompt, count: int, **sampling: object) -> list[Request]:
    wishes = ["a quiet film", "loud music", "a long book", "a park for children", "a hard game"]
    return [
        Request(
            make_prompt(query=f"{wishes[i % 5]} number {i}"),
            Sampling(**{"max_tokens": 12, "seed": 100 + i, **sampling}),  # type: ignore[arg-type]
        )
        for i in range(count)
    ]


def test_many_prompts_are_answered_in_their_order(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    requests = many(make_prompt, 11)
    answers = backend.complete_many(requests)
    assert [a.seed for a in answers] == [r.sampling.seed for r in requests]
    assert all(a.text and a.tokens <= 12 for a in answers)
    assert [a.text for a in backend.complete_many(requests)] == [a.text for a in answers]


def test_company_seldom_changes_a_greedy_answer(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    requests = many(make_prompt, 10, temperature=0.0, max_tokens=6)
    alone = [backend.complete(request)[0].text for request in requests]
    together = [answer.text for answer in backend.complete_many(requests)]
    assert sum(a == b for a, b in zip(alone, together, strict=True)) >= 8


def test_prompts_of_different_lengths_keep_to_the_context(
    backend: LlamaCppBackend, make_prompt: MakePrompt
) -> None:
    def wish(words: int) -> Prompt:
        return replace(make_prompt(query="a film"), after="wish " * words)

    requests = [Request(wish(60 * i + 1), Sampling(max_tokens=20, seed=i)) for i in range(9)]
    answers = backend.complete_many(requests)
    assert [a.seed for a in answers] == list(range(9))
    assert all(a.finish in ("stop", "length") for a in answers)
    with pytest.raises(PromptTooLongError):
        backend.complete_many([requests[0], Request(wish(2 * CONTEXT), Sampling())])
    assert backend.complete_many(requests[:1])[0].text


def test_one_of_many_can_be_cancelled(backend: LlamaCppBackend, make_prompt: MakePrompt) -> None:
    requests = many(make_prompt, 4)
    requests[2].cancel.set()
    answers = backend.complete_many(requests)
    assert [a.finish == "cancelled" for a in answers] == [False, False, True, False]
    for request in requests:
        request.cancel.set()
    assert {a.finish for a in backend.complete_many(requests)} == {"cancelled"}


def test_nothing_to_answer_gives_nothing(backend: LlamaCppBackend) -> None:
    assert backend.complete_many([]) == []


def test_requests_answered_together_have_one_answer_each(
    backend: LlamaCppBackend, make_prompt: MakePrompt
) -> None:
    with pytest.raises(InputError, match="one answer each"):
        backend.complete_many([Request(make_prompt(query="a film"), Sampling(), n=2)])


def test_base_model_answers_in_korean(pool: ModelPool, make_prompt: MakePrompt) -> None:
    gemma = pool.get("gemma-3-270m")
    prompt = make_prompt(size=3, language="ko")
    answers = gemma.complete(gemma.fit(Request(prompt, Sampling(max_tokens=20, seed=5), n=5)))
    assert len(answers) == 5
    for answer in answers:
        lead, rest = answer.text[: len(prompt.cues.lead)], answer.text[len(prompt.cues.lead) :]
        assert lead == prompt.cues.lead == "이 사람은"
        assert any("가" <= c <= "힣" for c in rest)
        assert "\n" not in answer.text
        assert "###" not in answer.text
