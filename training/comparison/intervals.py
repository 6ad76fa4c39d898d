"""Intervals for shares: how sure a held-out accuracy or a win rate is."""

from __future__ import annotations

import math

_Z = 1.959964


def wilson(successes: float, trials: int) -> tuple[float, float]:
    """Wilson's 95% score interval of a share (JASA 1927); half successes (ties) are allowed.

    Raises ValueError without trials.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    share, spread = successes / trials, _Z**2 / trials
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return max(0.0, middle - half), min(1.0, middle + half)
