from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import InputError
from recsys.evaluation.answering import Answering
from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.run import EvaluationStopped, evaluate, fingerprint
from recsys.evaluation.sampled import PROTOCOLS
from recsys.evaluation.store import ReportStore, compare_reports
from recsys.evaluation.workbench import Workbench
from recsys.llm.base import Backend
from recsys.retrieval.embedders import Embedder

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("random", "popularity", "bm25", "default")


def test_report_has_every_metric_with_its_interval(bench: Workbench) -> None:
    report = evaluate(bench, NAMES).saved.report
    assert [m.method for m in report.methods] == list(NAMES)
    assert [m.zero_shot for m in report.methods] == [True, False, True, True]
    for method in report.methods:
        row = method.model_dump(by_alias=True)
        for metric, (low, high) in method.intervals.items():
            assert low - 1e-9 <= row[metric] <= high + 1e-9, metric
        assert set(method.sampled) == set(PROTOCOLS)
        assert (method.against_default is None) == (method.method == "default")
    default, chance = report.methods[-1], report.methods[0]
    assert default.ndcg_10 > chance.ndcg_10
    assert chance.against_default is not None
    assert chance.against_default.difference == pytest.approx(default.ndcg_10 - chance.ndcg_10)


def test_progress_counts_cases_and_can_stop(bench: Workbench) -> None:
    seen: list[tuple[str, int, int]] = []
    evaluate(bench, ("random",), lambda *step: seen.append(step))
    assert seen == [(name, n, 40) for name in ("", "random") for n in range(1, 41)]

    class Enough(Exception):
        pass

    def stop(method: str, done: int, total: int) -> None:
        if method and done == 3:
            raise Enough

    with pytest.raises(Enough):
        evaluate(bench, ("random",), stop)


def test_methods_that_were_finished_before_a_stop_are_reported(bench: Workbench) -> None:
    def stop_in(last: str) -> Callable[[str, int, int], None]:
        def progress(method: str, done: int, total: int) -> None:
            if method == last and done == 3:
                raise EvaluationStopped

        return progress

    done = evaluate(bench, ("random", "default", "last"), stop_in("last"))
    assert not done.complete
    assert [one.method for one in done.saved.report.methods] == ["random", "default"]
    assert "not measured: last" in done.saved.report.notes[-1]
    assert done.saved.report.methods[0].against_default is not None
    with pytest.raises(EvaluationStopped):
        evaluate(bench, ("random", "default"), stop_in("random"))


def test_saved_report_comes_back_and_can_be_compared(bench: Workbench, tmp_path: Path) -> None:
    store = ReportStore(tmp_path)
    first, second = evaluate(bench, ("bm25", "default")), evaluate(bench, ("default", "last"))
    names = [store.save(one.saved, one.candidates) for one in (first, second)]
    assert sorted(store.names()) == sorted(names)
    assert store.load(names[0]) == first.saved
    found = compare_reports(store.load(names[0]), store.load(names[1]))
    assert list(found) == ["default"]
    assert (found["default"].difference, found["default"].p) == (0.0, 1.0)
    lines = (tmp_path / names[0] / "candidates.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 * 40
    with pytest.raises(InputError, match="different cases"):
        compare_reports(first.saved, first.saved.model_copy(update={"cases": "other"}))
    for name in ("../x", "nothing", ""):
        with pytest.raises(InputError, match="no report called"):
            store.load(name)


def test_fingerprint_changes_with_a_target(data: EvaluationData) -> None:
    from dataclasses import replace

    changed = replace(data, cases=(replace(data.cases[0], targets=(0,)), *data.cases[1:]))
    assert fingerprint(data) == fingerprint(replace(data)) != fingerprint(changed)


@pytest.mark.model
def test_methods_with_a_model_write_and_score(
    data: EvaluationData, embedder: Embedder, smollm: Backend
) -> None:
    from dataclasses import replace

    few = replace(data, cases=data.cases[:3])
    answering = Answering(smollm, "films", max_tokens=16)
    bench = Workbench(few, embedder, answering=answering)
    names = (
        "hyde",
        "hyde-named",
        "hyde-averaged",
        "hyde-fused",
        "likelihood",
        "likelihood-fused",
        "default-familiar",
        "listwise",
        "default",
    )
    report = evaluate(bench, names).saved.report
    assert report.model == smollm.name
    by_name = {method.method: method for method in report.methods}
    assert by_name["hyde"].cost.written_tokens > 1
    # The same answers again: charged to each method that needs them, whoever asked first.
    assert by_name["hyde-named"].cost.written_tokens == by_name["hyde"].cost.written_tokens
    assert by_name["hyde-named"].cost.ms_p50 > by_name["hyde"].cost.ms_p50 / 2
    assert by_name["likelihood-fused"].cost.scored_tokens > 20
    assert by_name["likelihood"].cost.scored_tokens > 20
    answers = by_name["hyde"].answers
    assert answers is not None
    assert answers.answers == 3
    assert 0 <= answers.exists <= 1
    assert by_name["default"].answers is None


@pytest.mark.model
def test_likelihood_keeps_the_retrieved_items_on_top(
    data: EvaluationData, embedder: Embedder, smollm: Backend
) -> None:
    from recsys.evaluation.methods.registry import METHODS

    bench = Workbench(data, embedder, answering=Answering(smollm, "films"))
    case = data.cases[0]
    ours, theirs = (METHODS[name].make(bench).scores(case) for name in ("default", "likelihood"))
    for scores in (ours, theirs):
        scores[list(case.history)] = -np.inf
    assert set(np.argsort(-ours)[:20]) == set(np.argsort(-theirs)[:20])


def test_command_prints_json_last(movielens: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "recsys", "evaluate", "--dataset", "movielens", "--path", str(movielens)]
    options = [
        "--methods",
        "random,item-knn,default",
        "--users",
        "6",
        "--seed",
        "1",
        "--history",
        "2",
        "--json",
    ]
    done = subprocess.run(
        [*command, *options, "--home", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout.splitlines()[-1])
    assert {"dataset", "users", "items", "methods"} <= set(report)
    assert (report["dataset"], report["users"], report["items"]) == ("movielens", 6, 30)
    assert "methods see the last 2 of each history" in report["notes"]
    assert [(m["method"], m["zero_shot"]) for m in report["methods"]] == [
        ("random", True),
        ("item-knn", False),
        ("default", True),
    ]
    needed = {"hr@1", "hr@5", "hr@10", "hr@50", "ndcg@10", "mrr", "median_rank"}
    assert all(needed <= set(method) for method in report["methods"])
    (saved,) = ReportStore(tmp_path / "evaluations").names()
    listed = subprocess.run(
        [sys.executable, "-m", "recsys", "compare", saved, saved, "--home", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "default" in listed.stdout
    assert "+0.0000" in listed.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--dataset", "nothing", "--path", "."], 2, "korean-news"),
        (["--dataset", "movielens", "--path", "/nowhere"], 3, "/nowhere"),
        (["--dataset", "korean-news", "--path", "/nowhere"], 3, "/nowhere"),
    ],
)
def test_command_says_what_is_wrong(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recsys", "evaluate", *arguments, "--home", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert words in done.stderr
