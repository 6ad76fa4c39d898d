"""Lists in which items are less alike: maximal marginal relevance, and near-duplicates as one."""

from __future__ import annotations

import re

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from recsys.catalog import Item
from recsys.retrieval.embedders import Vectors
from recsys.retrieval.item_matrix import Ints, unit
from recsys.retrieval.keywords import Scores

_EDITION = re.compile(r"\W+")


class DiversitySettings(BaseModel):
    """`mmr` is how much likeness to items already chosen counts against an item's score (0: not at all).

    Of two items with the same title whose centred vectors have a cosine of `duplicate` or more, only the
    better one is kept; above 1 both always are. `depth` items are looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mmr: float = Field(default=0.0, ge=0.0, le=1.0)
    duplicate: float = Field(default=2.0, ge=0.0, le=2.0)
    depth: int = Field(default=100, ge=1)


def diverse(
    items: tuple[Item, ...], chosen: Ints, scores: Scores, vectors: Vectors, settings: DiversitySettings
) -> Ints:
    """The positions `chosen` (best first) without near-duplicates, in the order of marginal relevance.

    `scores` (items,) and centred `vectors` (items, dimension) are the catalogue's. The score is scaled to
    0..1 over `chosen`; each next item has the highest (1 - mmr) * score - mmr * likeness to what was taken
    (a cosine, 0 at least).
    Carbonell and Goldstein, "The Use of MMR", SIGIR 1998.
    """
    rows = unit(vectors[chosen])
    alike = rows @ rows.T
    kept = _without_duplicates(items, chosen, alike, settings.duplicate)
    if settings.mmr == 0.0 or len(kept) < 2:
        return chosen[kept]
    relevance = scores[chosen] - np.min(scores[chosen])
    relevance = relevance / max(float(np.max(relevance)), 1e-9)
    left, taken = list(kept), list[int]()
    while left:
        likeness = np.max(alike[np.ix_(left, taken)], axis=1, initial=0.0)
        marginal = (1 - settings.mmr) * relevance[left] - settings.mmr * likeness
        taken.append(left.pop(int(np.argmax(marginal))))
    return chosen[taken]


def _without_duplicates(items: tuple[Item, ...], chosen: Ints, alike: Vectors, duplicate: float) -> list[int]:
    kept: list[int] = []
    for place, position in enumerate(chosen.tolist()):
        title = title_key(items[position])
        same = (other for other in kept if alike[place, other] >= duplicate)
        if not any(title_key(items[int(chosen[other])]) == title for other in same):
            kept.append(place)
    return kept


def title_key(item: Item) -> str:
    """What items of one title have in common, whatever their case and punctuation."""
    return _EDITION.sub(" ", item.title.casefold()).strip()
