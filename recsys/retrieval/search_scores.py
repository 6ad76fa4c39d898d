"""How a catalogue is ranked for somebody whose history is of other catalogues, or who only asks.

The search vector (`recsys.retrieval.hyde`) says what they and the answer are about, and BM25 over what they
named or typed adds the words themselves. Older items of the history count for as much as the last: what
somebody liked elsewhere has no next part here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.retrieval.embedders import Vectors
from recsys.retrieval.fusion import standardised
from recsys.retrieval.keywords import Scores
from recsys.retrieval.ranker import CatalogRanker, RankerSettings

KEYWORDS = RankerSettings().keywords
"""The weight of the words against 1 of the search vector, as for a history of the catalogue itself."""


def search_scores(
    ranker: CatalogRanker, vector: Vectors, texts: Sequence[str], keywords: float = KEYWORDS
) -> Scores:
    """One number an item of the ranker's catalogue, higher is better: shape (items,).

    `vector` (dimension,) is centred; `texts` are those of the history's items and the query. Each text
    counts as a share of its own best, so that a long one does not drown the others.
    """
    scores = standardised(ranker.matrix.centred_cosines(vector[None])[0])
    if keywords and texts:
        found = [ranker.keywords.scores([text]) for text in texts]
        shares = [each / max(float(np.max(each)), 1e-9) for each in found]
        scores += keywords * standardised(np.sum(shares, axis=0, dtype=np.float32))
    return scores
