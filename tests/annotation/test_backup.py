"""Backup while the store is in use, restore, and check."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from annotation.backup import backup, check, restore
from annotation.errors import BackupFileError, ExportFileError, StoreFileError
from annotation.service import AnnotationService
from annotation.store import AnnotationStore
from recsys.settings import Settings


def _judge_one(store: AnnotationStore, annotator: str) -> str:
    task = store.assignments.next_task(annotator)
    assert task is not None
    a, b = (c.id for c in task.candidates[:2])
    return store.judgements.judge(task.id, annotator, a, b).id


def _judged(path: Path) -> set[str]:
    with AnnotationStore(path) as store:
        return {r.judgement.id for _, r in store.snapshot().ratings()}


def test_a_backup_is_made_while_annotators_work(store: AnnotationStore, fill, tmp_path: Path) -> None:
    fill(store, 40)
    acknowledged: list[str] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set() and store.assignments.has_task("ann"):
            acknowledged.append(_judge_one(store, "ann"))

    thread = threading.Thread(target=work)
    thread.start()
    for number in range(5):
        before = list(acknowledged)
        file = tmp_path / f"{number}.db"
        assert backup(store.path, file) == file.stat().st_size
        assert set(before) <= _judged(file)
    stop.set()
    thread.join()
    assert _judged(store.path) == set(acknowledged)
    assert sorted(p.name for p in tmp_path.iterdir() if ".part" in p.name) == []


def test_restore_brings_back_the_backup_and_keeps_what_was_there(
    filled: AnnotationStore, tmp_path: Path
) -> None:
    first = _judge_one(filled, "a")
    backup(filled.path, tmp_path / "b.db")
    second = _judge_one(filled, "a")
    kept = restore(tmp_path / "b.db", filled.path)  # the store is open meanwhile, as in a running app
    assert kept is not None
    assert _judged(kept) == {first, second}
    assert {r.judgement.id for _, r in filled.snapshot().ratings()} == {first}
    assert _judge_one(filled, "b")
    assert list(check(filled.path)) == []


def test_restore_where_there_is_no_store_yet(filled: AnnotationStore, tmp_path: Path) -> None:
    _judge_one(filled, "a")
    backup(filled.path, tmp_path / "b.db")
    assert restore(tmp_path / "b.db", tmp_path / "new.db") is None
    assert len(_judged(tmp_path / "new.db")) == 1


def test_what_is_no_backup_is_refused_and_the_store_left_alone(
    filled: AnnotationStore, tmp_path: Path
) -> None:
    _judge_one(filled, "a")
    backup(filled.path, good := tmp_path / "good.db")
    noise, other, newer = (tmp_path / f"{name}.db" for name in ("noise", "other", "newer"))
    noise.write_bytes(b"noise" * 2000)
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    newer.write_bytes(good.read_bytes())
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for file, problem in (
        (noise, "not a database"),
        (other, "not an annotation store"),
        (newer, "newer schema 99"),
        (tmp_path / "none.db", "no such file"),
    ):
        with pytest.raises(BackupFileError, match=problem):
            restore(file, filled.path)
    assert len(_judged(filled.path)) == 1
    with pytest.raises(ExportFileError):
        backup(filled.path, tmp_path / "nowhere" / "b.db")


def test_damage_is_found_by_check_and_at_the_start(tmp_path: Path, fill) -> None:
    settings = Settings(home=tmp_path)
    path = settings.paths.annotations
    with AnnotationStore(path) as store:
        fill(store, 40)
    assert list(check(path)) == []
    AnnotationService.from_settings(settings).close()
    data = bytearray(path.read_bytes())
    data[8 * 4096 : 14 * 4096] = b"\xa5" * (6 * 4096)
    path.write_bytes(data)
    with pytest.raises(StoreFileError):
        AnnotationService.from_settings(settings)
    assert path.read_bytes() == bytes(data)


def test_a_reference_to_nothing_is_found(filled: AnnotationStore) -> None:
    connection = sqlite3.connect(filled.path)  # foreign keys are off here
    connection.execute("INSERT INTO claims VALUES (77, 'x', 0)")
    connection.commit()
    connection.close()
    assert list(check(filled.path)) == ["row 77 of claims refers to nothing in prompts"]
