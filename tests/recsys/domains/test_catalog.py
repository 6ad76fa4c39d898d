"""Somebody's own catalogue, with and without interactions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.domains.inspect import inspect
from recsys.domains.positive import parse_positive
from recsys.domains.registry import open_dataset
from recsys.errors import DatasetFormatError

ITEMS = (
    "id,title,text,domain,language,url,genre,year,price\n"
    "1,Tea &amp; Time,About <b>tea</b>,drinks,en,https://x/1,green|mild,1999,3.50\n"
    "2,녹차,,,,,,,\n"
    "2,again,,,,,,,\n"
    "3,,No title,,,,,,\n"
    ",No id,,,,,,,\n"
    "4,Too,many,,,,,,,fields\n"
)


def test_items_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(ITEMS)
    dataset = open_dataset("catalog", tmp_path / "mine.csv")
    tea, green = dataset.items()
    assert (tea.title, tea.text, tea.domain, tea.url) == ("Tea & Time", "About tea", "drinks", "https://x/1")
    assert tea.attributes == {"genre": ["green", "mild"], "year": 1999, "price": 3.5}
    assert (green.language, green.domain, green.attributes) == ("ko", "drinks", {})
    assert (dataset.domain, dataset.edition) == ("drinks", "items")
    found = inspect(dataset)
    assert (found.items, found.interactions, found.users, found.period) == (2, 0, 0, None)
    assert found.dropped == {"item twice": 1, "item without title": 1, "item row that cannot be read": 2}


def test_json_lines_with_interactions(tmp_path: Path) -> None:
    items = [
        {"itemId": 1, "name": "Lamp", "description": "Bright", "attributes": {"maker": "L", "parts": ["a"]}},
        {"itemId": 2, "name": "Desk", "titles": {"ko": "책상"}, "sizes": [1, 2], "sold": True, "cost": 1.5},
    ]
    (tmp_path / "products.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    acts = [
        {"user": "a", "item_id": 1, "event": "buy", "ts": "2020-01-01T00:00:00.250Z"},
        {"user": "a", "item_id": 2, "event": "view", "ts": 1577836800000},
        {"user": "a", "item_id": 2, "event": "view", "ts": 1577836800000},
        {"user": None, "item_id": 2, "event": "view", "ts": 1},
        {"user": "b", "item_id": 9, "event": "view", "ts": "?"},
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(act) + "\n" for act in acts) + "{cut")
    dataset = open_dataset("catalog", tmp_path)
    lamp, desk = dataset.items()
    assert (lamp.id, lamp.text, lamp.attributes) == ("1", "Bright", {"maker": "L", "parts": ["a"]})
    assert (desk.titles, desk.attributes) == ({"ko": "책상"}, {"cost": 1.5})
    assert [(r.item, r.signal, r.time) for r in dataset.interactions()] == [
        ("1", "buy", 1577836800),
        ("2", "view", 1577836800),
        ("9", "view", None),
    ]
    found = inspect(dataset)
    assert (found.positives, found.untitled, found.untitled_interactions) == (3, 1, 1)
    assert found.dropped == {"duplicate row": 1, "rating row that cannot be read": 2}
    strict = inspect(open_dataset("catalog", tmp_path, parse_positive("buy")))
    assert (strict.positives, strict.positive) == (1, "buy")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_ratings_need_four(tmp_path: Path, separator: str) -> None:
    for name, text in (
        ("films.csv", "Movie ID,Title\n7,Heat\n"),
        ("scores.csv", "User ID,Movie ID,Score\nu,7,3.5\nv,7,4\nw,7,\nx,7,good\n"),
    ):
        (tmp_path / name).write_text(text.replace(",", separator))
    dataset = open_dataset("catalog", tmp_path)
    assert [(r.signal, r.value) for r in dataset.interactions()] == [
        ("rating", 3.5),
        ("rating", 4.0),
        ("interaction", 1.0),
    ]
    found = inspect(dataset)
    assert (found.positives, found.dropped) == (2, {"rating row that cannot be read": 1})


def test_one_table_of_interactions_with_their_items(tmp_path: Path) -> None:
    (tmp_path / "plays.csv").write_text(
        "id,user_id,track_id,title,genre\n1,u,t1,Song,pop\n2,v,t1,Song,pop\n3,v,t2,Tune,jazz\n"
    )
    dataset = open_dataset("catalog", tmp_path)
    assert [(item.id, item.title, item.attributes) for item in dataset.items()] == [
        ("t1", "Song", {"genre": "pop"}),
        ("t2", "Tune", {"genre": "jazz"}),
    ]
    found = inspect(dataset)
    assert (found.users, found.interactions, found.dropped) == (2, 3, {})


def test_of_several_files_with_interactions_the_fullest_is_read(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id,title\n1,Tea\n")
    (tmp_path / "more.csv").write_text("id,title\n2,Jam\n")
    (tmp_path / "tags.csv").write_text("user,item,tag\nu,1,nice\n")
    (tmp_path / "users.csv").write_text("user_id,name\nu,Ann\n")
    for month in (1, 2):
        (tmp_path / f"2020-{month}.csv").write_text(f"user,item,time\nu,1,{month}\n")
    dataset = open_dataset("catalog", tmp_path)
    assert [r.time for r in dataset.interactions()] == [1, 2]
    assert [item.id for item in dataset.items()] == ["1", "2"]
    assert dataset.notes == [
        "not read: tags.csv, users.csv",
        "items are read from items.csv, more.csv",
        "interactions are read from 2020-1.csv, 2020-2.csv",
    ]


def test_korean_encoding_is_known(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_bytes("id,title\n1,서울의 봄, 그리고\n2,부산행\n".encode("cp949"))
    dataset = open_dataset("catalog", tmp_path)
    assert [item.title for item in dataset.items()] == ["부산행"]
    assert dataset.dropped == {"item row that cannot be read": 1}
    assert dataset.notes == ["items.csv: 2 lines are not UTF-8 and were read as CP949"]


@pytest.mark.parametrize(
    "content",
    ["", "a,b\n1,2\n", "title,text\nx,y\n", '[{"id": 1, "title": "a list"}]', "\x00\x01\x02", '{"id": 1}\n'],
)
def test_what_has_no_id_and_title_is_refused(tmp_path: Path, content: str) -> None:
    for name in ("x.csv", "x.jsonl"):
        (tmp_path / name).write_text(content)
    with pytest.raises(DatasetFormatError, match="with the columns id and title"):
        open_dataset("catalog", tmp_path)
