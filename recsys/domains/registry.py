"""The datasets by name."""

from __future__ import annotations

from pathlib import Path

from recsys.domains.amazon import Amazon, AmazonMusic
from recsys.domains.anime import Anime
from recsys.domains.base import Dataset
from recsys.domains.books import Books
from recsys.domains.mind import Mind
from recsys.domains.movielens import MovieLens
from recsys.domains.steam import Steam
from recsys.domains.yelp import Yelp
from recsys.errors import InputError

DATASETS: dict[str, type[Dataset]] = {
    dataset.name: dataset for dataset in (Mind, AmazonMusic, Yelp, Anime, Books, MovieLens, Steam, Amazon)
}


def open_dataset(name: str, path: Path) -> Dataset:
    """The dataset called `name` under `path`; raises InputError for another name, and what `open` raises."""
    if name not in DATASETS:
        raise InputError(reason=f"There is no dataset called {name!r}; there are {', '.join(DATASETS)}.")
    return DATASETS[name].open(path)
