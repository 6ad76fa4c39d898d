"""The HTTP and MCP endpoints of this package: the functions that the tab calls, typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import gradio as gr
from typing_extensions import TypedDict

from annotation.pairs import PreferencePair, Strategy
from recsys.access import Access, Role
from recsys.errors import InputError, UnknownModelError
from recsys.ui.page import Texts
from training.config import parse_config
from training.runs import RunStore


class RunPayload(TypedDict):
    """Answer of `/run`."""

    state: str
    step: int
    steps: int
    eta_s: float | None
    metrics: dict[str, float]
    adapter: str | None
    error: str | None


def register(
    runs: RunStore,
    pairs: Callable[[Strategy], list[PreferencePair]],
    access: Access,
    page: Texts,
    models: Sequence[str],
) -> None:
    """Add this package's endpoints to the Blocks that are being built; they train on `models` only."""

    @page.shown
    def start_training(
        kind: Literal["sft", "dpo"], config: dict[str, Any], request: gr.Request
    ) -> dict[str, str]:
        """Start DPO on the stored judgements; config takes DpoConfig's fields, strategy, request_id."""
        access.require(request.username, Role.RESEARCHER)
        if kind != "dpo":
            raise InputError(reason=f"Only DPO can be started here, not {kind!r}.")
        values = dict(config)
        strategy: Strategy = values.pop("strategy", "best-worst")
        request_id = values.pop("request_id", None)
        rows = [pair.to_row() for pair in pairs(strategy)]
        parsed = parse_config(values, kind)
        if parsed.model not in models:
            raise UnknownModelError(name=parsed.model, known=", ".join(models))
        return {"run_id": runs.start(parsed, rows, request_id=request_id)}

    @page.shown
    def run(run_id: str, request: gr.Request) -> RunPayload:
        """The state of a run, its progress and its latest metrics."""
        access.require(request.username, Role.RESEARCHER)
        status = runs.get(run_id)
        return {
            "state": status.state,
            "step": status.step,
            "steps": status.steps,
            "eta_s": status.eta_s,
            "metrics": status.metrics,
            "adapter": status.adapter,
            "error": status.error,
        }

    @page.shown
    def stop_training(run_id: str, save: bool, request: gr.Request) -> dict[str, str]:
        """Ask a run to stop: with an adapter from what it has learnt (save), or without."""
        access.require(request.username, Role.RESEARCHER)
        return {"state": runs.stop(run_id, save=save).state}

    gr.api(start_training, api_name="start_training", concurrency_limit=1)
    gr.api(run, api_name="run")
    gr.api(stop_training, api_name="stop_training")
