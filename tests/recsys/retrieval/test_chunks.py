from __future__ import annotations

import pytest

from recsys.catalog import Item
from recsys.demos import load_demo
from recsys.retrieval.chunks import MAX_TOKENS, Chunker
from recsys.retrieval.embedders import Embedder

READ_TOKENS = 512
"""What multilingual-e5-small reads of a text."""


@pytest.fixture(scope="module")
def chunker(embedder: Embedder) -> Chunker:
    return Chunker(embedder.count_tokens)


def test_short_text_is_one_chunk_under_title_and_attributes(chunker: Chunker) -> None:
    item = Item(
        id="heat",
        title="Heat",
        titles={"ko": "히트"},
        text="Two men. One city.",
        attributes={"year": 1995, "genres": ["crime", "drama"]},
    )
    (chunk,) = chunker.chunks(item)
    assert (chunk.item_id, chunk.number, chunk.text) == ("heat", 0, "Two men. One city.")
    assert chunk.embedded == "Heat / 히트 (1995, crime, drama)\nTwo men. One city."


@pytest.mark.parametrize("domain", ["films", "korean-news"])
def test_chunks_keep_the_token_limit_and_lose_no_sentence(
    chunker: Chunker, embedder: Embedder, domain: str
) -> None:
    for item in list(load_demo(domain).items.values())[:8]:
        chunks = chunker.chunks(item)
        assert [c.number for c in chunks] == list(range(len(chunks)))
        assert all(embedder.count_tokens(c.text) <= MAX_TOKENS for c in chunks)
        assert "".join("".join(c.text for c in chunks).split()) == "".join(item.text.split())


def test_chunks_end_at_sentences(chunker: Chunker) -> None:
    text = " ".join(f"Sentence {n} has a few ordinary words in it." for n in range(60))
    chunks = chunker.chunks(Item(id="a", title="A", text=text))
    assert len(chunks) > 3
    assert all(chunk.text.endswith(".") for chunk in chunks)


@pytest.mark.parametrize("text", ["x" * 3000, "한" * 1500, "🎬" * 300])
def test_text_without_any_border_is_cut(chunker: Chunker, embedder: Embedder, text: str) -> None:
    chunks = chunker.chunks(Item(id="a", title="A", text=text))
    assert len(chunks) > 1
    assert "".join(c.text for c in chunks) == text
    assert all(embedder.count_tokens(c.text) <= MAX_TOKENS for c in chunks)


def test_empty_text_is_one_chunk_with_the_phrase_or_the_title(chunker: Chunker) -> None:
    (phrase,) = chunker.chunks(Item(id="a", title="A", phrases={"en": "about nothing"}))
    assert (phrase.text, phrase.embedded) == ("about nothing", "A\nabout nothing")
    (title,) = chunker.chunks(Item(id="a", title="A", text=" \n "))
    assert (title.text, title.embedded) == ("A", "A")


def test_long_attributes_leave_room_for_the_text(chunker: Chunker, embedder: Embedder) -> None:
    item = Item(
        id="a",
        title="A",
        text="What it is about.",
        attributes={"overview": "word " * 2000, "reviews": ["long review " * 50] * 20},
    )
    for chunk in chunker.chunks(item):
        assert embedder.count_tokens(chunk.embedded) <= READ_TOKENS
        assert chunk.embedded.endswith("What it is about.")
