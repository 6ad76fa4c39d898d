"""Jobs as processes of their own: started, watched, stopped, killed, and taken up again."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from recsys.errors import ConflictError, InputError
from recsys.settings import Settings
from recsys.synthesis.config import SynthesisConfig
from recsys.synthesis.engines import LocalEngine
from recsys.synthesis.job import Job, Progress
from recsys.synthesis.jobs import JobStore
from recsys.synthesis.view import preview_config


@pytest.fixture
def store(tmp_path: Path, home: Settings) -> JobStore:
    models = tmp_path / "models"
    models.symlink_to(home.paths.models)  # the tokenizer's file is there already
    return JobStore(Settings(home=tmp_path))


def ended(store: JobStore, name: str, seconds: float = 120) -> Progress:
    deadline = time.monotonic() + seconds
    while (progress := store.progress(name)).state == "running":
        assert time.monotonic() < deadline, progress
        time.sleep(0.1)
    return progress


def test_a_preview_becomes_the_job_and_keeps_its_rows(
    store: JobStore, config: SynthesisConfig, home: Settings, tmp_path: Path
) -> None:
    small = preview_config(config.model_copy(update={"examples": 300}))
    assert (small.examples, small.preview) == (200, True)
    name = store.start(config.model_copy(update={"examples": 30, "preview": True}))
    assert ended(store, name).state == "done"
    report = store.report(name)
    assert report is not None
    assert (report.total("train"), report.total("test"), report.total("preference")) == (30, 0, 0)
    assert store.prompts(name) is None
    shards = {p: p.stat().st_mtime_ns for p in store.folder(name).glob("work/*/shards/*.parquet")}
    assert shards

    assert store.start(config, name) == name
    assert ended(store, name).state == "done"
    at_once = Job(config, tmp_path / "at-once", home).run(LocalEngine(1))
    assert at_once == store.report(name)
    for file in ("train.jsonl", "test.jsonl", "preference.jsonl"):
        assert (store.folder(name) / file).read_bytes() == (tmp_path / "at-once" / file).read_bytes()
    assert {p: p.stat().st_mtime_ns for p in shards} == shards  # what was there was not written again
    prompts = store.prompts(name)
    assert prompts is not None
    assert prompts.stat().st_size
    assert {file.name for file in store.files(name)} >= {"train.jsonl", "train.parquet", "README.md"}
    assert store.names() == [name]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_job_that_ended_early_goes_on(store: JobStore, config: SynthesisConfig, how: str) -> None:
    name = store.start(config.model_copy(update={"shard_rows": 1}))
    with pytest.raises(ConflictError, match="is running"):
        store.start(config)
    assert store.running() == name
    deadline = time.monotonic() + 60
    while store.progress(name).rows_done == 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if how == "stop":
        store.stop(name, wait_s=30)
        assert store.progress(name).state in ("stopped", "done")
    else:
        job = psutil.Process(store.progress(name).pid)
        writers = job.children(recursive=True)
        assert writers
        os.kill(job.pid, signal.SIGKILL)
        assert not psutil.wait_procs(writers, timeout=20)[1]  # none of them outlives the job
        deadline = time.monotonic() + 10
        while store.running():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert store.progress(name).state == "failed"
        assert store.progress(name).error
    store.resume(name)
    assert ended(store, name).state == "done"
    report = store.report(name)
    assert report is not None
    assert report.total("train") == 120


def test_what_went_wrong_is_told(store: JobStore, config: SynthesisConfig, tmp_path: Path) -> None:
    gone = config.sources[0].model_copy(update={"path": tmp_path / "gone"})
    name = store.start(config.model_copy(update={"sources": (gone,)}))
    progress = ended(store, name)
    assert progress.state == "failed"
    assert "there is no such file or folder" in progress.error


@pytest.mark.parametrize("name", ["../x", "", "20200101-000000-0000"])
def test_unknown_jobs_are_refused(store: JobStore, name: str) -> None:
    with pytest.raises(InputError, match="There is no job called"):
        store.progress(name)
