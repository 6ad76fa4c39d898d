"""Weighted terms of items: what is near to what, on real catalogues."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from recsys.catalog import Item
from recsys.synthesis.terms import Terms, attribute_term, build_terms
from tests.recsys.synthesis.support import demo_items

FILMS = demo_items("films")


@pytest.fixture(scope="module")
def terms() -> Terms:
    """The terms of the demo films; the item's place is its code."""
    return build_terms(enumerate(FILMS), len(FILMS))


def genres(item: Item) -> set[str]:
    value = item.attributes["genres"]
    assert isinstance(value, list)
    return set(value)


def test_rows_have_length_one(terms: Terms) -> None:
    lengths = np.sqrt(np.asarray(terms.matrix.multiply(terms.matrix).sum(axis=1)).ravel())
    assert np.allclose(lengths, 1.0, atol=1e-5)


def test_near_items_share_more_than_far_ones(terms: Terms) -> None:
    near = terms.alike(range(len(FILMS)), 3)
    shared = [bool(genres(FILMS[i]) & genres(FILMS[j])) for i, found in enumerate(near) for j in found]
    chance = [bool(genres(a) & genres(b)) for a in FILMS for b in FILMS if a is not b]
    assert np.mean(shared) > 2 * np.mean(chance)


def test_an_item_is_not_its_own_neighbour_and_the_nearest_comes_first(terms: Terms) -> None:
    product = (terms.matrix @ terms.matrix.T).toarray()
    for code, found in zip(range(5), terms.alike(range(5), 10), strict=True):
        assert code not in found
        assert len(set(found.tolist())) == len(found) <= 10
        scores = product[code, found]
        assert (np.diff(scores) <= 1e-6).all()
        others = np.delete(product[code], code)
        assert scores[0] == pytest.approx(others.max(), abs=1e-6)


def test_terms_of_one_item_only_and_stop_words_are_left_out(terms: Terms) -> None:
    texts = [set(re.findall("[a-z]+", f"{film.title} {film.text[:400]}".lower())) for film in FILMS]
    counted = Counter(word for words in texts for word in words)
    assert all(counted[name] > 1 for name in terms.names if "=" not in name)
    assert sum("=" not in name for name in terms.names) > 10
    assert not {"about", "their", "which"} & set(terms.names)
    assert attribute_term("director", "Sergio Leone") in terms.names


def test_words_that_most_items_have_say_nothing() -> None:
    items = [Item(id=str(i), title=f"The common story {'rare' * (i < 2)} {i}") for i in range(200)]
    assert build_terms(enumerate(items), 200).names == ["rare"]


def test_saved_terms_are_the_same(terms: Terms, tmp_path: Path) -> None:
    terms.save(tmp_path / "terms.npz")
    again = Terms.load(tmp_path / "terms.npz")
    assert again.names == terms.names
    assert (again.matrix != terms.matrix).nnz == 0
    assert [a.tolist() for a in again.alike([3, 1], 4)] == [a.tolist() for a in terms.alike([3, 1], 4)]


def test_items_without_terms_have_no_neighbours(tmp_path: Path) -> None:
    nothing = build_terms(enumerate([Item(id="1", title="A"), Item(id="2", title="B")]), 2)
    assert [found.tolist() for found in nothing.alike([0, 1], 3)] == [[], []]
    nothing.save(tmp_path / "none.npz")
    assert Terms.load(tmp_path / "none.npz").names == []


def test_frequent_terms_are_looked_up_in_some_of_their_items_only() -> None:
    items = [
        Item(id=str(i), title=str(i), attributes={"genre": "all", "maker": str(i // 2)}) for i in range(3000)
    ]
    terms = build_terms(enumerate(items), len(items))
    assert [found[0] for found in terms.alike([0, 1000, 2999], 1)] == [1, 1001, 2998]
    assert np.diff(terms._lookup().indptr).max() <= 400
