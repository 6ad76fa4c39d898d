"""Endpoints of the evaluation tab: start, watch and stop evaluations, read and compare their reports."""

from __future__ import annotations

from typing import Any

import gradio as gr
from typing_extensions import TypedDict

from recsys.access import Access, Role
from recsys.domains.sources import SourceFolder
from recsys.evaluation.jobs import EvaluationStore
from recsys.evaluation.methods.registry import METHODS
from recsys.evaluation.request import requested_evaluation
from recsys.evaluation.store import compare_reports
from recsys.llm.pool import ModelPool
from recsys.ui.page import Texts


class EvaluationListed(TypedDict):
    """One evaluation; `has_report` is set once it can be read and compared."""

    name: str
    state: str
    has_report: bool


class MethodPayload(TypedDict):
    """One method; `group` is "simple", "in-domain" (learns from users of the dataset) or "model"."""

    method: str
    group: str


class EvaluationPayload(TypedDict):
    """How far an evaluation is: `done` of `total` users or texts of the stage, `finished` of `methods`."""

    state: str
    stage: str
    method: str
    done: int
    total: int
    finished: int
    methods: int
    eta_s: float | None
    error: str


class DifferencePayload(TypedDict):
    """NDCG@10 of the first report minus the second, case by case: mean, 95% interval, p, p after Holm."""

    method: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


def register(
    evaluations: EvaluationStore, sources: SourceFolder, pool: ModelPool, access: Access, page: Texts
) -> None:
    """Add these endpoints to the Blocks that are being built."""

    @page.shown
    def evaluation_methods() -> list[MethodPayload]:
        """The methods that can be evaluated."""
        return [{"method": name, "group": spec.group} for name, spec in METHODS.items()]

    @page.shown
    def list_evaluations(request: gr.Request) -> list[EvaluationListed]:
        """All evaluations, newest first."""
        access.require(request.username, Role.RESEARCHER)
        there = set(evaluations.reports.names())
        return [
            {"name": name, "state": evaluations.progress(name).state, "has_report": name in there}
            for name in evaluations.names()
        ]

    @page.shown
    def start_evaluation(config: dict[str, Any], request: gr.Request) -> dict[str, str]:
        """Start one; `config` has `source`, and may have dataset, methods, users, seed, split, history,
        model."""
        access.require(request.username, Role.RESEARCHER)
        return {"evaluation": evaluations.start(requested_evaluation(config, sources, pool.check_reference))}

    @page.shown
    def evaluation(name: str, request: gr.Request) -> EvaluationPayload:
        """How far an evaluation is."""
        access.require(request.username, Role.RESEARCHER)
        return _payload(evaluations, name)

    @page.shown
    def stop_evaluation(name: str, request: gr.Request) -> EvaluationPayload:
        """Let an evaluation end after the user in work; methods that are finished are reported."""
        access.require(request.username, Role.RESEARCHER)
        evaluations.stop(name, wait_s=3.0)
        return _payload(evaluations, name)

    @page.shown
    def evaluation_report(name: str, request: gr.Request) -> dict[str, Any]:
        """The report of an evaluation, as `python -m recsys evaluate --json` prints it."""
        access.require(request.username, Role.RESEARCHER)
        return evaluations.finished(name).report.model_dump(mode="json", by_alias=True)

    @page.shown
    def compare_evaluations(first: str, second: str, request: gr.Request) -> list[DifferencePayload]:
        """The methods of two reports of the same users, with paired tests."""
        access.require(request.username, Role.RESEARCHER)
        found = compare_reports(evaluations.finished(first), evaluations.finished(second))
        return [
            {
                "method": method,
                "difference": one.difference,
                "low": one.interval[0],
                "high": one.interval[1],
                "p": one.p,
                "p_holm": one.p_holm,
            }
            for method, one in found.items()
        ]

    gr.api(evaluation_methods, api_name="evaluation_methods")
    gr.api(list_evaluations, api_name="evaluations")
    gr.api(start_evaluation, api_name="start_evaluation", concurrency_limit=1)
    gr.api(evaluation, api_name="evaluation")
    gr.api(stop_evaluation, api_name="stop_evaluation")
    gr.api(evaluation_report, api_name="evaluation_report")
    gr.api(compare_evaluations, api_name="compare_evaluations", concurrency_limit=2)


def _payload(evaluations: EvaluationStore, name: str) -> EvaluationPayload:
    found = evaluations.progress(name)
    return {
        "state": found.state,
        "stage": found.stage,
        "method": found.method,
        "done": found.done,
        "total": found.total,
        "finished": found.finished,
        "methods": found.methods,
        "eta_s": found.eta_s,
        "error": found.error,
    }
