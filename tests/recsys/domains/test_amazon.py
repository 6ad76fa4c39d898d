"""Amazon's editions of 2014, 2018 and 2023: reviews, ratings only, products."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset
from recsys.errors import OtherDatasetError

NEW = {"reviewerID": "A1", "asin": "B1", "verified": True, "overall": 4.0, "unixReviewTime": 1530000000}
OLD = {"reviewerID": "A1", "asin": "B1", "helpful": [0, 0], "overall": 5.0, "unixReviewTime": 1344000000}
LATEST = {"user_id": "U", "asin": "B1X", "parent_asin": "B1", "rating": 5.0, "timestamp": 1588615855070}


def write(path: Path, *rows: object) -> None:
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def test_2014_has_python_literals_that_are_never_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    write(tmp_path / "reviews_Digital_Music_5.json.gz", OLD)
    write(
        tmp_path / "meta_Digital_Music.json.gz",
        "{'asin': 'B1', 'title': \"It's\", 'price': 9.5, 'brand': 'L', 'categories': [['Music', 'Pop']]}",
        f"__import__('pathlib').Path({str(witness)!r}).touch()",
        "{'asin': 'B2', 'title': " + "[" * 10_000,
        "{'asin': 'B3', 'imUrl': 'http://x'}",
    )
    dataset = open_dataset("amazon-music", tmp_path)
    (album,) = dataset.items()
    assert (album.title, album.domain, dataset.edition) == ("It's", "music", "2014")
    assert album.attributes == {"brand": "L", "categories": ["Music", "Pop"], "price": 9.5}
    assert dataset.dropped == {"product row that cannot be read": 2, "item without title": 1}
    assert not witness.exists()
    assert [r.time for r in dataset.interactions()] == [1344000000]


def test_2018(tmp_path: Path) -> None:
    write(tmp_path / "All_Beauty_5.json.gz", NEW, NEW, {**NEW, "asin": "B9", "overall": 2.0}, "{")
    product = {
        "asin": "B1",
        "title": "Soap &amp; Water",
        "description": ["<b>Clean</b>", "hands"],
        "feature": ["200 g"],
        "price": "$1,299.50",
        "category": ["Beauty", "Soap", "</span></span>"],
        "brand": "Visit Amazon's Jane Roe Page",
    }
    junk = {"asin": "B3", "title": "var aPageStart = (new Date()).getTime();"}
    write(tmp_path / "meta_All_Beauty.json.gz", product, junk, product, {"asin": "B4", "title": None})
    dataset = open_dataset("amazon", tmp_path)
    (soap,) = dataset.items()
    assert (soap.title, soap.text) == ("Soap & Water", "Clean hands 200 g")
    assert soap.attributes == {"brand": "Jane Roe", "categories": ["Beauty", "Soap"], "price": 1299.5}
    found = inspect(dataset)
    assert (found.edition, found.interactions, found.positives, found.untitled) == ("2018", 2, 1, 1)
    assert found.dropped == {
        "item whose title is page source": 1,
        "item twice": 1,
        "item without title": 1,
        "duplicate row": 1,
        "rating row that cannot be read": 1,
    }


def test_2023_joins_on_the_parent_and_has_milliseconds(tmp_path: Path) -> None:
    write(tmp_path / "raw/review_categories/All_Beauty.jsonl", LATEST)
    product = {"parent_asin": "B1", "title": "Oil", "features": ["Light"], "description": [], "store": "Shop"}
    write(tmp_path / "raw/meta_categories/meta_All_Beauty.jsonl", {**product, "price": None})
    write(tmp_path / "asin2category.json", {"B1": "All_Beauty"})
    dataset = open_dataset("amazon", tmp_path)
    (oil,) = dataset.items()
    (rating,) = dataset.interactions()
    assert (oil.text, oil.attributes) == ("Light", {"brand": "Shop"})
    assert (rating.item, rating.time) == (oil.id, 1588615855)
    assert dataset.notes == ["not read: asin2category.json"]


@pytest.mark.parametrize(
    ("fields", "time"),
    [
        ({"unixReviewTime": 1530000000}, 1530000000),
        ({"unixReviewTime": "1530000000"}, 1530000000),
        ({"unixReviewTime": 1530000000000}, 1530000000),
        ({"reviewTime": "09 1, 2015"}, 1441065600),
        ({"unixReviewTime": -1, "reviewTime": "12 11, 2015"}, 1449792000),
        ({"unixReviewTime": 0}, None),
        ({"unixReviewTime": None, "reviewTime": "sometime"}, None),
        ({}, None),
    ],
)
def test_times(tmp_path: Path, fields: dict[str, object], time: int | None) -> None:
    row = {name: value for name, value in NEW.items() if name != "unixReviewTime"}
    write(tmp_path / "Things.json", {**row, **fields})
    dataset = open_dataset("amazon", tmp_path)
    assert [review.time for review in dataset.interactions()] == [time]
    assert len(dataset.notes) == (time is None)


def test_without_products_every_item_is_untitled(tmp_path: Path) -> None:
    write(tmp_path / "Books.json", NEW)
    found = inspect(open_dataset("amazon", tmp_path / "Books.json"))
    assert (found.items, found.interactions, found.untitled, found.untitled_interactions) == (0, 1, 1, 1)


@pytest.mark.parametrize(
    ("name", "lines", "edition"),
    [
        ("ratings_Digital_Music.csv", ["A1,B000000001,5.0,1344000000"], "2014"),
        ("Digital_Music.csv", ["B000000001,A1,5.0,1344000000"], "2018"),
        ("ratings_Music.csv", ["UserId,ProductId,Rating,Timestamp", "A1,B000000001,5.0,1344000000"], "2014"),
        ("Music.csv", ["user_id,parent_asin,rating,timestamp", "A1,B000000001,5.0,1344000000000"], "2023"),
    ],
)
def test_ratings_only(tmp_path: Path, name: str, lines: list[str], edition: str) -> None:
    write(tmp_path / name, *lines, "short,row")
    dataset = open_dataset("amazon-music", tmp_path)
    (rating,) = dataset.interactions()
    assert (dataset.edition, rating.user, rating.item, rating.value) == (edition, "A1", "B000000001", 5.0)
    assert rating.time == 1344000000
    assert dataset.dropped == {"rating row that cannot be read": 1}


def test_parts_of_2023_are_read_together(tmp_path: Path) -> None:
    for number, part in enumerate(("train", "valid", "test")):
        header = "user_id,parent_asin,rating,timestamp,history"
        write(tmp_path / f"All_Beauty.{part}.csv", header, f"U{number},B1,5.0,1588615855070,B2 B3")
    assert [r.user for r in open_dataset("amazon", tmp_path).interactions()] == ["U2", "U0", "U1"]


def test_fullest_file_of_each_category_is_read_and_the_rest_noted(tmp_path: Path) -> None:
    write(tmp_path / "Toys.json.gz", NEW)
    write(tmp_path / "Toys.json", NEW)
    write(tmp_path / "Toys_5.json.gz", NEW)
    write(tmp_path / "Toys.csv", "B000000001,A1,5.0,1344000000")
    write(tmp_path / "Tools_5.json.gz", {**NEW, "asin": "B2"})
    write(tmp_path / "meta_Toys.json.gz", {"asin": "B1", "title": "Bear"})
    write(tmp_path / "meta_Tools.json.gz", {"asin": "B2", "title": "Saw"})
    write(tmp_path / "meta_Office.json.gz", {"asin": "B3", "title": "Pen"})
    found = inspect(open_dataset("amazon", tmp_path))
    assert (found.interactions, found.items, found.untitled, found.dropped) == (2, 2, 0, {})
    assert found.notes == ["not read: Toys.csv, Toys.json.gz, Toys_5.json.gz, meta_Office.json.gz"]


def test_music_and_other_categories_side_by_side(tmp_path: Path) -> None:
    for category, product in (("Digital_Music", "M"), ("CDs_and_Vinyl", "V"), ("Musical_Instruments", "I")):
        write(tmp_path / f"{category}.json.gz", {**NEW, "asin": product})
    assert {r.item for r in open_dataset("amazon-music", tmp_path).interactions()} == {"M", "V"}
    assert {r.item for r in open_dataset("amazon", tmp_path).interactions()} == {"I"}


def test_editions_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path / "Toys.json.gz", NEW)
    write(tmp_path / "Tools.json.gz", NEW)
    write(tmp_path / "reviews_Office.json.gz", OLD)
    dataset = open_dataset("amazon", tmp_path)
    assert dataset.edition == "2018"
    assert dataset.notes == ["not read: reviews_Office.json.gz"]


def test_gzip_in_name_only_and_gzip_without_the_name(tmp_path: Path) -> None:
    write(tmp_path / "plain.json", NEW)
    (tmp_path / "plain.json").rename(tmp_path / "Toys.json.gz")
    write(tmp_path / "packed.json.gz", {"asin": "B1", "title": "Bear"})
    (tmp_path / "packed.json.gz").rename(tmp_path / "meta_Toys.json")
    found = inspect(open_dataset("amazon", tmp_path))
    assert (found.items, found.interactions, found.untitled) == (1, 1, 0)


def test_what_a_product_can_be(tmp_path: Path) -> None:
    write(tmp_path / "Toys.jsonl", LATEST)
    write(
        tmp_path / "meta_Toys.jsonl",
        {"parent_asin": "B1", "title": "Lone \ud83d surrogate", "price": "from 14.99", "categories": None},
        {"parent_asin": "B2", "title": "  ", "price": "12"},
        {"parent_asin": 5, "title": "Number"},
        {"parent_asin": "\ud83d", "title": "Bad id"},
        {"parent_asin": "B" * 300, "title": "Long id"},
        {"parent_asin": "B3", "title": "T" * 900, "price": "$5.00 - $9.00", "description": "One text"},
        {
            "parent_asin": "B4",
            "title": "NaN",
            "price": float("nan"),
            "store": "<b></b>",
            "features": [None, 3],
        },
        '{"parent_asin": "B5", "title": "Tab\there \u0000and zero"}',
        {"parent_asin": "B6", "title": "CafÃ© mojibake"},
    )
    dataset = open_dataset("amazon", tmp_path)
    found = {item.id: item for item in dataset.items()}
    assert {key: item.title[:20] for key, item in found.items()} == {
        "B1": "Lone surrogate",
        "B3": "T" * 20,
        "B4": "NaN",
        "B5": "Tab here and zero",
        "B6": "CafÃ© mojibake",
    }
    assert all(item.attributes == {} for item in found.values())
    assert found["B3"].text == "One text"
    assert dataset.dropped == {
        "item without title": 1,
        "product row that cannot be read": 1,
        "item whose id cannot be used": 2,
    }
    assert dataset.notes == [
        "1 NUL bytes left out",
        "1 titles look like UTF-8 that was read as Latin-1; they are left as they are",
    ]


def test_products_alone_are_no_dataset(tmp_path: Path) -> None:
    write(tmp_path / "meta_Toys.jsonl", {"parent_asin": "B1", "title": "Bear"})
    with pytest.raises(OtherDatasetError, match="looks like catalog"):
        open_dataset("amazon", tmp_path)
