"""Anime of 2016 and 2020."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset

ANIME_2016 = (
    "anime_id,name,genre,type,episodes,rating,members\n"
    '9253,Steins;Gate &#039;x&#039;,"Sci-Fi, Thriller",TV,24,9.17,673572\n'
    "5,Odd,,Movie,Unknown,,1\n"
    "6,,,,,,\n"
)
ANIME_2020 = (
    "MAL_ID,Name,Score,Genres,English name,Japanese name,Type,Episodes,Studios\n"
    '1,Cowboy Bebop,8.78,"Action, Space",Unknown,カウボーイビバップ,TV,26,Sunrise\n'
)


def test_2016(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("anime.csv", ANIME_2016)
        archive.writestr("rating.csv", "user_id,anime_id,rating\n1,9253,-1\n1,5,8\n1,5,8\n1,,3\n1,5\n")
    dataset = open_dataset("anime", tmp_path / "archive.zip")
    first, second = dataset.items()
    assert first.title == "Steins;Gate 'x'"
    assert first.attributes == {"genres": ["Sci-Fi", "Thriller"], "type": "TV", "episodes": 24}
    assert second.attributes == {"type": "Movie"}
    assert [(r.signal, r.value) for r in dataset.interactions()] == [("watch", 1.0), ("rating", 8.0)]
    found = inspect(dataset)
    assert (found.edition, found.interactions, found.positives, found.with_time) == ("2016", 2, 1, 0)
    assert found.dropped == {"duplicate row": 1, "rating row that cannot be read": 2, "item without title": 1}


def test_2020(tmp_path: Path) -> None:
    (tmp_path / "anime.csv").write_text(ANIME_2020)
    (tmp_path / "anime_with_synopsis.csv").write_text(
        'MAL_ID,Name,Score,Genres,sypnopsis\n1,Cowboy Bebop,8.78,Action,"In 2071,\nhunters ""roam""."\n'
        "2,Other,1,Action,No synopsis information has been added to this title.\n"
    )
    (tmp_path / "rating_complete.csv").write_text("user_id,anime_id,rating\n0,1,9\n")
    (tmp_path / "animelist.csv").write_text("user_id,anime_id,rating,watching_status,watched_episodes\n")
    (tmp_path / "watching_status.csv").write_text("status, description\n1,Currently Watching\n")
    dataset = open_dataset("anime", tmp_path)
    (anime,) = dataset.items()
    assert anime.text == 'In 2071, hunters "roam".'
    assert anime.attributes == {
        "genres": ["Action", "Space"],
        "type": "TV",
        "studios": "Sunrise",
        "episodes": 26,
    }
    assert inspect(dataset).positives == 1
    assert dataset.notes == ["not read: animelist.csv, watching_status.csv"]


def test_animelist_of_2020(tmp_path: Path) -> None:
    (tmp_path / "anime.csv").write_text(ANIME_2020)
    (tmp_path / "animelist.csv").write_text(
        "user_id,anime_id,rating,watching_status,watched_episodes\n0,1,9,1,1\n1,1,0,2,26\n2,1,0,6,0\n"
    )
    dataset = open_dataset("anime", tmp_path)
    assert [r.signal for r in dataset.interactions()] == ["rating", "watch", "plan"]
    assert dataset.edition == "2020"


def test_editions_side_by_side_are_not_mixed(tmp_path: Path) -> None:
    for edition, anime, ratings in (
        ("2016", ANIME_2016, "rating.csv"),
        ("2020", ANIME_2020, "rating_complete.csv"),
    ):
        (tmp_path / edition).mkdir()
        (tmp_path / edition / "anime.csv").write_text(anime)
        (tmp_path / edition / ratings).write_text("user_id,anime_id,rating\n0,1,9\n")
    dataset = open_dataset("anime", tmp_path)
    assert dataset.edition == "2020"
    assert {m.folder for files in dataset.files.values() for m in files} == {"2020"}


@pytest.mark.parametrize(("rule", "positives"), [("rating>=8", 1), ("rating>=8, watch", 2), ("*", 3)])
def test_what_is_positive_is_a_setting(tmp_path: Path, rule: str, positives: int) -> None:
    from recsys.domains.positive import parse_positive

    (tmp_path / "anime.csv").write_text(ANIME_2016)
    (tmp_path / "rating.csv").write_text("user_id,anime_id,rating\n1,9253,-1\n1,5,8\n2,5,7\n")
    found = inspect(open_dataset("anime", tmp_path, parse_positive(rule)))
    assert (found.positives, found.positive) == (positives, rule)
