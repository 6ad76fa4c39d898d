"""Yelp, as its archives and copies of it are."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset

PLACES = [
    {
        "business_id": "b1",
        "name": "Café &amp; Co",
        "city": "Tampa",
        "state": "FL",
        "categories": "Cafes, Food",
    },
    {"business_id": "b2", "name": "", "categories": None, "attributes": None},
    {"business_id": "b3", "name": "Old", "categories": ["Bars", "Pubs"]},
    {"business_id": "b1", "name": "again"},
    {"name": "no id"},
]
REVIEWS = [
    {"review_id": "r", "user_id": "u", "business_id": "b1", "stars": 5.0, "date": "2018-07-07 22:09:11"},
    {"review_id": "s", "user_id": "u", "business_id": "b2", "stars": 2, "date": "2011-01-26"},
    {"review_id": "t", "user_id": "u", "business_id": "b3", "stars": 4.0, "date": "long ago"},
    {"review_id": "t", "user_id": "u", "business_id": "b3", "stars": 4.0, "date": "long ago"},
    {"review_id": "v", "user_id": "u", "business_id": "b3", "stars": None, "date": "2018-07-07 22:09:11"},
    {"user_id": 7},
]
OTHERS = {
    "tip": [{"user_id": "u", "business_id": "b1", "text": "go", "date": "2018-07-07 22:09:11"}],
    "checkin": [{"business_id": "b1", "date": "2018-07-07 22:09:11"}],
    "user": [{"user_id": "u", "name": "Ann", "friends": "v, w"}],
    "photos": [{"photo_id": "p", "business_id": "b1", "caption": "", "label": "food"}],
}


def json_lines(rows: list[dict[str, object]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def contents() -> dict[str, bytes]:
    named = {"business": PLACES, "review": REVIEWS, **OTHERS}
    return {f"yelp_academic_dataset_{name}.json": json_lines(rows) for name, rows in named.items()}


def tarred(files: dict[str, bytes], mode: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for name, data in files.items():
            folder, slash, base = name.rpartition("/")
            for entry, content in ((f"{folder}{slash}._{base}", b"Mac OS X"), (name, data)):
                info = tarfile.TarInfo(entry)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def pack(folder: Path, how: str) -> Path:
    if how == "folder":
        for name, data in contents().items():
            (folder / name).write_bytes(data)
        return folder
    path = folder / f"yelp_dataset.{how}"
    if how == "tar":
        path.write_bytes(tarred(contents(), "w"))
    elif how == "tgz":
        path.write_bytes(tarred(contents(), "w:gz"))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("Yelp JSON/Dataset_User_Agreement.pdf", b"%PDF")
            if how == "tar in a.zip":
                archive.writestr("Yelp JSON/yelp_dataset.tar", tarred(contents(), "w"))
            else:
                for name, data in contents().items():
                    archive.writestr(name, data)
    return path


@pytest.mark.parametrize("how", ["folder", "tar", "tgz", "zip", "tar in a.zip"])
def test_places_and_reviews_however_they_are_packed(tmp_path: Path, how: str) -> None:
    dataset = open_dataset("yelp", pack(tmp_path, how))
    first, second = dataset.items()
    assert (first.title, first.domain) == ("Café & Co", "places")
    assert first.attributes == {"categories": ["Cafes", "Food"], "city": "Tampa", "state": "FL"}
    assert second.attributes == {"categories": ["Bars", "Pubs"]}
    found = inspect(dataset)
    assert (found.interactions, found.positives, found.with_time, found.untitled) == (3, 2, 2, 1)
    assert found.dropped == {
        "item without title": 1,
        "item twice": 1,
        "place row that cannot be read": 1,
        "rating row that cannot be read": 2,
        "duplicate row": 1,
    }
    assert any("yelp_academic_dataset_tip.json" in note for note in found.notes)
    assert "interactions whose time cannot be used, kept without it: 2" in found.notes


def test_renamed_files_are_known_by_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(json_lines(REVIEWS) + b'{"cut": ')
    (tmp_path / "b.jsonl").write_bytes(b"\n{broken\n" + json_lines(PLACES))
    for number, rows in enumerate(OTHERS.values()):
        (tmp_path / f"review-{number}.json").write_bytes(json_lines(rows))
    found = inspect(open_dataset("yelp", tmp_path))
    assert (found.items, found.interactions) == (2, 3)
    assert found.dropped["rating row that cannot be read"] == 3


def test_tar_that_was_cut_short(tmp_path: Path) -> None:
    many = [{**REVIEWS[0], "business_id": f"b{number}"} for number in range(5000)]
    files = {"business.json": json_lines(PLACES), "review.json": json_lines(many), "tip.json": b"{}"}
    for name, mode in (("yelp.tar", "w"), ("yelp.tgz", "w:gz")):
        whole = tarred(files, mode)
        path = tmp_path / name
        path.write_bytes(whole[: len(whole) // 2])
        found = inspect(open_dataset("yelp", path))
        assert 1000 < found.interactions < 4900
        assert any("cut short" in note and "whole lines read" in note for note in found.notes)
        assert found.dropped["row cut off where its file is damaged"] == 1


def test_names_in_a_tar_lead_nowhere(tmp_path: Path) -> None:
    files = {f"../../{name}": data for name, data in contents().items()}
    path = tmp_path / "inner" / "yelp.tar"
    path.parent.mkdir()
    path.write_bytes(tarred(files, "w"))
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("yelp_academic_dataset_review.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    found = inspect(open_dataset("yelp", path))
    assert found.interactions == 3
    assert [p.name for p in tmp_path.iterdir()] == ["inner"]
