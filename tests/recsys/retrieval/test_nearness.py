from __future__ import annotations

import pytest

from recsys.catalog import Item
from recsys.retrieval.nearness import NumberIndex


def _films(*years: int | None) -> list[Item]:
    return [
        Item(id=str(n), title=f"F{n}", attributes={"genre": "x", **({"year": y} if y else {})})
        for n, y in enumerate(years)
    ]


def test_close_years_score_high() -> None:
    films = _films(1950, 1990, 2000, 2010, None)
    scores = NumberIndex(films).scores([films[2]], [1.0])
    assert scores[2] == pytest.approx(1.0)
    assert scores[3] == scores[1] > scores[0]
    assert scores[4] == pytest.approx(NumberIndex(films).scores(_films(1995), [1.0])[4], abs=1)


def test_history_without_numbers_and_rare_attributes_add_nothing() -> None:
    films = _films(1950, 1990, 2000)
    assert not NumberIndex(films).scores([Item(id="a", title="A")], [1.0]).any()
    assert not NumberIndex(_films(1950, None, None, None)).scores(films, [1.0] * 3).any()
