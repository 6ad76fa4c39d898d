"""How the domains are spoken of."""

from __future__ import annotations

import pytest

from recsys.demos import DOMAINS
from recsys.synthesis.words import counted, load_words, number_word


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("domain", [*DOMAINS, "cheese"])
def test_every_domain_has_its_words(domain: str, language: str) -> None:
    words = load_words(domain, language)
    needed = {"one", "many", "done", "next", "noun", "fan", "do", "doing"}
    needed |= {"unit", "did", "and"} if language == "ko" else set()
    assert all(words.values()[name] for name in needed)


@pytest.mark.parametrize(
    ("domain", "english", "korean"),
    [
        ("films", "watch", "볼"),
        ("news", "read", "읽을"),
        ("music", "listen to", "들을"),
        ("places", "visit", "갈"),
        ("shopping", "buy", "살"),
        ("games", "play", "할"),
    ],
)
def test_things_are_done_as_people_say(domain: str, english: str, korean: str) -> None:
    assert load_words(domain, "en").do == english
    assert load_words(domain, "ko").do == korean


@pytest.mark.parametrize(
    ("domain", "count", "english", "korean"),
    [
        ("films", 3, "three films", "영화 세 편"),
        ("books", 4, "four books", "책 네 권"),
        ("music", 10, "ten albums", "음반 열 장"),
        ("places", 1, "one place", "장소 한 곳"),
        ("news", 20, "20 news articles", "기사 20 건"),
    ],
)
def test_things_are_counted_with_their_counter(domain: str, count: int, english: str, korean: str) -> None:
    assert counted(count, load_words(domain, "en")) == english
    assert counted(count, load_words(domain, "ko")) == korean


def test_numbers_in_letters_up_to_eighteen() -> None:
    assert [number_word(n, "en") for n in (0, 5, 18, 19)] == ["zero", "five", "eighteen", "19"]
    assert number_word(3, "ko") == "셋"
    assert number_word(3, "ko", counting=True) == "세"
