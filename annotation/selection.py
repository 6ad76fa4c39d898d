"""From judgements to training rows: which are left out, and why, and how several annotators are merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from annotation.merging import Tags, agreement, disagreement, majority
from annotation.preference import PreferencePair, Strategy, check_strategy, ordered_texts
from annotation.snapshot import RatedPrompt, Rating, Snapshot
from recsys.synthesis.quality import folded

Merge = Literal["all", "majority"]
Reason = Literal[
    "flagged", "gold", "repeated", "gold failed", "contaminated", "disagreement", "no majority", "same text"
]


class ExportRules(BaseModel):
    """What becomes a row.

    `merge`: "all" keeps each annotator's pairs and gives each the share of annotators who agree as its
    weight; "majority" makes one judgement a prompt out of the most frequent best and worst. With
    `max_disagreement` (0 to 1) prompts above it are left out, and with `min_gold_accuracy` the
    judgements of annotators below it, once they have judged `min_gold` gold prompts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: Strategy = "best-worst"
    merge: Merge = "all"
    max_disagreement: float | None = Field(default=None, ge=0.0, le=1.0)
    min_gold_accuracy: float | None = Field(default=None, ge=0.0, le=1.0)
    min_gold: int = Field(default=3, ge=1)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A judgement that gives no row; `annotator` is empty where it is about all of a prompt's."""

    task_id: str
    annotator: str
    reason: Reason
    detail: str = ""


@dataclass(slots=True)
class Selection:
    """The rows, and what was left out."""

    pairs: list[PreferencePair] = field(default_factory=list)
    excluded: list[Exclusion] = field(default_factory=list)

    def reasons(self) -> dict[Reason, int]:
        """How often each reason came up, most frequent first."""
        return dict(Counter(exclusion.reason for exclusion in self.excluded).most_common())


def select(snapshot: Snapshot, rules: ExportRules, *, contaminated: Collection[str] = ()) -> Selection:
    """The pairs under `rules`, by prompt, and every exclusion.

    `contaminated` are instructions (folded, as `recsys.synthesis.quality.folded` does) that must not
    be trained on. Flagged prompts, gold prompts and repeats never give rows.
    """
    check_strategy(rules.strategy)
    failed = _failed_gold(snapshot, rules)
    selection = Selection()
    order: list[tuple[int, PreferencePair]] = []
    for prompt in snapshot.prompts:
        ratings = _usable(prompt, failed, contaminated, rules, selection)
        if rules.merge == "majority":
            order += _merged(prompt, ratings, rules, selection)
        else:
            order += _separate(prompt, ratings, rules, selection)
    selection.pairs = [pair for _, pair in sorted(order, key=lambda entry: entry[0])]
    return selection


def gold_scores(snapshot: Snapshot) -> dict[str, tuple[int, int]]:
    """Per annotator: known tags that they gave, out of how many they were asked for."""
    scores: dict[str, tuple[int, int]] = {}
    for prompt, rating in snapshot.ratings():
        if prompt.gold is None or prompt.flags:
            continue
        known = (prompt.gold.best, prompt.gold.worst)
        asked = [(k, g) for k, g in zip(known, _tags(prompt, rating), strict=True) if k is not None]
        right, total = scores.get(rating.judgement.annotator, (0, 0))
        scores[rating.judgement.annotator] = (right + sum(k == g for k, g in asked), total + len(asked))
    return scores


def _failed_gold(snapshot: Snapshot, rules: ExportRules) -> dict[str, str]:
    if rules.min_gold_accuracy is None:
        return {}
    judged = Counter(r.judgement.annotator for p, r in snapshot.ratings() if p.gold and not p.flags)
    return {
        name: f"{right} of {total} known tags right"
        for name, (right, total) in gold_scores(snapshot).items()
        if judged[name] >= rules.min_gold and right / total < rules.min_gold_accuracy
    }


def _usable(
    prompt: RatedPrompt,
    failed: dict[str, str],
    contaminated: Collection[str],
    rules: ExportRules,
    selection: Selection,
) -> list[Rating]:
    """The ratings that count for rows; every other one is listed with its reason."""

    def leave_out(reason: Reason, detail: str = "", annotator: str = "") -> list[Rating]:
        selection.excluded.append(Exclusion(prompt.id, annotator, reason, detail))
        return []

    if prompt.flags:
        for flag in prompt.flags:
            leave_out("flagged", flag.reason, flag.annotator)
        return []
    if prompt.gold is not None:
        return leave_out("gold")
    if prompt.repeat_of is not None:
        return leave_out("repeated", f"of task {prompt.repeat_of}", prompt.ratings[0].judgement.annotator)
    if contaminated and folded(prompt.prompt.instruction) in contaminated:
        return leave_out("contaminated")
    ratings = []
    for rating in prompt.ratings:
        if (name := rating.judgement.annotator) in failed:
            leave_out("gold failed", failed[name], name)
        else:
            ratings.append(rating)
    share = disagreement([_tags(prompt, rating) for rating in ratings])
    if rules.max_disagreement is not None and share > rules.max_disagreement:
        return leave_out("disagreement", f"{share:.2f}")
    return ratings


def _separate(
    prompt: RatedPrompt, ratings: Iterable[Rating], rules: ExportRules, selection: Selection
) -> Iterator[tuple[int, PreferencePair]]:
    ratings = list(ratings)
    shares = agreement(_texts(prompt), [_tags(prompt, rating) for rating in ratings])
    for rating in ratings:
        judgement = rating.judgement
        pairs = list(_pairs(prompt, _tags(prompt, rating), rules.strategy, judgement.annotator, shares))
        if not pairs:
            selection.excluded.append(Exclusion(prompt.id, judgement.annotator, "same text"))
        yield from ((int(judgement.id), pair) for pair in pairs)


def _merged(
    prompt: RatedPrompt, ratings: Iterable[Rating], rules: ExportRules, selection: Selection
) -> Iterator[tuple[int, PreferencePair]]:
    ratings = list(ratings)
    if not ratings:
        return
    tags = [_tags(prompt, rating) for rating in ratings]
    winner = majority(tags)
    if winner is None:
        selection.excluded.append(Exclusion(prompt.id, "", "no majority", f"{len(tags)} annotators"))
        return
    pairs = list(_pairs(prompt, winner, rules.strategy, "", agreement(_texts(prompt), tags)))
    if not pairs:
        selection.excluded.append(Exclusion(prompt.id, "", "same text"))
    yield from ((int(ratings[0].judgement.id), pair) for pair in pairs)


def _pairs(
    prompt: RatedPrompt,
    tags: Tags,
    strategy: Strategy,
    annotator: str,
    shares: dict[tuple[str, str], float],
) -> Iterator[PreferencePair]:
    record = prompt.prompt
    instruction = record.instruction
    finish = {candidate.text: candidate.finish for candidate in prompt.candidates}
    for chosen, rejected in ordered_texts(_texts(prompt), *tags, strategy):
        yield PreferencePair(
            system=record.system,
            instruction=instruction,
            chosen=chosen,
            rejected=rejected,
            language=record.language,
            situation=record.situation,
            form=record.form,
            task_id=prompt.id,
            annotator=annotator,
            weight=shares.get((chosen, rejected), 0.0),
            chosen_finish=finish[chosen],
            rejected_finish=finish[rejected],
        )


def _texts(prompt: RatedPrompt) -> list[str]:
    return [candidate.text for candidate in prompt.candidates]


def _tags(prompt: RatedPrompt, rating: Rating) -> Tags:
    return prompt.position(rating.judgement.best), prompt.position(rating.judgement.worst)
