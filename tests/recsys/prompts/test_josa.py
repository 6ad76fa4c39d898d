"""Korean particles."""

from __future__ import annotations

import pytest

from recsys.prompts.josa import attach_particles


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("영화[을/를]", "영화를"),
        ("책[을/를]", "책을"),
        ("〈기생충〉[은/는] 좋다", "〈기생충〉은 좋다"),
        ("‘매트릭스’[과/와] ‘인셉션’[이/가]", "‘매트릭스’와 ‘인셉션’이"),
        ("서울[으로/로] 부산[으로/로] 제주[으로/로]", "서울로 부산으로 제주로"),
        ("1997[이에요/예요] 1986[이에요/예요] 1995[이에요/예요]", "1997이에요 1986이에요 1995예요"),
        ("Batman[을/를] Matrix[을/를] King[은/는]", "Batman을 Matrix를 King은"),
        ("TV[이/가] FILM[이/가]", "TV가 FILM이"),
        ("책 (상)[이라/라] 한다", "책 (상)이라 한다"),
        ("[REC] 표시는 그대로 [a/b]", "[REC] 표시는 그대로 [a/b]"),
        ("", ""),
    ],
)
def test_particle_follows_the_sound_before_it(pattern: str, text: str) -> None:
    assert attach_particles(pattern) == text


SAID = """
Matrix를 Alien을 Fargo를 Heat를 Titanic을 Batman을 King을 Up을 Shrek을 Dark를 Black을 Castle을
Game을 Time을 Line을 Stone을 Gone을 Love를 Life를 Fire를 People을 Apple을 Smile을 Robot을 Rocket을
Secret을 Night를 Lost를 Gift를 Cat을 Shot을 Cut을 Out을 Boat를 Great를 Root를 Book을 Look을 Park를
Mask를 Tank를 Break를 Week를 Sleep을 Trap을 Camp를 Help를 Group을 Hope를 Club을 Tomb을 Dog를 Red를
Music을 Born을 Film을 Design을 League를 Blue를 Cake를 Place를 Kids를 Wolf를 Jazz를 Fox를 Youth를
Beach를 Now를 Story를 Vertigo를 Doctor를 Hotel을 World를 School을 Table을 Me를 One을 Home을 Crime을
Room을 Anime를 Jane을 Machine을 Escape를 Vegas를 Planet을 Street를 Fiction을 E.T.를 WALL·E를 TV를
Rumours를 Kindle을 Router를 Tent를 Kit를 Jean을 Amélie를 2010을 2012를 #3을
"""


@pytest.mark.parametrize("said", SAID.split())
def test_words_in_latin_letters_go_as_koreans_say_them(said: str) -> None:
    assert attach_particles(f"〈{said[:-1]}〉[을/를]") == f"〈{said[:-1]}〉{said[-1]}"


def test_text_before_decides_and_is_left_alone() -> None:
    assert attach_particles("[은/는] 좋다", before="[REC] 영화[을/를]") == "[REC] 영화[을/를]은 좋다"
    assert attach_particles("[은/는] 좋다", before="영화") == "영화는 좋다"
