"""Every measure on data whose answer is known, and an honest "too few" where there is little."""

from __future__ import annotations

import random
from collections import Counter
from types import SimpleNamespace
from unittest.mock import patch

import krippendorff
import pytest

from annotation.policy import Policy
from annotation.quality.alpha import nominal_alpha
from annotation.quality.measure import Measure
from annotation.quality.report import measure_text, quality_report, report_lines
from annotation.records import ImportedPrompt
from annotation.store import AnnotationStore
from recsys.i18n import texts

TEXTS = ("one", "two", "three", "four", "five")


def _measures(store: AnnotationStore) -> dict[str, Measure]:
    return {measure.key: measure for measure in quality_report(store.snapshot()).measures}


def _judge(store: AnnotationStore, task_id: str, annotator: str, best: str, worst: str) -> None:
    by_text = {c.text: c.id for c in store.assignments.task(task_id, annotator).candidates}
    store.judgements.judge(task_id, annotator, by_text[best], by_text[worst])


@pytest.fixture
def twenty(store: AnnotationStore, fill) -> AnnotationStore:
    """Twenty prompts that nobody has judged."""
    fill(store, 20)
    return store


def test_nothing_is_said_about_nothing(store: AnnotationStore) -> None:
    report = quality_report(store.snapshot())
    assert (report.judgements, report.prompts, report.annotators) == (0, 0, 0)
    assert all(measure.value is None and measure.too_few for measure in report.measures)
    for language in ("en", "ko"):
        lines = list(report_lines(report, language))
        assert not any("nan" in line.lower() or "None" in line for line in lines)


def test_alpha_of_a_published_example() -> None:
    """Three coders and fifteen units of nominal data, some of them empty: 0.691."""
    coders = [
        [None, None, None, None, None, 3, 4, 1, 2, 1, 1, 3, 3, None, 3],
        [1, None, 2, 1, 3, 3, 4, 3, None, None, None, None, None, None, None],
        [None, None, 2, 1, 3, 4, 4, None, 2, 1, 1, 3, 3, None, 4],
    ]
    units = [Counter(v for v in unit if v is not None) for unit in zip(*coders, strict=True)]
    assert nominal_alpha(units) == pytest.approx(0.691358, abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_alpha_is_that_of_the_reference_implementation(seed: int) -> None:
    draw = random.Random(seed)
    units = [Counter(draw.choices(range(5), k=draw.randint(0, 4))) for _ in range(draw.randint(3, 30))]
    counts = [[unit[position] for position in range(5)] for unit in units]
    expected = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    assert nominal_alpha(units) == pytest.approx(expected)


def test_full_agreement_and_none(twenty: AnnotationStore) -> None:
    draw = random.Random(1)
    for number in range(1, 13):
        best = draw.choice(TEXTS[:4])
        for name in ("a", "b"):
            _judge(twenty, str(number), name, best, "five" if name == "a" or number % 2 else _other(best))
    found = _measures(twenty)
    assert found["alpha_best"].value == pytest.approx(1.0)
    assert found["alpha_best"].n == 12
    worst = found["alpha_worst"].value
    assert worst is not None
    assert worst < 0.6
    assert (found["pairwise_best"].value, found["pairwise_worst"].value) == (1.0, 0.5)
    (part,) = found["pairwise_worst"].parts
    assert (part.name, part.value, part.n) == ("a – b", 0.5, 12)


def _other(best: str) -> str:
    return next(text for text in TEXTS[:4] if text != best)


def test_one_answer_only_is_no_agreement_but_cannot_be_said(twenty: AnnotationStore) -> None:
    for number in range(1, 13):
        for name in ("a", "b"):
            _judge(twenty, str(number), name, "one", "five")
    alpha = _measures(twenty)["alpha_best"]
    assert (alpha.value, alpha.too_few) == (None, False)
    assert measure_text(alpha, "en").value.startswith("cannot be said")


def test_too_few_says_how_many_are_needed(twenty: AnnotationStore) -> None:
    for name in ("a", "b"):
        _judge(twenty, "1", name, "one", "five")
    said = measure_text(_measures(twenty)["alpha_best"], "en").value
    assert said == "too few to say: prompts judged by two or more: 1, at least 10 are needed"


def test_gold_accuracy_of_each(store: AnnotationStore, make_prompt, make_candidates) -> None:
    for number in range(3):
        gold = ImportedPrompt(make_prompt(number), tuple(make_candidates()), best=0, worst=4)
        store.prompts.import_all([gold])
        _judge(store, str(number + 1), "good", "one", "five")
        _judge(store, str(number + 1), "bad", "two", "five" if number else "one")
    gold_measure = _measures(store)["gold"]
    assert (gold_measure.value, gold_measure.n) == (pytest.approx(8 / 12), 12)
    assert {p.name: p.value for p in gold_measure.parts} == {"good": 1.0, "bad": pytest.approx(2 / 6)}
    assert _measures(store)["alpha_best"].n == 0  # gold is no measure of agreement


def test_self_agreement_on_repeats(twenty: AnnotationStore) -> None:
    twenty.policies.set(Policy(repeat_every=1))
    first: dict[int, str] = {}
    again = 0
    while again < 6:
        task = twenty.assignments.next_task("a")
        assert task
        seed = task.prompt.seed
        best = "one" if seed not in first else "two"  # never the same best, always the same worst
        again += seed in first
        first[seed] = best
        _judge(twenty, task.id, "a", best, "five")
    measure = _measures(twenty)["repeats"]
    assert (measure.value, measure.n) == (0.5, 12)


def test_position_bias_is_seen_and_fair_choices_are_not_blamed(store: AnnotationStore, fill) -> None:
    fill(store, 60)
    for number in range(1, 61):
        task = store.assignments.task(str(number), "lazy")
        store.judgements.judge(task.id, "lazy", task.candidates[0].id, task.candidates[4].id)
    lazy = _measures(store)["position_best"]
    assert lazy.value is not None
    assert lazy.value < 0.001
    assert [part.n for part in lazy.parts] == [60, 0, 0, 0, 0]
    assert measure_text(lazy, "en").value.startswith("p < 0.001")


def test_position_test_is_uniform_where_choices_are(store: AnnotationStore, fill) -> None:
    fill(store, 50)
    for number in range(1, 51):
        task = store.assignments.task(str(number), "fair")
        place = number % 5
        ids = [c.id for c in task.candidates]
        store.judgements.judge(task.id, "fair", ids[place], ids[place - 1])
    fair = _measures(store)["position_best"]
    assert fair.value == pytest.approx(1.0)


def test_length_bias(store: AnnotationStore, make_prompt, make_candidates) -> None:
    store.prompts.add(make_prompt(n) for n in range(30))
    for prompt in store.prompts.unsampled(30):
        store.prompts.save_candidates(prompt.id, make_candidates("a", "bb", "ccc", "dddd", "eeeee"))
        _judge(store, prompt.id, "ann", "eeeee", "a")
    found = _measures(store)
    assert found["length"].value == 1.0
    test = found["length_test"].value
    assert test is not None
    assert test < 1e-6


def test_times_and_pace_are_active_only(twenty: AnnotationStore) -> None:
    clock = SimpleNamespace(now=1e6)
    with patch("annotation.activity.time", SimpleNamespace(time=lambda: clock.now)):
        for _ in range(6):
            task = twenty.assignments.next_task("a")
            assert task
            clock.now += 20
            _judge(twenty, task.id, "a", "one", "five")
            clock.now += 5000
    found = _measures(twenty)
    assert found["times"].value == pytest.approx(20)
    assert found["throughput"].value == pytest.approx(180)


def test_models_are_compared_where_there_are_several(store, make_prompt, make_candidates) -> None:
    store.prompts.add(make_prompt(n) for n in range(10))
    for prompt in store.prompts.unsampled(10):
        mixed = [*make_candidates(model="old")[:3], *make_candidates(model="new")[3:]]
        store.prompts.save_candidates(prompt.id, mixed)
        _judge(store, prompt.id, "a", "four", "one")
    scores = _measures(store)["scores"]
    assert [(p.name, p.n) for p in scores.parts] == [("new", 20), ("old", 30)]
    assert scores.parts[0].value == pytest.approx(10 / 20)
    assert scores.parts[1].value == pytest.approx(-10 / 30)


def test_one_model_has_nothing_to_be_compared_with(twenty: AnnotationStore) -> None:
    for number in range(1, 11):
        _judge(twenty, str(number), "a", "one", "five")
    scores = _measures(twenty)["scores"]
    assert scores.too_few
    assert [part.value for part in scores.parts] == [None]


def test_flagged_prompts_are_no_part_of_agreement(twenty: AnnotationStore) -> None:
    for number in range(1, 12):
        for name in ("a", "b"):
            _judge(twenty, str(number), name, "one", "five")
    twenty.assignments.task("1", "c")
    twenty.judgements.flag("1", "c", "broken")
    assert _measures(twenty)["alpha_best"].n == 10


def test_every_measure_has_its_texts(twenty: AnnotationStore) -> None:
    for measure in quality_report(twenty.snapshot()).measures:
        for language in ("en", "ko"):
            assert texts(language)[f"quality_{measure.key}_means"]
            assert measure_text(measure, language).name
