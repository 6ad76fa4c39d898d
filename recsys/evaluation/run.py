"""An evaluation from beginning to end."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from recsys.evaluation.answer_metrics import measure_answers
from recsys.evaluation.answering import Spent
from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.measure import Ranking, rank_cases, summarise
from recsys.evaluation.methods.registry import DEFAULT, METHODS, asks_model, check_methods
from recsys.evaluation.report import MethodResult, Report, SavedReport
from recsys.evaluation.sampled import Sampled, draw_candidates
from recsys.evaluation.store import differences
from recsys.evaluation.workbench import Workbench


class EvaluationStopped(Exception):
    """Raised by a progress function to end an evaluation early."""


@dataclass(frozen=True)
class Evaluation:
    """A report that can be saved, and the candidates that it drew; `complete` unless it was stopped."""

    saved: SavedReport
    candidates: Sampled
    complete: bool = True


def evaluate(
    bench: Workbench,
    methods: tuple[str, ...],
    progress: Callable[[str, int, int], None] = lambda method, done, total: None,
) -> Evaluation:
    """Rank all cases with every method and compare each with `default`, where that is among them.

    `progress` is called after every case with the method ("" while the candidates of the sampled protocols
    are drawn), the cases done and their number; what it raises ends the evaluation. After
    EvaluationStopped the methods that are finished are reported, if there are any.
    Raises InputError for methods that cannot be had.
    """
    data = bench.data
    names = check_methods(methods, data)
    count = len(data.cases)
    sampled = draw_candidates(data, bench.default_scores, bench.seed, lambda done: progress("", done, count))
    order = np.random.default_rng([bench.seed, len(data.items)]).permutation(len(data.items))
    rankings: dict[str, Ranking] = {}
    results: dict[str, MethodResult] = {}
    for name in names:
        spec, before = METHODS[name], _spent(bench)
        counter = iter(range(1, count + 1))
        try:
            ranking = rank_cases(
                data,
                spec.make(bench),
                sampled,
                order,
                lambda name=name, counter=counter: progress(name, next(counter), count),  # type: ignore[misc]
                lambda: _spent(bench).saved,
            )
        except EvaluationStopped:
            if not results:
                raise
            break
        rankings[name] = ranking
        zero_shot = not (spec.in_domain or (asks_model(name, data) and _has_learnt(bench)))
        result = summarise(data, name, zero_shot, ranking, bench.matrix.item_vectors, bench.seed)
        results[name] = _with_cost(result, before, _spent(bench), count)
    against = _against_default(rankings)
    answers = {shown: measure_answers(bench, shown=shown) for shown in (True, False)}
    finished = tuple(
        result.model_copy(
            update={
                "against_default": against.get(name),
                "answers": answers[METHODS[name].shown] if asks_model(name, data) else None,
            }
        )
        for name, result in results.items()
    )
    left = [name for name in names if name not in results]
    saved = SavedReport(
        report=_report(bench, finished, left),
        cases=fingerprint(data),
        ndcg={name: tuple(ranking.values("ndcg@10").tolist()) for name, ranking in rankings.items()},
    )
    return Evaluation(saved, sampled, complete=not left)


def fingerprint(data: EvaluationData) -> str:
    """The same for the same users, histories and targets over the same items."""
    digest = hashlib.sha256()
    for case in data.cases:
        history = [data.sources[position].id for position in case.history]
        targets = [data.items[position].id for position in case.targets]
        digest.update(repr((case.user, history, targets)).encode("utf-8", "replace"))
    digest.update(str(len(data.items)).encode())
    return digest.hexdigest()


def _report(bench: Workbench, methods: tuple[MethodResult, ...], left: list[str]) -> Report:
    data, answering = bench.data, bench.answering
    notes = data.notes
    if left:
        notes += (f"stopped before the end; not measured: {', '.join(left)}",)
    model = None
    if answering is not None:
        model = answering.backend.name + (f"+{answering.adapter}" if answering.adapter else "")
    return Report(
        dataset=data.name,
        domain=data.domain,
        users=len(data.cases),
        items=len(data.items),
        protocol=data.protocol,
        notes=notes,
        seed=bench.seed,
        embedder=bench.embedder.name,
        model=model,
        created=datetime.now(UTC),
        methods=methods,
    )


def _against_default(rankings: dict[str, Ranking]) -> dict[str, object]:
    if DEFAULT not in rankings:
        return {}
    best = rankings[DEFAULT].values("ndcg@10")
    others = {n: (best, r.values("ndcg@10")) for n, r in rankings.items() if n != DEFAULT}
    return dict(differences(others))


def _has_learnt(bench: Workbench) -> bool:
    """Whether the adapter has learnt from this dataset; of catalogues it is only known that it was one."""
    learnt = bench.answering.trained_on if bench.answering else ()
    return any(name == bench.data.name or re.fullmatch(rf"{bench.data.name}-\d+", name) for name in learnt)


def _spent(bench: Workbench) -> Spent:
    return replace(bench.answering.spent) if bench.answering else Spent()


def _with_cost(result: MethodResult, before: Spent, after: Spent, cases: int) -> MethodResult:
    cost = result.cost.model_copy(
        update={
            "written_tokens": (after.written - before.written) / cases,
            "scored_tokens": (after.scored - before.scored) / cases,
        }
    )
    return result.model_copy(update={"cost": cost})
