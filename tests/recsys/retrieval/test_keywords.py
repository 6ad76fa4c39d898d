from __future__ import annotations

import math

import numpy as np
import pytest

from recsys.retrieval.keywords import KeywordIndex
from recsys.retrieval.words import words

TEXTS = ["a ship in space", "space space pirates of the ship", "a garden of roses", "the quiet garden"]


def test_english_is_cut_into_words() -> None:
    assert words(["The Matrix (1999)", "", "L'Été"]) == [["the", "matrix", "1999"], [], ["l", "été"]]


def test_korean_is_cut_into_morphemes_without_particles() -> None:
    rates, rate = words(["한국은행이 기준금리를 올렸다", "기준금리"])
    assert set(rate) <= set(rates)
    assert not {"이", "를", "었", "다"} & set(rates)


def test_korean_words_meet_whatever_their_particles() -> None:
    index = KeywordIndex(["금리가 오른다", "축구 대표팀이 이겼다", "영화를 보았다"])
    assert np.argmax(index.scores(["금리는"])) == 0
    assert np.argmax(index.scores(["축구를 하는 대표팀"])) == 1


def test_scores_agree_with_the_formula() -> None:
    """Lucene's variant: idf = ln(1 + (N - n + 0.5) / (n + 0.5)), k1 = 1.5, b = 0.75."""
    split = [text.split() for text in TEXTS]
    mean = sum(map(len, split)) / len(split)

    def bm25(query: str, text: list[str]) -> float:
        total = 0.0
        for word in query.split():
            n = sum(word in other for other in split)
            tf = text.count(word)
            idf = math.log(1 + (len(split) - n + 0.5) / (n + 0.5))
            total += idf * tf / (tf + 1.5 * (1 - 0.75 + 0.75 * len(text) / mean))
        return total

    index = KeywordIndex(TEXTS)
    expected = [bm25("space garden of", text) for text in split]
    assert index.scores(["space garden of"]) == pytest.approx(expected, abs=1e-4)


def test_queries_are_weighted_and_added() -> None:
    index = KeywordIndex(TEXTS)
    both = index.scores(["space", "garden"], [1.0, 0.5])
    assert both == pytest.approx(index.scores(["space"]) + 0.5 * index.scores(["garden"]))


def test_nothing_in_common_is_zero() -> None:
    assert KeywordIndex(TEXTS).scores(["zebra", ""]).tolist() == [0, 0, 0, 0]
    assert KeywordIndex(["", " "]).scores(["zebra"]).tolist() == [0, 0]
