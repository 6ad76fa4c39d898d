"""What a report says in a sentence: which methods are significantly better or worse, and which are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recsys.evaluation.report import Difference, Report

ALPHA = 0.05


@dataclass(frozen=True)
class Verdict:
    """Names by what a paired test says of the first side of their comparison against them.

    `better` and `worse`: p after Holm's correction below `ALPHA`. `unsure`: below it before the
    correction only. `level`: neither.
    """

    better: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    level: tuple[str, ...] = ()


def verdict(differences: Mapping[str, Difference]) -> Verdict:
    """The names of `differences` sorted into what can be said of them."""
    groups: dict[str, list[str]] = {"better": [], "worse": [], "unsure": [], "level": []}
    for name, one in differences.items():
        if one.p_holm < ALPHA:
            groups["better" if one.difference > 0 else "worse"].append(name)
        else:
            groups["unsure" if one.p < ALPHA else "level"].append(name)
    return Verdict(**{key: tuple(names) for key, names in groups.items()})


def default_verdict(report: Report, *, zero_shot: bool) -> Verdict:
    """`default` against the zero-shot methods of a report, or those that have learnt from its users."""
    return verdict(
        {
            one.method: one.against_default
            for one in report.methods
            if one.against_default is not None and one.zero_shot is zero_shot
        }
    )
