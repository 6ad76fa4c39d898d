"""One real training run of SmolLM2, made once and looked at by many tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.llm.adapters import AdapterStore
from recsys.llm.model_files import model_file
from recsys.llm.registry import load_spec
from recsys.settings import Paths
from tests.training.support import MODEL, FinishedRun, command_line, make_row, write_rows
from training.runs import RunStore


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder whose converted base weights are shared by all tests."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def base_gguf(home: Path) -> Path:
    """SmolLM2's file."""
    return model_file(load_spec(MODEL), Paths(home).models)


@pytest.fixture(scope="session")
def base_folder(home: Path, base_gguf: Path) -> Path:
    """Its weights for training."""
    from training.base_weights import base_weights

    return base_weights(base_gguf, Paths(home).models)


@pytest.fixture(scope="session")
def finished(home: Path, base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """Eight pairs, four steps, two prompts held out."""
    folder = tmp_path_factory.mktemp("run")
    pairs = write_rows(folder / "pairs.jsonl", [make_row(number) for number in range(8)])
    sizes = ["--max-steps", "4", "--batch-size", "2", "--held-out", "0.25", "--lora-r", "4"]
    files = ["--pairs", str(pairs), "--out", str(folder / "out")]
    done = command_line("dpo", "--model", MODEL, "--name", "tuned", *sizes, *files, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    store = RunStore(Paths(home).runs)
    (status,) = store.list()
    adapter = AdapterStore(Paths(home).adapters).get("tuned", MODEL)
    return FinishedRun(store, status, adapter, done.stdout, folder / "out")
