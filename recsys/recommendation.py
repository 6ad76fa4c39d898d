"""What a recommendation is made of: items with their reasons, names in the answer, timings, the prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from recsys.catalog import Item
from recsys.mentions import Mention
from recsys.retrieval.highlight import Mark
from recsys.retrieval.reasons import Reason

RankedBy = Literal["", "search", "history"]
"""`search`: by the score and the words of what was asked, the answer has a say; `history`: by several signals
of a history that is mostly of the catalogue itself, the answer has none."""

CLOSE = 0.14
"""A best score (centred cosine) below this is called far. `python -m bench closeness` prints what requests
reach that the demo catalogues can answer, and others: one threshold does not part them well, so this one is
low, and the warning is seldom wrong and often missing."""


@dataclass(frozen=True, slots=True)
class RecommendedItem:
    """One real item: `chunk` is its passage nearest to what was asked and answered, `score` the cosine
    similarity of the two, centred. The order of items may follow more than the score.

    `reasons` say how near the item is to what is known, best first; `marks` are words of the chunk.
    """

    item: Item
    score: float
    chunk: str
    catalog: str = ""
    reasons: tuple[Reason, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds that each stage took; `rerank` is what a model took to order the items found."""

    generate: float = 0.0
    embed: float = 0.0
    search: float = 0.0
    rerank: float = 0.0

    @property
    def total(self) -> float:
        """The sum of the stages."""
        return self.generate + self.embed + self.search + self.rerank


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: the history as it was found in the catalogues, the query, and the model that answered.

    `system` and `instruction` are the prompt as a person reads it, `prompt` the text that the model read,
    word for word ("" without a model, or where the backend cannot tell).
    """

    catalog: str
    domain: str = ""
    history: tuple[tuple[str, Item], ...] = ()
    query: str = ""
    model: str = ""
    language: str = "en"
    system: str = ""
    instruction: str = ""
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is known so far: the answer grows, then the items come, with `done`.

    `left_out` counts the oldest history items that did not fit the model's context; `cut` is set when
    the answer ended at its token limit, `stopped` when somebody stopped it. `id` names a finished
    recommendation, for ratings of it.
    """

    answer: str = ""
    items: tuple[RecommendedItem, ...] = ()
    timings: Timings = field(default_factory=Timings)
    left_out: int = 0
    cut: bool = False
    stopped: bool = False
    done: bool = False
    asked: Asked | None = None
    mentions: tuple[Mention, ...] = ()
    ranked_by: RankedBy = ""
    id: str = ""

    @property
    def close(self) -> bool:
        """Whether anything is really near to what was asked; False is worth a warning."""
        return not self.items or max(found.score for found in self.items) >= CLOSE
