"""How well known an item is, as far as a language model tells: a prior where nobody's behaviour is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.retrieval.fusion import standardised
from recsys.retrieval.keywords import Scores


def familiarity(log_p: Sequence[float], tokens: Sequence[int]) -> Scores:
    """How much likelier the model finds each title than titles of as many tokens are on average.

    `log_p` are the summed logarithms of the titles' probabilities without any history. A line fitted over
    the catalogue takes the length off. Standardised: shape (items,).
    """
    lengths = np.array(tokens, dtype=np.float64)
    design = np.stack([lengths, np.ones_like(lengths)], axis=1)
    values = np.array(log_p, dtype=np.float64)
    fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return standardised((values - fitted).astype(np.float32))
