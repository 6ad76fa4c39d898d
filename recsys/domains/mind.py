"""MIND: news articles and what was clicked among what was shown."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from recsys.catalog import Interaction, Item
from recsys.domains.account import Account
from recsys.domains.base import Dataset, Edition
from recsys.domains.layouts import find_files, find_in_folders, separated
from recsys.domains.positive import PositiveRule
from recsys.domains.ratings import NO_TIME
from recsys.domains.source import Files, Source
from recsys.domains.text import lines
from recsys.domains.values import clean, unix_time

_SPLITS = ("train", "dev", "valid", "test")
_SPLIT = re.compile("|".join(_SPLITS))


class Mind(Dataset):
    """Articles with category and abstract; of the splits that lie side by side, all are read, oldest first.

    A click has the time of its impression. A user's history has no times; of a later split it gives only
    what no earlier one has.
    """

    name = "mind"
    domain = "news"
    positive = "clicked"
    rule = PositiveRule(least={"click": None})
    signals = ("click",)
    editions = (
        Edition(
            "MIND",
            {
                "news": separated("news.tsv", r".*news.*\.tsv", "\t", r"\S+", 5),
                "behaviors": separated("behaviors.tsv", r".*behaviors.*\.tsv", "\t", r"\S+", 5),
            },
        ),
    )

    @classmethod
    def recognise(cls, source: Source) -> tuple[Edition, Files] | None:
        """The splits of one size: of small and large side by side the one with more splits, or large."""
        edition = cls.editions[0]
        sizes: defaultdict[str, dict[str, Files]] = defaultdict(dict)
        for folder, inside in find_in_folders(source, edition.roles).items():
            sizes[_SPLIT.sub("*", folder.lower())][folder] = inside
        if not sizes:
            files = find_files(source, edition.roles)
            return (edition, files) if files else None
        size = max(sizes, key=lambda name: (len(sizes[name]), "large" in name, -len(name)))
        splits = [sizes[size][folder] for folder in sorted(sizes[size], key=_age)]
        return edition, {role: tuple(files[role][0] for files in splits) for role in edition.roles}

    def __init__(
        self, source: Source, edition: Edition, files: Files, positive: PositiveRule | None = None
    ) -> None:
        super().__init__(source, edition, files, positive)
        if len(files["behaviors"]) > 1:
            folders = ", ".join(member.folder for member in files["behaviors"])
            self._accounts["files"].note(f"splits read, in this order: {folders}")

    def _items(self, account: Account) -> Iterator[Item]:
        earlier: set[str] = set()
        for member in self.files["news"]:
            here: set[str] = set()
            for line in lines(member, account):
                fields = line.split("\t")
                if len(fields) < 5 or not fields[0].strip():
                    account.dropped["article row that cannot be read"] += bool(line.strip())
                    continue
                article = fields[0].strip()
                if article in earlier:
                    account.dropped["article that an earlier split has"] += 1
                    continue
                here.add(article)
                topics = {"category": clean(fields[1]), "subcategory": clean(fields[2])}
                if item := self._item(
                    account,
                    article,
                    fields[3],
                    text=fields[4],
                    attributes={name: value for name, value in topics.items() if value},
                    url=fields[5] if len(fields) > 5 and fields[5].startswith("https://") else None,
                ):
                    yield item
            earlier |= here

    def _interactions(self, account: Account) -> Iterator[Interaction]:
        """Each user's history once, without times, then the clicks of the impressions."""
        histories: dict[str, int] = {}
        seen = _Pairs() if len(self.files["behaviors"]) > 1 else None
        for member in self.files["behaviors"]:
            for line in lines(member, account):
                fields = line.split("\t")
                if len(fields) < 5 or not (user := fields[1].strip()):
                    account.dropped["impression row that cannot be read"] += bool(line.strip())
                    continue
                history = hash(fields[3])
                if histories.get(user) != history:  # it is the same in all impressions of a user in a split
                    histories[user] = history
                    articles = fields[3].split()
                    for article in seen.unknown(user, articles) if seen else articles:
                        yield Interaction(user, article, "click")
                for article in _clicked(fields[4], account):
                    time = _seconds(fields[2])
                    if time is None:
                        account.altered[NO_TIME] += 1
                    if seen:
                        seen.add(user, article)
                    yield Interaction(user, article, "click", 1.0, time)
            if seen:
                seen.end_split()


class _Pairs:
    """Users with what they clicked, 8 bytes each. That an article is taken for a known one and left out has a
    probability of about 10^-12."""

    def __init__(self) -> None:
        self._earlier = np.zeros(0, dtype=np.int64)
        self._now = array("q")

    def add(self, user: str, article: str) -> None:
        self._now.append(hash((user, article)))

    def unknown(self, user: str, articles: Sequence[str]) -> list[str]:
        """The articles that are in no earlier split; they are added."""
        keys = np.array([hash((user, article)) for article in articles], dtype=np.int64)
        self._now.frombytes(keys.tobytes())
        at = np.searchsorted(self._earlier, keys)
        at[at == len(self._earlier)] = 0
        known = self._earlier[at] == keys if len(self._earlier) else np.zeros(len(keys), dtype=bool)
        return [article for article, old in zip(articles, known.tolist(), strict=True) if not old]

    def end_split(self) -> None:
        self._earlier = np.unique(np.concatenate([self._earlier, np.frombuffer(self._now, dtype=np.int64)]))
        self._now = array("q")


def _clicked(shown: str, account: Account) -> Iterator[str]:
    for entry in shown.split():
        article, _, label = entry.rpartition("-")
        if not article:
            account.dropped["shown article without a label (test split)"] += 1
        elif label == "1":
            yield article
        elif label != "0":
            account.dropped["shown article with a label that is neither 0 nor 1"] += 1


def _age(folder: str) -> tuple[int, str]:
    """The order of the splits: what was clicked in training comes before the rest."""
    found = _SPLIT.search(folder.lower())
    return (_SPLITS.index(found[0]) if found else -1, folder)


def _seconds(when: str) -> int | None:
    """The time of `11/15/2019 9:05:58 AM`, or as `unix_time` reads it."""
    try:
        date, clock, half = when.split()
        month, day, year = map(int, date.split("/"))
        hour, minute, second = map(int, clock.split(":"))
        hour = hour % 12 + 12 * ("AM", "PM").index(half.upper())
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        return unix_time(when)
