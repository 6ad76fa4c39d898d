from __future__ import annotations

import numpy as np
import pytest

from recsys.retrieval.series import SeriesIndex, series_of


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("The Hunger Games (The Hunger Games, #1)", [("hunger games", 1)]),
        ("Mort (Discworld, #4; Death, #1)", [("discworld", 4), ("death", 1)]),
        ("Preludes & Nocturnes (The Sandman #1)", [("sandman", 1)]),
        ("Toy Story 2", [("toy story", 2)]),
        ("The Godfather: Part II", [("godfather", 2)]),
        ("Star Wars: Episode IV - A New Hope", [("star wars", 4)]),
        ("Rocky III", [("rocky", 3)]),
        ("Heat", []),
        ("2001", []),
        ("Ocean's Eleven", []),
        ("Blade Runner 2049", []),
    ],
)
def test_series_and_number_are_read_from_the_title(title: str, found: list[tuple[str, float]]) -> None:
    assert list(series_of(title)) == found


def test_the_sequel_comes_first_then_the_rest_of_the_series() -> None:
    titles = ["Toy Story 3", "Heat", "Toy Story", "Toy Story 2", "Toy Story 4"]
    index = SeriesIndex(titles)
    assert index.scores(["Toy Story 2"], [1.0]).tolist() == [1.0, 0.0, 0.25, 0.25, 0.5]
    assert index.scores(["Toy Story"], [0.8]).tolist() == pytest.approx([0.4, 0, 0.2, 0.8, 0.4])


def test_the_best_of_several_titles_counts() -> None:
    index = SeriesIndex(["Dune Messiah (Dune, #2)", "Emma"])
    assert index.scores(["Dune (Dune, #1)", "Emma"], [0.5, 1.0]).tolist() == [0.5, 0.0]


def test_titles_outside_any_series_add_nothing() -> None:
    assert not np.any(SeriesIndex(["Heat", "Emma"]).scores(["Heat", "Coco"], [1.0, 1.0]))
