"""Nothing acknowledged is lost: not among threads, not among processes, not by `kill -9`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gradio_client import Client

from annotation.backup import check
from annotation.store import AnnotationStore

_KILLS = 20

_JUDGE = """
import sys
from pathlib import Path
from annotation.store import AnnotationStore

path, annotator = Path(sys.argv[1]), sys.argv[2]
store = AnnotationStore(path)
turn = 0
while True:
    task = store.assignments.task(str(turn % 20 + 1), annotator)
    best, worst = (task.candidates[(turn // 20 + i) % 5].id for i in (0, 1))
    judgement = store.judgements.judge(task.id, annotator, best, worst)
    print(judgement.id, task.id, best, worst, flush=True)
    turn += 1
"""


def _fill(store: AnnotationStore, count: int, make_prompt, make_candidates) -> None:
    store.prompts.add(make_prompt(n) for n in range(count))
    for prompt in store.prompts.unsampled(count):
        store.prompts.save_candidates(prompt.id, make_candidates())


def test_threads_that_judge_at_once_lose_nothing(
    store: AnnotationStore, make_prompt, make_candidates
) -> None:
    _fill(store, 20, make_prompt, make_candidates)

    def work(annotator: str) -> list[tuple[str, str, str | None, str | None]]:
        told = []
        while task := store.assignments.next_task(annotator):
            mine = [c.id for c in task.candidates]
            j = store.judgements.judge(task.id, annotator, mine[0], mine[-1])
            told.append((j.id, j.task_id, j.best, j.worst))
        return told

    names = [f"annotator {n}" for n in range(8)]
    with ThreadPoolExecutor(len(names)) as pool:
        told = dict(zip(names, pool.map(work, names), strict=True))
    stored: dict[str, list[tuple[str, str, str | None, str | None]]] = {name: [] for name in names}
    for _, rating in store.snapshot().ratings():
        j = rating.judgement
        stored[j.annotator].append((j.id, j.task_id, j.best, j.worst))
    assert stored == told
    assert all(len(rows) == 20 for rows in stored.values())


def test_threads_of_one_annotator_see_one_task(store: AnnotationStore, make_prompt, make_candidates) -> None:
    _fill(store, 3, make_prompt, make_candidates)
    with ThreadPoolExecutor(8) as pool:
        tasks = list(pool.map(lambda _: store.assignments.next_task("ann"), range(8)))
        assert len(set(tasks)) == 1
        assert tasks[0]
        a, b = (c.id for c in tasks[0].candidates[:2])
        ids = pool.map(lambda _: store.judgements.judge(tasks[0].id, "ann", a, b).id, range(8))
        assert len(set(ids)) == 1


def test_two_processes_write_one_store(store: AnnotationStore, make_prompt, make_candidates) -> None:
    _fill(store, 20, make_prompt, make_candidates)
    writers = [_start(store.path, name) for name in ("a", "b")]
    told = []
    for writer in writers:
        assert writer.stdout
        told += [writer.stdout.readline().split() for _ in range(30)]
        store.judgements.progress("a")
    for writer in writers:
        told += _kill(writer)
    assert len({row[0] for row in told}) == len(told) >= 60


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_acknowledged_judgements_survive_twenty_kills(tmp_path: Path, make_prompt, make_candidates) -> None:
    path = tmp_path / "a.db"
    with AnnotationStore(path) as store:
        _fill(store, 20, make_prompt, make_candidates)
    told: list[list[str]] = []
    for round_ in range(_KILLS):
        writer = _start(path, f"ann {round_}")
        assert writer.stdout
        told += [writer.stdout.readline().split() for _ in range(1 + 7 * round_ % 40)]
        told += _kill(writer)
    assert list(check(path)) == []
    with AnnotationStore(path) as store:
        stored = {
            (j.id, j.task_id, j.best, j.worst)
            for round_ in range(_KILLS)
            for number in range(20)
            for j in store.judgements.log(str(number + 1), f"ann {round_}")
        }
    assert {tuple(row) for row in told} <= stored
    # At most one judgement a round was written and not yet acknowledged.
    assert len(stored) - len(told) <= _KILLS


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_what_the_server_acknowledged_survives_its_kill(tmp_path: Path, fill, serving) -> None:
    """Four people judge over HTTP; the server is killed in the middle, and starts again on the same store."""
    path = tmp_path / "a.db"
    with AnnotationStore(path) as store:
        fill(store, 40)
    told: list[tuple[str, str, str, str, str]] = []

    def work(url: str, name: str) -> None:
        client = Client(url, verbose=False)
        try:
            while (task := client.predict(name, api_name="/next_task"))["task_id"]:
                best, worst = (task["candidates"][i]["id"] for i in (1, 3))
                answer = client.predict(task["task_id"], name, best, worst, api_name="/judge")
                told.append((answer["judgement_id"], task["task_id"], name, best, worst))
        except Exception:  # the server is gone, in whatever way the client says it
            pass

    for round_ in range(2):
        with serving(path) as (url, server):
            names = [f"ann {round_} {n}" for n in range(4)]
            threads = [threading.Thread(target=work, args=(url, name)) for name in names]
            for thread in threads:
                thread.start()
            while len(told) < 12 * (round_ + 1):
                assert any(thread.is_alive() for thread in threads)
                time.sleep(0.01)
            server.kill()
            for thread in threads:
                thread.join()
    assert list(check(path)) == []
    with AnnotationStore(path) as store:
        stored = {
            (j.id, j.task_id, j.annotator, j.best, j.worst)
            for j in (rating.judgement for _, rating in store.snapshot().ratings())
        }
    assert set(told) <= stored
    assert len(told) == len(set(told))


def _start(path: Path, annotator: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _JUDGE, str(path), annotator]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _kill(process: subprocess.Popen[str]) -> list[list[str]]:
    """Kill the process at once; what it had acknowledged and nobody had read yet."""
    process.send_signal(signal.SIGKILL)
    assert process.stdout
    # Not communicate(): it would begin behind what readline() has buffered, in the middle of a line.
    with process:
        lines = process.stdout.readlines()
    return [line.split() for line in lines if line.endswith("\n")]
