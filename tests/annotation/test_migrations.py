from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from annotation.errors import NewerStoreError, StoreFileError
from annotation.migrations import migrate, scripts, version
from annotation.policy import Policy
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


_FIRST_RELEASE = """
INSERT INTO prompts VALUES (1, 'k1', 'demo', 'passive', 'direct', 'en', 'films', 'books', 'You recommend.',
    'Watched:', '["- A", "- B"]', 'What next?', '', '["a", "b"]', '[]', 7, '2026-01-01T00:00:00+00:00');
INSERT INTO prompts VALUES (2, 'k2', 'demo', 'active', 'direct', 'ko', '', 'films', '추천합니다.',
    '', '[]', '무엇을 볼까요?', '볼 것', '[]', '[]', 8, '2026-01-01T00:00:00+00:00');
INSERT INTO candidates SELECT 5 * (p.id - 1) + n.value + 1, p.id, 'batch', n.value, 'text ' || n.value,
    'smollm2', NULL, 40 + n.value, '{"temperature": 0.8}', 12, 'stop', 0, '2026-01-01T00:00:00+00:00'
    FROM prompts AS p, json_each('[0, 1, 2, 3, 4]') AS n;
INSERT INTO displays VALUES (1, 1, 'ann', '[4, 3, 2, 1, 0]', '2026-01-01T00:00:01+00:00');
INSERT INTO displays VALUES (2, 1, 'bob', '[0, 1, 2, 3, 4]', '2026-01-01T00:00:02+00:00');
INSERT INTO displays VALUES (3, 2, 'ann', '[0, 1, 2, 3, 4]', '2026-01-01T00:00:03+00:00');
INSERT INTO judgements VALUES (1, 1, 'ann', 'judge', 1, 5, '', NULL, '2026-01-01T00:01:00+00:00');
INSERT INTO judgements VALUES (2, 1, 'bob', 'judge', 2, 5, '', NULL, '2026-01-01T00:02:00+00:00');
INSERT INTO judgements VALUES (3, 1, 'bob', 'undo', NULL, NULL, '', 2, '2026-01-01T00:03:00+00:00');
INSERT INTO judgements VALUES (4, 1, 'bob', 'judge', 3, 5, '', 3, '2026-01-01T00:04:00+00:00');
INSERT INTO judgements VALUES (5, 2, 'ann', 'skip', NULL, NULL, 'unclear', NULL, '2026-01-01T00:05:00+00:00');
INSERT INTO claims VALUES (2, 'gone:1:x', 1.0);
"""


@pytest.fixture
def first_release(tmp_path: Path) -> Path:
    """A store as the first release wrote it, with judgements, a revision and a skip in it."""
    path = tmp_path / "annotations.db"
    connection = _open(path)
    connection.executescript(scripts()[0] + "PRAGMA user_version = 1;" + _FIRST_RELEASE)
    connection.close()
    return path


def test_the_first_release_is_brought_up_to_date_with_all_its_data(first_release: Path) -> None:
    before = _dump(first_release, "judgements"), _dump(first_release, "displays")
    with AnnotationStore(first_release) as store:
        assert [j.kind for j in store.judgements.log("1", "bob")] == ["judge", "undo", "judge"]
        assert store.judgements.progress("ann").done == 1
        assert store.judgements.progress("ann").skipped == 1
        ratings = store.snapshot().ratings()
        assert [(r.judgement.annotator, r.judgement.best) for _, r in ratings] == [("ann", "1"), ("bob", "3")]
        assert ratings[0][1].order == (4, 3, 2, 1, 0)
        assert ratings[0][1].seconds is None
        first = store.prompts.candidates("1")[0]
        assert (first.text, first.marks, first.attempts) == ("text 0", (), 1)
        # What the new tables say follows from the old rows: the two disagree about the best.
        store.policies.set(Policy(overlap=2))
        task = store.assignments.next_task("cat")
        assert task is not None
        assert (task.id, store.judgements.undo("ann") is not None) == ("1", True)
        store.judgements.flag("2", "ann", "now with a flag")
    assert (
        _dump(first_release, "judgements")[: len(before[0])],
        _dump(first_release, "displays")[:3],
    ) == before
    connection = _open(first_release)
    assert version(connection) == len(scripts())
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


@pytest.mark.parametrize("statement", ["DELETE FROM judgements", "UPDATE displays SET positions = '[]'"])
def test_what_was_kept_before_is_kept_after(first_release: Path, statement: str) -> None:
    AnnotationStore(first_release).close()
    connection = _open(first_release)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE flags SET judgement_id = 2",
        "DELETE FROM flags",
        "INSERT INTO flags VALUES (1)",  # a judgement that is no skip
        "UPDATE policies SET policy = '{}'",
        "DELETE FROM policies",
    ],
)
def test_the_new_facts_cannot_be_changed_either(first_release: Path, statement: str) -> None:
    with AnnotationStore(first_release) as store:
        store.judgements.flag("2", "ann", "why")
        store.policies.set(Policy())
    connection = _open(first_release)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()


def _dump(path: Path, table: str) -> list[tuple[object, ...]]:
    connection = _open(path)
    rows = connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
    connection.close()
    return rows
