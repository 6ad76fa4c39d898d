from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from annotation.errors import NewerStoreError, StoreFileError
from annotation.migrations import migrate, scripts, version
from annotation.store import AnnotationStore


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path)


def test_numbers_follow_each_other() -> None:
    assert len(scripts()) >= 1


def test_a_new_store_has_the_latest_version(store: AnnotationStore) -> None:
    connection = _open(store.path)
    assert version(connection) == len(scripts())
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_opening_again_keeps_what_is_there(tmp_path: Path, make_prompt) -> None:
    path = tmp_path / "a.db"
    with AnnotationStore(path) as store:
        store.prompts.add([make_prompt()])
    with AnnotationStore(path) as store:
        assert store.judgements.counts().prompts == 1


def test_a_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = _open(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(NewerStoreError, match="newer Zeroshelf"):
        AnnotationStore(path)
    connection = _open(path)
    assert version(connection) == 99
    connection.close()


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "schema"
    folder.mkdir()
    (folder / "0001_good.sql").write_text("CREATE TABLE a (x);\n")
    (folder / "0002_bad.sql").write_text("CREATE TABLE b (x);\nCREATE TABLE a (x);\n")
    connection = _open(tmp_path / "a.db")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, tmp_path / "a.db", folder)
    assert version(connection) == 1
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
    assert tables == ["a"]
    connection.close()


def test_a_gap_in_the_numbers_is_a_bug(tmp_path: Path) -> None:
    (tmp_path / "0002_second.sql").write_text("")
    with pytest.raises(ValueError, match="numbered"):
        scripts(tmp_path)


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"this is not SQLite" * 100)
    with pytest.raises(StoreFileError, match="not a database") as error:
        AnnotationStore(path)
    assert str(path) in str(error.value)
    assert path.read_bytes().startswith(b"this is not SQLite")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFileError):
        AnnotationStore(tmp_path / "file" / "a.db")


def test_several_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from annotation.store import AnnotationStore;"
        "sys.stdin.readline(); AnnotationStore(Path(sys.argv[1])).close()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.db")]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    results = []
    for process in started:
        assert process.stdin
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in started:
        _, errors = process.communicate(timeout=60)
        results.append((process.returncode, errors.decode()))
    assert [code for code, _ in results] == [0, 0, 0, 0], results
