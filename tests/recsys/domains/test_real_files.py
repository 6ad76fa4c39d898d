"""Real files, where they lie beside the checkout: their counts are those that are known of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.domains.histories import HistoryRules, read_sequences
from recsys.domains.inspect import inspect
from recsys.domains.positive import parse_positive
from recsys.domains.registry import open_dataset

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="needs the real files beside the checkout"),
]


def test_films() -> None:
    found = inspect(open_dataset("movielens", DATA / "movies"))
    assert (found.users, found.items, found.interactions) == (610, 9742, 100_836)
    assert (found.positives, found.with_time, found.untitled, found.dropped) == (48_580, 100_836, 0, {})


def test_film_titles_have_their_articles_in_front() -> None:
    titles = {film.title for film in open_dataset("movielens", DATA / "movies").items()}
    assert {"The Matrix", "The Usual Suspects", "A Bug's Life", "Les Misérables"} <= titles
    assert not [title for title in titles if title.endswith((", The", ", A", ", Les", ", Il"))]


def test_books() -> None:
    dataset = open_dataset("books", DATA / "books")
    found = inspect(dataset)
    assert (found.users, found.items, found.interactions) == (2672, 10_000, 298_176)
    assert (found.with_time, found.untitled, found.dropped) == (0, 0, {})
    first = next(dataset.items())
    assert first.title.startswith("The Hunger Games")
    assert "fiction" in first.attributes["genres"]  # type: ignore[operator]


def test_korean_news_is_a_catalogue() -> None:
    found = inspect(open_dataset("catalog", DATA / "korean_news"))
    assert (found.items, found.interactions, found.dropped) == (9_107 + 1_029, 0, {})
    headlines = inspect(open_dataset("catalog", DATA / "korean_news" / "ynat_dev.csv"))
    articles = open_dataset("catalog", DATA / "korean_news" / "articles.jsonl")
    assert (headlines.items, inspect(articles).items) == (9_107, 1_029)
    assert all(item.language == "ko" and len(item.text) > 100 for item in articles.items())


def test_films_as_a_catalogue_have_the_same_interactions() -> None:
    found = inspect(open_dataset("catalog", DATA / "movies"))
    assert (found.users, found.items, found.interactions) == (610, 9742, 100_836)
    assert (found.positives, found.untitled, found.dropped) == (48_580, 0, {})


def test_another_rule_of_what_is_positive_changes_the_histories() -> None:
    dataset = open_dataset("movielens", DATA / "movies", parse_positive("rating>=3"))
    assert read_sequences(dataset, HistoryRules()).counts["positive interactions"] > 48_580
