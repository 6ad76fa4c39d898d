"""Preference pairs whose tags come from a rule, which asks what an annotator would ask first.

Five answers are sampled to each prompt, as in annotation. Valid ones (see `bench.tuned.answers`: they name
something of the catalogue that is not in the history) go before others. Among equals goes first which
retrieves the true target best: it is embedded as the playground embeds it, and the target's rank in the whole
catalogue is its mark. Where best and worst are as valid and their ranks do not differ by a factor of two,
there is no pair: a rank of 400 against 390 says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bench.tuned.answers import Answer, Asked, Catalogue, judge
from recsys.llm.base import Backend, Priority, Request, Sampling
from recsys.retrieval.embedders import Embedder

_CANDIDATES = 5
_FACTOR = 2.0


def sample_pairs(
    backend: Backend,
    adapter: str | None,
    asked: Sequence[Asked],
    known: dict[str, Catalogue],
    embedder: Embedder,
    tokens: Callable[[str], Sequence[int]],
    *,
    start: int = 0,
) -> Iterator[dict[str, Any]]:
    """Rows in TRL's conversational preference format, one a prompt at most, from prompt number `start` on."""
    for number, one in enumerate(asked[start:], start):
        sampling = Sampling(seed=_CANDIDATES * number, max_tokens=96)
        request = Request(one.prompt, sampling, n=_CANDIDATES, adapter=adapter, priority=Priority.BACKGROUND)
        written = [Answer.of(answer, tokens) for answer in backend.complete(backend.fit(request))]
        pair = best_and_worst(one, written, known, embedder)
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
    one: Asked, written: Sequence[Answer], known: dict[str, Catalogue], embedder: Embedder
) -> tuple[str, str] | None:
    """The texts of the best and the worst of the finished answers; None where they are much alike."""
    answers = list({answer.text: answer for answer in written if answer.ended and answer.text}.values())
    if len(answers) < 2:
        return None
    judged = zip(judge([one] * len(answers), answers, known, embedder), answers, strict=True)
    (best, chosen), *_, (worst, rejected) = sorted(judged, key=lambda pair: (not pair[0].valid, pair[0].rank))
    if best.valid == worst.valid and worst.rank < _FACTOR * best.rank:
        return None
    return chosen.text, rejected.text
