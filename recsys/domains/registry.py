"""The datasets by name."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from recsys.domains.amazon import Amazon, AmazonMusic
from recsys.domains.anime import Anime
from recsys.domains.base import Dataset
from recsys.domains.books import Books
from recsys.domains.catalog import Catalog
from recsys.domains.mind import Mind
from recsys.domains.movielens import MovieLens
from recsys.domains.positive import PositiveRule
from recsys.domains.source import Source
from recsys.domains.steam import Steam
from recsys.domains.yelp import Yelp
from recsys.errors import DatasetFormatError, InputError, OtherDatasetError

DATASETS: dict[str, type[Dataset]] = {
    dataset.name: dataset
    for dataset in (Mind, AmazonMusic, Yelp, Anime, Books, MovieLens, Steam, Amazon, Catalog)
}


def open_dataset(name: str, path: Path, positive: PositiveRule | None = None) -> Dataset:
    """The dataset called `name` under `path`, with the documented rule of what is positive or another.

    Raises InputError for another name or a rule it cannot have, DatasetFileError for what cannot be read,
    OtherDatasetError where the path is another dataset, and DatasetFormatError where it is none.
    """
    if name not in DATASETS:
        raise InputError(reason=f"There is no dataset called {name!r}; there are {', '.join(DATASETS)}.")
    wanted = DATASETS[name]
    source = Source(path)
    if known := wanted.recognise(source):
        return wanted(source, *known, positive)
    details = {"name": name, "path": path, "expected": wanted.expected(), "found": source.found()}
    others = [other.name for other in DATASETS.values() if other.recognise(source)]
    if others:
        others = [other for other in others if other != Catalog.name] or others  # which is nearly anything
        raise OtherDatasetError(other=" or ".join(others), **details)
    raise DatasetFormatError(**details)


class Description(BaseModel):
    """A dataset before it is opened: its editions with the files of each and what is positive in terms of signals."""

    name: str
    domain: str
    editions: dict[str, str]
    signals: tuple[str, ...]
    positive: str
    rules: dict[str, PositiveRule]


def description(name: str) -> Description:
    """What there is to know of the dataset called `name`."""
    dataset = DATASETS[name]
    return Description(
        name=name,
        domain=dataset.domain,
        editions={edition.name: edition.expected() for edition in dataset.editions},
        signals=dataset.signals,
        positive=dataset.positive,
        rules={edition.name: edition.rule or dataset.rule for edition in dataset.editions},
    )
