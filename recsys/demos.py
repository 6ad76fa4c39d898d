"""The demo catalogues, histories and queries that ship under `assets/`, and the check of their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from recsys.catalog import History, Item, ItemRef

ASSETS = Path(__file__).resolve().parent.parent / "assets"
DOMAINS = (
    "news",
    "music",
    "places",
    "anime",
    "books",
    "films",
    "games",
    "shopping",
    "korean-news",
)
LANGUAGES = ("en", "ko")

_MIN_ITEMS = 40
_MIN_HISTORIES = 6
_WORDS = range(60, 151)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DemoHistory(_Data):
    """A named taste: item ids of one demo catalogue, oldest first."""

    id: str
    name: dict[str, str]
    items: list[str]


class DemoQuery(_Data):
    """What somebody might type into the search box of one domain."""

    id: str
    language: str
    text: str


class Example(_Data):
    """Something to try in the playground: history items as [catalogue, id], or a query, and where to look.

    `title` and `says` are by language: what it is, and what to look out for.
    """

    id: str
    title: dict[str, str]
    says: dict[str, str]
    items: list[tuple[str, str]] = []
    query: str = ""
    catalog: str

    @property
    def history(self) -> tuple[ItemRef, ...]:
        """The history as references."""
        return tuple(ItemRef(catalog, item_id) for catalog, item_id in self.items)


class _DemoFile(_Data):
    domain: str
    histories: list[DemoHistory]
    queries: list[DemoQuery]


@dataclass(frozen=True)
class Demo:
    """One demo domain: its items by id, its histories and its queries."""

    domain: str
    items: dict[str, Item]
    histories: tuple[DemoHistory, ...]
    queries: tuple[DemoQuery, ...]

    def history(self, history_id: str) -> History:
        """The items of the demo history called `history_id`; KeyError if there is none."""
        found = {h.id: h for h in self.histories}[history_id]
        return History(items=tuple(self.items[i] for i in found.items), user=found.id)


@cache
def load_demo(domain: str, assets: Path = ASSETS) -> Demo:
    """Read one domain of the demo data. The files ship with the project, so errors are bugs."""
    with open(assets / "catalogs" / f"{domain}.jsonl", encoding="utf-8") as lines:
        items = [Item.model_validate_json(line) for line in lines if line.strip()]
    data = _DemoFile.model_validate_json((assets / "demos" / f"{domain}.json").read_bytes())
    return Demo(domain, {i.id: i for i in items}, tuple(data.histories), tuple(data.queries))


def load_demos(assets: Path = ASSETS) -> dict[str, Demo]:
    """All demo domains by name, in the order of `DOMAINS`."""
    return {domain: load_demo(domain, assets) for domain in DOMAINS}


@cache
def load_examples(assets: Path = ASSETS) -> tuple[Example, ...]:
    """What the playground offers to try; each name is in the demo catalogues."""
    found = TypeAdapter(list[Example]).validate_json((assets / "demos" / "examples.json").read_bytes())
    return tuple(found)


def check_demo(domain: str, assets: Path = ASSETS) -> list[str]:
    """What is wrong with the shape of one domain's files; an empty list when all is well."""
    catalog = assets / "catalogs" / f"{domain}.jsonl"
    problems: list[str] = []
    items: dict[str, Item] = {}
    try:
        for number, line in enumerate(catalog.read_text(encoding="utf-8").splitlines(), 1):
            try:
                item = Item.model_validate_json(line)
            except ValidationError as error:
                problems.append(f"{catalog.name}:{number}: {error}")
                continue
            problems += [f"{catalog.name}:{number}: {p}" for p in _item_problems(item, domain)]
            if item.id in items:
                problems.append(f"{catalog.name}:{number}: id {item.id} occurs twice")
            items[item.id] = item
        demo_file = assets / "demos" / f"{domain}.json"
        demo = _DemoFile.model_validate_json(demo_file.read_bytes())
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        return [*problems, str(error)]
    if len(items) < _MIN_ITEMS:
        problems.append(f"{catalog.name}: {len(items)} items, at least {_MIN_ITEMS} wanted")
    titles = [i.title.casefold() for i in items.values()]
    problems += [f"{catalog.name}: title {t!r} occurs twice" for t in set(titles) if titles.count(t) > 1]
    problems += [f"{demo_file.name}: {p}" for p in _demo_problems(demo, domain, items)]
    return problems


def _item_problems(item: Item, domain: str) -> Iterator[str]:
    if item.domain != domain:
        yield f"domain is {item.domain!r}, not {domain!r}"
    if item.language != ("ko" if domain == "korean-news" else "en"):
        yield f"language is {item.language!r}"
    if not _SLUG.fullmatch(item.id):
        yield f"id {item.id!r} is not a lower-case slug"
    if not item.attributes:
        yield "no attributes"
    for language in LANGUAGES:
        if not 2 <= len(item.phrases.get(language, "").split()) <= 16:
            yield f"phrase in {language!r} is missing or not 2 to 16 words"
    if (words := len(item.text.split())) not in _WORDS:
        yield f"text has {words} words, 60 to 150 wanted"


def _demo_problems(demo: _DemoFile, domain: str, items: dict[str, Item]) -> Iterator[str]:
    if demo.domain != domain:
        yield f"domain is {demo.domain!r}, not {domain!r}"
    if len(demo.histories) < _MIN_HISTORIES:
        yield f"{len(demo.histories)} histories, at least {_MIN_HISTORIES} wanted"
    ids = [*(h.id for h in demo.histories), *(q.id for q in demo.queries)]
    yield from (f"id {i!r} occurs twice" for i in set(ids) if ids.count(i) > 1)
    for history in demo.histories:
        if set(history.name) != set(LANGUAGES):
            yield f"history {history.id}: name wanted in {LANGUAGES}"
        if not 4 <= len(set(history.items)) == len(history.items):
            yield f"history {history.id}: at least four different items wanted"
        yield from (f"history {history.id}: no item {i!r}" for i in history.items if i not in items)
    for language in LANGUAGES:
        if sum(q.language == language for q in demo.queries) < 4:
            yield f"at least four queries in {language!r} wanted"
