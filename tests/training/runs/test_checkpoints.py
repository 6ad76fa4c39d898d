from __future__ import annotations

from pathlib import Path

import pytest

from training.runs.checkpoints import (
    discard_later,
    discard_unsealed,
    is_whole,
    latest,
    latest_sealed_step,
    seal,
    step_of,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Checkpoints after steps 3, 6 and 10, the last one still without its seal."""
    for step in (3, 6, 10):
        checkpoint = tmp_path / f"checkpoint-{step}"
        (checkpoint / "ref").mkdir(parents=True)
        for name in ("adapter_model.safetensors", "optimizer.pt", "ref/adapter_model.safetensors"):
            (checkpoint / name).write_bytes(f"{step} {name}".encode() * 100)
        if step < 10:
            seal(checkpoint)
    return tmp_path


def test_the_latest_is_the_last_that_was_written_to_its_end(folder: Path) -> None:
    found = latest(folder)
    assert found is not None
    assert step_of(found) == latest_sealed_step(folder) == 6


@pytest.mark.parametrize("harm", ["cut", "changed", "gone", "seal"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(folder: Path, harm: str) -> None:
    broken = folder / "checkpoint-6"
    path = broken / "ref" / "adapter_model.safetensors"
    data = path.read_bytes()
    if harm == "cut":
        path.write_bytes(data[:-1])
    elif harm == "changed":
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    elif harm == "gone":
        path.unlink()
    else:
        (broken / "seal.json").write_text('{"files": {')
    assert not is_whole(broken)
    found = latest(folder)
    assert found is not None
    assert step_of(found) == 3


def test_what_comes_after_the_one_to_go_on_from_is_removed(folder: Path) -> None:
    discard_later(folder, folder / "checkpoint-3")
    assert [path.name for path in folder.iterdir()] == ["checkpoint-3"]
    discard_later(folder, None)
    assert list(folder.iterdir()) == []


def test_a_half_written_one_can_be_removed_alone(folder: Path) -> None:
    discard_unsealed(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint-3", "checkpoint-6"]


def test_without_checkpoints_there_is_none(tmp_path: Path) -> None:
    assert latest(tmp_path / "none") is None
    assert latest_sealed_step(tmp_path) is None
    (tmp_path / "checkpoint-5").mkdir()
    seal(tmp_path / "checkpoint-5")
    assert latest(tmp_path) is None, "an empty one is none"
