"""Which judgements become rows, which do not, and how several annotators' tags are merged."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.merging import agreement, disagreement, majority
from annotation.pairs import pairs_from_store
from annotation.policy import Policy
from annotation.records import ImportedPrompt
from annotation.selection import ExportRules, select
from annotation.service import AnnotationService
from annotation.store import AnnotationStore
from recsys.synthesis.quality import folded

TEXTS = ("one", "two", "three", "four", "five")


def judge(store: AnnotationStore, task_id: str, annotator: str, best: str, worst: str) -> None:
    by_text = {c.text: c.id for c in store.assignments.task(task_id, annotator).candidates}
    store.judgements.judge(task_id, annotator, by_text[best], by_text[worst])


def test_majority_and_its_ties() -> None:
    assert majority([(0, 1), (0, 2), (3, 2)]) == (0, 2)
    assert majority([(0, 1)]) == (0, 1)
    assert majority([(0, 1), (2, 1)]) is None  # two bests with one vote each
    assert majority([(0, 1), (0, 2), (1, 3), (4, 0), (2, 0)]) is None  # one is both
    assert majority([]) is None


def test_disagreement_counts_tags_that_differ() -> None:
    assert disagreement([(0, 1)]) == 0.0
    assert disagreement([(0, 1), (0, 1)]) == 0.0
    assert disagreement([(0, 1), (0, 2)]) == 0.5
    assert disagreement([(0, 1), (1, 0)]) == 1.0
    assert disagreement([(0, 1), (0, 1), (2, 1)]) == pytest.approx(1 / 3)


def test_agreement_is_the_share_of_those_who_order_the_two() -> None:
    shares = agreement(list(TEXTS), [(0, 1), (0, 1), (1, 0)])
    assert shares["one", "two"] == pytest.approx(2 / 3)
    assert shares["two", "one"] == pytest.approx(1 / 3)
    assert agreement(list(TEXTS), [(0, 1), (0, 2)])["one", "three"] == 1.0


def test_all_keeps_everybodys_pairs_with_weights(filled: AnnotationStore) -> None:
    for name, best in (("a", "one"), ("b", "one"), ("c", "five")):
        judge(filled, "1", name, best, "five" if best == "one" else "one")
    pairs = select(filled.snapshot(), ExportRules()).pairs
    assert [(p.annotator, p.chosen, p.rejected) for p in pairs] == [
        ("a", "one", "five"),
        ("b", "one", "five"),
        ("c", "five", "one"),
    ]
    assert [p.weight for p in pairs] == pytest.approx([2 / 3, 2 / 3, 1 / 3])


def test_majority_makes_one_judgement_a_prompt(filled: AnnotationStore) -> None:
    for name, best in (("a", "one"), ("b", "one"), ("c", "two")):
        judge(filled, "1", name, best, "five")
    judge(filled, "2", "a", "one", "five")
    judge(filled, "2", "b", "two", "five")
    selection = select(filled.snapshot(), ExportRules(merge="majority"))
    (pair,) = selection.pairs
    assert (pair.task_id, pair.chosen, pair.rejected, pair.annotator) == ("1", "one", "five", "")
    assert pair.weight == 1.0  # nobody prefers the worst to the best
    assert [(e.task_id, e.reason) for e in selection.excluded] == [("2", "no majority")]
    every = select(filled.snapshot(), ExportRules(merge="majority", strategy="all")).pairs
    assert len(every) == 7
    assert next(p.weight for p in every if p.rejected == "two") == pytest.approx(2 / 3)


def test_everything_that_is_left_out_is_listed_with_its_reason(
    filled: AnnotationStore, make_prompt, make_candidates, tmp_path: Path
) -> None:
    service = AnnotationService(filled)
    judge(filled, "1", "a", "one", "five")
    filled.assignments.task("1", "b")
    service.flag("1", "b", "broken")
    judge(filled, "2", "a", "one", "five")
    judge(filled, "2", "b", "five", "one")
    judge(filled, "3", "a", "two", "three")
    judge(filled, "3", "bad", "three", "two")
    gold = ImportedPrompt(make_prompt(50), tuple(make_candidates()), best=0, worst=4)
    filled.prompts.import_all([gold, ImportedPrompt(make_prompt(51), gold.candidates, best=1)])
    for task_id in ("7", "8"):
        judge(filled, task_id, "bad", "five", "one")
    judge(filled, "4", "a", "one", "five")
    test_split = tmp_path / "test.jsonl"
    asked = filled.assignments.task("4", "a").instruction.upper().replace("\n", "\\n")
    test_split.write_text(f'{{"messages": [{{"role": "user", "content": "{asked}"}}]}}\n')

    rules = ExportRules(max_disagreement=0.6, min_gold_accuracy=0.5, min_gold=2)
    selection = service.selection(rules, [test_split])
    assert [(e.task_id, e.annotator, e.reason) for e in selection.excluded] == [
        ("1", "b", "flagged"),
        ("2", "", "disagreement"),
        ("3", "bad", "gold failed"),
        ("4", "", "contaminated"),
        ("7", "", "gold"),
        ("8", "", "gold"),
    ]
    assert [(p.task_id, p.annotator) for p in selection.pairs] == [("3", "a")]
    assert selection.excluded[0].detail == "broken"
    assert selection.excluded[2].detail == "0 of 3 known tags right"
    assert selection.reasons()["gold"] == 2


def test_equal_best_and_worst_give_no_row(store: AnnotationStore, make_prompt, make_candidates) -> None:
    store.prompts.add([make_prompt(1)])
    store.prompts.save_candidates("1", make_candidates("x", "x", "y", "z", "w"))
    ids = [c.id for c in sorted(store.assignments.task("1", "a").candidates, key=lambda c: int(c.id))]
    store.judgements.judge("1", "a", ids[0], ids[1])
    for merge in ("all", "majority"):
        selection = select(store.snapshot(), ExportRules(merge=merge))  # type: ignore[arg-type]
        assert selection.pairs == []
        assert [e.reason for e in selection.excluded] == ["same text"]


def test_a_repeat_is_no_second_row(store: AnnotationStore, fill) -> None:
    fill(store, 8)
    store.policies.set(Policy(repeat_every=1))
    for _ in range(7):
        task = store.assignments.next_task("a")
        assert task
        judge(store, task.id, "a", "one", "five")
    selection = select(store.snapshot(), ExportRules())
    assert selection.reasons() == {"repeated": 7 - len(selection.pairs)}
    assert len({p.instruction for p in selection.pairs}) == len(selection.pairs) < 7


_DEED = st.tuples(
    st.sampled_from(("judge", "judge", "skip", "flag", "undo")),
    st.sampled_from("abc"),
    st.integers(1, 2),
    st.permutations(range(5)).map(lambda order: (order[0], order[1])),
)
_ANSWERS = st.lists(st.sampled_from("vwxyz"), min_size=5, max_size=5)


@settings(max_examples=40, deadline=None)
@given(deeds=st.lists(_DEED, max_size=20), answers=_ANSWERS, strategy=st.sampled_from(("best-worst", "all")))
def test_pairs_follow_from_what_counts(make_prompt, make_candidates, deeds, answers, strategy) -> None:
    """With revisions, undo, skips, flags, equal answers and ties, under both strategies and mergings."""
    with tempfile.TemporaryDirectory() as folder, AnnotationStore(Path(folder) / "a.db") as store:
        store.prompts.add(make_prompt(n) for n in range(2))
        for number in ("1", "2"):
            store.prompts.save_candidates(number, make_candidates(*answers))
        ids = {n: [str(5 * (n - 1) + i + 1) for i in range(5)] for n in (1, 2)}
        counts: dict[tuple[str, int], tuple[int, int] | str] = {}
        for kind, name, number, (best, worst) in deeds:
            store.assignments.task(str(number), name)
            if kind == "judge":
                store.judgements.judge(str(number), name, ids[number][best], ids[number][worst])
                counts[name, number] = (best, worst)
            elif kind == "undo":
                if undone := store.judgements.undo(name):
                    counts.pop((name, int(undone.id)))
            else:
                put_aside = store.judgements.skip if kind == "skip" else store.judgements.flag
                put_aside(str(number), name, "why")
                counts[name, number] = kind
        flagged = {number for (_, number), what in counts.items() if what == "flag"}
        usable = {
            (name, number): what
            for (name, number), what in counts.items()
            if isinstance(what, tuple) and number not in flagged
        }
        pairs = pairs_from_store(store.path, strategy)
        by = Counter((p.annotator, int(p.task_id)) for p in pairs)
        for (name, number), (best, worst) in usable.items():
            mine = {(p.chosen, p.rejected) for p in pairs if (p.annotator, p.task_id) == (name, str(number))}
            if answers[best] == answers[worst]:
                assert not mine
                continue
            assert (answers[best], answers[worst]) in mine
            assert len(mine) == by[name, number] <= (1 if strategy == "best-worst" else 7)
            assert not {(b, a) for a, b in mine} & mine
        assert set(by) <= set(usable)
        assert all(0 < p.weight <= 1 for p in pairs)

        selection = select(store.snapshot(), ExportRules(strategy=strategy, merge="majority"))
        merged = {(p.task_id, p.chosen, p.rejected) for p in selection.pairs}
        assert not {(t, b, a) for t, a, b in merged} & merged
        told = {e.task_id for e in selection.excluded} | {p.task_id for p in selection.pairs}
        assert told == {str(number) for _, number in usable} | {str(number) for number in flagged}


def test_contamination_ignores_case_and_blanks(filled: AnnotationStore) -> None:
    judge(filled, "1", "a", "one", "five")
    asked = filled.assignments.task("1", "a").instruction
    assert select(filled.snapshot(), ExportRules(), contaminated={folded(f"  {asked.upper()}")}).pairs == []
