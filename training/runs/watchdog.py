"""A run that was asked to stop and does not answer is told to end, then made to.

    asked to cancel    patience.cancel s later SIGTERM
    asked to save      SIGTERM after patience.save s without a sign of life (three steps, if longer)
    after SIGTERM      patience.end s later SIGKILL, to the process and all that it started

What has been done is on disk, so whoever looks next goes on from there: the run's keeper, or the app
where the keeper is gone. The run's last checkpoint stays.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from training.runs.events import Event, EventWriter, MetricsEvent, NoteEvent, read_events
from training.runs.folder import Patience, RunFolder, StopRequest

_STEPS = 3


def escalate(folder: RunFolder, patience: Patience) -> None:
    """Do what is due now; nothing where no stop was asked for or the worker is gone."""
    request, asked = folder.stop_request(), folder.stop_requested_at()
    worker = folder.process()
    if request is None or asked is None or worker is None or not worker.is_alive():
        return
    now = time.time()
    terminated = folder.terminated_at()
    if terminated is not None:
        if now >= terminated + patience.end:
            worker.send(signal.SIGKILL)
            _note(folder, f"It went on for {patience.end:.0f} s after SIGTERM: SIGKILL")
    elif now >= _due(folder, request, asked, patience):
        folder.mark_terminated()
        worker.send(signal.SIGTERM)
        _note(folder, f"No answer to the wish to {request} after {now - asked:.0f} s: SIGTERM")


def _due(folder: RunFolder, request: StopRequest, asked: float, patience: Patience) -> float:
    if request == "cancel":
        return asked + patience.cancel
    heard = max(asked, folder.last_sign_of_life())
    return heard + max(patience.save, _STEPS * step_seconds(read_events(folder.events)[0]))


def step_seconds(events: Sequence[Event]) -> float:
    """How long the last step took, from the times of its numbers; 0 before the second."""
    times = [event.time for event in events if isinstance(event, MetricsEvent) and event.split == "train"]
    return times[-1] - times[-2] if len(times) > 1 else 0.0


def _note(folder: RunFolder, text: str) -> None:
    with suppress(OSError):  # a full disk does not keep a process alive
        events = EventWriter(folder.events)
        events.write(NoteEvent(text=text))
        events.close()
