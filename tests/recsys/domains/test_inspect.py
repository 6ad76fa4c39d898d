"""What `inspect` counts and how the command line says it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import generated
from recsys.__main__ import app
from recsys.domains.registry import DATASETS
from recsys.errors import InputError, OtherDatasetError

run = CliRunner().invoke


@pytest.fixture
def films(tmp_path: Path) -> Path:
    (tmp_path / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,1,4.0,964982703\n2,9,3.0,\nx\n"
    )
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n1,Heat (1995),Crime\n2,,\n")
    return tmp_path


def test_list_names_every_dataset_with_editions_and_what_is_positive() -> None:
    lines = run(app, ["datasets", "list"]).output.splitlines()
    assert [line.split(":")[0] for line in lines] == list(DATASETS)
    assert "anime: anime; editions 2020, 2016; positive: rating of 8 or more" in lines
    found = json.loads(run(app, ["datasets", "list", "--json"]).output)
    assert [entry["name"] for entry in found] == list(DATASETS)
    assert found[3]["rules"] == {"2020": "rating>=8", "2016": "rating>=8"}


def test_inspect_as_json(films: Path) -> None:
    found = json.loads(run(app, ["datasets", "inspect", "movielens", str(films), "--json"]).output)
    assert found == {
        "dataset": "movielens",
        "edition": "csv",
        "users": 2,
        "items": 1,
        "interactions": 2,
        "positives": 1,
        "positive": "rating of 4 or more",
        "with_time": 1,
        "untitled": 1,
        "untitled_interactions": 1,
        "period": ["2000-07-30T18:45:03+00:00", "2000-07-30T18:45:03+00:00"],
        "dropped": {"item without title": 1, "duplicate row": 1, "rating row that cannot be read": 1},
        "notes": ["interactions whose time cannot be used, kept without it: 1"],
    }


def test_inspect_as_text_and_with_another_rule(films: Path) -> None:
    words = ["datasets", "inspect", "movielens", str(films), "--positive", "rating>=3"]
    output = run(app, words).output
    assert "positives      2" in output
    assert "positive       rating>=3" in output
    assert "dropped        1 (duplicate row)" in output


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["netflix"], InputError, "no dataset called 'netflix'"),
        (["books"], OtherDatasetError, "It looks like movielens"),
        (["movielens", "--positive", "watch"], InputError, "no signal 'watch'"),
        (["movielens", "--positive", "4"], InputError, "does not say what is positive"),
    ],
)
def test_mistakes_are_explained(films: Path, words: list[str], error: type[Exception], message: str) -> None:
    caught = run(app, ["datasets", "inspect", words[0], str(films), *words[1:]]).exception
    assert isinstance(caught, error)
    assert message in str(caught)


INTERRUPTED = """
import os, signal
import recsys.__main__
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
signal.setitimer(signal.ITIMER_REAL, 0.5)
recsys.__main__.main()
"""


def test_ctrl_c_is_one_line(tmp_path: Path) -> None:
    generated.movielens(tmp_path, users=5_000, items=1_000, ratings=1_000_000)
    words = [sys.executable, "-c", INTERRUPTED, "datasets", "inspect", "movielens", str(tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "Stopped before the end; nothing was counted.\n"


PEAK = """
import re, sys
from pathlib import Path
from recsys.domains.histories import HistoryRules, read_sequences
from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset

dataset = open_dataset("movielens", Path(sys.argv[2]))
inspect(dataset) if sys.argv[1] == "inspect" else read_sequences(dataset, HistoryRules())
print(int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) << 10)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("what", ["inspect", "sequences"])
def test_memory_grows_by_less_than_150_bytes_a_row(tmp_path: Path, what: str) -> None:
    """So that ten million rows take less than 1.5 GB."""
    peaks = []
    for rows in (100_000, 500_000):
        folder = tmp_path / str(rows)
        generated.movielens(folder, users=rows // 2, items=4_000, ratings=rows)
        words = [sys.executable, "-c", PEAK, what, str(folder)]
        peaks.append(int(subprocess.run(words, capture_output=True, text=True, check=True).stdout))
    assert 0 < (peaks[1] - peaks[0]) / 400_000 < 150
