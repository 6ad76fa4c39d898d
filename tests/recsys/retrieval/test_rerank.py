from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from recsys.catalog import History, Item
from recsys.errors import InputError
from recsys.llm.base import Backend, Request, Sampling
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.openai_server.backend import OpenAIBackend
from recsys.llm.openai_server.name import parse_server_name
from recsys.prompts.formats import Prompt
from recsys.retrieval.likelihood import likelihoods
from recsys.retrieval.rerank import ListwiseRerank, chosen_item, reranker
from recsys.retrieval.settings import RetrievalSettings

ITEMS = [Item(id=str(n), title=title) for n, title in enumerate(["Alien", "Emma", "달의 바다"])]
SERIES = tuple(Item(id=f"s{n}", title=f"Toy Story {n}") for n in (1, 2, 3))
SCORES = np.array([3.0, 2.0, 1.0], np.float32)


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ('They like space. "Alien" comes next.', 0),
        ("우주를 좋아합니다. 《달의 바다》가 어울립니다.", 2),
        ('"Something Else" comes next.', None),
        ("", None),
    ],
)
def test_item_that_an_answer_names(answer: str, chosen: int | None) -> None:
    assert chosen_item(answer, ITEMS) == chosen


@pytest.mark.model
def test_likelihood_puts_the_next_of_a_series_first(
    smollm: LlamaCppBackend, make_prompt: Callable[..., Prompt]
) -> None:
    settings = RetrievalSettings.model_validate({"rerank": "likelihood", "likelihood": {"retrieved": 0}})
    request = Request(make_prompt(), Sampling())
    rerank = reranker(smollm, request, History(SERIES), "films", settings)
    assert rerank is not None
    items = [Item(id="e", title="Emma"), Item(id="a", title="Alien"), Item(id="t", title="Toy Story 4")]
    scores = rerank(items, SCORES)
    assert int(np.argmax(scores)) == 2
    assert reranker(smollm, request, History((), query="toys"), "films", settings) is None


@pytest.mark.model
def test_titles_alone_are_scored_once(smollm: LlamaCppBackend) -> None:
    known: dict = {}  # type: ignore[type-arg]
    first = likelihoods(smollm, SERIES, ITEMS, known=known)
    kept = dict(known)
    second = likelihoods(smollm, SERIES[:1], ITEMS, known=known)
    assert len(kept) == 3
    assert known == kept
    assert first[1] == second[1]
    assert first[0] != second[0]


@pytest.mark.model
def test_choice_goes_on_top_or_changes_nothing(smollm: Backend, make_prompt: Callable[..., Prompt]) -> None:
    request = Request(make_prompt(), Sampling(max_tokens=24))
    rerank = ListwiseRerank(smollm, request, History(SERIES), "films")
    changed = (scores := rerank(ITEMS, SCORES)) != SCORES
    assert changed.sum() <= 1
    assert all(scores[changed] == SCORES.max() + 1)


def test_model_on_a_server_cannot_tell_likelihoods(make_prompt: Callable[..., Prompt]) -> None:
    backend = OpenAIBackend(parse_server_name("openai:http://127.0.0.1:9/v1#m"), context_tokens=512)
    settings = RetrievalSettings(rerank="likelihood")
    with pytest.raises(InputError, match="cannot tell how likely"):
        reranker(backend, Request(make_prompt(), Sampling()), History(SERIES), "films", settings)
    backend.close()
