from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.domains.registry import open_dataset
from recsys.errors import InputError
from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.splits import split_dataset


def _rows(folder: Path) -> list[tuple[str, str, float, int]]:
    lines = (folder / "ratings.csv").read_text(encoding="utf-8").splitlines()[1:]
    return [(u, i, float(r), int(t)) for u, i, r, t in (line.split(",") for line in lines)]


def test_last_positive_is_the_target_and_ten_before_it_the_history(
    data: EvaluationData, movielens: Path
) -> None:
    assert len(data.cases) == 40
    for case in data.cases:
        liked = [i for u, i, r, _ in _rows(movielens) if u == case.user and r >= 4]
        assert [data.items[case.targets[0]].id] == liked[-1:]
        assert [data.items[n].id for n in case.history] == liked[-11:-1]
    assert data.same_catalogue
    assert data.known.sum() == sum(len(_liked(movielens, user)) - 1 for user in range(40))


def _liked(movielens: Path, user: int) -> list[str]:
    return [i for u, i, r, _ in _rows(movielens) if u == str(user) and r >= 4]


def test_time_split_trains_on_what_was_before_every_target(movielens: Path) -> None:
    data = split_dataset(open_dataset("movielens", movielens), users=8, seed=0)
    assert "global time split" in data.protocol
    times = {(u, i): t for u, i, _, t in _rows(movielens)}
    targets = [times[case.user, data.items[case.targets[0]].id] for case in data.cases]
    trained = int(data.known.sum())
    before = sorted(t for (_, _, r, t) in _rows(movielens) if r >= 4)[:trained]
    assert max(before) < min(targets)
    assert 0.5 <= trained / len([r for r in _rows(movielens) if r[2] >= 4]) <= 0.81
    assert len(data.cases) == 8


def test_cut_moves_earlier_for_more_people_but_not_before_half(movielens: Path) -> None:
    few = split_dataset(open_dataset("movielens", movielens), users=5, seed=0, split="time")
    many = split_dataset(open_dataset("movielens", movielens), users=1000, seed=0, split="time")
    assert len(many.cases) > 8
    assert many.known.sum() < few.known.sum()
    assert many.known.sum() >= 0.5 * 480


def test_users_are_drawn_with_the_seed(movielens: Path) -> None:
    def users(seed: int) -> list[str]:
        data = split_dataset(open_dataset("movielens", movielens), users=10, seed=seed, split="last")
        return [case.user for case in data.cases]

    assert users(1) == users(1) != users(2)
    assert len(set(users(1))) == 10


def test_source_without_times_is_declared(tmp_path: Path) -> None:
    (tmp_path / "books.csv").write_text(
        "book_id,goodreads_book_id,authors,title\n" + "".join(f"{n},{n},A,Book {n}\n" for n in range(6)),
        encoding="utf-8",
    )
    rows = "".join(f"{user},{book},5\n" for user in range(3) for book in np.roll(range(6), user))
    (tmp_path / "ratings.csv").write_text("user_id,book_id,rating\n" + rows, encoding="utf-8")
    data = split_dataset(open_dataset("books", tmp_path), users=5, seed=0)
    assert "no times" in data.protocol
    assert [data.items[case.targets[0]].id for case in data.cases] == ["5", "4", "3"]
    with pytest.raises(InputError, match="no times"):
        split_dataset(open_dataset("books", tmp_path), users=5, seed=0, split="time")


def test_nobody_with_enough_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n1,A (1990),Drama\n", encoding="utf-8")
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,5,10\n", encoding="utf-8")
    with pytest.raises(InputError, match="Nobody"):
        split_dataset(open_dataset("movielens", tmp_path), users=5, seed=0)
