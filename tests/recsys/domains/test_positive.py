"""Rules of what is positive."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.catalog import Interaction
from recsys.domains.inspect import inspect
from recsys.domains.positive import PositiveRule, parse_positive
from recsys.domains.registry import DATASETS, description, open_dataset
from recsys.errors import InputError


def test_a_rule_reads_as_it_is_written() -> None:
    rule = parse_positive(" rating >= 3.5 ,watch")
    assert rule == PositiveRule(least={"rating": 3.5, "watch": None})
    assert str(rule) == "rating>=3.5, watch"
    assert PositiveRule.model_validate_json(rule.model_dump_json()) == rule
    assert parse_positive("rating>=0.30000000000000004").least["rating"] == 0.30000000000000004


@pytest.mark.parametrize("text", ["", "rating>", "rating>=x", "rating>=nan", "a,a", "a>=1,,b", "rating=4"])
def test_what_is_no_rule(text: str) -> None:
    with pytest.raises(InputError, match="Write it like 'rating>=4'"):
        parse_positive(text)


@pytest.mark.parametrize(
    ("rule", "signal", "value", "positive"),
    [
        ("rating>=4", "rating", 4.0, True),
        ("rating>=4", "rating", 3.9, False),
        ("rating>=4", "watch", 9.0, False),
        ("rating>=4, *", "watch", 0.0, True),
        ("rating>=4, *", "rating", 1.0, False),
        ("*>=2", "rating", 1.0, False),
        ("implicit", "implicit", 0.0, True),
    ],
)
def test_rules(rule: str, signal: str, value: float, positive: bool) -> None:
    assert parse_positive(rule).holds(Interaction("u", "i", signal, value)) is positive


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_documents_its_rule_in_its_own_signals(name: str) -> None:
    known = description(name)
    assert known.positive
    assert known.rules.keys() == known.editions.keys()
    for rule in known.rules.values():
        rule.check(name, known.signals)


def test_a_signal_that_the_dataset_does_not_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "steam-200k.csv").write_text("1,Dota 2,purchase,1.0,0\n2,Dota 2,play,1.5,0\n")
    with pytest.raises(InputError, match="steam has no signal 'rating'; it has play, purchase"):
        open_dataset("steam", tmp_path, parse_positive("rating>=4"))
    for rule, positives in (("play>=1", 1), ("play>=1, purchase", 2), ("purchase", 1), ("play>=2", 0)):
        found = inspect(open_dataset("steam", tmp_path, parse_positive(rule)))
        assert (found.positives, found.positive) == (positives, rule)
    assert inspect(open_dataset("steam", tmp_path)).positive == "played for two hours or more"
