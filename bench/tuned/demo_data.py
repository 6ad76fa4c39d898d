"""Instruction data's raw material out of the project's own demo catalogues, which may be given to anybody.

Nobody has used these catalogues, so the histories are made: the demo personas as they are, and people of one
taste, who like what shares a theme, a genre or a maker, in whatever domain it is.
"""

from __future__ import annotations

import csv
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from recsys.catalog import Item
from recsys.demos import DOMAINS, load_demo

_TRAITS = ("themes", "genres", "topics", "director", "author", "artist", "developer", "studio")
_LEAST = 5
_SHORTEST, _LONGEST = 4, 8
_NOT_TAUGHT = frozenset({"korean-news"})
"""The unseen domain stays unseen."""


def write_demo_dataset(folder: Path, *, people: int, seed: int = 0) -> Path:
    """Write `items.jsonl` and `interactions.csv`, which the dataset `catalog` reads; returns `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    items = [item for name in DOMAINS if name not in _NOT_TAUGHT for item in load_demo(name).items.values()]
    lines = (json.dumps(item.model_dump(exclude_none=True), ensure_ascii=False) + "\n" for item in items)
    (folder / "items.jsonl").write_text("".join(lines), encoding="utf-8")
    with (folder / "interactions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user", "item"])
        for number, history in enumerate(_histories(items, people, random.Random(seed))):
            writer.writerows((f"person-{number}", item.id) for item in history)
    return folder


def _histories(items: list[Item], people: int, rng: random.Random) -> Iterator[list[Item]]:
    for name in DOMAINS:
        if name not in _NOT_TAUGHT:
            demo = load_demo(name)
            yield from (list(demo.history(history.id).items) for history in demo.histories)
    tastes = [found for found in _by_trait(items).values() if len(found) >= _LEAST]
    for _ in range(people):
        taste = rng.choice(tastes)
        yield rng.sample(taste, min(len(taste), rng.randint(_SHORTEST, _LONGEST)))


def _by_trait(items: list[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        for trait in _TRAITS:
            value = item.attributes.get(trait, ())
            for one in [value] if isinstance(value, str) else value if isinstance(value, list) else ():
                found[one.casefold()].append(item)
    return found
