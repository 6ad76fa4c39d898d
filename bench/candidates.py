"""Five candidates in one batch against five calls of llama-cpp-python's `create_completion`.

Same model file, prompt, sampling settings, threads and number of tokens. The two take turns, so that
a slow moment of the machine meets both; each pair gives a ratio, and the median ratio is the result.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import llama_cpp

from recsys.demos import load_demo
from recsys.llm.adapters import AdapterStore
from recsys.llm.base import Request, Sampling
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.registry import known_models, load_spec, model_file, prompt_format
from recsys.prompts.build import build_prompt
from recsys.prompts.formats import Prompt
from recsys.settings import usable_cpus

_N, _TOKENS, _ROUNDS = 5, 96, 5


def run() -> None:
    """Print tokens/s of both ways and their ratio, for each embedded model."""
    demo = load_demo("games")
    prompt = build_prompt(demo.history(demo.histories[0].id), target="films", language="en")
    with TemporaryDirectory() as folder:
        for name in known_models():
            _compare(name, prompt, Path(folder))


def _compare(name: str, prompt: Prompt, folder: Path) -> None:
    spec = load_spec(name)
    path = model_file(spec, folder)
    style = prompt_format(path, spec.style)
    text = style.render(prompt) + style.lead(prompt)
    threads = usable_cpus()
    backend = LlamaCppBackend(spec, path, AdapterStore(folder), threads=threads)
    peer = llama_cpp.Llama(str(path), n_ctx=2048, n_threads=threads, n_threads_batch=threads, verbose=False)
    ratios, ours, theirs = [], [], []
    print(f"{name}: prompt of {backend.count_tokens(text)} tokens, {_N} x {_TOKENS} tokens")
    for round_ in range(_ROUNDS + 1):
        sampling = Sampling(max_tokens=_TOKENS, seed=1000 * round_)
        batched = _batched(backend, prompt, sampling)
        sequential = _sequential(peer, text, sampling, style.stop)
        if round_ == 0:
            continue  # both warm
        ours.append(batched)
        theirs.append(sequential)
        ratios.append(batched / sequential)
    backend.close()
    peer.close()
    print(f"  one batch, prompt shared         {statistics.median(ours):6.1f} tokens/s")
    print(f"  five create_completion calls     {statistics.median(theirs):6.1f} tokens/s")
    print(
        f"  ratio, median of {_ROUNDS} pairs        {statistics.median(ratios):6.2f}"
        f"   (from {min(ratios):.2f} to {max(ratios):.2f})"
    )


def _batched(backend: LlamaCppBackend, prompt: Prompt, sampling: Sampling) -> float:
    started = time.perf_counter()
    answers = backend.complete(Request(prompt, sampling, n=_N))
    return sum(a.tokens for a in answers) / (time.perf_counter() - started)


def _sequential(peer: llama_cpp.Llama, text: str, sampling: Sampling, stop: tuple[str, ...]) -> float:
    tokens = 0
    started = time.perf_counter()
    for index in range(_N):
        answer = peer.create_completion(
            text,
            max_tokens=sampling.max_tokens,
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            repeat_penalty=sampling.repeat_penalty,
            seed=sampling.seed + index,
            stop=list(stop),
        )
        tokens += answer["usage"]["completion_tokens"]
    return tokens / (time.perf_counter() - started)
