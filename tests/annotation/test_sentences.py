"""Answers that ended at their length limit keep their whole sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.sentences import whole_sentences


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("They like westerns. Unforgiven fits. It has an old", "They like westerns. Unforgiven fits."),
        (
            "서부극을 좋아합니다. 용서받지 못한 자가 어울립니다. 늙은 총",
            "서부극을 좋아합니다. 용서받지 못한 자가 어울립니다.",
        ),
        ('She said "go!" and then we', ""),
        ('They chose "Heat." Then they', 'They chose "Heat."'),
        ("It is by J. R. R. Tolkien and so it", ""),
        ("A calm film of 3.5 hours with no", ""),
        ("Yes. " + "and so on " * 20, ""),
        ("no end at all", ""),
        ("", ""),
    ],
)
def test_the_last_whole_sentence_ends_the_answer(text: str, whole: str) -> None:
    assert whole_sentences(text) == whole


@given(st.text(max_size=300))
def test_what_is_kept_is_the_beginning_and_kept_again(text: str) -> None:
    kept = whole_sentences(text)
    assert text.startswith(kept)
    assert whole_sentences(kept) == kept
