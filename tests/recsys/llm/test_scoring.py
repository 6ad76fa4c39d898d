from __future__ import annotations

import math

import numpy as np
import pytest

from recsys.errors import PromptTooLongError
from recsys.llm.base import Priority
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.pool import ModelPool
from recsys.llm.scoring import Scoring, log_probability, split_tokens
from tests.recsys.conftest import SMALL

PROMPT = "The capital of France is"


@pytest.fixture(scope="module")
def backend(pool: ModelPool) -> LlamaCppBackend:
    backend = pool.get(SMALL)
    assert isinstance(backend, LlamaCppBackend)
    assert isinstance(backend, Scoring)
    return backend


def test_log_probability_agrees_with_a_softmax() -> None:
    logits = np.random.default_rng(0).normal(size=50).astype(np.float32) * 5
    expected = np.log(np.exp(logits.astype(np.float64)) / np.sum(np.exp(logits.astype(np.float64))))
    assert [log_probability(logits, t) for t in range(50)] == pytest.approx(expected.tolist(), abs=1e-5)


def test_a_token_across_the_border_counts_as_the_texts() -> None:
    def tokenize(text: str) -> list[int]:
        return [0, *(ord(c) for c in text.replace("ab", "z"))]

    assert split_tokens(tokenize, "xa", ["c", "b"]) == ([0, ord("x")], [[ord("a"), ord("c")], [ord("z")]])
    assert split_tokens(tokenize, "", ["q"]) == ([0], [[ord("q")]])


@pytest.mark.model
def test_the_likelier_text_scores_higher(backend: LlamaCppBackend) -> None:
    paris, london, spoon = backend.score(PROMPT, [" Paris", " London", " Spoon"])
    assert 0 > paris.log_p > london.log_p > spoon.log_p


@pytest.mark.model
def test_the_score_of_a_text_is_the_product_of_its_parts(backend: LlamaCppBackend) -> None:
    (whole,) = backend.score(PROMPT, [" Paris. It is"])
    (first,) = backend.score(PROMPT, [" Paris."])
    (second,) = backend.score(f"{PROMPT} Paris.", [" It is"])
    assert whole.tokens == first.tokens + second.tokens
    assert whole.log_p == pytest.approx(first.log_p + second.log_p, abs=0.1)


@pytest.mark.model
def test_company_changes_a_score_no_more_than_rounding(backend: LlamaCppBackend) -> None:
    texts = [f" {name}, {PROMPT}" for name in ("Paris", "Rome", "Oslo")] * 7 + [" Bonn" * 150]
    together = backend.score(PROMPT, texts)
    for text, score in zip(texts, together, strict=True):
        (alone,) = backend.score(PROMPT, [text])
        assert alone.tokens == score.tokens
        assert alone.log_p == pytest.approx(score.log_p, rel=0.02)


@pytest.mark.model
def test_probabilities_of_all_next_tokens_add_up_to_one(backend: LlamaCppBackend) -> None:
    digits = backend.score("1, 2, 3,", [f" {n}" for n in range(10)])
    assert 0.5 < sum(math.exp(score.log_p) for score in digits) <= 1.0


@pytest.mark.model
def test_nothing_to_score_and_too_much(backend: LlamaCppBackend) -> None:
    assert backend.score(PROMPT, []) == []
    with pytest.raises(PromptTooLongError):
        backend.score(PROMPT, ["word " * 2000], priority=Priority.BACKGROUND)
