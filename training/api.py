"""The HTTP and MCP endpoints of this package: the functions that the tab calls, typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import gradio as gr
from typing_extensions import TypedDict

from annotation.pairs import PreferencePair, Strategy
from recsys.access import Access, Role
from recsys.errors import InputError, UnknownModelError
from recsys.i18n import error_text
from recsys.synthesis.jobs import JobStore
from recsys.ui.page import Texts
from training.comparison.blind import BlindStore
from training.config import TrainingConfig, parse_config
from training.methods import Rows
from training.preflight import preflight as look_ahead
from training.runs.status import RunStatus
from training.runs.store import RunStore


class RunPayload(TypedDict):
    """Answer of `/run`."""

    state: str
    step: int
    steps: int
    eta_s: float | None
    metrics: dict[str, float]
    adapter: str | None
    error: str | None


class RunSummary(RunPayload):
    """One of `/runs`; `checkpoint` is the step after which a run that is over can go on."""

    run_id: str
    kind: str
    name: str
    reason: str
    created: str
    checkpoint: int | None


class PreflightPayload(TypedDict):
    """Answer of `/preflight`: bytes, tokens and seconds; `problems` keep the run from being started."""

    fits: bool
    problems: list[str]
    rows: int
    held_out: int
    dropped: dict[str, int]
    truncated: int
    steps: int
    longest: int
    parameters: int
    on_gpu: bool
    memory_needed: int
    memory_free: int
    disk_needed: int
    disk_free: int
    duration_s: float | None


def register(
    store: RunStore,
    pairs: Callable[[Strategy], list[PreferencePair]],
    votes: BlindStore,
    jobs: JobStore,
    access: Access,
    page: Texts,
    models: Sequence[str],
) -> None:
    """Add this package's endpoints to the Blocks that are being built; they train on `models` only."""

    def wanted(kind: str, config: dict[str, Any]) -> tuple[TrainingConfig, Path | Rows, str | None]:
        values = dict(config)
        strategy: Strategy = values.pop("strategy", "best-worst")
        job = values.pop("job", "")
        with_votes = values.pop("votes", False) is True
        request_id = values.pop("request_id", None)
        parsed = parse_config(values, kind)
        if parsed.model not in models:
            raise UnknownModelError(name=parsed.model, known=", ".join(models))
        if kind == "dpo":
            rows = [*(pair.to_row() for pair in pairs(strategy)), *(votes.pairs() if with_votes else ())]
            return parsed, rows, request_id
        if jobs.report(str(job)) is None:
            raise InputError(reason=f"The job {job!r} is not finished. SFT needs the name of one that is.")
        return parsed, jobs.folder(str(job)) / "train.parquet", request_id

    @page.shown
    def start_training(
        kind: Literal["sft", "dpo"], config: dict[str, Any], request: gr.Request
    ) -> dict[str, str]:
        """Start DPO on the stored judgements, or SFT on the rows of a finished synthesis job.

        `config` takes the fields of DpoConfig or SftConfig, `request_id`, `strategy` and `votes` (true
        adds the votes of blind comparisons) for DPO, `job` for SFT.
        """
        access.require(request.username, Role.RESEARCHER)
        parsed, rows, request_id = wanted(kind, config)
        return {"run_id": store.start(parsed, rows, request_id=request_id)}

    @page.shown
    def run(run_id: str, request: gr.Request) -> RunPayload:
        """The state of a run, its progress and its latest metrics."""
        access.require(request.username, Role.RESEARCHER)
        return _payload(store.get(run_id))

    @page.shown
    def stop_training(run_id: str, save: bool, request: gr.Request) -> dict[str, str]:
        """Ask a run to stop: with an adapter from what it has learnt (save), or without."""
        access.require(request.username, Role.RESEARCHER)
        return {"state": store.stop(run_id, save=save).state}

    @page.shown
    def resume_training(run_id: str, request: gr.Request) -> dict[str, str]:
        """Let a run that was stopped, failed or interrupted go on from its last checkpoint."""
        access.require(request.username, Role.RESEARCHER)
        return {"state": store.resume(run_id).state}

    @page.shown
    def runs(request: gr.Request) -> list[RunSummary]:
        """All runs, newest first."""
        access.require(request.username, Role.RESEARCHER)
        return [
            {
                **_payload(status),
                "run_id": status.run_id,
                "kind": status.kind,
                "name": status.name,
                "reason": status.reason,
                "created": status.created.isoformat(),
                "checkpoint": status.checkpoint,
            }
            for status in store.list()
        ]

    @page.shown
    def preflight(
        kind: Literal["sft", "dpo"], config: dict[str, Any], request: gr.Request
    ) -> PreflightPayload:
        """What a run with this config would do and need; takes what `/start_training` takes."""
        access.require(request.username, Role.RESEARCHER)
        parsed, rows, _ = wanted(kind, config)
        found = look_ahead(parsed, rows, store.home)
        return {
            "fits": found.fits,
            "problems": [error_text(problem, page.language(request)) for problem in found.problems],
            "rows": found.rows,
            "held_out": found.held_out,
            "dropped": dict(found.dropped),
            "truncated": found.truncated,
            "steps": found.steps,
            "longest": found.longest,
            "parameters": found.parameters,
            "on_gpu": found.on_gpu,
            "memory_needed": found.memory_needed,
            "memory_free": found.memory_free,
            "disk_needed": found.disk_needed,
            "disk_free": found.disk_free,
            "duration_s": found.duration_s,
        }

    gr.api(start_training, api_name="start_training", concurrency_limit=1)
    gr.api(run, api_name="run")
    gr.api(stop_training, api_name="stop_training")
    gr.api(resume_training, api_name="resume_training")
    gr.api(runs, api_name="runs")
    gr.api(preflight, api_name="preflight", concurrency_limit=1)


def _payload(status: RunStatus) -> RunPayload:
    return {
        "state": status.state,
        "step": status.step,
        "steps": status.steps,
        "eta_s": status.eta_s,
        "metrics": status.metrics,
        "adapter": status.adapter,
        "error": status.error,
    }
