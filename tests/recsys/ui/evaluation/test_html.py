from __future__ import annotations

import json
import re
from html import unescape

import pytest

from recsys.evaluation.job import Progress
from recsys.evaluation.methods.registry import METHODS
from recsys.evaluation.report import (
    AnswerResult,
    Cost,
    Difference,
    MethodResult,
    Report,
    SampledResult,
)
from recsys.ui.evaluation import html
from recsys.ui.evaluation.figures import TEAL, Mark, forest_plot

HOSTILE = "<img src=x onerror=alert()>"


def method(name: str, ndcg: float, p: float | None, **changes: object) -> MethodResult:
    against = p is not None and Difference(difference=0.02, interval=(0.01, 0.03), p=p, p_holm=p)
    metrics = ("hr@1", "hr@5", "hr@10", "hr@50", "ndcg@10", "mrr", "coverage", "gini")
    values = dict.fromkeys(metrics, ndcg) | {"intra_list_similarity": 0.5, "popular_share": None}
    return MethodResult.model_validate(
        {
            "method": name,
            "zero_shot": True,
            **values,
            "median_rank": 1234,
            "intervals": dict.fromkeys(values, (0.0, 1.0)),
            "sampled": {
                "99 random": SampledResult(
                    candidates=100, **{"hr@1": 0.1, "hr@5": 0.2, "ndcg@10": 0.3, "mrr": 0.4}
                )
            },
            "cost": Cost(ms_p50=1.5, ms_p95=2.5),
            "against_default": against or None,
            **changes,
        }
    )


@pytest.fixture
def report() -> Report:
    answers = AnswerResult(
        answers=7, names_item=0.5, exists=0.25, in_history=0.1, own_language=1.0, words=31.5,
        repeated=0.0, distinct=1.0,
    )  # fmt: skip
    methods = (
        method("default", 0.16, None),
        method("last", 0.1, 0.0001),
        method("ease", 0.2, 0.7, zero_shot=False),
        method("hyde", 0.05, 0.02, answers=answers),
        method(HOSTILE, 0.01, 0.5),
    )
    return Report.model_validate(
        {
            "dataset": HOSTILE, "domain": "films", "users": 5, "items": 1000, "protocol": HOSTILE,
            "notes": (HOSTILE,), "seed": 0, "embedder": "e", "model": HOSTILE,
            "created": "2026-11-25T00:00:00Z", "methods": methods,
        }
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ko"])
def test_nothing_of_a_report_is_code(report: Report, language: str) -> None:
    progress = Progress(state="failed", error=HOSTILE, method=HOSTILE, stage="ranking", methods=2)
    found = {"last": Difference(difference=0.1, interval=(0, 0.2), p=0.5, p_holm=0.9)}
    shown = [
        html.verdict_html(report, language),
        html.results_html(report, language),
        html.lists_html(report, language),
        html.answers_html(report, language),
        html.reports_html([(HOSTILE, report)], language),
        html.comparison_html(HOSTILE, "b", {**found, HOSTILE: found["last"]}, language),
        html.progress_html(HOSTILE, progress, language),
        html.progress_html("x", progress.model_copy(update={"state": "running"}), language),
    ]
    assert all("<img" not in part for part in shown)
    assert "&lt;img" in shown[0]


def test_the_verdict_says_what_is_better_and_what_is_not(report: Report) -> None:
    said = unescape(re.sub(r"<[^>]*>", " ", html.verdict_html(report, "en")))
    assert "16.0% of the people" in said
    assert "Chance would give 1.0%" in said
    assert "significantly better than: Last item, Answer alone (HyDE)." in said
    assert "these, which have learnt from this dataset's users: EASE." in said


def test_the_best_method_comes_first_and_the_default_is_marked(report: Report) -> None:
    table = html.results_html(report, "en")
    names = re.findall(r"<code>(.*?)</code>", table)
    assert names[:3] == ["ease", "default", "last"]
    assert table.count("zs-own") == 1
    assert "EASE *" in table
    assert "≤ 0.0001" in table


def test_what_answers_are_like_is_shown_where_there_are_any(report: Report) -> None:
    assert "31.5" in html.answers_html(report, "en")
    alone = report.model_copy(update={"methods": report.methods[:2]})
    assert "31.5" not in html.answers_html(alone, "en")


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_name(name: str, language: str) -> None:
    assert html.method_name(name, language) != name


def test_a_plot_has_its_rows_in_order_with_their_intervals() -> None:
    marks = [
        Mark("a", 0.5, 0.4, 0.7, "one", TEAL),
        Mark("b", 0.2, 0.1, 0.3, "two", "#000"),
        Mark("c", 0, 0, 0, "one", TEAL),
    ]
    plot = forest_plot(marks, "NDCG@10", zero=True)
    assert plot is not None
    figure = json.loads(plot.plot)
    assert figure["layout"]["yaxis"]["categoryarray"] == ["c", "b", "a"]
    first = figure["data"][0]
    assert (first["x"], first["y"]) == ([0.5, 0], ["a", "c"])
    assert first["error_x"]["array"] == pytest.approx([0.2, 0])
    assert first["error_x"]["arrayminus"] == pytest.approx([0.1, 0])
    assert forest_plot([], "NDCG@10") is None
