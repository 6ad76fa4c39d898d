"""The command line, in a process of its own as people run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recsys.prompts.formats import Prompt
from recsys.settings import Settings
from tests.training.support import PROJECT, FinishedRun, command_line, make_row, write_rows
from training.comparison.blind import BlindStore, Bout


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (8, ["--model", "nonsense"], "no model called 'nonsense'"),
        (0, [], "at least 2 usable preference pairs; there are 0"),
        (1, [], "at least 2 usable preference pairs; there are 1"),
        (8, ["--beta", "-1"], "beta"),
        (8, ["--name", "../x"], "cannot name an adapter"),
        (8, ["--from-store"], "either with --pairs FILE or with --from-store"),
    ],
)
def test_bad_input_gives_a_message_and_exit_code_2(
    tmp_path: Path, rows: int, options: list[str], said: str
) -> None:
    pairs = write_rows(tmp_path / "pairs.jsonl", [make_row(n) for n in range(rows)])
    done = command_line("dpo", "--pairs", str(pairs), *options, home=tmp_path / "home")
    assert done.returncode == 2, done.stderr
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_from_an_empty_store_there_are_no_pairs(tmp_path: Path) -> None:
    done = command_line("dpo", "--from-store", home=tmp_path)
    assert done.returncode == 2
    assert "Judge more prompts" in done.stderr


def test_votes_of_blind_comparisons_can_be_trained_on(tmp_path: Path) -> None:
    prompt = Prompt(system="You recommend films.", before="I liked Heat.", after="What next?")
    bout = Bout(prompt, "passive", "direct", "base", "tuned", "A slow one.", "A tense one.")
    BlindStore(Settings(home=tmp_path).paths.comparisons).vote(bout, "right", "somebody")
    without = command_line("dpo", "--from-store", home=tmp_path)
    assert "there are 0" in " ".join(without.stderr.split())
    having = command_line("dpo", "--from-store", "--votes", home=tmp_path)
    assert "there are 1" in " ".join(having.stderr.split())


def test_an_output_folder_that_holds_something_is_refused_before_training(tmp_path: Path) -> None:
    pairs = write_rows(tmp_path / "pairs.jsonl", [make_row(n) for n in range(8)])
    done = command_line("dpo", "--pairs", str(pairs), "--out", str(tmp_path), home=tmp_path / "home")
    assert done.returncode == 2
    assert "not empty" in done.stderr
    assert not (tmp_path / "home" / "runs").exists()


def test_commands_about_runs_explain_themselves(tmp_path: Path) -> None:
    assert "No runs yet" in command_line("runs", home=tmp_path).stdout
    for command in ("show", "stop"):
        done = command_line(command, "../elsewhere", home=tmp_path)
        assert done.returncode == 2
        assert "no training run called '../elsewhere'" in done.stderr


@pytest.mark.slow
@pytest.mark.model
def test_a_finished_run_is_listed_and_shown(finished: FinishedRun, home: Path) -> None:
    run_id = finished.status.run_id
    assert f"{run_id}  finished" in command_line("runs", home=home).stdout
    shown = command_line("show", run_id, home=home).stdout
    assert "rewards/margins" in shown
    assert "tuned" in shown
    assert "finished" in command_line("stop", run_id, home=home).stdout


@pytest.mark.slow
@pytest.mark.model
def test_dpo_prints_its_progress_and_copies_the_adapter(finished: FinishedRun) -> None:
    for said in ("6 rows to train on, 2 held out", "step 1/4", "step 4/4", "held-out accuracy", "finished"):
        assert said in finished.output
    names = {path.name for path in finished.copy.iterdir()}
    assert names == {"adapter.gguf", "adapter_config.json", "adapter_model.safetensors", "card.json"}


def test_what_the_web_process_imports_does_not_import_torch() -> None:
    code = (
        "import sys, training.config, training.runs.events, training.data.pairs, training.runs.store; "
        "import training.__main__; "
        "print([m for m in ('torch', 'transformers', 'trl', 'peft', 'datasets', 'gguf') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
