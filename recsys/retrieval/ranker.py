"""How the playground ranks a catalogue: several signals of what a person said, added up.

No signal has learnt from anybody's behaviour. The weights were chosen on people who are in no published
result; docs/results.md has what each signal adds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, overload

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from recsys.catalog import Item
from recsys.retrieval.chunks import heading
from recsys.retrieval.embedders import Vectors
from recsys.retrieval.fusion import reciprocal_rank_fusion, standardised
from recsys.retrieval.history_scores import faded_sum, fading_weights, nearest
from recsys.retrieval.item_matrix import ItemMatrix
from recsys.retrieval.keywords import KeywordIndex, Scores
from recsys.retrieval.nearness import NumberIndex, logarithm
from recsys.retrieval.series import SeriesIndex


class RankerSettings(BaseModel):
    """The weight of each signal, in standard deviations of it; 0 switches it off.

    `series` is the weight itself, since a sequel is one or none. `oldest` is the weight of the oldest item
    against 1 of the last in the vectors' max-similarity; `fade` and `series_fade` are the factors per item
    further back for words and numbers, and for series. `prior` is the weight of the logarithm of the
    numeric attribute `prior_attribute`, such as a number of ratings or the year, where the catalogue has it.
    `fusion` adds standardised scores, or reciprocal ranks with the same weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: float = Field(default=1.0, ge=0.0)
    query: float = Field(default=1.0, ge=0.0)
    answer: float = Field(default=0.0, ge=0.0)
    keywords: float = Field(default=0.4, ge=0.0)
    numbers: float = Field(default=0.6, ge=0.0)
    series: float = Field(default=4.0, ge=0.0)
    oldest: float = Field(default=0.4, ge=0.0, le=1.0)
    fade: float = Field(default=0.6, gt=0.0, le=1.0)
    series_fade: float = Field(default=0.8, gt=0.0, le=1.0)
    prior: float = Field(default=0.0, ge=0.0)
    prior_attribute: str = ""
    fusion: Literal["zscore", "rrf"] = "zscore"


@dataclass(frozen=True)
class Wanted:
    """What is known of a person. Vectors have the mean of what they are about taken off already.

    `history_vectors` has shape (history, dimension), the others (dimension,).
    """

    history: tuple[Item, ...] = ()
    history_vectors: Vectors | None = None
    query: str = ""
    query_vector: Vectors | None = None
    answer_vectors: tuple[Vectors, ...] = field(default=())


@dataclass(frozen=True)
class _Signal:
    """One number an item, (items,); `scaled` to a standard deviation of 1 before it is added."""

    weight: float
    scores: Scores
    scaled: bool = True


class CatalogRanker:
    """One catalogue in memory. Safe to read from several threads."""

    def __init__(self, items: Sequence[Item], matrix: ItemMatrix) -> None:
        self.items = tuple(items)
        self.matrix = matrix

    def prepare(self) -> None:
        """Make now what is otherwise made at its first use."""
        _ = (self.places, self.keywords, self.series, self.numbers)
        self.matrix.prepare()

    @cached_property
    def places(self) -> dict[str, int]:
        """Each item's place in `items`, by its id."""
        return {item.id: place for place, item in enumerate(self.items)}

    @cached_property
    def keywords(self) -> KeywordIndex:
        """The words of titles, attributes and texts."""
        return KeywordIndex(_Texts(self.items))

    @cached_property
    def series(self) -> SeriesIndex:
        """The items by series."""
        return SeriesIndex([item.title for item in self.items])

    @cached_property
    def numbers(self) -> NumberIndex:
        """Years and the like."""
        return NumberIndex(self.items)

    def scores(self, wanted: Wanted, settings: RankerSettings = RankerSettings()) -> Scores:
        """One number an item, higher is better: shape (items,)."""
        signals = [s for s in self._signals(wanted, settings) if s.weight]
        if settings.fusion == "rrf" and signals:
            return reciprocal_rank_fusion([s.scores for s in signals], [s.weight for s in signals])
        total = np.zeros(len(self.items), dtype=np.float32)
        for signal in signals:
            total += signal.weight * (standardised(signal.scores) if signal.scaled else signal.scores)
        return total

    def _signals(self, wanted: Wanted, settings: RankerSettings) -> Iterator[_Signal]:
        """What there is to add up; what has no weight is not computed."""
        if wanted.history:
            yield from self._of_history(wanted, settings)
        if wanted.query_vector is not None and settings.query:
            yield _Signal(settings.query, self.matrix.centred_cosines(wanted.query_vector[None])[0])
            if settings.keywords:
                yield _Signal(settings.query * settings.keywords, self.keywords.scores([wanted.query]))
        if wanted.answer_vectors and settings.answer:
            answers = self.matrix.centred_cosines(np.stack(wanted.answer_vectors))
            yield _Signal(settings.answer, np.mean(answers, axis=0))
        if settings.prior:
            yield _Signal(settings.prior, logarithm(self.items, settings.prior_attribute))

    def _of_history(self, wanted: Wanted, settings: RankerSettings) -> Iterator[_Signal]:
        history = wanted.history
        fading = fading_weights(len(history), settings.fade).tolist()
        if settings.history and wanted.history_vectors is not None:
            similarities = self.matrix.centred_cosines(wanted.history_vectors)
            yield _Signal(settings.history, nearest(similarities, settings.oldest))
        if settings.keywords:
            yield _Signal(settings.keywords, self.word_scores(history, settings.fade))
        if settings.numbers:
            yield _Signal(settings.numbers, self.numbers.scores(history, fading))
        if settings.series:
            recent = fading_weights(len(history), settings.series_fade).tolist()
            series = self.series.scores([item.title for item in history], recent)
            yield _Signal(settings.series, series, scaled=False)

    def word_scores(self, history: Sequence[Item], fade: float) -> Scores:
        """BM25 of each item's words, as a share of the best that they reach, added up with fading weights.

        Without the share, an item with many rare words would count for more than the others.
        """
        found = [self.keywords.scores([words_of(item)]) for item in history]
        shares = [scores / max(float(np.max(scores)), 1e-9) for scores in found]
        return faded_sum(np.stack(shares), fade)


class _Texts(Sequence[str]):
    """What BM25 reads of items, made when it is asked for."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [words_of(item) for item in self._items[place]]
        return words_of(self._items[place])


def words_of(item: Item) -> str:
    """The text of an item that BM25 reads: what the embedder reads, uncut."""
    return f"{heading(item)}\n{item.text}".strip()
