"""Best scores in the demo catalogues, of requests that they can answer and of some that they cannot.

`recsys.recommendation.CLOSE` lies between the two. No model is asked.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from recsys.catalog import ItemRef
from recsys.demos import DOMAINS, load_demo
from recsys.llm.pool import ModelPool
from recsys.recommend import NO_MODEL, Recommender
from recsys.recommendation import CLOSE
from recsys.retrieval.catalogs import Catalogs
from recsys.settings import Settings

UNANSWERABLE = (
    "asdf qwer zxcv uiop",
    "invoice 4711 is overdue by thirty days",
    "how do I reset the password of my router",
    "SELECT name FROM users WHERE id = 7",
    "the boiling point of tungsten hexafluoride",
    "세탁기 배수 호스 교체 방법",
    "ㅁㄴㅇㄹ ㅂㅈㄷㄱ",
    "엑셀에서 피벗 테이블 만들기",
)


def run(home: Path | None = None) -> None:
    """Print the quantiles of the best score by kind of request; `home` may have the catalogues indexed."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=home or Path(folder))
        catalogs = Catalogs(settings.paths)
        catalogs.prepare_demos()
        catalogs.wait()
        recommender = Recommender(ModelPool(settings), catalogs)
        found = {
            "queries, their own domain": _queries(recommender),
            "histories, each other domain": _histories(recommender),
            "requests without an answer": _unanswerable(recommender),
        }
        catalogs.close()
    for kind, scores in found.items():
        low, quarter, middle, high = np.quantile(scores, [0.05, 0.25, 0.5, 0.95])
        far = float(np.mean(np.array(scores) < CLOSE))
        print(
            f"{kind:30} n {len(scores):4}  5% {low:.3f}  25% {quarter:.3f}  50% {middle:.3f}  95% {high:.3f}"
            f"  called far {100 * far:.0f}%"
        )


def _best(recommender: Recommender, catalog: str, history: list[ItemRef], query: str) -> float:
    *_, found = recommender.recommend(catalog, history=history, query=query, model=NO_MODEL, k=1)
    return found.items[0].score


def _queries(recommender: Recommender) -> list[float]:
    return [_best(recommender, d, [], query.text) for d in DOMAINS for query in load_demo(d).queries]


def _histories(recommender: Recommender) -> list[float]:
    return [
        _best(recommender, target, [ItemRef(source, item) for item in history.items], "")
        for source in DOMAINS
        for history in load_demo(source).histories
        for target in DOMAINS
        if target != source
    ]


def _unanswerable(recommender: Recommender) -> list[float]:
    return [_best(recommender, domain, [], text) for domain in DOMAINS for text in UNANSWERABLE]
