"""Retrieved items in the order in which a language model expects them.

log p(title | history) - log p(title) says how much the history speaks for a title; the plain likelihood
would favour short and famous ones.
"""

from __future__ import annotations

from collections.abc import Collection, MutableMapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from recsys.catalog import Item
from recsys.llm.scoring import Scoring, TextScore
from recsys.retrieval.fusion import standardised
from recsys.retrieval.item_matrix import Ints
from recsys.retrieval.keywords import Scores


class RerankSettings(BaseModel):
    """`depth` items are scored. The order is by `retrieved` times their standardised score, plus `weight`
    times the standardised difference of log p(title | history) and `prior` times log p(title)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    depth: int = Field(default=30, ge=1, le=200)
    retrieved: float = Field(default=1.0, ge=0.0)
    weight: float = Field(default=0.3, gt=0.0)
    prior: float = Field(default=1.0, ge=0.0, le=1.0)


def likelihoods(
    scorer: Scoring,
    history: Sequence[Item],
    items: Sequence[Item],
    *,
    adapter: str | None = None,
    known: MutableMapping[str, TextScore] | None = None,
) -> tuple[list[TextScore], list[TextScore]]:
    """The likelihood of each item's title given the history, and alone; `known` keeps the latter from call
    to call.

    Their difference is the pointwise mutual information: what the history adds to the title, without
    the model's liking for famous or short ones (Holtzman et al., "Surface Form Competition", EMNLP 2021).
    """
    known = {} if known is None else known
    lead = "A list of things that one person liked, in order:\n"
    lines = "".join(f"{number}. {title_line(item)}\n" for number, item in enumerate(history, 1))
    texts = [f" {title_line(item)}\n" for item in items]
    given = scorer.score(f"{lead}{lines}{len(history) + 1}.", texts, adapter=adapter)
    unknown = [text for text in dict.fromkeys(texts) if text not in known]
    if unknown:
        known.update(zip(unknown, scorer.score(f"{lead}1.", unknown, adapter=adapter), strict=True))
    return given, [known[text] for text in texts]


def title_line(item: Item) -> str:
    """Title and year, as a person would write it in a list."""
    year = item.attributes.get("year")
    return f"{item.title} ({year})" if isinstance(year, int) else item.title


def candidates(scores: Scores, depth: int, left_out: Collection[int] = ()) -> Ints:
    """The positions of the `depth` best items, best first, without those in `left_out`."""
    kept = scores.copy()
    kept[list(left_out)] = -np.inf
    order = np.argsort(-kept, kind="stable")[: min(depth, len(scores) - len(set(left_out)))]
    return order.astype(np.int64)


def reranked(
    scores: Scores, chosen: Ints, given: Sequence[float], alone: Sequence[float], settings: RerankSettings
) -> Scores:
    """`scores` with the `chosen` items on top, in their new order; `given` and `alone` are the logarithms of
    their titles' probabilities with and without the history."""
    speaks = np.array(given, np.float32) - settings.prior * np.array(alone, np.float32)
    order = settings.retrieved * standardised(scores[chosen]) + settings.weight * standardised(speaks)
    result = scores.copy()
    result[chosen] = float(np.max(scores[chosen])) + 1.0 + order - float(np.min(order))
    return result
