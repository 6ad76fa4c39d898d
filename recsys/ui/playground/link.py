"""What the form asks for, and the address that restores it.

`from=films&h=games:journey&h=:A typed title&q=something slow&m=gemma-3-270m&beside=none`: `h` is
catalogue and id of a history item, or a typed title behind an empty catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from recsys.catalog import ItemRef
from recsys.person import MAX_INPUT_CHARS

MAX_HISTORY = 200
MAX_BESIDE = 3
RESULTS = 8
MOST_RESULTS = 20
ANSWER_LANGUAGES = ("auto", "en", "ko")

_MAX_LINK_CHARS = 60_000


@dataclass(frozen=True)
class Inputs:
    """The form's values. `beside` names models that answer the same, and "none" for retrieval alone;
    `memory`: models write from memory, without being shown items to choose from."""

    history: tuple[ItemRef, ...] = ()
    query: str = ""
    catalog: str = ""
    model: str = ""
    beside: tuple[str, ...] = ()
    results: int = RESULTS
    language: str = "auto"
    seed: int = 0
    memory: bool = False


def to_link(inputs: Inputs) -> str:
    """The query string of an address; what is as it is by default is left out."""
    pairs: list[tuple[str, str]] = [("from", inputs.catalog)]
    pairs += [("h", f"{ref.catalog}:{ref.id if ref.catalog else ref.title}") for ref in inputs.history]
    pairs += [("q", inputs.query)] if inputs.query else []
    pairs += [("m", inputs.model)] if inputs.model else []
    pairs += [("beside", name) for name in inputs.beside]
    pairs += [("k", str(inputs.results))] if inputs.results != RESULTS else []
    pairs += [("answer", inputs.language)] if inputs.language != "auto" else []
    pairs += [("seed", str(inputs.seed))] if inputs.seed else []
    pairs += [("memory", "1")] if inputs.memory else []
    return urlencode(pairs, errors="replace")


def from_link(link: str) -> Inputs | None:
    """What an address asks for; None where it asks for nothing. Anybody can write one: values that cannot be
    are replaced by defaults, and whether names exist is for the reader to see."""
    try:
        values = parse_qs(link.lstrip("?")[:_MAX_LINK_CHARS], max_num_fields=2 * MAX_HISTORY)
    except ValueError:
        return None
    if not {"from", "h", "q"} & set(values):
        return None
    language = _one(values, "answer")
    return Inputs(
        history=tuple(_ref(text) for text in values.get("h", [])[:MAX_HISTORY]),
        query=_one(values, "q")[:MAX_INPUT_CHARS],
        catalog=_one(values, "from"),
        model=_one(values, "m"),
        beside=tuple(dict.fromkeys(values.get("beside", [])))[:MAX_BESIDE],
        results=results_of(_one(values, "k")),
        language=language if language in ANSWER_LANGUAGES else "auto",
        seed=seed_of(_one(values, "seed")),
        memory=_one(values, "memory") == "1",
    )


def history_of(value: Any) -> tuple[ItemRef, ...]:
    """The history out of what the page sends, which may be anything."""
    items = value.get("items") if isinstance(value, dict) else None
    found: list[ItemRef] = []
    for item in (items if isinstance(items, list) else [])[:MAX_HISTORY]:
        if isinstance(item, dict):
            catalog, item_id, title = (_text(item.get(key)) for key in ("catalog", "id", "title"))
            if title.strip() or (catalog and item_id):
                found.append(ItemRef(catalog, item_id, title))
    return tuple(found)


def results_of(value: Any) -> int:
    """A number of items within what a page shows."""
    number = _number(value)
    return RESULTS if number is None else min(max(number, 1), MOST_RESULTS)


def seed_of(value: Any) -> int:
    """A seed that a sampler takes."""
    return min(max(_number(value) or 0, 0), 2**32 - 1)


def names_of(values: Any, known: Iterable[str]) -> tuple[str, ...]:
    """Those of `values` that are `known`, each once."""
    wanted = [value for value in values if isinstance(value, str)] if isinstance(values, list | tuple) else []
    return tuple(dict.fromkeys(value for value in wanted if value in set(known)))[:MAX_BESIDE]


def _ref(text: str) -> ItemRef:
    catalog, colon, rest = text.partition(":")
    if not colon:
        return ItemRef("", "", text)
    return ItemRef(catalog, rest, rest) if catalog else ItemRef("", "", rest)


def _one(values: dict[str, list[str]], key: str) -> str:
    return values.get(key, [""])[0]


def _text(value: Any) -> str:
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
