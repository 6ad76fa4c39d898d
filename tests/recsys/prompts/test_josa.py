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
