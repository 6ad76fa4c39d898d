"""`python -m bench.answer_weight FOLDER`: how much a model's answer should count beside a history.

FOLDER holds the Korean news (`recsys.evaluation.korean_news`). Histories of several lengths are searched with
as the playground does for histories of other catalogues, the answer counting more and less. What it prints
chooses `recsys.retrieval.hyde.SearchWeights.answer`, so its seed is none that results are reported of.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from recsys.evaluation.answering import Answering
from recsys.evaluation.cases import Case
from recsys.evaluation.korean_news import NAME
from recsys.evaluation.load import load_cases
from recsys.evaluation.metrics.ndcg import ndcg
from recsys.evaluation.ranking import rank_all
from recsys.evaluation.significance import Values, compare
from recsys.evaluation.workbench import Workbench
from recsys.llm.pool import ModelPool
from recsys.retrieval.embedders.choice import open_embedder
from recsys.retrieval.item_matrix import unit
from recsys.retrieval.ranker import words_of
from recsys.retrieval.search_scores import KEYWORDS, search_scores
from recsys.retrieval.settings import RetrievalSettings
from recsys.retrieval.vector_cache import CachedEmbedder
from recsys.settings import Settings

WEIGHTS = (0.0, 0.1, 0.2, 0.35, 0.5, 1.0)
LENGTHS = (1, 3, 10)


def main(
    folder: Path,
    users: int = 150,
    seed: int = 1,
    model: Annotated[str, typer.Option(help="A model, or model+adapter; the app's when left out.")] = "",
    home: Annotated[Path | None, typer.Option(help="Where models and vectors are kept.")] = None,
) -> None:
    """Print NDCG@10 by length of the history and weight of the answer, and what each adds to none."""
    settings = Settings(home=home) if home else Settings()
    embedder = CachedEmbedder(open_embedder(settings), settings.paths.vectors)
    pool = ModelPool(settings)
    data = load_cases(NAME, folder, users=users, seed=seed)
    bench = Workbench(data, embedder, seed=seed)
    bench.embed()
    backend, adapter = pool.resolve(model, typed=True)
    bench.answering = Answering(backend, data.domain, adapter, max_tokens=settings.max_answer_tokens)
    print(f"{len(data.cases)} histories, seed {seed}, {backend.name}{f'+{adapter}' if adapter else ''}")
    for length in LENGTHS:
        found: dict[tuple[float, float], list[float]] = defaultdict(list)
        for case in data.seeing(length).cases:
            for setting, value in _ndcg(bench, case).items():
                found[setting].append(value)
        for keywords in (KEYWORDS, 0.0):
            alone = np.array(found[keywords, 0.0])
            cells = [_cell(np.array(found[keywords, weight]), alone) for weight in WEIGHTS]
            words = "with words" if keywords else "vector only"
            print(f"history {length:2}, {words:11} | " + " | ".join(cells), flush=True)
    pool.close()
    embedder.close()


def _ndcg(bench: Workbench, case: Case) -> dict[tuple[float, float], float]:
    """By weight of the words and weight of the answer."""
    assert bench.answering is not None
    history = bench.history(case)
    said = bench.search_vector(case)
    shown = bench.candidates(case, RetrievalSettings().candidates)
    written = bench.answer_vectors(bench.answering.answers(history, candidates=shown))
    answer = unit(np.mean(unit(written), axis=0)) if len(written) else np.zeros_like(said)
    texts = [words_of(item) for item in history]
    order = np.random.default_rng([bench.seed, len(bench.data.items)]).permutation(len(bench.data.items))
    result = {}
    for weight in WEIGHTS:
        for keywords in (KEYWORDS, 0.0):
            scores = search_scores(bench.ranker, unit(said + weight * answer), texts, keywords)
            result[keywords, weight] = ndcg(rank_all(scores, case.targets, (), order).ranks, 10)
    return result


def _cell(values: Values, alone: Values) -> str:
    difference = compare(values, alone)
    added = "" if values is alone or np.array_equal(values, alone) else f" p {difference.p:.4f}"
    return f"{float(np.mean(values)):.4f}{added}"


if __name__ == "__main__":
    typer.run(main)
