from __future__ import annotations

import signal
import threading
from collections.abc import Sequence

import pytest

from recsys.demos import Demo
from recsys.errors import EmbedderError, NotReadyError
from recsys.retrieval import indexing
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.embedders import Vectors
from recsys.settings import Paths
from tests.recsys.conftest import CountingEmbedder
from tests.recsys.retrieval.support import MakeItems, Open, found_titles, run_python


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
    assert found_titles(catalogs, "mine", "Coco")[0] == "Coco"
    catalogs.close()


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
    assert sorted(found_titles(catalogs, "mine", "a film", 9)) == ["Alien", "Brazil"]
    assert catalogs.index.collection("mine").count() == 2  # type: ignore[union-attr]
    catalogs.close()


def test_catalogue_can_be_searched_while_its_changes_are_indexed(paths: Paths, make_items: MakeItems) -> None:
    catalogs = Catalogs(paths, CountingEmbedder())
    catalogs.store.put("mine", "films", "en", make_items(*(f"Film {n}" for n in range(20))))
    catalogs.index_catalog("mine")
    changed = make_items(*(f"Film {n}" for n in range(10)), *(f"New {n}" for n in range(20)))
    assert catalogs.store.put("mine", "films", "en", changed).indexed_by
    found: list[int] = []
    catalogs.index_catalog("mine", lambda _: found.append(len(found_titles(catalogs, "mine", "film", 50))))
    assert found[0] >= 10
    assert found == sorted(found)
    assert found[-1] == 30
    catalogs.close()


def test_demos_are_indexed_in_the_background(open_catalogs: Open, small_demos: dict[str, Demo]) -> None:
    catalogs = open_catalogs()
    catalogs.prepare_demos()
    catalogs.wait()
    assert catalogs.progress.finished
    assert (catalogs.progress.done, catalogs.progress.total) == (20, 20)
    assert [(c.name, c.items) for c in catalogs.list()] == [("films", 10), ("games", 10)]
    assert all(c.indexed_by and c.chunks >= 10 for c in catalogs.list())
    assert all(set(found_titles(catalogs, d.domain, "x", 100)) for d in small_demos.values())


def test_indexing_that_was_killed_is_completed_at_the_next_start(
    open_catalogs: Open, paths: Paths, small_demos: dict[str, Demo]
) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from recsys.retrieval import catalogs as module
from recsys.retrieval import indexing
from recsys.settings import Paths
from tests.recsys.retrieval.support import small

demos = {n: small(d) for n, d in module.load_demos().items() if n in ("films", "games")}
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
    killed = run_python(script, str(paths.home))
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
    assert set(found_titles(catalogs, "games", "a game", 100)) == titles


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
    assert len(found_titles(catalogs, "mine", "film", 50)) == 2, "what is there can be searched"
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
    assert len(found_titles(last, "mine", "film", 50)) == 40


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
    killed = run_python(script, str(paths.home))
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
    assert len(found_titles(catalogs, "mine", "film", 99)) == 60


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
    assert found_titles(catalogs, "mine", "film", 9) == ["Coco"]


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
        assert found_titles(catalogs, "small", "Coco")[0] == "Coco"
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
