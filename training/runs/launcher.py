"""Training in several processes: accelerate starts them, with DeepSpeed where the settings say so.

The worker waits; each process is `training.runs.rank` on the same run folder. They belong to the worker's
process group, so a signal to that reaches all of them. Without torch.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sys
from pathlib import Path

from recsys.settings import usable_cpus
from training.config import TrainingConfig
from training.errors import TrainingConfigError, TrainingProcessError
from training.machine.devices import graphics_cards
from training.runs.folder import RunFolder
from training.runs.outcome import TrainingResult, forget_outcome, read_outcome

EXTRA = "ZEROSHELF_LAUNCH_OPTIONS"
"""The environment variable with more options of `accelerate launch`, for several machines."""

_LAST_LINES = 12


def needs_launcher(config: TrainingConfig) -> bool:
    """Whether the run is more than the worker itself."""
    return config.processes > 1 or config.zero != "off"


def check_launcher(config: TrainingConfig) -> None:
    """Raises TrainingConfigError where DeepSpeed is wanted and not installed."""
    if config.zero != "off" and importlib.util.find_spec("deepspeed") is None:
        problem = f"zero: {config.zero} needs DeepSpeed (pip install -r requirements-distributed.txt)"
        raise TrainingConfigError(problems=problem)


def train_in_processes(folder: RunFolder, config: TrainingConfig, start: Path | None) -> TrainingResult:
    """Start the processes, wait for their end, and return what the first of them left.

    Raises TrainingProcessError with the first error of any of them.
    """
    check_launcher(config)
    forget_outcome(folder)
    on_gpu = bool(graphics_cards())
    command = launch_command(config, folder.path, start)
    print("$", shlex.join(command), flush=True)
    code = subprocess.run(command, env=environment(config, on_gpu=on_gpu), check=False).returncode
    outcome = read_outcome(folder)
    if outcome is not None and outcome.result is not None and code == 0:
        return outcome.result
    said = outcome.error if outcome is not None else None
    problem = said or f"they ended with exit code {code}; the last lines: {folder.log_tail(_LAST_LINES)}"
    raise TrainingProcessError(processes=config.processes, problem=problem)


def launch_command(config: TrainingConfig, run: Path, start: Path | None) -> list[str]:
    """The command that starts all processes of `run` on this machine."""
    how = ["--multi_gpu"] if config.zero == "off" else ["--use_deepspeed"]
    if config.zero != "off" and "--num_machines" in os.environ.get(EXTRA, ""):
        how += ["--deepspeed_multinode_launcher", "standard"]
    return [
        *(sys.executable, "-m", "accelerate.commands.launch", *how),
        *("--num_processes", str(config.processes), "--mixed_precision", "no", "--dynamo_backend", "no"),
        *(shlex.split(os.environ.get(EXTRA, "")) or ("--num_machines", "1", "--main_process_port", "0")),
        *("--module", "training.runs.rank", str(run), *([str(start)] if start else [])),
    ]


def environment(config: TrainingConfig, *, on_gpu: bool) -> dict[str, str]:
    """What the processes are told besides; the processors are shared out among them."""
    values = {**os.environ, "PYTHONSAFEPATH": "1"}
    if not on_gpu:
        threads = int(values.get("OMP_NUM_THREADS", usable_cpus()))
        values |= {"OMP_NUM_THREADS": str(max(1, threads // config.processes)), "DS_ACCELERATOR": "cpu"}
    return values
