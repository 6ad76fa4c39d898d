from __future__ import annotations

import pytest

from recsys.catalog import ItemRef
from recsys.ui.playground.link import MAX_HISTORY, Inputs, from_link, history_of, to_link

WHOLE = Inputs(
    history=(
        ItemRef("games", "journey", "journey"),
        ItemRef("", "", "A: b & c=d 한글 👩‍🚀"),
        ItemRef("my films", "x:y", "x:y"),
    ),
    query="느리고 “beautiful” <b>",
    catalog="films",
    model="gemma-3-270m+my adapter",
    beside=("none", "smollm2-135m-instruct"),
    results=5,
    language="ko",
    seed=7,
    memory=True,
)  # fmt: skip


@pytest.mark.parametrize(
    "inputs", [WHOLE, Inputs(catalog="films", query="slow"), Inputs(catalog="korean-news")]
)
def test_a_link_restores_the_inputs(inputs: Inputs) -> None:
    assert from_link(to_link(inputs)) == inputs
    assert from_link("?" + to_link(inputs)) == inputs


@pytest.mark.parametrize("link", ["", "?", "?lang=ko", "?view=api", "&" * 5000, "?__theme=dark"])
def test_an_address_that_asks_for_nothing(link: str) -> None:
    assert from_link(link) is None


@pytest.mark.parametrize(
    "link",
    [
        "from=films&k=9999&seed=-3&answer=fr&beside=a&beside=b&beside=c&beside=d",
        "from=films&k=x&seed=1e9&h=no-colon&h=&h=:",
        "from=\ud800&q=" + "x" * 100_000,
        "from=films&" + "&".join(f"h=:{n}" for n in range(390)),
    ],
)
def test_values_that_cannot_be_are_replaced(link: str) -> None:
    found = from_link(link)
    assert found is not None
    assert 1 <= found.results <= 20
    assert 0 <= found.seed < 2**32
    assert found.language == "auto"
    assert len(found.beside) <= 3
    assert len(found.history) <= MAX_HISTORY


@pytest.mark.parametrize(
    "value", [None, "x", 3, [], {}, {"items": 3}, {"items": ["a", None, {}, {"title": 5}]}]
)
def test_a_page_can_send_anything(value: object) -> None:
    assert history_of(value) == ()


def test_history_of_the_page() -> None:
    items = [
        {"catalog": "games", "id": "journey", "title": "Journey", "more": 1},
        {"title": " typed "},
        {"title": " "},
    ]
    assert history_of({"items": items}) == (
        ItemRef("games", "journey", "Journey"),
        ItemRef("", "", " typed "),
    )
    assert len(history_of({"items": [{"title": str(n)} for n in range(500)]})) == MAX_HISTORY
