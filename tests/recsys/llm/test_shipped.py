"""Adapters that come with the app: there at the first start, and gone when somebody wants them gone."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.llm.adapters import CARD, GGUF, AdapterCard, AdapterStore
from recsys.llm.shipped import SHIPPED, install_shipped, shipped_adapter


def ship(folder: Path, name: str, base: str = "gemma-3-270m") -> None:
    card = AdapterCard(
        name=name, kind="sft", base_model=base, base_sha256="", style="plain", created=datetime.now(UTC)
    )
    (folder / name).mkdir(parents=True)
    (folder / name / CARD).write_text(card.model_dump_json())
    (folder / name / GGUF).write_bytes(b"GGUF")


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    ship(tmp_path / "shipped", "first")
    return tmp_path / "shipped"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "adapters").mkdir()
    return tmp_path / "adapters"


def test_it_is_there_after_the_first_start_and_for_its_base_only(shipped: Path, root: Path) -> None:
    assert install_shipped(root, shipped) == ["first"]
    assert install_shipped(root, shipped) == []
    store = AdapterStore(root)
    assert store.get("first", "gemma-3-270m").gguf.read_bytes() == b"GGUF"
    assert shipped_adapter(store, "gemma-3-270m", shipped) == "first"
    assert shipped_adapter(store, "smollm2-135m-instruct", shipped) is None


def test_a_deleted_one_stays_away_and_a_later_one_comes(shipped: Path, root: Path) -> None:
    install_shipped(root, shipped)
    shutil.rmtree(root / "first")
    ship(shipped, "second")
    assert install_shipped(root, shipped) == ["second"]
    assert [a.card.name for a in AdapterStore(root).list()] == ["second"]


def test_ones_own_of_that_name_is_left_alone(shipped: Path, root: Path) -> None:
    ship(root, "first", base="other")
    install_shipped(root, shipped)
    assert AdapterStore(root).list()[0].card.base_model == "other"
    assert shipped_adapter(AdapterStore(root), "gemma-3-270m", shipped) is None


def test_what_is_shipped_is_whole_and_small() -> None:
    for adapter in AdapterStore(SHIPPED).list():
        files = {path.name for path in adapter.folder.iterdir()}
        assert {"adapter_config.json", "adapter_model.safetensors", GGUF, CARD, "NOTICE"} <= files
        assert adapter.gguf.stat().st_size < 16 << 20
        assert adapter.card.agreement is not None
