"""One evaluation in a folder, as a process of its own runs it (`python -m recsys evaluate-job FOLDER`).

<folder>/request.json     what was asked
<folder>/progress.json    how far it is; replaced as a whole
<folder>/report.json      the report, once there is one, and candidates.jsonl beside it
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from recsys.errors import DiskFullError
from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.methods.registry import METHODS
from recsys.evaluation.perform import Stage, Step, perform
from recsys.evaluation.request import EvaluationRequest
from recsys.evaluation.run import EvaluationStopped
from recsys.evaluation.store import write_report
from recsys.files import write_whole
from recsys.settings import Settings

State = Literal["running", "done", "stopped", "failed"]

_TELL_S = 0.5
_GUESS_S = {True: 4.0, False: 0.05}
"""Seconds a user, with a model and without, until a method of the kind has been timed."""


class Progress(BaseModel):
    """How far an evaluation is. `done` of `total` texts or users of the stage; `finished` methods of
    `methods`. Times are in Unix seconds; `eta_s` is None while nothing is known."""

    model_config = ConfigDict(extra="forbid")

    state: State = "running"
    stage: Stage = "starting"
    method: str = ""
    done: int = 0
    total: int = 0
    finished: int = 0
    methods: int = 0
    users: int = 0
    items: int = 0
    started: float = 0.0
    updated: float = 0.0
    eta_s: float | None = None
    error: str = ""

    @property
    def share(self) -> float:
        """How much of the stage is done, 0 to 1; while methods rank, of all of them."""
        part = self.done / self.total if self.total else 0.0
        return (self.finished + part) / self.methods if self.methods else part


class Eta:
    """Seconds that are left, from how long methods of the same kind took for a user."""

    def __init__(self) -> None:
        self._begun: tuple[Stage, str, float] | None = None
        self._per_user: dict[bool, float] = {}

    def after(self, step: Step) -> float | None:
        """What is left of the stage, and while methods rank of all of them; None while nothing is known."""
        now = time.monotonic()
        if self._begun is None or self._begun[:2] != (step.stage, step.method):
            self._begun = (step.stage, step.method, now)
            return None if not step.methods or step.stage != "ranking" else self._later(step)
        if not step.done or not step.total:
            return None
        each = (now - self._begun[2]) / step.done
        left = each * (step.total - step.done)
        if step.stage != "ranking":
            return left
        self._per_user[METHODS[step.method].model] = each
        return left + self._later(step)

    def _later(self, step: Step) -> float:
        after = step.methods[step.methods.index(step.method) + 1 :]
        kinds = [METHODS[name].model for name in after]
        return step.total * sum(self._per_user.get(kind, _GUESS_S[kind]) for kind in kinds)


class EvaluationJob:
    """The work of one folder."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.stop = threading.Event()
        self._settings = settings
        self._progress = Progress(started=time.time())
        self._eta = Eta()

    def run(self) -> State:
        """Do it and say how it ended; whatever goes wrong is in the progress, and raised."""
        try:
            request = EvaluationRequest.model_validate_json((self.folder / "request.json").read_bytes())
            done = perform(request, self._settings, self._said, self._loaded)
            write_report(self.folder, done.saved, done.candidates)
            self._tell(state="done" if done.complete else "stopped", eta_s=None)
        except EvaluationStopped:
            self._tell(state="stopped", eta_s=None)
        except BaseException as error:
            self._fail(str(error) or type(error).__name__)
            raise
        return self._progress.state

    def _said(self, step: Step) -> None:
        if self.stop.is_set():
            raise EvaluationStopped
        eta = self._eta.after(step)
        new = (step.stage, step.method) != (self._progress.stage, self._progress.method)
        if new or time.time() - self._progress.updated > _TELL_S:
            self._tell(
                stage=step.stage,
                method=step.method,
                done=step.done,
                total=step.total,
                finished=step.methods.index(step.method) if step.method else 0,
                methods=len(step.methods),
                eta_s=eta,
            )

    def _loaded(self, data: EvaluationData) -> None:
        self._tell(users=len(data.cases), items=len(data.items))

    def _fail(self, error: str) -> None:
        try:
            self._tell(state="failed", eta_s=None, error=error)
        except (OSError, DiskFullError):  # a full disk takes no message either
            print(error, flush=True)

    def _tell(self, **changes: object) -> None:
        self._progress = self._progress.model_copy(update={**changes, "updated": time.time()})
        write_whole(self.folder / "progress.json", self._progress.model_dump_json().encode())


def run_job(folder: Path, settings: Settings) -> int:
    """Run the job of `folder` in this process, which steps back for others; returns the exit code.

    SIGTERM or Ctrl-C ends it after the user in work; a second one at once.
    """
    import signal
    from types import FrameType

    job = EvaluationJob(folder, settings)

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:
        if job.stop.is_set():
            raise KeyboardInterrupt
        job.stop.set()

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, ask_to_stop)
    os.nice(5)
    return 0 if job.run() in ("done", "stopped") else 1
