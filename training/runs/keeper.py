"""The small process beside a run's worker: `python -m training.runs.keeper RUN_FOLDER`, started by the queue.

It starts the worker, sees to it that a stop is obeyed, says the last word when the worker could not, and
starts the next run. It outlives the page; a run whose keeper is gone goes on, and the next look at the
queue does what is left to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from filelock import FileLock, Timeout

from recsys.priority import limit_threads
from training.runs.endings import close_run
from training.runs.events import FINAL_STATES, last_state
from training.runs.folder import RunFolder
from training.runs.processes import ProcessRecord
from training.runs.queue import start_next
from training.runs.watchdog import escalate

_POLL_S = 0.5
_LAST_MOMENTS_S = 5.0
"""How long the keeper before, whose run has just been resumed, may take to end."""


def keep(folder: RunFolder, command: list[str] | None = None) -> None:
    """Run the worker in `folder` to its end, whatever that is; returns soon where another does so."""
    record, launched = folder.record(), folder.keeper()
    if record is None:
        raise ValueError(f"{folder.path} is not the folder of a run")
    try:
        with FileLock(folder.path / ".keeper.lock", timeout=_LAST_MOMENTS_S):
            if last_state(folder.events).state in FINAL_STATES:
                return
            devices = launched.devices if launched is not None else ()
            folder.write_keeper(ProcessRecord.of(os.getpid(), devices))
            worker = _start(folder, devices, command)
            while (code := worker.poll()) is None:
                escalate(folder, record.patience)
                time.sleep(_POLL_S)
            close_run(folder, code)
    except Timeout:
        return
    start_next(folder.path.parent)


def _start(folder: RunFolder, devices: tuple[int, ...], command: list[str] | None) -> subprocess.Popen[bytes]:
    """The worker, leader of a session and process group of its own, so that a signal reaches all of it."""
    environment = dict(os.environ)
    if devices:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, devices))
    limit_threads(environment)
    worker = subprocess.Popen(
        command or [sys.executable, "-P", "-m", "training.runs.worker", str(folder.path)],
        stdin=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    folder.write_process(ProcessRecord.of(worker.pid, devices))
    return worker


if __name__ == "__main__":
    keep(RunFolder(Path(sys.argv[1])))
