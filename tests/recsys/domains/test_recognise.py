"""Which dataset a folder is, when nobody says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from recsys.domains.inspect_apart import inspect_apart
from recsys.domains.recognise import recognise
from recsys.errors import DataError

REVIEW = {"overall": 5.0, "verified": True, "reviewerID": "A1", "asin": "B1", "unixReviewTime": 1_400_000_000}


def write_films(folder: Path) -> Path:
    folder.mkdir()
    (folder / "movies.csv").write_text("movieId,title,genres\n1,Heat (1995),Crime\n", encoding="utf-8")
    (folder / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n7,1,4.5,964982703\n", encoding="utf-8"
    )
    return folder


def test_films(tmp_path: Path) -> None:
    found = recognise(write_films(tmp_path / "x"))
    assert (found.dataset, found.edition) == ("movielens", "csv")


@pytest.mark.parametrize(
    ("file", "dataset"),
    [
        ("Digital_Music.json.gz", "amazon-music"),
        ("CDs_and_Vinyl_5.json.gz", "amazon-music"),
        ("Office_Products.json.gz", "amazon"),
    ],
)
def test_names_of_amazons_files_tell_music_from_the_rest(tmp_path: Path, file: str, dataset: str) -> None:
    with gzip.open(tmp_path / file, "wt", encoding="utf-8") as lines:
        lines.write(json.dumps(REVIEW) + "\n")
    assert recognise(tmp_path).dataset == dataset
    assert recognise(tmp_path / file).dataset == dataset


def test_something_else_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing of the kind", encoding="utf-8")
    found = recognise(tmp_path)
    assert (found.dataset, found.edition, found.error) == ("", "", None)


def test_a_broken_zip_says_so(tmp_path: Path) -> None:
    (tmp_path / "films.zip").write_bytes(b"PK\x03\x04 cut short")
    found = recognise(tmp_path / "films.zip")
    assert found.dataset == ""
    assert "zip" in str(found.error)


def test_inspecting_apart_gives_the_same_counts(tmp_path: Path) -> None:
    found = inspect_apart("movielens", write_films(tmp_path / "-x"))
    assert found is not None
    assert (found.users, found.items, found.interactions, found.positives) == (1, 1, 1, 1)


def test_inspecting_the_wrong_thing_gives_its_message(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not the dataset yelp"):
        inspect_apart("yelp", write_films(tmp_path / "x"))
