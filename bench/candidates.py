"""Five candidates in one batch against five calls of llama-cpp-python's `create_completion`.

Same model file, prompts, sampling settings, threads and number of tokens, a new prompt each round as in
annotation; both keep what they can of the prompt before. Each has a process of its own, and they take
turns, so that a slow moment of the machine meets both; each round gives a ratio, and the median ratio is
the result. A model that is served requantised is also compared with the calls on its package's file.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from recsys.demos import load_demo
from recsys.llm.adapters import AdapterStore
from recsys.llm.base import Request, Sampling
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.model_files import model_file
from recsys.llm.registry import known_models, load_spec, prompt_format
from recsys.prompts.build import build_prompt
from recsys.prompts.formats import Prompt
from recsys.settings import usable_cpus

_N, _TOKENS = 5, 96
_PEER = Path(__file__).with_name("peer.py")


def run() -> None:
    """Print tokens/s of both ways and their ratio, for each embedded model."""
    demo = load_demo("games")
    prompts = [
        build_prompt(demo.history(history.id), target="films", language="en") for history in demo.histories
    ]
    with TemporaryDirectory() as folder:
        for name in known_models():
            _compare(name, prompts, Path(folder))


def _compare(name: str, prompts: Sequence[Prompt], folder: Path) -> None:
    spec = load_spec(name)
    path = model_file(spec, folder)
    style = prompt_format(path, spec.style)
    threads = usable_cpus()
    backend = LlamaCppBackend(spec, path, AdapterStore(folder), threads=threads)
    peers = {"five create_completion calls": _Peer(path, threads)}
    if spec.requantise:
        packaged = model_file(spec.model_copy(update={"requantise": None}), folder)
        peers["the same with the package's own file"] = _Peer(packaged, threads)
    ours: list[float] = []
    theirs: dict[str, list[float]] = {label: [] for label in peers}
    print(f"{name}: {_N} answers of {_TOKENS} tokens")
    for round_, prompt in enumerate(prompts):
        text = style.render(prompt) + style.lead(prompt)
        sampling = Sampling(max_tokens=_TOKENS, seed=1000 * round_, ignore_eos=True)
        batched = _batched(backend, prompt, sampling)
        sequential = {label: peer.speed(text, sampling) for label, peer in peers.items()}
        if round_ == 0:
            continue  # all warm
        ours.append(batched)
        for label, speed in sequential.items():
            theirs[label].append(speed)
    backend.close()
    print(f"  {'one batch, prompt shared':36} {statistics.median(ours):6.1f} tokens/s")
    for label, peer in peers.items():
        peer.close()
        ratios = [own / other for own, other in zip(ours, theirs[label], strict=True)]
        print(
            f"  {label:36} {statistics.median(theirs[label]):6.1f} tokens/s, "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, "
            f"{len(ratios)} rounds)"
        )


def _batched(backend: LlamaCppBackend, prompt: Prompt, sampling: Sampling) -> float:
    started = time.perf_counter()
    answers = backend.complete(Request(prompt, sampling, n=_N))
    return sum(a.tokens for a in answers) / (time.perf_counter() - started)


class _Peer:
    """The process of `bench/peer.py`."""

    def __init__(self, path: Path, threads: int) -> None:
        command = [sys.executable, str(_PEER), str(path), str(threads)]
        environment = {k: v for k, v in os.environ.items() if k != "GOMP_SPINCOUNT"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def speed(self, text: str, sampling: Sampling) -> float:
        """Tokens/s of `_N` answers, one call after another."""
        job = {
            "prompt": text,
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "repeat_penalty": sampling.repeat_penalty,
            "seeds": [sampling.seed + index for index in range(_N)],
        }
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(job), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        assert answer["tokens"] == _N * _TOKENS
        return float(answer["tokens"] / answer["seconds"])

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
