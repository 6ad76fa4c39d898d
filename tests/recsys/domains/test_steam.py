"""Steam video games."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset

ROWS = (
    '151603712,"The Elder Scrolls V Skyrim",purchase,1.0,0\n'
    '151603712,"The Elder Scrolls V Skyrim",play,273.0,0\n'
    "151603712,Dota 2,purchase,1.0,0\n151603712,Dota 2,play,0.5,0\n"
    '59,"Portal, the game",purchase,1.0,0\n59,"Portal, the game",purchase,1.0,0\n59,Portal,eat,1.0,0\nx\n'
)


@pytest.mark.parametrize("packed", ["plain", "gz", "zip", "zip in zip"])
def test_purchase_and_play_are_one_interaction(tmp_path: Path, packed: str) -> None:
    path = tmp_path / "steam-200k.csv"
    if packed == "plain":
        path.write_text(ROWS)
    elif packed == "gz":
        path = tmp_path / "steam-200k.csv.gz"
        path.write_bytes(gzip.compress(ROWS.encode()))
    else:
        path = tmp_path / "archive.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data/steam-200k.csv", ROWS)
            archive.writestr("__MACOSX/data/._steam-200k.csv", "junk")
        if packed == "zip in zip":
            inner = path.rename(tmp_path / "inner")
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(inner, "steam-200k.csv.zip")
    found = inspect(open_dataset("steam", path))
    assert (found.users, found.items, found.interactions, found.positives) == (2, 3, 3, 1)
    assert found.dropped == {"row that cannot be read": 2, "duplicate row": 1}


def test_header_is_no_row(tmp_path: Path) -> None:
    (tmp_path / "games.csv").write_text("user-id,game-title,behavior-name,value,0\n" + ROWS)
    found = inspect(open_dataset("steam", tmp_path))
    assert (found.interactions, found.dropped["row that cannot be read"]) == (3, 2)


def test_hours_of_two_rows_are_added_and_the_same_row_counts_once(tmp_path: Path) -> None:
    (tmp_path / "steam.csv").write_text(
        "5,GTA,play,3.0,0\n5,GTA,purchase,1.0,0\n5,GTA,play,2.5,0\n5,GTA,play,3.0,0\n6,GTA,purchase,1.0,0\n"
    )
    dataset = open_dataset("steam", tmp_path)
    assert [(r.user, r.signal, r.value) for r in dataset.interactions()] == [
        ("5", "play", 5.5),
        ("6", "purchase", 1.0),
    ]
    assert dataset.dropped == {"duplicate row": 1, "play row of a game that has one (hours added)": 1}


def test_titles_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "steam.csv"
    path.write_bytes("1,Pok\xe9mon,purchase,1.0,0\n1,Na\xefve\u2019s,play,3,0\n".encode("cp1252"))
    dataset = open_dataset("steam", path)
    assert [item.title for item in dataset.items()] == ["Pokémon", "Naïve’s"]
    list(dataset.interactions())
    assert dataset.notes == ["steam.csv: 2 lines are not UTF-8 and were read as Windows-1252"]
