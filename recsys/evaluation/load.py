"""Any dataset by its name as cases."""

from __future__ import annotations

from pathlib import Path

from recsys.domains.recognise import Recognised, recognise
from recsys.domains.registry import DATASETS, open_dataset
from recsys.errors import InputError
from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.korean_news import ARTICLES, HEADLINES, read_korean_news
from recsys.evaluation.korean_news import NAME as KOREAN_NEWS
from recsys.evaluation.splits import Split, split_dataset


def evaluation_names() -> tuple[str, ...]:
    """What `load_cases` knows."""
    return (*DATASETS, KOREAN_NEWS)


def recognise_cases(path: Path) -> Recognised:
    """Which of `evaluation_names` lies under `path`, when nobody says; nothing is raised."""
    if (path / HEADLINES).is_file() and (path / ARTICLES).is_file():
        return Recognised(KOREAN_NEWS, "klue")
    return recognise(path)


def load_cases(name: str, path: Path, *, users: int, seed: int, split: Split = "auto") -> EvaluationData:
    """At most `users` cases of the dataset called `name` under `path`; see `split_dataset`.

    Raises InputError, DatasetFileError, DatasetFormatError.
    """
    if name == KOREAN_NEWS:
        if split == "time":
            raise InputError(reason="Korean news has neither users nor times to split by.")
        return read_korean_news(path, users=users, seed=seed)
    if name not in DATASETS:
        raise InputError(reason=f"There is no dataset {name!r}; there are {', '.join(evaluation_names())}.")
    return split_dataset(open_dataset(name, path), users=users, seed=seed, split=split)
