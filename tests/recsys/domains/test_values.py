"""Numbers, times and titles."""

from __future__ import annotations

import pytest

from recsys.domains.values import clean, number, unix_time, unmove_article


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (964982703, 964982703),
        ("964982703", 964982703),
        ("964982703.75", 964982703),
        (9.64982703e8, 964982703),
        (964982703123, 964982703),
        ("964982703123456", 964982703),
        (964982703123456789, 964982703),
        ("2000-07-30", 964915200),
        ("2000-07-30 18:45:03", 964982703),
        ("2000-07-30T18:45:03.123456Z", 964982703),
        ("2000-07-31T03:45:03+09:00", 964982703),
        ("20000730", 964915200),
        (20000730, 964915200),
        (1, 1),
        (0, None),
        ("0", None),
        (-5, None),
        ("-5", None),
        ("1969-12-31", None),
        (8e9, None),
        ("2300-01-01", None),
        ("nan", None),
        ("inf", None),
        (1e300, None),
        ("", None),
        (None, None),
        (True, None),
        ("yesterday", None),
        ([1], None),
        ("99999999", 99999999),
    ],
)
def test_times_in_seconds_and_what_is_none(written: object, seconds: int | None) -> None:
    assert unix_time(written) == seconds


@pytest.mark.parametrize("written", ["nan", "inf", "", "x", None, True, [], "1,5"])
def test_what_is_no_number(written: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        number(written)


@pytest.mark.parametrize(
    ("moved", "title"),
    [
        ("Matrix, The", "The Matrix"),
        ("Avventura, L'", "L'Avventura"),
        ("Avventura, L’", "L’Avventura"),
        ("Good, the Bad and the Ugly, The", "The Good, the Bad and the Ugly"),
        ("Me, Myself & Irene", "Me, Myself & Irene"),
        ("Vierde man, De", "De Vierde man"),
        (", The", ", The"),
        ("The", "The"),
    ],
)
def test_articles(moved: str, title: str) -> None:
    assert unmove_article(moved) == title


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Steins&amp;#039;s\t Gate\u0000 ", "Steins's Gate"),
        ("no\u00a0break\u2028line\x85", "no break line"),
        ("AT&T", "AT&T"),
        ("\ufeffmark", "mark"),
        ("half \ud83d", "half"),
        ("한국어 제목", "한국어 제목"),
        ("   ", ""),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
