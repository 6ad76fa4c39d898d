"""The fixed prompts answered by two models that are served: what training has changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from recsys.llm.base import Request, Sampling
from recsys.llm.pool import ModelPool
from recsys.prompts.formats import Prompt
from training.comparison.fixed_prompts import FixedPrompt, fixed_prompts

_GREEDY = Sampling(temperature=0.0, repeat_penalty=1.0)


@dataclass(frozen=True, slots=True)
class AnswerPair:
    """One prompt with the answers before and after."""

    prompt: FixedPrompt
    before: str
    after: str


def answer_pairs(pool: ModelPool, before: str, after: str) -> Iterator[AnswerPair]:
    """The fixed prompts in the languages that the model writes, answered with the most likely words.

    `before` and `after` are "model" or "model+adapter". Raises what `ModelPool.resolve` raises.
    """
    backend, _ = pool.resolve(before)
    for fixed in fixed_prompts(tuple(backend.languages)):
        yield AnswerPair(fixed, answer(pool, before, fixed.prompt), answer(pool, after, fixed.prompt))


def answer(pool: ModelPool, model: str, prompt: Prompt, *, sampling: Sampling = _GREEDY) -> str:
    """One answer of "model" or "model+adapter"."""
    backend, adapter = pool.resolve(model)
    limited = sampling.model_copy(update={"max_tokens": pool.settings.max_answer_tokens})
    request = backend.fit(Request(prompt, limited, adapter=adapter))
    return backend.complete(request)[0].text
