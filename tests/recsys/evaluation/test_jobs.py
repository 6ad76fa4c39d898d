"""Evaluations as processes of their own: started, watched, stopped, killed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from recsys.domains.sources import SourceFolder
from recsys.errors import ConflictError, InputError
from recsys.evaluation.job import Eta, Progress
from recsys.evaluation.jobs import EvaluationStore
from recsys.evaluation.perform import Step
from recsys.evaluation.request import EvaluationRequest, requested_evaluation
from recsys.settings import Settings

FAST = ("random", "last", "default")


@pytest.fixture
def store(tmp_path: Path) -> EvaluationStore:
    return EvaluationStore(Settings(home=tmp_path))


def ended(store: EvaluationStore, name: str, seconds: float = 120) -> Progress:
    deadline = time.monotonic() + seconds
    while (progress := store.progress(name)).state == "running":
        assert time.monotonic() < deadline, progress
        time.sleep(0.1)
    return progress


def test_an_evaluation_runs_apart_and_leaves_its_report(store: EvaluationStore, movielens: Path) -> None:
    request = EvaluationRequest(dataset="movielens", path=movielens, methods=FAST, users=5, seed=3)
    name = store.start(request)
    assert store.running() == name
    with pytest.raises(ConflictError, match="is running"):
        store.start(request)
    progress = ended(store, name)
    assert (progress.state, progress.error) == ("done", "")
    assert (progress.users, progress.items) == (5, 30)
    saved = store.finished(name)
    assert [one.method for one in saved.report.methods] == list(FAST)
    assert (saved.report.users, saved.report.seed) == (5, 3)
    assert store.request(name) == request

    again = store.start(request.model_copy(update={"methods": ("default",)}))
    assert ended(store, again).state == "done"
    assert store.names()[:2] == sorted([name, again], reverse=True)
    assert store.reports.comparable(name) == [again]  # the same people, drawn with the same seed
    reopened = EvaluationStore(Settings(home=store.reports.folder.parent))
    assert reopened.finished(name) == saved


@pytest.mark.model
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_one_that_ended_early_says_so(store: EvaluationStore, movielens: Path, how: str) -> None:
    many = ("random", "default-diverse", "default-without-series", "likelihood")
    name = store.start(EvaluationRequest(dataset="movielens", path=movielens, methods=many, model=""))
    deadline = time.monotonic() + 120
    while (progress := store.progress(name)).finished == 0:
        assert progress.state == "running", progress
        assert time.monotonic() < deadline
        time.sleep(0.01)
    if how == "stop":
        store.stop(name, wait_s=60)
        assert ended(store, name).state == "stopped"
        report = store.finished(name).report
        assert report.methods[0].method == "random"
        assert "not measured" in report.notes[-1]
    else:
        process = store._folders.process(store._folders.folder(name))
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        progress = ended(store, name)
        assert (progress.state, store.report(name)) == ("failed", None)
        assert "killed" in progress.error
        with pytest.raises(InputError, match="no report yet"):
            store.finished(name)


def test_what_went_wrong_is_told(store: EvaluationStore, tmp_path: Path) -> None:
    name = store.start(EvaluationRequest(dataset="movielens", path=tmp_path / "gone"))
    progress = ended(store, name)
    assert progress.state == "failed"
    assert "there is no such file or folder" in progress.error


@pytest.mark.parametrize("name", ["../x", "", "20200101-000000-nothing-0000"])
def test_unknown_evaluations_are_refused(store: EvaluationStore, name: str) -> None:
    with pytest.raises(InputError, match="There is no evaluation called"):
        store.progress(name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": "../x"}, "There is no source called '../x'"),
        ({"source": "notes.txt"}, "no dataset that is known"),
        ({"methods": ["last", "magic"]}, "no method called 'magic'"),
        ({"users": 0}, "users: Input should be greater"),
        ({"users": "many"}, "users: Input should be a valid integer"),
        ({"seed": -1}, "seed: Input should be greater"),
        ({"history": 0}, "history: Input should be greater"),
        ({"split": "sideways"}, "split: Input should be"),
        ({"path": "/etc"}, "path: Extra inputs are not permitted"),
    ],
)
def test_wrong_requests_are_explained(
    movielens: Path, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    (tmp_path / "films").symlink_to(movielens)
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    values = {"source": "films", "methods": ["last"], "users": 5, **change}
    with pytest.raises(InputError, match=words):
        requested_evaluation(values, SourceFolder(tmp_path), lambda name: None)


def test_a_request_names_a_source_and_a_model_of_the_list(movielens: Path, tmp_path: Path) -> None:
    (tmp_path / "films").symlink_to(movielens)
    checked: list[str] = []
    wanted = requested_evaluation({"source": "films", "model": "m+a"}, SourceFolder(tmp_path), checked.append)
    assert (wanted.dataset, wanted.path, wanted.users) == ("movielens", tmp_path / "films", 500)
    assert checked == ["m+a"]


def test_the_time_left_counts_the_methods_that_come_after() -> None:
    eta, methods = Eta(), ("random", "hyde", "likelihood")
    assert eta.after(Step("reading")) is None
    first = eta.after(Step("ranking", 1, 100, "random", methods))
    assert first is not None
    assert first == pytest.approx(800, rel=0.1)  # two methods with a model, 4 s a user each as a guess
    eta.after(Step("ranking", 1, 100, "hyde", methods))
    time.sleep(0.02)
    late = eta.after(Step("ranking", 50, 100, "hyde", methods))
    assert late is not None
    assert late < 10  # a user takes far less than was guessed
