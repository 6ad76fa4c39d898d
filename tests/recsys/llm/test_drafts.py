"""Guesses: the latest continuation of two tokens, else of one."""

from __future__ import annotations

from recsys.llm.drafts import Drafts


def test_two_tokens_say_more_than_one_and_the_latest_counts() -> None:
    drafts = Drafts([[1, 2, 3, 4], [9, 2, 7]])
    assert drafts.guess(1, 2) == (3, 2)
    assert drafts.guess(5, 2) == (7, 1)
    assert drafts.guess(5, 6) is None
    drafts.learn(1, 2, 8)
    assert drafts.guess(1, 2) == (8, 2)
