from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from recsys.prompts.formats import PromptFormat
from tests.training.support import make_row
from training.data.pair_checks import CUT_OFF, NEARLY_IDENTICAL, REPEATING, alike, is_cut_off, repeats
from training.data.pairs import parse_pairs, prepare_pairs
from training.data.splits import Prepared

LONG = "".join(f"word{n} " for n in range(70))


def words(texts: Sequence[str]) -> list[list[int]]:
    return [[hash(word) for word in text.split()] for text in texts]


def answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def prepared(*changed: dict[str, Any]) -> Prepared[Any]:
    """The changed rows behind two sound ones."""
    rows = [make_row(0), make_row(1), *(make_row(n, **row) for n, row in enumerate(changed, 2))]
    return prepare_pairs(
        parse_pairs(rows),
        PromptFormat(style="plain"),
        words,
        max_length=1000,
        held_out=0,
        seed=0,
        near_identical=0.95,
        max_score=15,
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {
                "chosen": answer("A quiet novel about the sea and its people."),
                "rejected": answer("A quiet novel about the sea and its people!"),
            },
            NEARLY_IDENTICAL,
        ),
        ({"rejected_finish": "length"}, CUT_OFF),
        ({"chosen": answer(LONG + "and then")}, CUT_OFF),
        ({"rejected": answer("films " * 40 + "."), "rejected_finish": "stop"}, REPEATING),
    ],
)
def test_pairs_that_teach_noise_are_left_out_and_counted(changes: dict[str, Any], reason: str) -> None:
    ready = prepared(changes)
    assert ready.dropped == {reason: 1}
    assert len(ready.train) == 2


def test_sound_pairs_stay() -> None:
    ready = prepared({"chosen": answer("노래가 좋다")}, {"chosen": answer(LONG + "the end.")})
    assert ready.dropped == {}
    assert len(ready.train) == 4


@pytest.mark.parametrize(
    ("text", "tokens", "cut"),
    [
        ("They will want a novel", 20, False),
        ("They will want a novel", 90, True),
        ("They will want a novel.", 90, False),
        ("They will want “The Old Man and the Sea.”", 90, False),
        ("다음에는 바다 이야기를 원할 것입니다", 90, False),
        ("다음에는 바다 이야기를", 90, True),
    ],
)
def test_an_answer_without_an_end_counts_as_cut_off_when_it_is_long(
    text: str, tokens: int, cut: bool
) -> None:
    assert is_cut_off(text, tokens, None) is cut
    assert is_cut_off(text, tokens, "length")
    assert not is_cut_off(text, tokens, "stop")


def test_alike_is_a_share() -> None:
    assert alike("sea", "sea") == 1
    assert alike("sea", "xyz") == 0
    assert 0.9 < alike("a quiet sea novel", "a quiet sea novel!") < 1


def test_repeats_is_the_score_of_the_instruction_data() -> None:
    assert repeats([1, 2] * 10, 15)
    assert not repeats(list(range(60)), 15)
    assert not repeats([1] * 60, math.inf)
