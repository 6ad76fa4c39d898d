"""Sources that a page may choose: names from a list, uploads that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.domains.sources import SourceFolder
from recsys.errors import DiskFullError, InputError


@pytest.fixture
def folder(tmp_path: Path) -> SourceFolder:
    (tmp_path / "given" / "films").mkdir(parents=True)
    (tmp_path / "given" / ".hidden").mkdir()
    return SourceFolder(tmp_path / "given", tmp_path / "uploads")


def test_names_come_from_all_roots(folder: SourceFolder, tmp_path: Path) -> None:
    assert folder.names() == ["films"]
    (tmp_path / "uploads" / "games").mkdir(parents=True)
    assert folder.names() == ["films", "games"]
    assert folder.path("games") == tmp_path / "uploads" / "games"


@pytest.mark.parametrize("name", ["../given/films", "/etc/passwd", "nothing", "", ".hidden"])
def test_only_listed_names_have_a_path(folder: SourceFolder, name: str) -> None:
    with pytest.raises(InputError, match="There is no source called"):
        folder.path(name)


def test_uploads_become_a_folder_under_a_safe_name(folder: SourceFolder, tmp_path: Path) -> None:
    upload = tmp_path / "ratings.csv"
    upload.write_text("a,b\n", encoding="utf-8")
    name = folder.add([upload], "../../etc/my data!")
    assert name == "etc-my data"
    assert (folder.uploads / name / "ratings.csv").read_text(encoding="utf-8") == "a,b\n"
    assert folder.add([upload], "films") == "films-2"  # the operator's own is not touched
    assert folder.add([upload]) == "ratings"
    assert sorted(folder.names()) == ["etc-my data", "films", "films-2", "ratings"]


def test_no_file_is_explained(folder: SourceFolder) -> None:
    with pytest.raises(InputError, match="No file was given"):
        folder.add([])


def test_upload_that_fails_leaves_nothing(folder: SourceFolder, tmp_path: Path) -> None:
    with pytest.raises(DiskFullError):
        folder.add([tmp_path / "gone.csv"], "broken")
    assert folder.names() == ["films"]
    assert list(folder.uploads.iterdir()) == []
