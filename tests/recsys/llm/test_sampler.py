"""Drawing from the tokens near the best one, against llama.cpp's own way through all of them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from recsys.llm.base import Sampling
from recsys.llm.llama_model import LlamaModel
from recsys.llm.llama_sampler import Logits, Sampler

VOCABULARY = 50_000

SHAPES: dict[str, Callable[[np.random.Generator], Logits]] = {
    "one token far ahead": lambda rng: np.where(np.arange(VOCABULARY) == 7, 90, rng.normal(size=VOCABULARY)),
    "many alike": lambda rng: rng.normal(scale=1e-3, size=VOCABULARY),
    "far apart": lambda rng: rng.normal(scale=300.0, size=VOCABULARY),
    "as a model has them": lambda rng: rng.gumbel(scale=2.0, size=VOCABULARY) - 20,
    "few allowed": lambda rng: np.where(rng.random(VOCABULARY) < 1e-4, rng.random(VOCABULARY), -np.inf),
}  # fmt: skip


@pytest.fixture(scope="module")
def model(smollm_file: Path) -> Iterator[LlamaModel]:
    model = LlamaModel(smollm_file)
    yield model
    model.close()


def draw_from_all(sampler: Sampler, logits: Logits) -> int:
    """What `llama_sampler_sample` does with the logits of a row."""
    data = (llama_cpp.llama_token_data * len(logits))(
        *(llama_cpp.llama_token_data(token, logit, 0.0) for token, logit in enumerate(logits.tolist()))
    )
    tokens = llama_cpp.llama_token_data_array(data, len(logits), -1, False)
    llama_cpp.llama_sampler_apply(sampler._chain, ctypes.byref(tokens))
    token = int(tokens.data[tokens.selected].id)
    llama_cpp.llama_sampler_accept(sampler._chain, token)
    return token


@pytest.mark.parametrize("shape", list(SHAPES))
@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0.8),
        Sampling(temperature=1.5, top_k=5, repeat_penalty=1.5),
        Sampling(temperature=0.0),
        Sampling(temperature=1.0, top_k=VOCABULARY + 1),
    ],
    ids=["default", "few and penalised", "greedy", "top-k of all"],
)
def test_same_tokens_as_from_the_whole_vocabulary(model: LlamaModel, sampling: Sampling, shape: str) -> None:
    rng = np.random.default_rng(3)
    ours, theirs = (Sampler(model, sampling, seed=11) for _ in range(2))
    rows = [SHAPES[shape](rng).astype(np.float32) for _ in range(6)]
    drawn = [ours.draw(row) for row in rows]
    assert drawn == [draw_from_all(theirs, row) for row in rows]
    ours.close()
    theirs.close()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_logits_that_are_no_numbers_end_in_some_token(model: LlamaModel, bad: float) -> None:
    sampler = Sampler(model, Sampling(), seed=1)
    assert 0 <= sampler.draw(np.full(VOCABULARY, bad, dtype=np.float32)) < VOCABULARY
    sampler.close()
