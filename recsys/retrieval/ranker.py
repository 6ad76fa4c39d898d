"""How the playground ranks a catalogue: several signals of what a person said, added up.

No signal has learnt from anybody's behaviour. The weights were chosen on people who are in no published
result; docs/results.md has what each signal adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from recsys.catalog import Item
from recsys.retrieval.chunks import heading
from recsys.retrieval.diversity import DiversitySettings, diverse
from recsys.retrieval.embedders import Vectors
from recsys.retrieval.fusion import standardised
from recsys.retrieval.history_scores import faded_sum, fading_weights, nearest
from recsys.retrieval.item_matrix import ItemMatrix
from recsys.retrieval.keywords import KeywordIndex, Scores
from recsys.retrieval.likelihood import candidates
from recsys.retrieval.nearness import NumberIndex, logarithm
from recsys.retrieval.series import SeriesIndex


class RankerSettings(BaseModel):
    """The weight of each signal, in standard deviations of it; 0 switches it off.

    `series` is the weight itself, since a sequel is one or none. `oldest` is the weight of the oldest item
    against 1 of the last in the vectors' max-similarity; `fade` and `series_fade` are the factors per item
    further back for words and numbers, and for series. `prior` is the weight of the logarithm of the
    numeric attribute `prior_attribute`, such as a number of ratings or the year, where the catalogue has it.
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
    prior: float = 0.0
    prior_attribute: str = ""
    diversity: DiversitySettings = DiversitySettings()


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


class CatalogRanker:
    """One catalogue in memory. Safe to read from several threads."""

    def __init__(self, items: Sequence[Item], matrix: ItemMatrix) -> None:
        self.items = tuple(items)
        self.matrix = matrix

    @cached_property
    def keywords(self) -> KeywordIndex:
        """The words of titles, attributes and texts."""
        return KeywordIndex([words_of(item) for item in self.items])

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
        total = np.zeros(len(self.items), dtype=np.float32)
        if wanted.history and wanted.history_vectors is not None and settings.history:
            similarities = self.matrix.centred_cosines(wanted.history_vectors)
            total += settings.history * standardised(nearest(similarities, settings.oldest))
            total += self._beside_vectors(wanted.history, settings)
        if wanted.query_vector is not None and settings.query:
            found = self.matrix.centred_cosines(wanted.query_vector[None])[0]
            total += settings.query * standardised(found)
            total += settings.query * settings.keywords * standardised(self.keywords.scores([wanted.query]))
        if wanted.answer_vectors and settings.answer:
            answers = self.matrix.centred_cosines(np.stack(wanted.answer_vectors))
            total += settings.answer * standardised(np.mean(answers, axis=0))
        if settings.prior:
            total += settings.prior * standardised(logarithm(self.items, settings.prior_attribute))
        return total

    def best(
        self,
        wanted: Wanted,
        k: int,
        exclude: frozenset[str] = frozenset(),
        settings: RankerSettings = RankerSettings(),
    ) -> list[Item]:
        """The `k` best items, best first, without those whose ids are in `exclude` and near-duplicates."""
        scores = self.scores(wanted, settings)
        left_out = [number for number, item in enumerate(self.items) if item.id in exclude]
        depth = max(settings.diversity.depth, 2 * k)
        chosen = candidates(scores, depth, left_out)
        centred = self.matrix.item_vectors - self.matrix.centre
        found = diverse(self.items, chosen, scores, centred, settings.diversity)
        return [self.items[number] for number in found[:k].tolist()]

    def _beside_vectors(self, history: Sequence[Item], settings: RankerSettings) -> Scores:
        total = np.zeros(len(self.items), dtype=np.float32)
        fading = fading_weights(len(history), settings.fade).tolist()
        if settings.keywords:
            total += settings.keywords * standardised(self.word_scores(history, settings.fade))
        if settings.numbers:
            total += settings.numbers * standardised(self.numbers.scores(history, fading))
        if settings.series:
            recent = fading_weights(len(history), settings.series_fade).tolist()
            total += settings.series * self.series.scores([item.title for item in history], recent)
        return total

    def word_scores(self, history: Sequence[Item], fade: float) -> Scores:
        """BM25 of each item's words, as a share of the best that they reach, added up with fading weights.

        Without the share, an item with many rare words would count for more than the others.
        """
        found = [self.keywords.scores([words_of(item)]) for item in history]
        shares = [scores / max(float(np.max(scores)), 1e-9) for scores in found]
        return faded_sum(np.stack(shares), fade)


def words_of(item: Item) -> str:
    """The text of an item that BM25 reads: what the embedder reads, uncut."""
    return f"{heading(item)}\n{item.text}".strip()
