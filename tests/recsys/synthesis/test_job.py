"""Whole jobs: what the rows hold, that they repeat, and that nothing finished is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from filelock import FileLock

from recsys.demos import load_demo
from recsys.domains.registry import open_dataset
from recsys.errors import ConflictError, InputError
from recsys.settings import Settings
from recsys.synthesis.config import SynthesisConfig, parse_config
from recsys.synthesis.engines import LocalEngine, Packed, RayEngine, Work
from recsys.synthesis.job import Job, Progress
from recsys.synthesis.report import Report
from recsys.synthesis.shards import read_rows
from recsys.synthesis.writer import Shard

OUTPUTS = ("train.jsonl", "test.jsonl", "preference.jsonl", "report.json", "train.parquet", "test.parquet")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(config: SynthesisConfig, out: Path, home: Settings, workers: int = 1) -> Report:
    report = Job(config, out, home).run(LocalEngine(workers))
    assert report is not None
    return report


def contents(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in (*OUTPUTS, "README.md")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, sources: Path, home: Settings) -> tuple[Path, Report]:
    """One finished job, for the tests that only look."""
    out = tmp_path_factory.mktemp("job") / "out"
    small = SynthesisConfig.model_validate(
        {
            "sources": [
                {"dataset": "movielens", "path": str(sources / "films"), "share": 3},
                {"dataset": "steam", "path": str(sources / "games"), "share": 1},
            ],
            "examples": 120,
            "preference": 12,
            "test": 8,
            "shard_rows": 25,
            "histories": {"k_core": 2},
        }
    )
    return out, run(small, out, home)


def test_counts_are_as_asked(finished: tuple[Path, Report]) -> None:
    out, report = finished
    asked = {(o.split, o.dataset): o.asked for o in report.obtained}
    assert asked["train", "movielens"] == 90
    assert asked["train", "steam"] == 30
    for o in report.obtained:
        assert o.obtained == o.asked - o.shortfall <= o.written <= o.available
    rows = lines(out / "train.jsonl")
    assert len(rows) == report.total("train")
    first = [row["dataset"] for row in rows[:20]]
    assert 13 <= first.count("movielens") <= 17, "any beginning of the file has the mixture"


def test_rows_hold_messages_and_where_they_come_from(finished: tuple[Path, Report], sources: Path) -> None:
    out, _ = finished
    items = {
        name: {item.id: item for item in open_dataset(name, sources / folder).items()}
        for name, folder in (("movielens", "films"), ("steam", "games"))
    }
    seen = set()
    for row in lines(out / "train.jsonl"):
        system, user, assistant = row["messages"]
        assert [m["role"] for m in row["messages"]] == ["system", "user", "assistant"]
        assert system["content"]
        target = items[row["dataset"]][row["target_id"]].title
        assert target in assistant["content"]
        assert row["target_id"] not in row["history_ids"]
        assert 3 <= len(row["history_ids"]) <= 10
        assert row["score"] < 15
        named = user["content"].split("\n")
        if row["form"] == "listwise":
            assert row["candidates"][row["target_position"]] == row["target_id"]
            assert len(set(row["candidates"])) == len(row["candidates"]) == 5
            place = f"{row['target_position'] + 1}. {target}"
            assert any(line.startswith(place) for line in named)
            assert not set(row["candidates"]) & set(row["history_ids"])
        else:
            assert target not in user["content"]
            assert row["target_position"] is None
        if row["situation"] == "active":
            assert row["query"] in user["content"]
            assert target not in row["query"]
        else:
            for history_id in row["history_ids"]:
                assert items[row["dataset"]][history_id].title in user["content"]
        seen.add((row["situation"], row["form"], row["language"]))
    assert len(seen) == 8


def test_candidates_are_of_the_targets_domain(tmp_path: Path, home: Settings) -> None:
    folder, out = tmp_path / "mixed", tmp_path / "out"
    folder.mkdir()
    items = [item for domain in ("films", "games") for item in load_demo(domain).items.values()]
    domains = {item.id: item.domain for item in items}
    text = "".join(item.model_dump_json(exclude_none=True) + "\n" for item in items)
    (folder / "items.jsonl").write_text(text, encoding="utf-8")
    draw = Random(0)
    rows = [f"{user},{item.id}" for user in range(60) for item in draw.sample(items, 6)]
    (folder / "interactions.csv").write_text("\n".join(["user,item", *rows]), encoding="utf-8")
    config = {
        "sources": [{"dataset": "catalog", "path": str(folder)}],
        "examples": 40,
        "preference": 4,
        "test": 0,
        "histories": {"k_core": 0},
        "forms": {"listwise": 1.0},
        "responses": "plain",
    }
    run(parse_config(config, "test"), out, home)
    found = lines(out / "train.jsonl")
    assert {row["domain"] for row in found} == {"films", "games"}
    for row in found:
        assert len(row["candidates"]) == 5
        assert {domains[item] for item in row["candidates"]} == {row["domain"]}
        assert row["teacher"] == "plain"


def test_responses_name_only_the_history_and_the_target(finished: tuple[Path, Report], sources: Path) -> None:
    out, _ = finished
    titles = {item.id: item.title for item in open_dataset("movielens", sources / "films").items()}
    for row in lines(out / "train.jsonl"):
        if row["dataset"] == "movielens":
            known = {row["target_id"], *(row["history_ids"] if row["situation"] == "passive" else ())}
            others = [title for item, title in titles.items() if item not in known]
            assert not [t for t in others if t in row["messages"][-1]["content"]]


def test_the_kind_comes_before_the_name(finished: tuple[Path, Report]) -> None:
    out, _ = finished
    places = []
    for row in lines(out / "train.jsonl"):
        text = row["messages"][-1]["content"]
        name = "Film Number" if row["dataset"] == "movielens" else "Game of"
        places.append(text.rindex(name) / len(text))
        assert places[-1] > 0.2, text
    assert sum(places) / len(places) > 0.5


def test_splits_share_no_user_and_no_target(finished: tuple[Path, Report]) -> None:
    out, _ = finished
    splits = {name: lines(out / f"{name}.jsonl") for name in ("train", "test", "preference")}
    assert all(splits.values())
    for key in ("user", "target_id"):
        found = {name: {(r["dataset"], r[key]) for r in rows} for name, rows in splits.items()}
        assert not found["train"] & found["test"]
        assert not found["train"] & found["preference"]
        assert not found["preference"] & found["test"]


def test_positions_of_the_target_are_spread(finished: tuple[Path, Report]) -> None:
    out, _ = finished
    places = [r["target_position"] for r in lines(out / "train.jsonl") if r["form"] == "listwise"]
    assert set(places) == {0, 1, 2, 3, 4}


def test_files_load_with_datasets(finished: tuple[Path, Report], tmp_path: Path) -> None:
    from datasets import load_dataset

    out, report = finished
    options = {"split": "train", "cache_dir": str(tmp_path)}
    table = load_dataset("parquet", data_files=str(out / "train.parquet"), **options)
    rows = load_dataset("json", data_files=str(out / "train.jsonl"), **options)
    assert table.num_rows == rows.num_rows == report.total("train")
    assert table[5]["messages"] == rows[5]["messages"]
    assert table[5]["messages"][2]["role"] == "assistant"


def test_card_has_front_matter_counts_and_licences(finished: tuple[Path, Report]) -> None:
    out, _ = finished
    card = (out / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlanguage:\n- en\n- ko\n")
    for part in ("| train | movielens | films | 90 |", "GroupLens", "it has no times", "Quality score"):
        assert part in card


def test_same_job_gives_the_same_files_with_any_number_of_processes(
    finished: tuple[Path, Report], config: SynthesisConfig, tmp_path: Path, home: Settings
) -> None:
    run(config, tmp_path / "again", home, workers=2)
    assert contents(tmp_path / "again") == contents(finished[0])


@pytest.mark.slow
def test_ray_gives_the_same_files(
    finished: tuple[Path, Report], config: SynthesisConfig, tmp_path: Path, home: Settings
) -> None:
    pytest.importorskip("ray", reason="needs requirements-ray.txt")
    assert Job(config, tmp_path / "ray", home).run(RayEngine(workers=2)) is not None
    assert contents(tmp_path / "ray") == contents(finished[0])


def test_another_seed_gives_other_rows(
    finished: tuple[Path, Report], config: SynthesisConfig, tmp_path: Path, home: Settings
) -> None:
    run(config.model_copy(update={"seed": 1}), tmp_path / "other", home)
    assert contents(tmp_path / "other")["train.jsonl"] != contents(finished[0])["train.jsonl"]


class StopsAfter:
    """The local engine, called off after some shards."""

    def __init__(self, shards: int) -> None:
        self._left = shards

    def run(self, work: Work, shards: Sequence[Shard], stop: threading.Event) -> Iterator[Packed]:
        for packed in LocalEngine(1).run(work, shards, stop):
            yield packed
            self._left -= 1
            if self._left == 0:
                stop.set()


def test_stopped_job_goes_on_and_ends_the_same(
    finished: tuple[Path, Report], config: SynthesisConfig, tmp_path: Path, home: Settings
) -> None:
    out = tmp_path / "out"
    assert Job(config, out, home).run(StopsAfter(3)) is None
    progress = Progress.model_validate_json((out / "progress.json").read_bytes())
    assert progress.state == "stopped"
    shards = sorted((out / "work").glob("*/shards/*.parquet"))
    assert len(shards) == 3
    assert all(read_rows(path) for path in shards)
    written = {path: path.stat().st_mtime_ns for path in shards}
    run(config, out, home)
    assert contents(out) == contents(finished[0])
    assert {path: path.stat().st_mtime_ns for path in shards} == written, (
        "finished rows are not written again"
    )


def test_more_examples_later_keep_the_rows_that_are_there(
    config: SynthesisConfig, tmp_path: Path, home: Settings
) -> None:
    out = tmp_path / "out"
    run(config.model_copy(update={"examples": 40}), out, home)
    few = {(r["dataset"], r["index"]) for r in lines(out / "train.jsonl")}
    run(config, out, home)
    assert few < {(r["dataset"], r["index"]) for r in lines(out / "train.jsonl")}
    assert len(list((out / "work").iterdir())) == 1


def test_shortfall_is_reported(config: SynthesisConfig, tmp_path: Path, home: Settings) -> None:
    report = run(config.model_copy(update={"examples": 100_000}), tmp_path / "out", home)
    short = {(o.split, o.dataset) for o in report.shortfalls()}
    assert {("train", "movielens"), ("train", "steam")} <= short
    assert all(o.written == o.available for o in report.shortfalls())
    assert "rows short: its histories give no more" in (tmp_path / "out" / "README.md").read_text()


def test_low_threshold_drops_by_score(config: SynthesisConfig, tmp_path: Path, home: Settings) -> None:
    strict = config.model_copy(update={"quality": config.quality.model_copy(update={"max_score": 5.2})})
    report = run(strict, tmp_path / "out", home)
    assert sum(o.dropped.get("score", 0) for o in report.obtained) > 0
    assert all(row["score"] < 5.2 for row in lines(tmp_path / "out" / "train.jsonl"))


def test_no_usable_history_is_explained(config: SynthesisConfig, tmp_path: Path, home: Settings) -> None:
    rules = config.histories.model_copy(update={"min_length": 50})
    with pytest.raises(InputError, match="Lower min_length"):
        run(config.model_copy(update={"histories": rules}), tmp_path / "out", home)
    progress = Progress.model_validate_json((tmp_path / "out" / "progress.json").read_bytes())
    assert (progress.state, "min_length" in progress.error) == ("failed", True)


def test_second_job_in_a_folder_is_refused(config: SynthesisConfig, tmp_path: Path, home: Settings) -> None:
    with FileLock(tmp_path / ".lock"), pytest.raises(ConflictError, match="Another job is writing"):
        run(config, tmp_path, home)


def command(config: SynthesisConfig, folder: Path) -> list[str]:
    file = folder / "config.json"
    file.write_text(config.model_dump_json(), encoding="utf-8")
    return [sys.executable, "-m", "recsys", "synthesize", "--config", str(file), "--out", str(folder / "out")]


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (45_000, 45_000))
sys.argv = sys.argv[1:]
runpy.run_module("recsys", run_name="__main__")
"""


def test_full_disk_keeps_what_is_finished(
    finished: tuple[Path, Report], config: SynthesisConfig, tmp_path: Path
) -> None:
    ordinary = command(config, tmp_path)
    limited = [sys.executable, "-c", LIMITED, "recsys", *ordinary[3:]]
    ended = subprocess.run(limited, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 7, ended.stderr
    assert "Make room there" in ended.stderr
    shards = list((tmp_path / "out" / "work").glob("*/shards/*"))
    assert shards
    assert all(read_rows(path) for path in shards)
    assert subprocess.run(ordinary, capture_output=True, timeout=120).returncode == 0
    assert contents(tmp_path / "out")["train.jsonl"] == contents(finished[0])["train.jsonl"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signal_in_the_middle_loses_nothing(
    how: signal.Signals, finished: tuple[Path, Report], config: SynthesisConfig, tmp_path: Path
) -> None:
    words = command(config, tmp_path)
    job = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shards = tmp_path / "out" / "work"
    while not list(shards.glob("*/shards/*.parquet")):
        assert job.poll() is None
        time.sleep(0.02)
    job.send_signal(how)
    job.wait(timeout=60)
    assert job.returncode in ((130, 0) if how != signal.SIGKILL else (-9,))
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert contents(tmp_path / "out") == contents(finished[0])


def test_a_job_stops_while_it_reads_a_source(
    config: SynthesisConfig, finished: tuple[Path, Report], tmp_path: Path, home: Settings
) -> None:
    """Not only between two sources: a file of millions of rows takes minutes."""
    out, stop = tmp_path / "out", threading.Event()
    seen: list[Progress] = []

    def told(progress: Progress) -> None:
        seen.append(progress)
        if progress.stage == "reading items":
            stop.set()

    assert Job(config, out, home).run(LocalEngine(1), stop=stop, said=told) is None
    assert seen[-1].state == "stopped"
    assert seen[-2].stage == "reading items", "it ended in the middle of the first source"
    assert not list((out / "work").glob("*/sources/*/card.json"))
    run(config, out, home)
    assert contents(out) == contents(finished[0])
