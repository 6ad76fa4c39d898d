"""Datasets of any size in native layouts, drawn at random: for measuring without the real ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recsys.catalog import Item

_SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "ren",
    "ta",
    "su",
    "vel",
    "do",
    "na",
    "pir",
    "os",
    "el",
    "gan",
    "thu",
    "bri",
    "mar",
]
_GENRES = ["Drama", "Comedy", "Action", "Thriller", "Romance", "Sci-Fi", "Horror", "Crime", "Fantasy", "War"]
_KINDS = ["Kitchen", "Garden", "Audio", "Toys", "Office", "Sports", "Beauty", "Tools", "Pets", "Books"]


def movielens(folder: Path, *, users: int, items: int, ratings: int, seed: int = 0) -> None:
    """`ratings.csv` and `movies.csv`; popularity follows a power law."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    names = _titles(rng, items)
    with open(folder / "movies.csv", "w", encoding="utf-8") as file:
        file.write("movieId,title,genres\n")
        for number, name in enumerate(names, 1):
            genres = "|".join(rng.choice(_GENRES, size=rng.integers(1, 4), replace=False))
            file.write(f'{number},"{name} ({1950 + number % 70})",{genres}\n')
    with open(folder / "ratings.csv", "w", encoding="utf-8") as file:
        file.write("userId,movieId,rating,timestamp\n")
        for begin in range(0, ratings, 1_000_000):
            size = min(1_000_000, ratings - begin)
            people = rng.integers(1, users + 1, size)
            films = _popular(rng, items, size) + 1
            stars = rng.choice([2.0, 3.0, 4.0, 4.5, 5.0], size)
            times = rng.integers(900_000_000, 1_600_000_000, size)
            rows = zip(people.tolist(), films.tolist(), stars.tolist(), times.tolist(), strict=True)
            file.writelines(f"{u},{i},{s},{t}\n" for u, i, s, t in rows)


def amazon_2018(folder: Path, *, users: int, items: int, reviews: int, seed: int = 0) -> None:
    """Gzipped reviews and products with categories, brand, price and a description of 30 words."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    words = np.array(_titles(rng, 4_000, parts=1))
    brands = _titles(rng, 500, parts=1)
    names = _titles(rng, items)
    with gzip.open(folder / "meta_Things.json.gz", "wt", encoding="utf-8", compresslevel=1) as file:
        for number, name in enumerate(names):
            text = " ".join(words[_popular(rng, len(words), 30)]).lower()
            categories = [str(kind) for kind in rng.choice(_KINDS, size=3, replace=False)]
            record = {
                "asin": f"B{number:09d}",
                "title": name,
                "brand": brands[number % len(brands)],
                "category": ["Things", *categories],
                "price": f"${rng.integers(3, 300)}.99",
                "description": [f"{text[:1].upper()}{text[1:]}."],
            }
            file.write(json.dumps(record) + "\n")
    with gzip.open(folder / "Things.json.gz", "wt", encoding="utf-8", compresslevel=1) as file:
        people, things = rng.integers(0, users, reviews), _popular(rng, items, reviews)
        stars, times = rng.integers(3, 6, reviews), rng.integers(1_000_000_000, 1_500_000_000, reviews)
        for u, i, s, t in zip(people.tolist(), things.tolist(), stars.tolist(), times.tolist(), strict=True):
            file.write(
                f'{{"overall": {s}.0, "verified": true, "reviewerID": "A{u:011d}", "asin": "B{i:09d}", '
                f'"reviewText": "Fine.", "unixReviewTime": {t}}}\n'
            )


def made_up_items(count: int, *, start: int = 0) -> Iterator[Item]:
    """Items with a title, a year, a genre and 60 words of text; the same number is always the same item."""
    words = _titles(np.random.default_rng(0), 4_000, parts=1)
    for number in range(start, count):
        rng = np.random.default_rng(number)
        drawn = [words[place] for place in _popular(rng, len(words), 63)]
        yield Item(
            id=f"made-{number}",
            title=f"{' '.join(drawn[:3])} {number}",
            text=f"{' '.join(drawn[3:])}.".capitalize(),
            domain="films",
            attributes={"year": int(rng.integers(1950, 2026)), "genre": str(rng.choice(_GENRES))},
        )


def _titles(rng: np.random.Generator, count: int, parts: int = 3) -> list[str]:
    """Made-up names, all different."""
    names: dict[str, None] = {}
    while len(names) < count:
        sizes = rng.integers(2, 5, parts)
        names.setdefault(" ".join("".join(rng.choice(_SYLLABLES, size)).title() for size in sizes))
        if parts == 1 and len(names) < count and len(names) % 7 == 0:
            names.setdefault("".join(rng.choice(_SYLLABLES, 5)).title())
    return list(names)[:count]


def _popular(rng: np.random.Generator, size: int, count: int) -> np.ndarray:
    """Indices below `size`; a few are drawn much more often than most."""
    return np.minimum((size * rng.random(count) ** 2.5).astype(np.int64), size - 1)
