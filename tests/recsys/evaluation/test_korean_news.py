from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import DatasetFileError, InputError
from recsys.evaluation.answering import Answering
from recsys.evaluation.load import load_cases
from recsys.evaluation.methods.registry import asks_model, usual_methods
from recsys.evaluation.run import evaluate
from recsys.evaluation.workbench import Workbench
from recsys.llm.base import Backend
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.embedders import Embedder
from recsys.retrieval.hyde import hyde_vector
from recsys.retrieval.search_scores import search_scores
from recsys.settings import Settings

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "korean_news"
SPORT = ["축구 대표팀 경기 승리", "야구 투수 시즌 홈런", "농구 감독 선수 우승", "배구 결승 선수 부상"]
MONEY = ["기준금리 인상 은행 대출", "주식 시장 코스피 하락", "환율 상승 수출 기업", "부동산 가격 전세 대출"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        f"h{topic}{n},{topic},{titles[n % 4]} {titles[(n + 1) % 4].split()[n % 3]}"
        for topic, titles in (("스포츠", SPORT), ("경제", MONEY))
        for n in range(30)
    ]
    (tmp_path / "ynat_dev.csv").write_text("id,topic,title\n" + "\n".join(rows) + "\n", encoding="utf-8")
    articles = [
        {"id": "s", "title": "야구 대표팀 우승", "body": "투수와 감독이 결승 경기에서 승리했다."},
        {"id": "m", "title": "은행 대출 금리 인상", "body": "코스피 하락과 환율 상승이 이어졌다."},
        {"id": "o", "title": "새 요리법", "body": "국수를 삶는다."},
    ]
    (tmp_path / "articles.jsonl").write_text(
        "\n".join(json.dumps(a, ensure_ascii=False) for a in articles), encoding="utf-8"
    )
    return tmp_path


def test_cases_are_headlines_of_one_topic_and_its_articles(folder: Path) -> None:
    data = load_cases("korean-news", folder, users=10, seed=0)
    assert len(data.cases) == 10
    assert not data.same_catalogue
    assert data.known is None
    assert "no users" in data.protocol
    for case in data.cases:
        topic = case.user.split("-")[0]
        assert len(set(case.history)) == 10
        assert all(data.sources[n].id.startswith(f"h{topic}") for n in case.history)
        wanted = "s" if topic == "스포츠" else "m"
        assert [data.items[n].id for n in case.targets] == [wanted]
    assert data == load_cases("korean-news", folder, users=10, seed=0)


def test_what_cannot_be_used_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither users nor times"):
        load_cases("korean-news", folder, users=10, seed=0, split="time")
    (folder / "articles.jsonl").write_text("{broken", encoding="utf-8")
    with pytest.raises(DatasetFileError, match="articles"):
        load_cases("korean-news", folder, users=10, seed=0)
    with pytest.raises(DatasetFileError, match="ynat_dev"):
        load_cases("korean-news", tmp_path / "nothing", users=10, seed=0)


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="../shared/data is not there")
def test_real_articles_get_topics_of_a_classifier_that_is_mostly_right() -> None:
    data = load_cases("korean-news", DATA, users=7, seed=0)
    assert len(data.items) == 1029
    assert len({case.user.split("-")[0] for case in data.cases}) == 7
    right = float(data.notes[0].split("right on ")[1].split("%")[0])
    assert right > 85


def test_the_default_is_what_the_playground_does_for_headlines_that_it_does_not_have(
    folder: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The evaluation's ranking against that of the real catalogues with an index, item by item."""
    data = load_cases("korean-news", folder, users=4, seed=0)
    bench = Workbench(data, embedder)
    catalogs = Catalogs(Settings(home=tmp_path_factory.mktemp("home")).paths, embedder)
    try:
        catalogs.store.put("articles", "korean-news", "ko", list(data.items))
        catalogs.index_catalog("articles")
        ranker = catalogs.ranker("articles")
        assert ranker is not None
        for case in data.cases:
            titles = [item.title for item in bench.history(case)]
            found = catalogs.find(titles, prefer="articles")
            answers = ["이 사람은 운동 경기를 좋아한다. 다음에는 결승전 기사를 읽을 것이다."]
            vector = hyde_vector(
                catalogs.index, embedder, target="articles", history=found, answer=answers[0]
            )
            theirs = search_scores(ranker, vector, titles)
            assert bench.default_scores(case, answers) == pytest.approx(theirs, abs=2e-2)
    finally:
        catalogs.close()


def test_methods_that_ask_the_model_where_there_are_no_own_histories(folder: Path) -> None:
    data = load_cases("korean-news", folder, users=4, seed=0)
    assert asks_model("default", data)
    assert asks_model("default-from-memory", data)
    assert not asks_model("default-without-answer", data)
    names = usual_methods(data)
    assert {"default", "default-without-answer", "bm25"} <= set(names)
    assert not {"popularity", "default-without-series", "hyde"} & set(names)


@pytest.mark.model
def test_the_model_chooses_among_what_the_history_finds(
    folder: Path, embedder: Embedder, smollm: Backend
) -> None:
    data = load_cases("korean-news", folder, users=2, seed=0)
    bench = Workbench(data, embedder, answering=Answering(smollm, data.domain, max_tokens=16))
    report = evaluate(bench, ("default-from-memory", "default", "default-without-answer")).saved.report
    written = {method.method: method.answers for method in report.methods}
    assert [one and one.answers for one in written.values()] == [2, 2, None]
    for case in data.cases:
        shown = bench.candidates(case, 5)
        best = np.argsort(-bench.default_scores(case))[:5]
        assert [item.id for item in shown] == [data.items[place].id for place in best]
        assert bench.candidates(case, 0) == []


def test_less_of_each_history_can_be_seen(folder: Path) -> None:
    data = load_cases("korean-news", folder, users=10, seed=0)
    short = data.seeing(3)
    assert [case.history for case in short.cases] == [case.history[-3:] for case in data.cases]
    assert [(case.user, case.targets) for case in short.cases] == [(c.user, c.targets) for c in data.cases]
    assert "last 3" in short.notes[-1]
    assert data.seeing(10) is data
