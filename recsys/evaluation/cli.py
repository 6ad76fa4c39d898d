"""`python -m recsys evaluate`, `reports` and `compare`: the evaluation in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from recsys.evaluation.answering import Answering
from recsys.evaluation.load import load_cases
from recsys.evaluation.methods.registry import METHODS, usual_methods
from recsys.evaluation.report import Difference, MethodResult, Report
from recsys.evaluation.run import evaluate
from recsys.evaluation.splits import Split
from recsys.evaluation.store import ReportStore, compare_reports
from recsys.evaluation.workbench import Workbench
from recsys.llm.pool import ModelPool
from recsys.retrieval.embedders.choice import open_embedder
from recsys.retrieval.vector_cache import CachedEmbedder
from recsys.settings import Settings


def run_evaluation(
    settings: Settings,
    dataset: str,
    path: Path,
    *,
    methods: tuple[str, ...],
    users: int,
    seed: int,
    split: Split,
    model: str,
    as_json: bool,
) -> None:
    """Evaluate, save the report and print it; with `as_json` the last line is the report as JSON."""
    data = load_cases(dataset, path, users=users, seed=seed, split=split)
    names = methods or usual_methods(data)
    _say(f"{data.name}: {len(data.cases)} users, {len(data.items)} items; {data.protocol}")
    for note in data.notes:
        _say(f"note: {note}")
    embedder = CachedEmbedder(open_embedder(settings), settings.paths.vectors, _counter("texts embedded"))
    pool = ModelPool(settings)
    try:
        answering = None
        if any(name in METHODS and METHODS[name].model for name in names):
            backend, adapter = pool.resolve(model)
            answering = Answering(
                backend,
                data.domain,
                adapter,
                max_tokens=settings.max_answer_tokens,
                seed=seed,
                trained_on=_trained_on(pool, backend.name, adapter),
            )
        bench = Workbench(data, embedder, seed=seed, answering=answering)
        done = evaluate(bench, names, _progress())
        name = ReportStore(settings.paths.evaluations).save(done.saved, done.candidates)
    finally:
        pool.close()
        embedder.close()
    report = done.saved.report
    print("\n".join(table(report)))
    print(f"saved as {name}")
    if as_json:
        print(report.model_dump_json(by_alias=True))


def list_reports(settings: Settings) -> None:
    """Print the saved reports, the newest first."""
    store = ReportStore(settings.paths.evaluations)
    for name in store.names():
        report = store.load(name).report
        print(f"{name}: {report.users} users, {len(report.methods)} methods, model {report.model or 'none'}")


def print_comparison(settings: Settings, first: str, second: str) -> None:
    """Print the difference of two saved reports, method by method."""
    store = ReportStore(settings.paths.evaluations)
    for method, found in compare_reports(store.load(first), store.load(second)).items():
        print(f"{method:26} {_difference(found)}")


def table(report: Report) -> list[str]:
    """The report as lines of text, the best NDCG@10 first."""
    head = f"{'method':26} {'NDCG@10':>24} {'HR@10':>7} {'HR@50':>7} {'MRR':>7} {'median':>7}  "
    lines = [head + "default minus it"]
    for result in sorted(report.methods, key=lambda one: -one.ndcg_10):
        lines.append(_line(result))
    lines.append("* learns from other users of this catalogue: not zero-shot")
    return lines


def _line(result: MethodResult) -> str:
    low, high = result.intervals["ndcg@10"]
    name = result.method + ("" if result.zero_shot else "*")
    numbers = f"{result.hr_10:7.3f} {result.hr_50:7.3f} {result.mrr:7.4f} {result.median_rank:7.0f}"
    against = _difference(result.against_default) if result.against_default else ""
    return f"{name:26} {result.ndcg_10:8.4f} [{low:.4f}, {high:.4f}] {numbers}  {against}"


def _difference(found: Difference) -> str:
    low, high = found.interval
    return f"{found.difference:+.4f} [{low:+.4f}, {high:+.4f}] p={found.p:.4f} Holm {found.p_holm:.4f}"


def _trained_on(pool: ModelPool, model: str, adapter: str | None) -> tuple[str, ...]:
    """The datasets in the configuration of an adapter's run, where it names any."""
    if adapter is None:
        return ()
    named = pool.adapters.get(adapter, model).card.config.get("datasets", [])
    return tuple(str(name) for name in named) if isinstance(named, list) else ()


def _progress() -> Callable[[str, int, int], None]:
    def show(method: str, done: int, total: int) -> None:
        if done == total or done % 100 == 0:
            _say(f"{method}: {done} of {total}")

    return show


def _counter(what: str) -> Callable[[int], None]:
    total = 0

    def show(count: int) -> None:
        nonlocal total
        if total // 1000 != (total + count) // 1000:
            _say(f"{total + count} {what}")
        total += count

    return show


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
