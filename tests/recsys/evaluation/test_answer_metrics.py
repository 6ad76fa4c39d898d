from __future__ import annotations

import pytest

from recsys.catalog import Item
from recsys.evaluation.answer_metrics import answer_result, repetition
from recsys.retrieval.titles import TitleMatcher

CATALOGUE = [Item(id="a", title="Alien"), Item(id="h", title="The Handmaiden", titles={"ko": "아가씨"})]
ENGLISH = [Item(id="x", title="Heat")]
KOREAN = [Item(id="y", title="기생충", language="ko")]


def test_shares_are_counted_over_all_answers() -> None:
    written = [
        (ENGLISH, "This person likes dread. Alien fits: a crew and a creature."),
        (ENGLISH, "This person likes dread. Heat fits: two men in one city."),
        (ENGLISH, "This person likes slow and sombre stories"),
        (KOREAN, "이 사람은 긴장을 좋아한다. 《아가씨》가 어울린다."),
    ]
    found = answer_result(written, TitleMatcher(CATALOGUE))
    assert found.answers == 4
    assert found.names_item == 0.75
    assert found.exists == pytest.approx(2 / 3)
    assert found.in_history == 0.25
    assert found.own_language == 1.0
    assert found.distinct == 1.0
    assert found.repeated == 0.0
    assert found.words == pytest.approx((11 + 11 + 7 + 6) / 4)


def test_answer_in_another_language_is_noticed() -> None:
    found = answer_result([(KOREAN, "They like dread.")] * 2, TitleMatcher(CATALOGUE))
    assert (found.own_language, found.names_item, found.exists, found.distinct) == (0.0, 0.0, 0.0, 0.5)


def test_repetition_is_of_four_words() -> None:
    assert repetition("a b c d e f") == 0.0
    assert repetition("a b c d a b c d") == pytest.approx(1 / 5)
    assert repetition("so so so so so so so so") == pytest.approx(4 / 5)
    assert repetition("too short") == 0.0
