"""Values in a grammar's text: capitals, articles, verbs and particles."""

from __future__ import annotations

import pytest

from recsys.synthesis.filling import fill


@pytest.mark.parametrize(
    ("pattern", "values", "text"),
    [
        (
            "a {kind} film. it is a {kind} one? yes.",
            {"kind": "epic"},
            "An epic film. It is an epic one? Yes.",
        ),
        ("a {kind} film", {"kind": "unique"}, "A unique film"),
        (
            "a {kind} article and a {other} one",
            {"kind": "NFL", "other": "US news"},
            "An NFL article and a US news one",
        ),
        ("a {kind} album", {"kind": "R&B"}, "An R&B album"),
        ("{genres} it is. {genres}!", {"genres": "drama"}, "Drama it is. Drama!"),
        ("see {title}. it fits.", {"title": "“Toradora! it ends”"}, "See “Toradora! it ends”. It fits."),
        ("the name: {title} fits", {"title": "“a book”"}, "The name: “a book” fits"),
        ("see {title}", {"title": "<start> {title} [s] [을/를]"}, "See <start> {title} [s] [을/를]"),
    ],
)
def test_english(pattern: str, values: dict[str, str], text: str) -> None:
    assert fill(pattern, values) == text


def test_verbs_agree_with_the_nearest_person() -> None:
    values = {"fan": "viewer"}
    assert fill("this {fan} like[s] it. they like[s] it.", values) == "This viewer likes it. They like it."
    assert (
        fill("they [has/have] it, and this person [has/have] it", {})
        == "They have it, and this person has it"
    )


@pytest.mark.parametrize(
    ("pattern", "value", "text"),
    [
        ("{t}[을/를] 봅니다.", "〈Heat〉", "〈Heat〉를 봅니다."),
        ("{t}[은/는] {t}[이라/라]고", "〈Alien〉", "〈Alien〉은 〈Alien〉이라고"),
        ("{t}[으로/로] 좁혀집니다", "〈Castle〉", "〈Castle〉로 좁혀집니다"),
        ("{t}[을/를]", "〈책 (상)[을/를]〉", "〈책 (상)[을/를]〉을"),
    ],
)
def test_particles_follow_values(pattern: str, value: str, text: str) -> None:
    assert fill(pattern, {"t": value}) == text


def test_search_phrases_keep_their_small_letters() -> None:
    assert fill("a {t} film", {"t": "slow"}, sentences=False) == "a slow film"
