"""Thumbs as preference pairs in TRL's conversational format.

Two kinds of rows. `answer`: an answer that was liked over one that was disliked, for the same prompt,
whichever models wrote them. `item`: of one recommendation, an item that was liked over one that was
disliked, as the choice of a title from the list that was shown (the project's own listwise prompt).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from recsys.feedback.records import ANSWER, Shown, Value
from recsys.feedback.store import FeedbackStore

Kind = Literal["answer", "item"]
Rated = Iterable[tuple[Shown, Mapping[str, Value]]]


def preference_rows(rated: Rated) -> list[dict[str, Any]]:
    """All rows, first of answers, then of items; equal texts are never a pair."""
    known = list(rated)
    return [*_answer_rows(known), *_item_rows(known)]


def write_preferences(store: FeedbackStore, file: Path) -> int:
    """`preference_rows` as JSON Lines (UTF-8); returns their number."""
    rows = preference_rows(store.all())
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    file.write_text(lines, encoding="utf-8")
    return len(rows)


def _answer_rows(rated: Rated) -> Iterator[dict[str, Any]]:
    by_prompt: dict[tuple[str, str], dict[int, list[Shown]]] = defaultdict(lambda: {1: [], -1: []})
    for shown, values in rated:
        if value := values.get(ANSWER):
            by_prompt[shown.system, shown.instruction][value].append(shown)
    for (system, instruction), found in by_prompt.items():
        seen: set[tuple[str, str]] = set()
        for liked in found[1]:
            for disliked in found[-1]:
                texts = (liked.answer, disliked.answer)
                if texts[0] != texts[1] and texts not in seen:
                    seen.add(texts)
                    row = _row("answer", "direct", liked, system, instruction, texts)
                    models = {"chosen_model": liked.model, "rejected_model": disliked.model}
                    yield row | models | {"recommendations": [liked.id, disliked.id]}


def _item_rows(rated: Rated) -> Iterator[dict[str, Any]]:
    for shown, values in rated:
        liked = [item for item in shown.items if values.get(item.id) == 1]
        disliked = [item for item in shown.items if values.get(item.id) == -1]
        for better in liked:
            for worse in disliked:
                if better.title == worse.title:
                    continue
                texts = (better.title, worse.title)
                row = _row("item", "listwise", shown, shown.choice_system, shown.choice_instruction, texts)
                row["chosen_item"] = {"id": better.id, "rank": shown.rank(better.id)}
                row["rejected_item"] = {"id": worse.id, "rank": shown.rank(worse.id)}
                yield row | {"model": shown.model, "recommendations": [shown.id]}


def _row(
    kind: Kind, form: str, shown: Shown, system: str, instruction: str, texts: tuple[str, str]
) -> dict[str, Any]:
    chosen, rejected = ([{"role": "assistant", "content": text}] for text in texts)
    return {
        "prompt": [
            {"role": "system", "content": system},
            {"role": "user", "content": instruction},
        ],
        "chosen": chosen,
        "rejected": rejected,
        "kind": kind,
        "language": shown.language,
        "situation": "active" if shown.query else "passive",
        "form": form,
        "catalog": shown.catalog,
        "query": shown.query,
        "history": [item.model_dump() for item in shown.history],
    }
