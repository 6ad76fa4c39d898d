"""What a person wants to know of a run, read from its folder."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from training.runs.checkpoints import latest_sealed_step
from training.runs.endings import last_word
from training.runs.events import (
    FINAL_STATES,
    AdapterEvent,
    MetricsEvent,
    RunState,
    StateEvent,
    read_events,
    without_superseded,
)
from training.runs.folder import RunFolder

_RESUMABLE: frozenset[RunState] = frozenset({"stopped", "failed", "interrupted"})


class RunStatus(BaseModel):
    """How a run is. `metrics` holds the latest training numbers; `checkpoint` is the step after which a
    run that is over can go on, None where it would begin again."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    kind: str
    name: str
    state: RunState
    reason: str = ""
    step: int = 0
    steps: int = 0
    eta_s: float | None = None
    metrics: dict[str, float] = {}
    adapter: str | None = None
    error: str | None = None
    created: datetime
    checkpoint: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in FINAL_STATES

    @property
    def is_resumable(self) -> bool:
        """Whether the run can be told to go on."""
        return self.state in _RESUMABLE


def read_status(folder: RunFolder) -> RunStatus | None:
    """How the run in `folder` is; None when the folder is no run."""
    record = folder.record()
    if record is None:
        return None
    # Asked before the events are read: a worker that ends in between has written its last state.
    alive, launched = folder.is_alive(), folder.has_been_launched()
    events = without_superseded(read_events(folder.events)[0])
    states = [event for event in events if isinstance(event, StateEvent)]
    last = states[-1] if states else StateEvent(state="queued")
    if last.state not in FINAL_STATES:
        if launched and not alive:
            last = last_word(folder)
        elif not launched:
            last = StateEvent(state="queued", reason=last.reason or "it waits for the runs before it")
        elif (stop := folder.stop_request()) is not None:
            last = StateEvent(state="stopping", reason=f"asked to stop and {stop}")
    steps = [e for e in events if isinstance(e, MetricsEvent) and e.split == "train"]
    adapters = [event.name for event in events if isinstance(event, AdapterEvent)]
    return RunStatus(
        run_id=record.run_id,
        kind=record.kind,
        name=record.name,
        state=last.state,
        reason=last.reason,
        step=steps[-1].step if steps else 0,
        steps=steps[-1].steps if steps else 0,
        eta_s=steps[-1].eta_s if steps and last.state == "training" else None,
        metrics=steps[-1].values if steps else {},
        adapter=adapters[-1] if adapters else None,
        error=last.error,
        created=record.created,
        checkpoint=latest_sealed_step(folder.checkpoints) if last.state in _RESUMABLE else None,
    )
