"""The last word about a run whose process ended without one, and room on the disk to say it."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

from training.runs.checkpoints import discard_unsealed, latest_sealed_step
from training.runs.events import FINAL_STATES, EventWriter, StateEvent, last_state
from training.runs.folder import RunFolder

_LOG_LINES = 20
_RESERVE_BYTES = 64 * 1024
_MEMORY = (
    "; where nobody did that by hand, the system did because memory ran out: take a smaller batch_size, "
    "max_length or model, or close other programs"
)


def reserve(folder: RunFolder) -> None:
    """Set some room aside, so that a run can still say that the disk is full; raises OSError."""
    _reserve(folder).write_bytes(b"\0" * _RESERVE_BYTES)


def say_last(folder: RunFolder, event: StateEvent) -> None:
    """Write a final state, on a full disk into the room set aside and that of a half-written checkpoint."""
    discard_unsealed(folder.checkpoints)
    _reserve(folder).unlink(missing_ok=True)
    with suppress(OSError):  # whoever looks next finds that the process is gone
        events = EventWriter(folder.events)
        events.write(event)
        events.close()


def close_run(folder: RunFolder, code: int | None = None) -> None:
    """Say what became of a run whose process is gone, unless it said so itself.

    `code` is what the process returned, negative for a signal, None where nobody waited for it.
    """
    if last_state(folder.events).state not in FINAL_STATES:
        say_last(folder, last_word(folder, code))


def last_word(folder: RunFolder, code: int | None = None) -> StateEvent:
    """The final state of a run that ended without a word of its own."""
    step = latest_sealed_step(folder.checkpoints)
    left = "no checkpoint was written yet" if step is None else f"the checkpoint after step {step} is kept"
    if (request := folder.stop_request()) is not None:
        how = "it did not answer and was ended" if folder.terminated_at() else f"its process {_how(code)}"
        return StateEvent(state="stopped", reason=f"asked to stop and {request}; {how}; no adapter; {left}")
    return StateEvent(
        state="interrupted",
        reason=f"the training process {_how(code)}; {left}; these are its last lines",
        error=folder.log_tail(_LOG_LINES) or "(it wrote none)",
    )


def _how(code: int | None) -> str:
    if code is None:
        return "ended without a word"
    if code == -signal.SIGKILL:
        return f"was killed (SIGKILL{_MEMORY})"
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended without a word (exit code {code})"


def _reserve(folder: RunFolder) -> Path:
    return folder.path / ".reserve"
