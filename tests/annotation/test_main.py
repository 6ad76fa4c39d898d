from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from annotation.store import AnnotationStore
from recsys.settings import Settings


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "annotation", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def home(tmp_path: Path, make_prompt, make_candidates) -> Path:
    """A home folder with two prompts, one of them judged."""
    with AnnotationStore(Settings(home=tmp_path).paths.annotations) as store:
        store.prompts.add([make_prompt(1), make_prompt(2)])
        store.prompts.save_candidates("1", make_candidates())
        task = store.assignments.next_task("ann")
        assert task
        store.judgements.judge(task.id, "ann", task.candidates[0].id, task.candidates[1].id)
    return tmp_path


def test_export_writes_the_rows(home: Path) -> None:
    done = _run("export", "--out", home / "pairs.jsonl", "--strategy", "all", "--home", home)
    assert (done.returncode, done.stderr) == (0, "")
    assert "7 pairs" in done.stdout
    rows = [json.loads(line) for line in (home / "pairs.jsonl").read_text().splitlines()]
    assert len(rows) == 7
    assert {row["task_id"] for row in rows} == {"1"}


def test_export_without_pairs_says_what_to_do(tmp_path: Path) -> None:
    done = _run("export", "--out", tmp_path / "pairs.jsonl", "--home", tmp_path)
    assert done.returncode == 4
    assert done.stderr.startswith("Error: There are no preference pairs yet. Tag the best")
    assert not (tmp_path / "pairs.jsonl").exists()


def test_errors_have_their_exit_codes(home: Path) -> None:
    done = _run("export", "--out", home / "nowhere" / "pairs.jsonl", "--home", home)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert _run("export", "--out", home / "x", "--strategy", "some", "--home", home).returncode == 2
    (home / "annotations.db").write_bytes(b"broken" * 1000)
    for leftover in home.glob("annotations.db-*"):
        leftover.unlink()
    done = _run("status", "--home", home)
    assert done.returncode == 3
    assert "not a database" in done.stderr
    assert "Traceback" not in done.stderr


def test_status_counts(home: Path) -> None:
    done = _run("status", "--home", home)
    assert done.returncode == 0
    assert "2, of which 1 have candidates" in done.stdout
    assert "1 by ann" in done.stdout
    assert "1 (best-worst), 7 (all)" in done.stdout


def test_import_demo_once(tmp_path: Path) -> None:
    first = _run("import-demo", "--home", tmp_path)
    if "FileNotFoundError" in first.stderr:
        pytest.skip("the demo data is not complete")
    assert first.returncode == 0, first.stderr
    assert int(first.stdout.split()[0].replace(",", "")) >= 200
    assert _run("import-demo", "--home", tmp_path).stdout.startswith("0 new")
