from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.errors import AdapterFileError, InputError, UnknownAdapterError
from recsys.llm.adapters import CARD, GGUF, WEIGHTS, AdapterCard, AdapterStore, check_adapter_name

MakeAdapter = Callable[..., Path]


def test_list_is_newest_first_and_by_base_model(tmp_path: Path, make_adapter: MakeAdapter) -> None:
    make_adapter(tmp_path, "old", content=b"x", minute=1)
    make_adapter(tmp_path, "new", content=b"x", minute=3)
    make_adapter(tmp_path, "other", content=b"x", minute=2, base="gemma-3-270m")
    store = AdapterStore(tmp_path)
    assert [a.card.name for a in store.list()] == ["new", "other", "old"]
    assert [a.card.name for a in store.list("gemma-3-270m")] == ["other"]
    assert store.get("old").folder == tmp_path / "old"


def test_new_adapter_is_seen_at_once(tmp_path: Path, make_adapter: MakeAdapter) -> None:
    store = AdapterStore(tmp_path / "later")
    assert store.list() == []
    make_adapter(tmp_path / "later", "a", content=b"x")
    assert store.get("a").gguf.is_file()


@pytest.mark.parametrize("card", [b"", b"{", b"{}", b"\xff"])
def test_folder_without_a_readable_card_is_no_adapter(
    tmp_path: Path, make_adapter: MakeAdapter, card: bytes
) -> None:
    (make_adapter(tmp_path, "a", content=b"x") / CARD).write_bytes(card)
    (tmp_path / "empty").mkdir()
    assert AdapterStore(tmp_path).list() == []


def test_card_in_a_folder_of_another_name_is_no_adapter(tmp_path: Path, make_adapter: MakeAdapter) -> None:
    make_adapter(tmp_path, "a", content=b"x").rename(tmp_path / "b")
    assert AdapterStore(tmp_path).list() == []


@pytest.mark.parametrize("name", ["nothing", "", "..", "../a", "a/../a"])
def test_unknown_adapter_is_refused_with_what_is_known(
    tmp_path: Path, make_adapter: MakeAdapter, name: str
) -> None:
    with pytest.raises(UnknownAdapterError, match="none yet"):
        AdapterStore(tmp_path).get(name)
    make_adapter(tmp_path, "a", content=b"x")
    with pytest.raises(UnknownAdapterError, match="can be used: a"):
        AdapterStore(tmp_path).get(name)


def test_adapter_of_another_base_is_unknown(tmp_path: Path, make_adapter: MakeAdapter) -> None:
    make_adapter(tmp_path, "a", content=b"x", base="gemma-3-270m")
    with pytest.raises(UnknownAdapterError):
        AdapterStore(tmp_path).get("a", "smollm2-135m-instruct")


def test_adapter_without_its_file_is_refused(tmp_path: Path, make_adapter: MakeAdapter) -> None:
    make_adapter(tmp_path, "a", content=None)
    with pytest.raises(AdapterFileError, match=r"adapter\.gguf is missing"):
        AdapterStore(tmp_path).get("a")


@pytest.mark.parametrize("name", ["a", "dpo-2026.01_b", "0", "a" * 80])
def test_good_names(name: str) -> None:
    assert check_adapter_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "a/b", "..", "a..b", ".a", "-a", "a b", "한글", "a" * 81, "a\n", "a+b"]
)
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot name an adapter"):
        check_adapter_name(name)


def test_file_that_is_to_be_loaded_has_to_be_there(tmp_path: Path, make_adapter: MakeAdapter) -> None:
    folder = make_adapter(tmp_path, "a", content=None)
    store = AdapterStore(tmp_path)
    for file in (GGUF, WEIGHTS):
        with pytest.raises(AdapterFileError, match=f"{file} is missing"):
            store.get("a", file=file)
    (folder / WEIGHTS).write_bytes(b"x")
    assert store.get("a", file=WEIGHTS).folder == folder


def test_what_an_adapter_has_learnt_from_includes_its_parents(
    tmp_path: Path, make_adapter: MakeAdapter
) -> None:
    def learnt(name: str, datasets: tuple[str, ...], parent: str | None) -> None:
        path = make_adapter(tmp_path, name, content=b"x") / CARD
        card = AdapterCard.model_validate_json(path.read_bytes())
        changed = card.model_copy(update={"datasets": datasets, "parent": parent})
        path.write_text(changed.model_dump_json(), encoding="utf-8")

    learnt("sft", ("books", "mind"), "gone")
    learnt("dpo", ("movielens",), "sft")
    store = AdapterStore(tmp_path)
    assert store.trained_on("dpo") == ("movielens", "books", "mind")
    assert store.trained_on("sft") == ("books", "mind")
    with pytest.raises(UnknownAdapterError):
        store.trained_on("gone")
