"""Preference pairs whose tags come from a rule: the answer that retrieves the true target best, and worst.

Five answers are sampled to each prompt, as in annotation. Each is embedded as the playground embeds it, and
the target's rank in the whole catalogue is its mark. Where best and worst do not differ by a factor of two
there is no pair: a rank of 400 against 390 says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bench.tuned.answers import Asked, Catalogue
from recsys.llm.base import Backend, Completion, Priority, Request, Sampling
from recsys.retrieval.embedders import Embedder

_CANDIDATES = 5
_FACTOR = 2.0


def sample_pairs(
    backend: Backend,
    adapter: str | None,
    asked: Sequence[Asked],
    known: dict[str, Catalogue],
    embedder: Embedder,
    *,
    start: int = 0,
) -> Iterator[dict[str, Any]]:
    """Rows in TRL's conversational preference format, one a prompt at most, from prompt number `start` on."""
    for number, one in enumerate(asked[start:], start):
        sampling = Sampling(seed=_CANDIDATES * number, max_tokens=96)
        request = Request(one.prompt, sampling, n=_CANDIDATES, adapter=adapter, priority=Priority.BACKGROUND)
        written = backend.complete(backend.fit(request))
        pair = best_and_worst(one, written, known[one.dataset], embedder)
        if pair is not None:
            best, worst = pair
            yield {
                "prompt": one.prompt.messages(),
                "chosen": [{"role": "assistant", "content": best}],
                "rejected": [{"role": "assistant", "content": worst}],
                "language": one.language,
                "task_id": str(number),
            }


def best_and_worst(
    one: Asked, written: Sequence[Completion], catalogue: Catalogue, embedder: Embedder
) -> tuple[str, str] | None:
    """The texts of the finished answers that rank the target highest and lowest."""
    texts = list(dict.fromkeys(answer.text for answer in written if answer.finish == "stop" and answer.text))
    if len(texts) < 2:
        return None
    ranks = catalogue.ranks(embedder.embed_queries(texts), one.target, one.history)
    best, worst = min(ranks), max(ranks)
    if worst < _FACTOR * best:
        return None
    return texts[ranks.index(best)], texts[ranks.index(worst)]
