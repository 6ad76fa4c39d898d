from __future__ import annotations

from recsys.evaluation.report import Difference
from recsys.evaluation.run import evaluate
from recsys.evaluation.verdict import default_verdict, verdict
from recsys.evaluation.workbench import Workbench


def difference(value: float, p: float, p_holm: float) -> Difference:
    return Difference(difference=value, interval=(value - 0.1, value + 0.1), p=p, p_holm=p_holm)


def test_methods_are_sorted_by_the_corrected_p_and_the_sign() -> None:
    found = verdict(
        {
            "a": difference(0.2, 0.001, 0.01),
            "b": difference(-0.2, 0.001, 0.01),
            "c": difference(0.1, 0.03, 0.2),
            "d": difference(0.0, 1.0, 1.0),
        }
    )
    assert (found.better, found.worse, found.unsure, found.level) == (("a",), ("b",), ("c",), ("d",))


def test_methods_that_learnt_from_users_are_kept_apart(bench: Workbench) -> None:
    report = evaluate(bench, ("random", "popularity", "default")).saved.report
    zero, learnt = default_verdict(report, zero_shot=True), default_verdict(report, zero_shot=False)
    assert zero.better == ("random",)
    assert learnt.better + learnt.unsure + learnt.level + learnt.worse == ("popularity",)
