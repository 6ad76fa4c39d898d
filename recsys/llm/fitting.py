"""A prompt's history shortened until it fits a model's context."""

from __future__ import annotations

from collections.abc import Callable

from recsys.errors import PromptTooLongError
from recsys.prompts.formats import Prompt


def fit_history(prompt: Prompt, count: Callable[[Prompt], int], limit: int) -> Prompt:
    """`prompt` with its oldest history lines dropped until `count` of it is at most `limit` tokens.

    Raises PromptTooLongError when even the bare prompt does not fit.
    """
    while (tokens := count(prompt)) > limit:
        if not prompt.history:
            raise PromptTooLongError(tokens=tokens, limit=max(limit, 0))
        excess = (tokens - limit) / tokens
        prompt = prompt.without_oldest(max(1, int(len(prompt.history) * excess * 0.5)))
    return prompt
