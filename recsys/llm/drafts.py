"""Guesses at the next token: what followed the same tokens before, in the prompt and in the other answers.

A step may have room for more rows at nearly no cost; a row that evaluates a right guess saves its sequence
a step. What is drawn comes from the model's own logits in any case, so a wrong guess changes nothing. It is
"prompt lookup decoding" (Saxena, https://github.com/apoorvumang/prompt-lookup-decoding) over several answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Drafts:
    """Which token came last after two tokens, or after one."""

    def __init__(self, prompts: Iterable[Sequence[int]]) -> None:
        self._after: dict[tuple[int, ...], int] = {}
        for tokens in prompts:
            for before, last, token in zip(tokens, tokens[1:], tokens[2:], strict=False):
                self.learn(before, last, token)

    def learn(self, before: int, last: int, token: int) -> None:
        """Take note of `token` after `before` and `last`."""
        self._after[before, last] = token
        self._after[(last,)] = token

    def guess(self, before: int, last: int) -> tuple[int, int] | None:
        """A token after these two, and on how many of them it rests; None where neither was seen."""
        if (found := self._after.get((before, last))) is not None:
            return found, 2
        return None if (found := self._after.get((last,))) is None else (found, 1)
