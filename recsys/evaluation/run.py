"""An evaluation from beginning to end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from recsys.evaluation.answer_metrics import measure_answers
from recsys.evaluation.answering import Spent
from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.measure import Ranking, rank_cases, summarise
from recsys.evaluation.methods.registry import DEFAULT, METHODS, check_methods
from recsys.evaluation.report import MethodResult, Report, SavedReport
from recsys.evaluation.sampled import Sampled, draw_candidates
from recsys.evaluation.store import differences
from recsys.evaluation.workbench import Workbench


@dataclass(frozen=True)
class Evaluation:
    """A report that can be saved, and the candidates that it drew."""

    saved: SavedReport
    candidates: Sampled


def evaluate(
    bench: Workbench,
    methods: tuple[str, ...],
    progress: Callable[[str, int, int], None] = lambda method, done, total: None,
) -> Evaluation:
    """Rank all cases with every method and compare each with `default`, where that is among them.

    `progress` is called after every case with the method, the cases done and their number; what it raises
    ends the evaluation. Raises InputError for methods that cannot be had.
    """
    data = bench.data
    names = check_methods(methods, data)
    sampled = draw_candidates(data, bench.default_scores, bench.seed)
    order = np.random.default_rng([bench.seed, len(data.items)]).permutation(len(data.items))
    rankings: dict[str, Ranking] = {}
    results: dict[str, MethodResult] = {}
    for name in names:
        spec, before = METHODS[name], _spent(bench)
        counter = iter(range(1, len(data.cases) + 1))
        ranking = rank_cases(
            data,
            spec.make(bench),
            sampled,
            order,
            lambda name=name, counter=counter: progress(name, next(counter), len(data.cases)),  # type: ignore[misc]
        )
        rankings[name] = ranking
        zero_shot = not (spec.in_domain or (spec.model and _has_learnt(bench)))
        result = summarise(data, name, zero_shot, ranking, bench.matrix.item_vectors, bench.seed)
        results[name] = _with_cost(result, before, _spent(bench), len(data.cases))
    against = _against_default(rankings)
    answers = measure_answers(bench)
    finished = tuple(
        result.model_copy(
            update={
                "against_default": against.get(name),
                "answers": answers if METHODS[name].model else None,
            }
        )
        for name, result in results.items()
    )
    saved = SavedReport(
        report=_report(bench, finished),
        cases=fingerprint(data),
        ndcg={name: tuple(ranking.values("ndcg@10").tolist()) for name, ranking in rankings.items()},
    )
    return Evaluation(saved, sampled)


def fingerprint(data: EvaluationData) -> str:
    """The same for the same users, histories and targets over the same items."""
    digest = hashlib.sha256()
    for case in data.cases:
        history = [data.sources[position].id for position in case.history]
        targets = [data.items[position].id for position in case.targets]
        digest.update(repr((case.user, history, targets)).encode("utf-8", "replace"))
    digest.update(str(len(data.items)).encode())
    return digest.hexdigest()


def _report(bench: Workbench, methods: tuple[MethodResult, ...]) -> Report:
    data, answering = bench.data, bench.answering
    model = None
    if answering is not None:
        model = answering.backend.name + (f"+{answering.adapter}" if answering.adapter else "")
    return Report(
        dataset=data.name,
        domain=data.domain,
        users=len(data.cases),
        items=len(data.items),
        protocol=data.protocol,
        notes=data.notes,
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
    return bench.answering is not None and bench.data.name in bench.answering.trained_on


def _spent(bench: Workbench) -> Spent:
    return Spent(bench.answering.spent.written, bench.answering.spent.scored) if bench.answering else Spent()


def _with_cost(result: MethodResult, before: Spent, after: Spent, cases: int) -> MethodResult:
    cost = result.cost.model_copy(
        update={
            "written_tokens": (after.written - before.written) / cases,
            "scored_tokens": (after.scored - before.scored) / cases,
        }
    )
    return result.model_copy(update={"cost": cost})
