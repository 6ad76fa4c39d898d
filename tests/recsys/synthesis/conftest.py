"""Small sources in native layouts, and jobs on them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from recsys.settings import Settings
from recsys.synthesis.config import SynthesisConfig, parse_config

_GENRES = ["Drama", "Comedy", "Sci-Fi", "Crime", "Romance", "War"]


def write_films(folder: Path, users: int = 60, films: int = 50, each: int = 14) -> Path:
    """A MovieLens csv edition of made-up films."""
    draw = random.Random(0)
    folder.mkdir(parents=True)
    lines = ["movieId,title,genres"]
    for number in range(1, films + 1):
        genres = "|".join(draw.sample(_GENRES, 2))
        lines.append(f'{number},"Film Number {number:02d}, The ({1950 + number})",{genres}')
    (folder / "movies.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = ["userId,movieId,rating,timestamp"]
    for user in range(1, users + 1):
        for place, film in enumerate(draw.sample(range(1, films + 1), each)):
            rows.append(f"{user},{film},{draw.choice(['4.0', '5.0', '4.5', '2.0'])},{user * 1000 + place}")
    (folder / "ratings.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def write_games(folder: Path, users: int = 40, games: int = 30, each: int = 9) -> Path:
    """Steam video games: titles only, no times."""
    draw = random.Random(1)
    folder.mkdir(parents=True)
    rows = [
        f'{user},"Game of {game:02d} Lanterns",play,{draw.randint(2, 50)}.0,0'
        for user in range(users)
        for game in draw.sample(range(games), each)
    ]
    (folder / "steam-200k.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `films` (MovieLens) and `games` (Steam)."""
    root = tmp_path_factory.mktemp("sources")
    write_films(root / "films")
    write_games(root / "games")
    return root


@pytest.fixture
def config(sources: Path) -> SynthesisConfig:
    """A small job over both."""
    return parse_config(
        {
            "sources": [
                {"dataset": "movielens", "path": str(sources / "films"), "share": 3},
                {"dataset": "steam", "path": str(sources / "games"), "share": 1},
            ],
            "examples": 120,
            "preference": 12,
            "test": 8,
            "shard_rows": 25,
            "histories": {"k_core": 2},
        },
        "test",
    )


@pytest.fixture(scope="session")
def home() -> Settings:
    """The settings of the user's own home: the tokenizer's file is made there once."""
    return Settings()
