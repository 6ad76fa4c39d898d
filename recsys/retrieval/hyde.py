"""One search vector out of what is known of a person and what the model wrote.

HyDE (Gao et al., arXiv 2212.10496) searches with the mean of the vectors of the request and of a
hypothetical answer. Here each part is centred first: the mean vector of the catalogue that it is
about is taken off. Multilingual E5 puts all texts close together (cosines of 0.75 to 0.9), and what
they share would make the same few items near to everything; centring reduces such hubs (Suzuki et
al., "Centering Similarity Measures to Reduce Hubs", EMNLP 2013), and between domains it takes out
what sets the one domain apart from the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from recsys.catalog import Item
from recsys.retrieval.embedders import Embedder, Vectors
from recsys.retrieval.index import VectorIndex
from recsys.retrieval.item_matrix import unit


class SearchWeights(BaseModel):
    """How much each part counts. The small embedded models often miss: what the person said themselves
    leads, and the answer decides between what is close to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: float = Field(default=1.0, ge=0.0)
    query: float = Field(default=1.0, ge=0.0)
    answer: float = Field(default=0.35, ge=0.0)


@dataclass(frozen=True)
class Parts:
    """What is known of a person as centred vectors: `history` (items, dimension), others (dimension,).

    `answer` is the mean of all answers.
    """

    history: Vectors | None = None
    query: Vectors | None = None
    answer: Vectors | None = None

    def combined(self, centre: Vectors, weights: SearchWeights = SearchWeights()) -> Vectors:
        """The vector to search with: shape (dimension,), length 1.

        Parts that are None or have no weight are left out, but where nothing else is left, history and
        query count whatever their weights.
        """
        said, asked = np.zeros_like(centre), np.zeros_like(centre)
        if self.history is not None:
            of_history = _unit(np.mean(self.history, axis=0))
            said += weights.history * of_history
            asked += of_history
        if self.query is not None:
            of_query = _unit(self.query)
            said += weights.query * of_query
            asked += of_query
        if self.answer is not None:
            said += weights.answer * _unit(self.answer)
        return _unit(said if said.any() else asked)


def search_parts(
    index: VectorIndex,
    embedder: Embedder,
    *,
    target: str,
    history: Sequence[tuple[str, Item]] = (),
    query: str = "",
    answer: str | Sequence[str] = "",
) -> Parts:
    """The parts of a search of the catalogue `target`.

    `history` holds (catalogue, item); an item of no catalogue ("") counts by its title. Several answers
    are averaged.
    """
    centre = index.centroid(target)
    return Parts(
        history=centred_vectors(index, embedder, history, centre) if history else None,
        query=embedder.embed_queries([query])[0] - centre if query else None,
        answer=answer_vector(embedder, [answer] if isinstance(answer, str) else answer, centre),
    )


def answer_vector(embedder: Embedder, answers: Sequence[str], centre: Vectors) -> Vectors | None:
    """The mean of the answers' centred directions: shape (dimension,); None where nothing was written."""
    texts = [text for text in answers if text]
    if not texts:
        return None
    mean: Vectors = np.mean(unit(embedder.embed_passages(texts) - centre), axis=0)
    return mean


def hyde_vector(
    index: VectorIndex,
    embedder: Embedder,
    *,
    target: str,
    history: Sequence[tuple[str, Item]] = (),
    query: str = "",
    answer: str | Sequence[str] = "",
    weights: SearchWeights = SearchWeights(),
) -> Vectors:
    """The vector to search the catalogue `target` with: shape (dimension,), length 1.

    At least one part is needed; see `search_parts` and `Parts.combined`.
    """
    parts = search_parts(index, embedder, target=target, history=history, query=query, answer=answer)
    return parts.combined(index.centroid(target), weights)


def centred_vectors(
    index: VectorIndex, embedder: Embedder, history: Sequence[tuple[str, Item]], centre: Vectors
) -> Vectors:
    """Each item's centred vector, in the order of `history`; those in a catalogue need no embedding.

    Shape (history, dimension). `centre` is taken off items of no catalogue.
    """
    by_catalog: dict[str, list[str]] = defaultdict(list)
    for catalog, item in history:
        by_catalog[catalog].append(item.id)
    known = {
        (catalog, item_id): vector - index.centroid(catalog)
        for catalog, ids in by_catalog.items()
        if catalog
        for item_id, vector in index.item_vectors(catalog, ids).items()
    }
    typed = [item.title for catalog, item in history if (catalog, item.id) not in known]
    embedded = iter(embedder.embed_queries(typed) - centre) if typed else iter(())
    return np.stack([known[key] if (key := (c, item.id)) in known else next(embedded) for c, item in history])


def _unit(vector: Vectors) -> Vectors:
    scaled: Vectors = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
    return scaled
