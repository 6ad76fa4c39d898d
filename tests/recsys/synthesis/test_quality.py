"""Which responses are kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.synthesis.quality import (
    SKETCH,
    QualityRules,
    mentions,
    near_duplicates,
    problem,
    quality_score,
    sketch,
)

TEXT = "This person likes slow films about memory, and a quiet drama comes next. It is Past Lives."


@given(st.lists(st.integers(0, 20), max_size=200))
def test_score_is_the_formula(tokens: list[int]) -> None:
    length, distinct = len(tokens), len(set(tokens))
    expected = math.log(length) * length / distinct if length else 0.0
    assert quality_score(tokens) == pytest.approx(expected)


def test_score_of_nothing_and_of_one_token_is_zero() -> None:
    assert quality_score([]) == 0.0
    assert quality_score([7]) == 0.0


def test_repetition_reaches_the_threshold_and_variety_does_not() -> None:
    assert quality_score([1, 2, 3, 4] * 10) >= 15
    assert quality_score(list(range(160))) < 15


@given(st.lists(st.integers(0, 5), min_size=2, max_size=50))
def test_repeating_a_text_raises_its_score(tokens: list[int]) -> None:
    assert quality_score(tokens * 2) > quality_score(tokens)


def check(text: str, *, title: str = "Past Lives", language: str = "en", tokens: int = 30) -> str | None:
    ids = list(range(tokens))
    score = quality_score(ids)
    return problem(text, title=title, language=language, tokens=ids, score=score, rules=QualityRules())


def test_good_text_is_kept() -> None:
    assert check(TEXT) is None


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("too short", {"tokens": 15}),
        ("target missing", {"title": "Aftersun"}),
        ("wrong language", {"language": "ko"}),
    ],
)
def test_reason_is_named(expected: str, changes: dict[str, object]) -> None:
    assert check(TEXT, **changes) == expected  # type: ignore[arg-type]


def test_score_at_the_threshold_is_out() -> None:
    rules = QualityRules(max_score=5.0)
    arguments = {"title": "Past Lives", "language": "en", "tokens": list(range(20)), "rules": rules}
    assert problem(TEXT, score=5.0, **arguments) == "score"  # type: ignore[arg-type]
    assert problem(TEXT, score=4.999, **arguments) is None  # type: ignore[arg-type]


def test_english_title_does_not_make_korean_text_english() -> None:
    title = "The Lord of the Rings: The Fellowship of the Ring"
    text = f"긴 여정을 좋아하니 모험 영화가 좋습니다. {title}입니다."
    assert check(text, title=title, language="ko") is None


@pytest.mark.parametrize(
    ("text", "title", "found"),
    [
        ("It is Up.", "Up", True),
        ("Look upward", "Up", False),
        ("그것은 Up입니다", "Up", True),
        ("마침내 ‘Past  lives’를", "Past Lives", True),
        ("C'est M*A*S*H!", "M*A*S*H", True),
        ("", "Up", False),
    ],
)
def test_title_is_found_as_whole_words(text: str, title: str, found: bool) -> None:
    assert mentions(text, title) is found


def test_near_duplicates_are_found_and_the_first_is_kept() -> None:
    words = [f"word{i}" for i in range(80)]
    first = " ".join(words)
    nearly = " ".join([*words[:79], "other"])
    different = " ".join(f"else{i}" for i in range(80))
    rows = np.stack([sketch(t) for t in (first, different, nearly, first)])
    assert rows.shape == (4, SKETCH)
    assert near_duplicates(rows, 0.8).tolist() == [False, False, True, True]


VARIED = [" ".join(f"{letter}{i}" for i in range(5, 40)) for letter in "abcd"]


@given(st.lists(st.sampled_from(VARIED), max_size=30))
def test_every_text_keeps_one_row(texts: list[str]) -> None:
    rows = np.stack([sketch(t) for t in texts]) if texts else np.zeros((0, SKETCH), np.uint32)
    again = near_duplicates(rows, 1.0)
    kept = [text for text, dropped in zip(texts, again, strict=True) if not dropped]
    assert set(kept) == set(texts)
    assert len(kept) == len(set(kept))


def test_short_texts_without_a_common_run_are_not_alike() -> None:
    one, other = sketch("a quiet drama comes next"), sketch("ein anderes Buch folgt nun")
    assert (one == other).mean() < 0.1


def test_sketches_estimate_the_similarity_of_texts() -> None:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(100):
        common = [f"c{i}" for i in rng.integers(0, 10**6, 40)]
        one, other = (" ".join([*common, *(f"w{i}" for i in rng.integers(0, 10**6, 10))]) for _ in range(2))
        sets = [{tuple(t.split()[i : i + 3]) for i in range(48)} for t in (one, other)]
        exact = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
        errors.append((sketch(one) == sketch(other)).mean() - exact)
    assert abs(float(np.mean(errors))) < 0.03


def test_more_rows_never_change_what_earlier_rows_became() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, (200, SKETCH)).astype(np.uint32)
    whole = near_duplicates(rows, 0.5)
    assert (near_duplicates(rows[:120], 0.5) == whole[:120]).all()
