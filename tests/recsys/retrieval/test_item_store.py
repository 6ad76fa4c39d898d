from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recsys.catalog import Item
from recsys.errors import InputError, UnknownCatalogError
from recsys.retrieval.item_store import ItemStore

MakeItems = Callable[..., list[Item]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ItemStore]:
    store = ItemStore(tmp_path / "items.db")
    yield store
    store.close()


def test_put_and_read_back(store: ItemStore, make_items: MakeItems) -> None:
    items = make_items("Heat", "기생충")
    row = store.put("mine", "films", "en", items)
    assert (row.name, row.domain, row.language, row.items) == ("mine", "films", "en", 2)
    assert (row.chunks, row.indexed_by) == (0, "")
    assert list(store.items("mine")) == items
    assert store.get("mine", ["id-1", "nothing"]) == {"id-1": items[1]}
    assert store.get("other", ["id-1"]) == {}


def test_unknown_catalog_is_refused_with_what_is_known(store: ItemStore, make_items: MakeItems) -> None:
    with pytest.raises(UnknownCatalogError, match="none yet"):
        store.catalog("mine")
    store.put("mine", "films", "en", make_items("Heat"))
    with pytest.raises(UnknownCatalogError, match="mine"):
        store.catalog("\ud800")


def test_same_items_keep_their_index(store: ItemStore, make_items: MakeItems) -> None:
    store.put("mine", "films", "en", make_items("Heat"))
    store.mark_items("mine", {"id-0": 7}, "embedder")
    store.mark_indexed("mine", "embedder")
    row = store.put("mine", "films", "en", make_items("Heat"))
    assert (row.chunks, row.indexed_by) == (7, "embedder")


def test_other_items_replace_the_old_ones_and_their_titles(store: ItemStore, make_items: MakeItems) -> None:
    store.put("mine", "films", "en", make_items("Heat", "Alien"))
    store.mark_items("mine", {"id-0": 7, "id-1": 1}, "embedder")
    store.mark_indexed("mine", "embedder")
    assert store.catalog("mine").chunks == 8
    row = store.put("mine", "films", "en", make_items("Coco"))
    assert (row.items, row.chunks, row.indexed_by) == (1, 0, "")
    assert [i.title for i in store.items("mine")] == ["Coco"]
    assert store.by_title("Heat") == []
    assert [c.name for c in store.catalogs()] == ["mine"]


def test_another_domain_or_language_is_recorded(store: ItemStore, make_items: MakeItems) -> None:
    store.put("mine", "films", "en", make_items("Heat"))
    row = store.put("mine", "books", "ko", make_items("Heat"))
    assert (row.domain, row.language) == ("books", "ko")


def test_failed_replacement_leaves_the_old_items(store: ItemStore, make_items: MakeItems) -> None:
    store.put("mine", "films", "en", make_items("Heat"))
    twice = make_items("Alien") * 2
    with pytest.raises(InputError, match="id-0"):
        store.put("mine", "films", "en", twice)
    assert [i.title for i in store.items("mine")] == ["Heat"]
    assert store.by_title("heat")
    store.put("mine", "films", "en", make_items("Coco"))


@pytest.mark.parametrize(
    "title",
    [
        "Amélie",
        "amélie",
        "  AMÉLIE ",
        "아멜리에",
        "Le  Fabuleux Destin",
        unicodedata.normalize("NFD", "아멜리에"),
    ],
)
def test_title_is_found_whatever_its_case_and_spacing(store: ItemStore, title: str) -> None:
    item = Item(id="a", title="Amélie", titles={"ko": "아멜리에", "fr": "Le Fabuleux  destin"})
    store.put("mine", "films", "en", [item])
    assert store.by_title(title) == [("mine", item)]


@pytest.mark.parametrize("title", ["", "Ameli", "%", "' OR 1=1 --", "\ud800"])
def test_other_titles_are_not_found(store: ItemStore, make_items: MakeItems, title: str) -> None:
    store.put("mine", "films", "en", make_items("Amélie", "100%"))
    assert store.by_title(title) == []


def test_title_in_several_catalogs(store: ItemStore, make_items: MakeItems) -> None:
    store.put("one", "films", "en", make_items("Journey"))
    store.put("two", "games", "en", make_items("Alien", "Journey"))
    assert [(name, item.id) for name, item in store.by_title("journey")] == [
        ("one", "id-0"),
        ("two", "id-1"),
    ]


def test_items_outlive_the_process_that_stored_them(tmp_path: Path, make_items: MakeItems) -> None:
    store = ItemStore(tmp_path / "items.db")
    store.put("mine", "films", "en", make_items("Heat"))
    store.close()
    again = ItemStore(tmp_path / "items.db")
    assert [i.title for i in again.items("mine")] == ["Heat"]
    again.close()


def test_only_what_changed_is_pending_and_what_is_gone_is_stale(
    store: ItemStore, make_items: MakeItems
) -> None:
    store.put("mine", "films", "en", make_items("Heat", "Alien", "Coco"))
    assert [i.id for i in store.pending("mine", 2)] == ["id-0", "id-1"]
    store.mark_items("mine", {"id-0": 1, "id-1": 2, "id-2": 1}, "e")
    store.mark_indexed("mine", "e")
    row = store.put("mine", "films", "en", make_items("Heat", "Aliens"))
    assert (row.items, row.indexed_by) == (2, "e")
    assert [i.title for i in store.pending("mine", 9)] == ["Aliens"]
    assert sorted(store.stale("mine", 9)) == ["id-1", "id-2"]
    assert store.indexed_under("mine") == {"e": 1, "": 1}
    assert store.by_title("alien") == store.by_title("coco") == []
    store.clear_stale("mine", ["id-1", "id-2"])
    assert store.stale("mine", 9) == []


def test_deleted_catalogue_is_gone_with_its_items(store: ItemStore, make_items: MakeItems) -> None:
    store.put("mine", "films", "en", make_items("Heat"))
    store.delete("mine")
    assert store.catalogs() == []
    assert store.by_title("heat") == []
    with pytest.raises(UnknownCatalogError):
        store.delete("mine")


def test_database_of_the_first_version_keeps_its_index(tmp_path: Path, make_items: MakeItems) -> None:
    (item,) = make_items("Heat")
    old = sqlite3.connect(tmp_path / "items.db")
    old.executescript(
        "CREATE TABLE catalogs (name TEXT PRIMARY KEY, domain TEXT NOT NULL, language TEXT NOT NULL,"
        " items INTEGER NOT NULL, fingerprint TEXT NOT NULL, chunks INTEGER NOT NULL DEFAULT 0,"
        " indexed_by TEXT NOT NULL DEFAULT '');"
        "CREATE TABLE items (catalog TEXT NOT NULL REFERENCES catalogs(name) ON DELETE CASCADE,"
        " id TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (catalog, id));"
        "INSERT INTO catalogs VALUES ('mine', 'films', 'en', 1, 'x', 3, 'e');"
    )
    old.execute("INSERT INTO items VALUES ('mine', ?, ?)", [item.id, item.model_dump_json()])
    old.commit()
    old.close()
    store = ItemStore(tmp_path / "items.db")
    assert store.pending("mine", 9) == []
    assert store.catalog("mine").indexed_by == "e"
    store.close()


@pytest.fixture
def titled(store: ItemStore, make_items: MakeItems) -> ItemStore:
    store.put(
        "films", "films", "en", make_items("Heat", "The Heat", "Wheat Field", "Overheated", "100% [Wolf]")
    )
    korean = Item(id="p", title="Parasite", titles={"ko": "기생충"}, text="A family moves in.")
    store.put("korean", "films", "en", [korean, Item(id="s", title="소나기", text="A shower of rain.")])
    store.put("waiting", "films", "en", make_items("Heat wave"))
    for name in ("films", "korean"):
        store.mark_indexed(name, "e")
    return store


def test_suggestions_are_ordered_by_where_the_text_begins(titled: ItemStore) -> None:
    assert [item.title for _, item in titled.suggest("heat")] == [
        "Heat",
        "The Heat",
        "Overheated",
        "Wheat Field",
    ]
    assert len(titled.suggest("heat", 2)) == 2


@pytest.mark.parametrize("typed", ["ㄱ", "기", "기새", "기생", "기생추", "기생충", "para", " PARASITE "])
def test_korean_is_found_while_it_is_typed(titled: ItemStore, typed: str) -> None:
    assert ("korean", "p") in [(catalog, item.id) for catalog, item in titled.suggest(typed)]


def test_one_suggestion_an_item_with_whatever_title(titled: ItemStore) -> None:
    assert [item.id for _, item in titled.suggest("생")] == ["p"]
    assert titled.suggest("기생하") == []


@pytest.mark.parametrize("typed", ["", "  ", "*", "?", "[", "]", "%", "h*t", "\ud800", "\0", "x" * 10_000])
def test_signs_mean_themselves(titled: ItemStore, typed: str) -> None:
    found = [item.title for _, item in titled.suggest(typed)]
    assert found == (["100% [Wolf]"] if typed in ("%", "[", "]") else [])
