"""Endpoints of the data tab: sources, what is in them, and jobs that write instruction data."""

from __future__ import annotations

from typing import Any

import gradio as gr
from typing_extensions import TypedDict

from recsys.access import Access, Role
from recsys.domains.inspect_apart import inspect_apart
from recsys.domains.recognise import recognise
from recsys.domains.sources import SourceFolder
from recsys.errors import InputError
from recsys.llm.pool import ModelPool
from recsys.synthesis.jobs import JobStore
from recsys.synthesis.request import requested_config
from recsys.ui.page import Texts


class SourcePayload(TypedDict):
    """One source; `dataset` and `edition` are empty where it is no dataset that is known."""

    name: str
    dataset: str
    edition: str


class ObtainedPayload(TypedDict):
    """What a finished job obtained of one source for one split."""

    split: str
    dataset: str
    asked: int
    obtained: int
    dropped: dict[str, int]


class SynthesisPayload(TypedDict):
    """How far a job is; `obtained` is empty until it is done, `files` are names within the job's folder."""

    state: str
    stage: str
    rows_read: int
    rows_done: int
    rows_total: int
    eta_s: float | None
    error: str
    obtained: list[ObtainedPayload]
    files: list[str]


def register(jobs: JobStore, sources: SourceFolder, pool: ModelPool, access: Access, page: Texts) -> None:
    """Add these endpoints to the Blocks that are being built."""

    @page.shown
    def list_sources() -> list[SourcePayload]:
        """The datasets that a job can read."""
        found = {name: recognise(sources.path(name)) for name in sources.names()}
        return [{"name": n, "dataset": f.dataset, "edition": f.edition} for n, f in found.items()]

    @page.shown
    def inspect_source(name: str, dataset: str, request: gr.Request) -> dict[str, Any]:
        """Count what is in a source, and what was dropped and why; an empty `dataset` is recognised."""
        access.require(request.username, Role.RESEARCHER)
        path = sources.path(name)
        wanted = dataset or recognise(path).dataset
        if not wanted:
            raise InputError(reason=f"{name} is no dataset that is known.")
        found = inspect_apart(wanted, path)
        assert found is not None  # None only where it was cancelled
        return found.model_dump()

    @page.shown
    def start_synthesis(config: dict[str, Any], request: gr.Request) -> dict[str, str]:
        """Start a job; `config` has the fields of a synthesis configuration, `sources` by name."""
        access.require(request.username, Role.RESEARCHER)
        return {"job": jobs.start(requested_config(config, sources, pool.check_reference))}

    @page.shown
    def synthesis(job: str, request: gr.Request) -> SynthesisPayload:
        """How far a job is, and what it obtained once it is done."""
        access.require(request.username, Role.RESEARCHER)
        return _payload(jobs, job)

    @page.shown
    def stop_synthesis(job: str, request: gr.Request) -> SynthesisPayload:
        """Let a job end after the rows in work; what is finished stays."""
        access.require(request.username, Role.RESEARCHER)
        jobs.stop(job, wait_s=3.0)
        return _payload(jobs, job)

    @page.shown
    def resume_synthesis(job: str, request: gr.Request) -> SynthesisPayload:
        """Let a job that stopped go on."""
        access.require(request.username, Role.RESEARCHER)
        jobs.resume(job)
        return _payload(jobs, job)

    gr.api(list_sources, api_name="sources")
    gr.api(inspect_source, api_name="inspect_source", concurrency_limit=2)
    gr.api(start_synthesis, api_name="start_synthesis", concurrency_limit=1)
    gr.api(synthesis, api_name="synthesis")
    gr.api(stop_synthesis, api_name="stop_synthesis")
    gr.api(resume_synthesis, api_name="resume_synthesis", concurrency_limit=1)


def _payload(jobs: JobStore, job: str) -> SynthesisPayload:
    progress, report = jobs.progress(job), jobs.report(job)
    return {
        "state": progress.state,
        "stage": progress.stage,
        "rows_read": progress.rows_read,
        "rows_done": progress.rows_done,
        "rows_total": progress.rows_total,
        "eta_s": progress.eta_s,
        "error": progress.error,
        "obtained": [
            {
                "split": o.split,
                "dataset": o.dataset,
                "asked": o.asked,
                "obtained": o.obtained,
                "dropped": o.dropped,
            }
            for o in (report.obtained if report else ())
        ],
        "files": [file.name for file in jobs.files(job)] if report else [],
    }
