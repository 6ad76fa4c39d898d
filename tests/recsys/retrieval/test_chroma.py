"""An index on a Chroma server: shared by processes of one home, apart from those of another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recsys.catalog import Item
from recsys.errors import IndexServerError
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.hyde import hyde_vector
from recsys.settings import Paths
from tests.e2e.conftest import free_port
from tests.recsys.conftest import CountingEmbedder
from tests.recsys.retrieval.chroma_server import chroma_server

ROOT = Path(__file__).resolve().parents[3]
MakeItems = Callable[..., list[Item]]

OTHER_PROCESS = """
import json, sys
from pathlib import Path
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.hyde import hyde_vector
from recsys.settings import Paths

home, url, query = sys.argv[1:]
catalogs = Catalogs(Paths(Path(home)), chroma=url)
vector = hyde_vector(catalogs.index, catalogs.embedder, target="mine", query=query)
found = [item.title for item, _ in catalogs.search("mine", vector, 3)]
catalogs.store.put("theirs", "films", "en", list(catalogs.store.items("mine"))[:1])
catalogs.index_catalog("theirs")
catalogs.close()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chroma_server(tmp_path_factory.mktemp("chroma")) as url:
        yield url


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def _titles(catalogs: Catalogs, name: str, query: str) -> list[str]:
    vector = hyde_vector(catalogs.index, catalogs.embedder, target=name, query=query)
    return [item.title for item, _ in catalogs.search(name, vector, 3)]


def test_two_processes_share_a_home_and_its_index(url: str, home: Path, make_items: MakeItems) -> None:
    catalogs = Catalogs(Paths(home), CountingEmbedder(), chroma=url)
    catalogs.store.put("mine", "films", "en", make_items("Alien", "Coco", "Heat"))
    catalogs.index_catalog("mine")
    command = [sys.executable, "-c", OTHER_PROCESS, str(home), url, "Coco"]
    other = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert other.returncode == 0, other.stderr
    assert json.loads(other.stdout) == _titles(catalogs, "mine", "Coco")
    assert [row.name for row in catalogs.list() if row.indexed_by] == ["mine", "theirs"]
    assert _titles(catalogs, "theirs", "anything") == ["Alien"]
    ranker = catalogs.ranker("theirs")
    assert ranker is not None
    assert ranker.matrix.size == 1
    catalogs.close()


def test_homes_keep_apart_on_one_server(url: str, tmp_path: Path, make_items: MakeItems) -> None:
    opened = [Catalogs(Paths(tmp_path / name), CountingEmbedder(), chroma=url) for name in "ab"]
    for catalogs, title in zip(opened, ("Alien", "Coco"), strict=True):
        catalogs.store.put("mine", "films", "en", make_items(title))
        catalogs.index_catalog("mine")
    assert [_titles(catalogs, "mine", "film") for catalogs in opened] == [["Alien"], ["Coco"]]
    opened[0].delete("mine")
    assert _titles(opened[1], "mine", "film") == ["Coco"]
    for catalogs in opened:
        catalogs.close()


def test_index_outlives_the_server_that_held_it(tmp_path: Path, home: Path, make_items: MakeItems) -> None:
    port = free_port()
    with chroma_server(tmp_path / "data", port) as url:
        catalogs = Catalogs(Paths(home), CountingEmbedder(), chroma=url)
        catalogs.store.put("mine", "films", "en", make_items("Alien", "Coco"))
        catalogs.index_catalog("mine")
    with pytest.raises(IndexServerError, match=url):
        _titles(catalogs, "mine", "Coco")
    with chroma_server(tmp_path / "data", port):
        assert _titles(catalogs, "mine", "Coco")[0] == "Coco"
    catalogs.close()


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://x:port", "http://a:1/path"]
)
def test_address_that_is_none_is_refused(home: Path, address: str) -> None:
    if not address:
        address = f"http://127.0.0.1:{free_port()}"  # where nobody listens
    with pytest.raises(IndexServerError, match="ZEROSHELF_CHROMA"):
        Catalogs(Paths(home), CountingEmbedder(), chroma=address)
