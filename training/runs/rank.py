"""One of a run's training processes: `python -m training.runs.rank RUN_FOLDER [CHECKPOINT]`.

Started by `training.runs.launcher`, through a launcher that says in the environment how many there are and
which one this is. The first one reports to `events.jsonl` and leaves the result for the worker; what goes
wrong in any of them is left there too.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import torch.distributed

from recsys.priority import step_back
from recsys.settings import Paths
from training.config import read_config
from training.errors import UnexpectedTrainingError
from training.runs.events import Event, EventWriter
from training.runs.failures import explain
from training.runs.folder import RunFolder
from training.runs.outcome import Outcome, write_outcome
from training.runs.stage import set_up, train_stage


def run_rank(folder: RunFolder, start: Path | None) -> None:
    """Do this process's part of the training; raises what training raises."""
    record = folder.record()
    if record is None:
        raise UnexpectedTrainingError(problem=f"{folder.path} is not the folder of a run")
    config = read_config(record.kind, folder.config.read_bytes())
    is_first = os.environ["RANK"] == "0"
    emit: Callable[[Event], None] = EventWriter(folder.events).write if is_first else lambda event: None
    result = train_stage(set_up(folder, config, Paths(record.home)), start, emit)
    if is_first:
        write_outcome(folder, Outcome(result=result))
    torch.distributed.barrier()  # the first one keeps the store that the others still ask


def leave(code: int) -> NoReturn:
    """End at once: gloo's threads, which the interpreter would not join, make C++ abort at an orderly end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    step_back()
    run = RunFolder(Path(sys.argv[1]))
    try:
        run_rank(run, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    except Exception as error:  # whatever it is, the worker has to be told
        traceback.print_exc()
        write_outcome(run, Outcome(error=str(explain(error, run.path))))
        leave(1)
    leave(0)
