"""One method on all cases: ranks, metrics with their intervals, time and cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.methods.base import Method
from recsys.evaluation.metrics.coverage import coverage
from recsys.evaluation.metrics.gini import gini
from recsys.evaluation.metrics.hit_rate import hit_rate
from recsys.evaluation.metrics.intra_list import intra_list_similarity
from recsys.evaluation.metrics.ndcg import ndcg
from recsys.evaluation.metrics.popular_share import popular_items, popular_share
from recsys.evaluation.metrics.reciprocal_rank import reciprocal_rank
from recsys.evaluation.ranking import Ints, Ranked, rank_all
from recsys.evaluation.report import Cost, Interval, MethodResult, SampledResult
from recsys.evaluation.sampled import CandidateSet, Sampled
from recsys.evaluation.significance import Values, interval, median_interval
from recsys.retrieval.embedders import Vectors
from recsys.retrieval.item_matrix import unit

_LIST_RESAMPLES = 200

CASE_METRICS: dict[str, Callable[[Ints], float]] = {
    "hr@1": lambda ranks: hit_rate(ranks, 1),
    "hr@5": lambda ranks: hit_rate(ranks, 5),
    "hr@10": lambda ranks: hit_rate(ranks, 10),
    "hr@50": lambda ranks: hit_rate(ranks, 50),
    "ndcg@10": lambda ranks: ndcg(ranks, 10),
    "mrr": reciprocal_rank,
}
"""Metrics of one case, averaged over cases."""


@dataclass
class Ranking:
    """One method's rankings of all cases, and the seconds that each took."""

    full: list[Ranked] = field(default_factory=list)
    sampled: dict[str, list[Ranked]] = field(default_factory=dict)
    candidates: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def values(self, metric: str) -> Values:
        """A metric of `CASE_METRICS` for every case."""
        return _values(self.full, metric)


def rank_cases(
    data: EvaluationData,
    method: Method,
    sampled: Sampled,
    order: Ints,
    progress: Callable[[], None] = lambda: None,
    saved: Callable[[], float] = lambda: 0.0,
) -> Ranking:
    """Rank every case; `order` decides between equal scores, among few their shuffled places do.

    `saved` gives the seconds that a memory of earlier methods has saved so far; they are counted.
    """
    ranking = Ranking(sampled={protocol: [] for protocol in sampled})
    ranking.candidates = {protocol: max(len(one.items) for one in sets) for protocol, sets in sampled.items()}
    for number, case in enumerate(data.cases):
        started, before = time.perf_counter(), saved()
        scores = method.scores(case)
        ranking.seconds.append(time.perf_counter() - started + saved() - before)
        left_out = case.history if data.same_catalogue else ()
        ranking.full.append(rank_all(scores, case.targets, left_out, order))
        for protocol, sets in sampled.items():
            ranking.sampled[protocol].append(_among(scores, sets[number]))
        progress()
    return ranking


def summarise(
    data: EvaluationData, name: str, zero_shot: bool, ranking: Ranking, vectors: Vectors, seed: int
) -> MethodResult:
    """All metrics of one method; `vectors` (items, dimension) are those of the catalogue."""
    by_metric = {metric: ranking.values(metric) for metric in CASE_METRICS}
    first_ranks = np.array([ranked.ranks[0] for ranked in ranking.full], dtype=np.float64)
    alike = unit(vectors)
    similarity = np.array([intra_list_similarity(ranked.top, alike) for ranked in ranking.full])
    length = min(len(ranked.top) for ranked in ranking.full)
    lists = np.stack([ranked.top[:length] for ranked in ranking.full])
    popular = _popular(data)
    intervals = {metric: interval(values, seed) for metric, values in by_metric.items()}
    intervals["median_rank"] = median_interval(first_ranks, seed)
    intervals["intra_list_similarity"] = interval(similarity, seed)
    intervals["coverage"] = _of_lists(lists, lambda rows: coverage(rows, len(data.items)), seed)
    intervals["gini"] = _of_lists(lists, lambda rows: gini(rows, len(data.items)), seed)
    if popular is not None:
        intervals["popular_share"] = interval(np.mean(popular[lists], axis=1), seed)
    milliseconds = 1000 * np.array(ranking.seconds)
    return MethodResult.model_validate(
        {
            "method": name,
            "zero_shot": zero_shot,
            **{metric: float(np.mean(values)) for metric, values in by_metric.items()},
            "median_rank": float(np.median(first_ranks)),
            "coverage": coverage(lists, len(data.items)),
            "gini": gini(lists, len(data.items)),
            "intra_list_similarity": float(np.mean(similarity)),
            "popular_share": None if popular is None else popular_share(lists, popular),
            "intervals": intervals,
            "sampled": {
                protocol: _sampled(ranked, ranking.candidates[protocol])
                for protocol, ranked in ranking.sampled.items()
            },
            "cost": Cost(
                ms_p50=float(np.median(milliseconds)), ms_p95=float(np.quantile(milliseconds, 0.95))
            ),
        }
    )


def _values(ranked: Sequence[Ranked], metric: str) -> Values:
    return np.array([CASE_METRICS[metric](one.ranks) for one in ranked], dtype=np.float64)


def _among(scores: npt.NDArray[np.float32], chosen: CandidateSet) -> Ranked:
    order = np.zeros(len(scores), dtype=np.int64)
    places = np.array(chosen.items, dtype=np.int64)
    order[places] = np.arange(len(places))
    return rank_all(scores, [chosen.target], (), order, places)


def _sampled(ranked: Sequence[Ranked], count: int) -> SampledResult:
    means = {metric: float(np.mean(_values(ranked, metric))) for metric in ("hr@1", "hr@5", "ndcg@10", "mrr")}
    return SampledResult.model_validate({"candidates": count, **means})


def _popular(data: EvaluationData) -> npt.NDArray[np.bool_] | None:
    if data.known is None:
        return None
    return popular_items(np.asarray(data.known.sum(axis=0), dtype=np.float64).ravel())


def _of_lists(lists: Ints, metric: Callable[[Ints], float], seed: int) -> Interval:
    """A bootstrap over cases of a metric of all lists together.

    A resample repeats lists, so it always covers less of the catalogue than they do: the interval is moved
    by the difference of the resamples' mean from the metric.
    """
    rng = np.random.default_rng(seed)
    found = [metric(lists[rng.integers(0, len(lists), len(lists))]) for _ in range(_LIST_RESAMPLES)]
    low, high = np.quantile(found, [0.025, 0.975]) - np.mean(found) + metric(lists)
    return float(low), float(high)
