"""Real training runs of SmolLM2, made once and looked at by many tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.llm.model_files import model_file
from recsys.llm.registry import load_spec
from recsys.settings import Paths
from tests.training.support import MODEL, FinishedRun, make_instruction, make_row, run_to_the_end, write_rows


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
    from training.trainer.base_weights import base_weights

    return base_weights(base_gguf, Paths(home).models)


@pytest.fixture(scope="session")
def gemma_gguf(home: Path) -> Path:
    """gemma's file."""
    return model_file(load_spec("gemma-3-270m"), Paths(home).models)


@pytest.fixture(scope="session")
def gemma_folder(home: Path, gemma_gguf: Path) -> Path:
    """Its weights for training."""
    from training.trainer.base_weights import base_weights

    return base_weights(gemma_gguf, Paths(home).models)


@pytest.fixture(scope="session")
def taught(home: Path, base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """SFT: eight rows, four steps, two prompts held out."""
    folder = tmp_path_factory.mktemp("sft")
    rows = write_rows(folder / "rows.jsonl", [make_instruction(number) for number in range(8)])
    sizes = ["--max-steps", "4", "--batch-size", "2", "--held-out", "0.25", "--lora-r", "4", "--no-samples"]
    return run_to_the_end("sft", "taught", ["--data", str(rows), *sizes, "--epochs", "2"], home, folder)


@pytest.fixture(scope="session")
def preferring(home: Path, taught: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """DPO that goes on from the adapter of `taught`: two steps."""
    folder = tmp_path_factory.mktemp("dpo-from-sft")
    rows = write_rows(folder / "pairs.jsonl", [make_row(number) for number in range(8)])
    sizes = [
        "--max-steps",
        "2",
        "--batch-size",
        "2",
        "--held-out",
        "0.25",
        "--eval-steps",
        "1",
        "--no-samples",
    ]
    arguments = ["--pairs", str(rows), "--parent", "taught", "--precompute-reference", "off", *sizes]
    return run_to_the_end("dpo", "preferring", arguments, home, folder)


@pytest.fixture(scope="session")
def finished(home: Path, base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """DPO: eight pairs, four steps, two prompts held out."""
    folder = tmp_path_factory.mktemp("run")
    pairs = write_rows(folder / "pairs.jsonl", [make_row(number) for number in range(8)])
    sizes = ["--max-steps", "4", "--batch-size", "2", "--held-out", "0.25", "--lora-r", "4"]
    return run_to_the_end("dpo", "tuned", ["--pairs", str(pairs), *sizes], home, folder)
