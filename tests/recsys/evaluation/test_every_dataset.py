"""Every dataset in its native layout, small, with few people, and with next to nothing in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from recsys.domains.registry import DATASETS
from recsys.errors import InputError
from recsys.evaluation.load import load_cases, recognise_cases
from recsys.evaluation.methods.registry import usual_methods
from recsys.evaluation.run import evaluate
from recsys.evaluation.workbench import Workbench
from recsys.retrieval.embedders import Embedder

TITLES = [f"{word} {n}" for n in range(1, 5) for word in ("Garden", "Harbour", "Rocket")]
DAY = 86_400
START = 1_500_000_000

Likes = Sequence[tuple[int, int]]
"""Who liked which item, in the order of time."""


def rows(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def objects(path: Path, values: Sequence[object]) -> None:
    rows(path, [json.dumps(value) for value in values])


def mind(folder: Path, titles: Sequence[str], likes: Likes) -> None:
    rows(folder / "news.tsv", [f"N{n}\tsports\tgolf\t{t}\tAbout.\t\t[]\t[]" for n, t in enumerate(titles)])
    lines = []
    for row, (user, item) in enumerate(likes):
        time = f"11/{11 + row // 600}/2019 {9 + row // 60 % 3}:{row % 60:02d}:00 AM"
        lines.append(f"{row}\tU{user}\t{time}\t\tN{item}-1 N{(item + 1) % len(titles)}-0")
    rows(folder / "behaviors.tsv", lines)


def amazon(folder: Path, titles: Sequence[str], likes: Likes, name: str = "All_Beauty") -> None:
    objects(folder / f"meta_{name}.json", [{"asin": f"B{n}", "title": t} for n, t in enumerate(titles)])
    reviews = [
        {"overall": 5.0, "reviewerID": f"A{u}", "asin": f"B{i}", "unixReviewTime": START + DAY * n}
        for n, (u, i) in enumerate(likes)
    ]
    objects(folder / f"{name}_5.json", reviews)


def amazon_music(folder: Path, titles: Sequence[str], likes: Likes) -> None:
    amazon(folder, titles, likes, "Digital_Music")


def yelp(folder: Path, titles: Sequence[str], likes: Likes) -> None:
    places = [
        {"business_id": f"b{n}", "name": t, "city": "Reno", "state": "NV", "stars": 4.0, "review_count": 5,
         "is_open": 1, "attributes": None, "categories": "Cafes", "address": "", "hours": None}
        for n, t in enumerate(titles)
    ]  # fmt: skip
    objects(folder / "yelp_academic_dataset_business.json", places)
    reviews = [
        {"review_id": f"r{n}", "user_id": f"u{u}", "business_id": f"b{i}", "stars": 5.0, "useful": 0,
         "funny": 0, "cool": 0, "text": "Good.",
         "date": f"2018-{1 + n // 28 % 12:02d}-{1 + n % 28:02d} 10:00:00"}
        for n, (u, i) in enumerate(likes)
    ]  # fmt: skip
    objects(folder / "yelp_academic_dataset_review.json", reviews)


def anime(folder: Path, titles: Sequence[str], likes: Likes) -> None:
    head = ["anime_id,name,genre,type,episodes,rating,members"]
    rows(folder / "anime.csv", head + [f"{n},{t},Drama,TV,12,8.1,100" for n, t in enumerate(titles)])
    rows(folder / "rating.csv", ["user_id,anime_id,rating", *(f"{u},{i},9" for u, i in likes)])


def books(folder: Path, titles: Sequence[str], likes: Likes) -> None:
    head = ["book_id,goodreads_book_id,authors,title"]
    rows(folder / "books.csv", head + [f"{n},{n},A. Writer,{t}" for n, t in enumerate(titles)])
    rows(folder / "ratings.csv", ["user_id,book_id,rating", *(f"{u},{i},5" for u, i in likes)])


def movielens(folder: Path, titles: Sequence[str], likes: Likes) -> None:
    films = [f"{n},{t} (19{70 + n}),Drama" for n, t in enumerate(titles)]
    rows(folder / "movies.csv", ["movieId,title,genres", *films])
    acts = [f"{u},{i},5.0,{START + DAY * n}" for n, (u, i) in enumerate(likes)]
    rows(folder / "ratings.csv", ["userId,movieId,rating,timestamp", *acts])


def steam(folder: Path, titles: Sequence[str], likes: Likes) -> None:
    rows(folder / "steam-200k.csv", [f'{u},"{titles[i]}",play,12.0,0' for u, i in likes])


def catalog(folder: Path, titles: Sequence[str], likes: Likes) -> None:
    rows(folder / "items.csv", ["id,title,text", *(f"{n},{t},About {t}." for n, t in enumerate(titles))])
    rows(folder / "acts.csv", ["user,item", *(f"{u},{i}" for u, i in likes)])


WRITERS: dict[str, Callable[[Path, Sequence[str], Likes], None]] = {
    "mind": mind, "amazon-music": amazon_music, "yelp": yelp, "anime": anime, "books": books,
    "movielens": movielens, "steam": steam, "amazon": amazon, "catalog": catalog,
}  # fmt: skip


def likes_of(users: int, items: int, each: int) -> list[tuple[int, int]]:
    """Everybody's likes in turns, so that people overlap in time."""
    rng = np.random.default_rng(4)
    orders = [rng.permutation(items)[:each].tolist() for _ in range(users)]
    return [(user, orders[user][turn]) for turn in range(each) for user in range(users)]


def test_there_is_a_writer_for_every_dataset() -> None:
    assert set(WRITERS) == set(DATASETS)


@pytest.mark.parametrize("users", [1, 9])
@pytest.mark.parametrize("name", WRITERS)
def test_every_dataset_gives_a_report(tmp_path: Path, embedder: Embedder, name: str, users: int) -> None:
    WRITERS[name](tmp_path, TITLES, likes_of(users, len(TITLES), 7))
    assert recognise_cases(tmp_path).dataset == name
    data = load_cases(name, tmp_path, users=5, seed=0)
    assert 1 <= len(data.cases) <= min(users, 5)
    report = evaluate(Workbench(data, embedder), usual_methods(data)).saved.report
    assert {one.method for one in report.methods} == set(usual_methods(data))
    for one in report.methods:
        numbers = [one.ndcg_10, one.mrr, one.coverage, one.gini, one.intra_list_similarity, one.median_rank]
        assert np.isfinite(numbers).all(), one.method
        assert np.isfinite([bound for pair in one.intervals.values() for bound in pair]).all(), one.method
        assert one.median_rank <= len(data.items)


@pytest.mark.parametrize("name", WRITERS)
def test_where_nobody_liked_enough_that_is_said(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path, TITLES[:1], [(0, 0), (1, 0)])
    with pytest.raises(InputError, match=r"Nobody in .* has 3 positives and one after them"):
        load_cases(name, tmp_path, users=5, seed=0)


def test_items_alone_cannot_be_evaluated(tmp_path: Path) -> None:
    rows(tmp_path / "items.csv", ["id,title,text", "1,A,About A."])
    with pytest.raises(InputError, match="Nobody in catalog"):
        load_cases("catalog", tmp_path, users=5, seed=0)


def test_one_time_for_everything_is_no_time_to_split_by(tmp_path: Path) -> None:
    movielens(tmp_path, TITLES, likes_of(6, len(TITLES), 7))
    path = tmp_path / "ratings.csv"
    head, *acts = path.read_text(encoding="utf-8").splitlines()
    rows(path, [head, *(",".join([*act.split(",")[:3], "1500000000"]) for act in acts)])
    data = load_cases("movielens", tmp_path, users=5, seed=0)
    assert "last positive" in data.protocol
    assert "nobody has a positive after one time" in data.protocol
    with pytest.raises(InputError, match="Nobody"):
        load_cases("movielens", tmp_path, users=5, seed=0, split="time")
