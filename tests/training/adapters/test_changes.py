"""Adapters change their names and go, whole, and not from under those that need them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.errors import InputError, UnknownAdapterError
from recsys.llm.adapters import CARD, GGUF, AdapterCard
from recsys.settings import Settings
from tests.training.support import MODEL, command_line
from training.adapters.changes import AdapterManager
from training.config import DpoConfig
from training.errors import AdapterInUseError, AdapterNameTakenError
from training.runs.events import EventWriter, StateEvent
from training.runs.folder import RunFolder, RunRecord, new_run_id
from training.runs.processes import ProcessRecord


def settings(home: Path, model: str = MODEL) -> Settings:
    return Settings(home=home, model=model)


def add(home: Path, name: str, parent: str | None = None) -> Path:
    folder = home / "adapters" / name
    folder.mkdir(parents=True)
    (folder / GGUF).write_bytes(b"GGUF " + name.encode())
    card = AdapterCard(
        name=name,
        kind="dpo",
        base_model=MODEL,
        base_sha256="0",
        style="chat",
        created=datetime.now(UTC),
        parent=parent,
    )
    (folder / CARD).write_text(card.model_dump_json())
    return folder


def train_on_from(home: Path, parent: str) -> RunFolder:
    """A run that goes on; this test's own process does the work."""
    import os

    now = datetime.now(UTC)
    folder = RunFolder(home / "runs" / new_run_id("dpo", now))
    folder.path.mkdir(parents=True)
    folder.config.write_text(DpoConfig(model=MODEL, parent=parent).model_dump_json())
    folder.write_record(RunRecord(run_id=folder.path.name, kind="dpo", name="x", created=now, home=home))
    folder.write_keeper(ProcessRecord.of(os.getpid()))
    return folder


def test_a_renamed_adapter_keeps_its_files_and_its_children(tmp_path: Path) -> None:
    old = add(tmp_path, "first")
    add(tmp_path, "child", parent="first")
    manager = AdapterManager(settings(tmp_path))
    assert manager.rename("first", "second").name == "second"
    names = {adapter.card.name: adapter for adapter in manager.list()}
    assert set(names) == {"second", "child"}
    assert names["second"].gguf.read_bytes() == b"GGUF first"
    assert names["child"].card.parent == "second"
    assert not old.exists()
    assert sorted(path.name for path in (tmp_path / "adapters").iterdir()) == [".lock", "child", "second"]


@pytest.mark.parametrize(
    ("new_name", "error"),
    [("taken", AdapterNameTakenError), ("../elsewhere", InputError), ("first", AdapterNameTakenError)],
)
def test_a_name_that_cannot_be_had_is_refused(tmp_path: Path, new_name: str, error: type[Exception]) -> None:
    add(tmp_path, "first"), add(tmp_path, "taken")
    with pytest.raises(error):
        AdapterManager(settings(tmp_path)).rename("first", new_name)
    assert {a.card.name for a in AdapterManager(settings(tmp_path)).list()} == {"first", "taken"}


def test_an_adapter_that_is_needed_stays(tmp_path: Path) -> None:
    add(tmp_path, "parent"), add(tmp_path, "default")
    run = train_on_from(tmp_path, "parent")
    manager = AdapterManager(settings(tmp_path, f"{MODEL}+default"))
    for name, user in (("parent", run.path.name), ("default", "default model")):
        with pytest.raises(AdapterInUseError, match=user):
            manager.delete(name)
        with pytest.raises(AdapterInUseError, match=user):
            manager.rename(name, "other")
    EventWriter(run.events).write(StateEvent(state="finished"))
    manager.delete("parent")
    assert [adapter.card.name for adapter in manager.list()] == ["default"]
    with pytest.raises(UnknownAdapterError):
        manager.delete("parent")


def test_the_command_line_lists_renames_and_deletes(tmp_path: Path) -> None:
    def said(*arguments: str) -> str:
        return command_line("adapters", *arguments, home=tmp_path).stdout

    assert "No adapters yet" in said("list")
    add(tmp_path, "first")
    assert "first is now second" in said("rename", "first", "second")
    assert "second  dpo on" in said("list")
    assert "second is deleted" in said("delete", "second")
    gone = command_line("adapters", "delete", "second", home=tmp_path)
    assert gone.returncode == 2
    assert "no adapter called 'second'" in gone.stderr
