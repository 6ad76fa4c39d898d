"""The transformers backend on the small model's own weights, beside llama.cpp on its file."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.errors import (
    AdapterFileError,
    InputError,
    ModelFileError,
    NotReadyError,
    PromptTooLongError,
    UnknownAdapterError,
)
from recsys.llm.adapters import CARD, WEIGHTS, AdapterCard, AdapterStore
from recsys.llm.base import Completion, Priority, Request, Sampling
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.model_files import model_file
from recsys.llm.registry import load_spec
from recsys.prompts.formats import Prompt

pytestmark = [pytest.mark.model, pytest.mark.slow]

MakePrompt = Callable[..., Prompt]

SMALL = "smollm2-135m-instruct"
CONTEXT = 768
SHORT = Sampling(max_tokens=12, seed=7)
GREEDY = Sampling(max_tokens=12, temperature=0.0)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def gguf(models: Path) -> Path:
    return model_file(load_spec(SMALL), models)


@pytest.fixture(scope="module")
def folder(models: Path, gguf: Path) -> Path:
    """The file's weights as safetensors, with its tokenizer."""
    from training.trainer.base_weights import base_weights

    return base_weights(gguf, models)


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> AdapterStore:
    root = tmp_path_factory.mktemp("adapters")
    base = str(folder)
    _make_adapter(root, "random.v1", base)
    _make_adapter(root, "zero", base, strength=0.0)
    _make_adapter(root, "few-shot", base, strength=0.0, style="few-shot")
    _make_adapter(root, "other-shape", base, width=64)
    _make_adapter(root, "other-layers", base, layer="model.blocks")
    _make_adapter(root, "for-others", "another")
    (_make_adapter(root, "garbage", base) / WEIGHTS).write_bytes(b"this is no adapter")
    weights = _make_adapter(root, "pickle", base) / WEIGHTS
    weights.rename(weights.with_name("adapter_model.bin"))
    return AdapterStore(root)


def _make_adapter(
    root: Path,
    name: str,
    base: str,
    *,
    strength: float = 0.5,
    width: int = 576,
    layer: str = "model.layers",
    style: str = "chat",
) -> Path:
    """A LoRA of random numbers on the first layers' output projections, as PEFT writes it."""
    import torch
    from peft import LoraConfig
    from safetensors.torch import save_file

    folder = root / name
    modules = {"target_modules": ["o_proj"], "layers_to_transform": [0, 1, 2, 3]}
    config = LoraConfig(r=4, lora_alpha=4, task_type="CAUSAL_LM", **modules)
    config.save_pretrained(str(folder))
    draw = torch.Generator().manual_seed(0)
    tensors = {}
    for number in range(4):
        key = f"base_model.model.{layer}.{number}.self_attn.o_proj"
        tensors[f"{key}.lora_A.weight"] = torch.randn(4, width, generator=draw)
        tensors[f"{key}.lora_B.weight"] = strength * torch.randn(width, 4, generator=draw)
    save_file(tensors, folder / WEIGHTS)
    card = AdapterCard(
        name=name,
        kind="dpo",
        base_model=base,
        base_sha256="0" * 64,
        style=style,  # type: ignore[arg-type]
        created=datetime(2026, 1, 1, tzinfo=UTC),
    )
    (folder / CARD).write_text(card.model_dump_json(), encoding="utf-8")
    return folder


def _load(folder: Path, adapters: AdapterStore):  # type: ignore[no-untyped-def]
    from recsys.llm.transformers_backend import TransformersBackend

    return TransformersBackend(str(folder), folder, adapters, context_tokens=CONTEXT)


@pytest.fixture(scope="module")
def backend(folder: Path, adapters: AdapterStore):  # type: ignore[no-untyped-def]
    backend = _load(folder, adapters)
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def llama(gguf: Path, adapters: AdapterStore) -> Iterator[LlamaCppBackend]:
    backend = LlamaCppBackend(load_spec(SMALL), gguf, adapters, context_tokens=CONTEXT)
    yield backend
    backend.close()


def _texts(completions: list[Completion]) -> list[str]:
    return [completion.text for completion in completions]


def test_greedy_answers_begin_as_llama_cpps(backend, llama: LlamaCppBackend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    requests = [Request(make_prompt(size), GREEDY) for size in (2, 4, 6, 8)]
    pairs = [(backend.complete(r)[0].text, llama.complete(r)[0].text) for r in requests]
    assert sum(a.split()[:3] == b.split()[:3] for a, b in pairs) >= 3, pairs


def test_prompt_has_the_tokens_that_llama_cpp_gives_it(
    backend,
    llama: LlamaCppBackend,
    make_prompt: MakePrompt,  # type: ignore[no-untyped-def]
) -> None:
    for prompt in (make_prompt(), make_prompt(query="조용한 책")):
        ours = backend._part(Request(prompt, SHORT)).tokens
        assert ours == llama._part(Request(prompt, SHORT)).tokens


def test_answers_differ_by_seed_and_repeat(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    request = Request(make_prompt(), SHORT, n=4)
    answers = backend.complete(request)
    assert [a.seed for a in answers] == [7, 8, 9, 10]
    assert len(set(_texts(answers))) == 4
    for answer in answers:
        assert 1 <= answer.tokens <= 12
        assert answer.finish == "stop" or answer.tokens == 12
    assert _texts(backend.complete(request)) == _texts(answers)
    last = replace(request, sampling=SHORT.with_seed(2**32 - 1), n=2)
    assert [a.seed for a in backend.complete(last)] == [2**32 - 1, 0]


def test_stream_gives_what_complete_gives(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    request = Request(make_prompt(), SHORT, n=3)
    texts, ends = ["", "", ""], []
    for delta in backend.stream(request):
        assert delta.index not in ends
        texts[delta.index] += delta.text
        if delta.finish:
            ends.append(delta.index)
    assert sorted(ends) == [0, 1, 2]
    assert [t.strip() for t in texts] == _texts(backend.complete(request))


def test_stop_string_ends_the_answer_before_it(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    whole = backend.complete(Request(make_prompt(), SHORT))[0]
    stop = whole.text[10:16]
    cut = backend.complete(Request(make_prompt(), SHORT.model_copy(update={"stop": (stop,)})))[0]
    assert cut.text == whole.text[: whole.text.index(stop)].strip()
    assert (cut.finish, cut.tokens < whole.tokens) == ("stop", True)


def test_measuring_writes_to_the_limit(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    sampling = Sampling(max_tokens=60, temperature=0.0, ignore_eos=True)
    assert [a.tokens for a in backend.complete(Request(make_prompt(1), sampling))] == [60]


def test_cancelled_request_ends_between_two_tokens(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    request = Request(make_prompt(), Sampling(max_tokens=250, seed=1), n=2)
    finishes = []
    for number, delta in enumerate(backend.stream(request)):
        if number == 4:
            request.cancel.set()
        if delta.finish:
            finishes.append(delta.finish)
    assert "cancelled" in finishes
    assert len(finishes) == 2
    assert backend.complete(request) == []
    fresh = replace(request, cancel=threading.Event())
    stream = backend.stream(fresh)
    next(stream)
    stream.close()
    assert fresh.cancel.is_set()
    assert backend.complete(Request(make_prompt(), SHORT))[0].text


def test_person_goes_before_background_work_which_still_ends_the_same(
    backend,
    make_prompt: MakePrompt,  # type: ignore[no-untyped-def]
) -> None:
    work = Request(make_prompt(3), Sampling(max_tokens=40, seed=3), n=2, priority=Priority.BACKGROUND)
    undisturbed = "".join(f"{d.index}{d.text}" for d in backend.stream(work))
    person = Request(make_prompt(2), SHORT, adapter="random.v1")
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
    assert not worker_done.is_set(), "12 tokens for a person come before the other 70"
    worker.join()
    assert "".join(f"{d.index}{d.text}" for d in disturbed + rest) == undisturbed


def test_many_prompts_are_answered_in_their_order(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    requests = [Request(make_prompt(size), GREEDY.with_seed(size)) for size in range(1, 10)]
    requests[4] = replace(requests[4], adapter="random.v1")
    requests[6] = replace(requests[6], sampling=Sampling(max_tokens=3, seed=7))
    answers = backend.complete_many(requests)
    assert [a.seed for a in answers] == list(range(1, 10))
    alone = [backend.complete(request)[0].text for request in requests]
    assert sum(a == b for a, b in zip(_texts(answers), alone, strict=True)) >= 7
    assert answers[6].tokens <= 3
    assert backend.complete_many([]) == []
    with pytest.raises(InputError, match="one answer each"):
        backend.complete_many([replace(requests[0], n=2)])


def test_one_of_many_can_be_cancelled(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    requests = [Request(make_prompt(size), SHORT) for size in range(1, 4)]
    requests[1].cancel.set()
    assert [a.finish == "cancelled" for a in backend.complete_many(requests)] == [False, True, False]


def test_long_history_is_shortened_from_the_oldest(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    prompt = make_prompt(size=44)
    fitted = backend.fit(Request(prompt, SHORT)).prompt
    assert 0 < fitted.left_out < 44
    assert fitted.history == prompt.history[fitted.left_out :]
    one_more = replace(prompt, history=prompt.history[fitted.left_out - 1 :])
    with pytest.raises(PromptTooLongError):
        backend.complete(Request(one_more, SHORT))
    bare = replace(prompt, history=(), after="many words " * CONTEXT)
    with pytest.raises(PromptTooLongError, match="Even without history"):
        backend.fit(Request(bare, SHORT))


def test_adapters_are_swapped_between_requests(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    prompt = make_prompt(size=3)

    def ask(adapter: str | None) -> list[str]:
        return _texts(backend.complete(Request(prompt, SHORT, n=2, adapter=adapter)))

    base = ask(None)
    tuned = ask("random.v1")
    assert tuned != base
    assert ask("zero") == base, "an adapter of zeros changes nothing"
    assert ask("random.v1") == tuned
    assert ask(None) == base


def test_adapter_is_asked_in_its_own_style(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    prompt = make_prompt(size=3)
    request = Request(prompt, SHORT, adapter="few-shot")
    answer = backend.complete(request)[0].text
    assert answer.startswith(f"{prompt.cues.lead} ")
    assert "\n" not in answer
    assert "".join(d.text for d in backend.stream(request)).strip() == answer


@pytest.mark.parametrize("name", ["nothing", "for-others", "../random.v1", ""])
def test_unknown_adapter_is_refused(backend, make_prompt: MakePrompt, name: str) -> None:  # type: ignore[no-untyped-def]
    request = Request(make_prompt(), SHORT, adapter=name)
    for use in (backend.complete, backend.fit, lambda r: list(backend.stream(r))):
        with pytest.raises(UnknownAdapterError, match="random"):
            use(request)


@pytest.mark.parametrize("name", ["garbage", "other-shape", "other-layers", "pickle"])
def test_damaged_adapter_is_refused_and_the_model_goes_on(
    backend,
    make_prompt: MakePrompt,
    name: str,  # type: ignore[no-untyped-def]
) -> None:
    expected = _texts(backend.complete(Request(make_prompt(), SHORT)))
    for _ in range(2):
        with pytest.raises(AdapterFileError, match=name):
            backend.complete(Request(make_prompt(), SHORT, adapter=name))
    assert _texts(backend.complete(Request(make_prompt(), SHORT))) == expected
    assert backend.complete(Request(make_prompt(), SHORT, adapter="random.v1"))[0].text


def test_odd_text_can_be_asked(backend, make_prompt: MakePrompt) -> None:  # type: ignore[no-untyped-def]
    prompt = replace(make_prompt(), history=("\ud800", "\0 nul", "🎬" * 50, "<|im_start|>"))
    assert backend.complete(Request(prompt, Sampling(max_tokens=2)))[0].tokens >= 1


@pytest.mark.parametrize("n", [0, 9])
def test_number_of_answers_is_bounded(backend, make_prompt: MakePrompt, n: int) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="Between 1 and 8"):
        backend.complete(Request(make_prompt(), SHORT, n=n))


def test_closed_model_says_that_it_is_gone(
    folder: Path, adapters: AdapterStore, make_prompt: MakePrompt
) -> None:
    backend = _load(folder, adapters)
    running = backend.stream(Request(make_prompt(), Sampling(max_tokens=250, seed=1)))
    next(running)
    backend.close()
    with pytest.raises(NotReadyError):
        list(running)
    for use in (backend.complete, backend.fit, lambda r: next(backend.stream(r))):
        with pytest.raises(NotReadyError):
            use(Request(make_prompt(), SHORT))
    backend.close()


@pytest.mark.parametrize("damage", ["code", "cut", "config"])
def test_folder_that_cannot_be_loaded_is_explained(
    folder: Path, adapters: AdapterStore, tmp_path: Path, damage: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    if damage == "code":
        mark = tmp_path / "it-ran"
        (copy / "wicked.py").write_text(f"open({str(mark)!r}, 'w')\n")
        (copy / "config.json").write_text(
            '{"model_type": "wicked", "auto_map": '
            '{"AutoConfig": "wicked.C", "AutoModelForCausalLM": "wicked.M"}}'
        )
    elif damage == "cut":
        weights = copy / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:100_000])
    else:
        (copy / "config.json").write_text("{")
    with pytest.raises(ModelFileError, match="copy"):
        _load(copy, adapters)
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.gpu
def test_weights_are_four_bit_on_a_cuda_device(
    folder: Path, adapters: AdapterStore, make_prompt: MakePrompt
) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    backend = _load(folder, adapters)
    kinds = {type(module).__name__ for module in backend._model._model.modules()}
    assert "Linear4bit" in kinds
    base = _texts(backend.complete(Request(make_prompt(), GREEDY)))
    assert base[0]
    assert _texts(backend.complete(Request(make_prompt(), GREEDY, adapter="random.v1"))) != base
    assert len(backend.complete_many([Request(make_prompt(i), SHORT) for i in range(1, 6)])) == 5
    backend.close()
