"""The result of an evaluation, as it is printed, saved and compared."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

Interval = tuple[float, float]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="forbid")


class SampledResult(_Model):
    """The metrics among few candidates."""

    candidates: int
    hr_1: float = Field(alias="hr@1")
    hr_5: float = Field(alias="hr@5")
    ndcg_10: float = Field(alias="ndcg@10")
    mrr: float


class AnswerResult(_Model):
    """What a language model wrote, before anything is retrieved: shares of all answers, except
    `exists`, which is of those that name an item, and the lengths, which are means.

    `in_history` is the share whose named item the person already had; `own_language` that of answers in the
    language of the history; `repeated` that of four-word sequences that were there before.
    """

    answers: int
    names_item: float
    exists: float
    in_history: float
    own_language: float
    words: float
    repeated: float
    distinct: float


class Cost(_Model):
    """Per user: milliseconds (median and 95th percentile) and tokens that the model wrote and scored."""

    ms_p50: float
    ms_p95: float
    written_tokens: float = 0.0
    scored_tokens: float = 0.0


class Difference(_Model):
    """`default` minus the method, or the first report minus the second, in NDCG@10, case by case.

    The mean, its 95% bootstrap interval, p of the permutation test, and that p after Holm's correction.
    """

    difference: float
    interval: Interval
    p: float
    p_holm: float


class MethodResult(_Model):
    """One method. `intervals` are 95% bootstrap intervals by metric. `zero_shot` is False for a method that
    has learnt from users of this dataset, itself or through a model's adapter."""

    method: str
    zero_shot: bool
    hr_1: float = Field(alias="hr@1")
    hr_5: float = Field(alias="hr@5")
    hr_10: float = Field(alias="hr@10")
    hr_50: float = Field(alias="hr@50")
    ndcg_10: float = Field(alias="ndcg@10")
    mrr: float
    median_rank: float
    coverage: float
    gini: float
    intra_list_similarity: float
    popular_share: float | None
    intervals: dict[str, Interval]
    sampled: dict[str, SampledResult]
    cost: Cost
    against_default: Difference | None = None
    answers: AnswerResult | None = None


class Report(_Model):
    """One evaluation."""

    dataset: str
    domain: str
    users: int
    items: int
    protocol: str
    notes: tuple[str, ...]
    seed: int
    embedder: str
    model: str | None
    created: datetime
    methods: tuple[MethodResult, ...]


class SavedReport(_Model):
    """A report with what is needed to compare it: each method's NDCG@10 case by case.

    `cases` is a fingerprint of users, histories and targets; two reports with the same one can be paired.
    """

    report: Report
    cases: str
    ndcg: dict[str, tuple[float, ...]]
