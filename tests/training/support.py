"""Small preference rows, and what a finished run looks like to a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import llama_cpp

from recsys.llm.adapters import Adapter, AdapterStore
from recsys.settings import Paths
from training.config import DpoConfig
from training.runs.folder import RunFolder, RunRecord, new_run_id
from training.runs.status import RunStatus
from training.runs.store import RunStore

PROJECT = Path(__file__).resolve().parents[2]
MODEL = "smollm2-135m-instruct"
Row = dict[str, Any]


def make_row(number: int = 0, **changes: Any) -> Row:
    """A row; another number is another prompt."""
    row: Row = {
        "prompt": [
            {"role": "system", "content": "Recommend."},
            {"role": "user", "content": f"Liked film {number}. Next book?"},
        ],
        "chosen": [{"role": "assistant", "content": f"A quiet novel about the sea, number {number}."}],
        "rejected": [{"role": "assistant", "content": f"Films films films {number}"}],
        "language": "en",
        "situation": "passive",
        "form": "direct",
        "task_id": str(number),
    }
    return row | changes


def make_instruction(number: int = 0, **changes: Any) -> Row:
    """A row of the instruction data; another number is another prompt."""
    row: Row = {
        "messages": [
            {"role": "system", "content": "Recommend."},
            {"role": "user", "content": f"Liked film {number}. Next book?"},
            {"role": "assistant", "content": f"A quiet novel about the sea, number {number}."},
        ],
        "language": "en",
        "dataset": "films",
    }
    return row | changes


def write_rows(path: Path, rows: list[Row]) -> Path:
    """The rows as JSON Lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def command_line(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """`python -m training ...`, as people run it."""
    return subprocess.run(
        [sys.executable, "-m", "training", *arguments],
        cwd=PROJECT,
        env={**os.environ, "ZEROSHELF_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def wait_until(condition: Callable[[], bool], seconds: float = 500) -> None:
    """Poll until `condition` holds; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended by itself, started on the command line: what that printed and copied."""

    store: RunStore
    status: RunStatus
    adapter: Adapter
    output: str
    copy: Path


def run_to_the_end(kind: str, name: str, arguments: list[str], home: Path, folder: Path) -> FinishedRun:
    """Train SmolLM2 on the command line; the adapter is called `name` and copied into `folder`."""
    own = ["--model", MODEL, "--name", name, "--out", str(folder / "out")]
    done = command_line(kind, *own, *arguments, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    store = RunStore(Paths(home).runs)
    status = next(status for status in store.list() if status.name == name)
    adapter = AdapterStore(Paths(home).adapters).get(name, MODEL)
    return FinishedRun(store, status, adapter, done.stdout, folder / "out")


def llama_cpp_tokens(gguf: Path, texts: list[str]) -> list[list[int]]:
    """The tokens that llama.cpp reads, with its begin token."""
    model = llama_cpp.Llama(str(gguf), vocab_only=True, verbose=False)
    try:
        return [model.tokenize(text.encode(), add_bos=True, special=True) for text in texts]
    finally:
        model.close()


def new_run(root: Path, home: Path, **changes: object) -> RunFolder:
    """A run's folder as the store makes it, with nobody to start it."""
    now = datetime.now(UTC)
    folder = RunFolder(root / new_run_id("dpo", now))
    folder.path.mkdir(parents=True)
    settings = {"max_steps": 8, "epochs": 4, "batch_size": 2, "lora_r": 2, "held_out": 0, "samples": False}
    config = DpoConfig(model=MODEL, **{**settings, "save_steps": 2, **changes})
    folder.config.write_text(config.model_dump_json())
    write_rows(folder.data, [make_row(number) for number in range(8)])
    folder.write_record(
        RunRecord(run_id=folder.path.name, kind="dpo", name="failing", created=now, home=home)
    )
    return folder


def work(folder: RunFolder, before: str = "") -> int:
    """The real worker, after the code `before`, in a process of its own."""
    code = (
        "import sys; from pathlib import Path; from training.runs.worker import run_worker, RunFolder\n"
        f"{before}\nsys.exit(run_worker(RunFolder(Path(sys.argv[1]))))"
    )
    with folder.log.open("ab") as log:
        return subprocess.run(
            [sys.executable, "-c", code, str(folder.path)], cwd=PROJECT, stdout=log, stderr=log, check=False
        ).returncode
