"""Prompts made from the demo histories and queries, mixed so that an annotator sees variety.

Passive prompts: every history, in both languages, once within its domain and once across domains.
Active prompts: every query, in its own language, alone or with a history from the same or another
domain. Half of all are listwise. With the nine demo domains that makes about 320.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from annotation.records import PromptRecord
from recsys.catalog import History, Item
from recsys.demos import LANGUAGES, Demo
from recsys.prompts.build import build_prompt
from recsys.prompts.templates import Form

_FORMS: tuple[Form, Form] = ("direct", "listwise")
_OPTIONS = (4, 5)


def demo_prompts(demos: Mapping[str, Demo], *, seed: int = 0) -> list[PromptRecord]:
    """All demo prompts in the order in which they are annotated; the same for the same seed and data.

    `demos` are the demo domains by name, as `recsys.demos.load_demos` gives them.
    """
    made = {p.key: p for p in (*_passive(demos, seed), *_active(demos, seed))}
    records = list(made.values())
    random.Random(seed).shuffle(records)
    records = _spread(records, lambda p: p.target_domain, seed)
    return _spread(records, lambda p: (p.situation, p.form, p.language, p.cross_domain), seed)


def _passive(demos: Mapping[str, Demo], seed: int) -> Iterator[PromptRecord]:
    for demo in demos.values():
        for number, named in enumerate(demo.histories):
            history = demo.history(named.id)
            for turn, language in enumerate(LANGUAGES):
                across = _drawn(demos, demo, seed, named.id, language)
                for target in (demo, across):
                    if target is not None:
                        form = _FORMS[(number + turn + (target is across)) % 2]
                        yield _record(history, target, language, form, seed)


def _active(demos: Mapping[str, Demo], seed: int) -> Iterator[PromptRecord]:
    for demo in demos.values():
        for language in LANGUAGES:
            queries = [query for query in demo.queries if query.language == language]
            for number, query in enumerate(queries):
                # Two forms by three kinds of background: every combination once in six queries.
                across = _drawn(demos, demo, seed, query.id)
                source = (None, across, demo)[number // 2 % 3]
                items: tuple[Item, ...] = ()
                if source is not None and source.histories:
                    named = _random(seed, query.id, "history").choice(source.histories)
                    items = source.history(named.id).items
                yield _record(History(items, query=query.text), demo, language, _FORMS[number % 2], seed)


def _record(history: History, target: Demo, language: str, form: Form, seed: int) -> PromptRecord:
    ids = tuple(item.id for item in history.items)
    own = _seed(seed, *ids, history.query, target.domain, language)
    options = _options(history, target, own) if form == "listwise" else ()
    prompt = build_prompt(history, target=target.domain, language=language, candidates=options)
    return PromptRecord(
        situation="active" if history.query else "passive",
        form="listwise" if options else "direct",
        language=language,
        source_domain=history.items[0].domain if history.items else "",
        target_domain=target.domain,
        system=prompt.system,
        heading=prompt.before,
        history=prompt.history,
        ask=prompt.after,
        query=history.query,
        history_items=ids,
        options=tuple(item.id for item in options),
        seed=own,
    )


def _options(history: History, target: Demo, seed: int) -> list[Item]:
    """Four or five items of the target domain that are not in the history; none from a tiny catalogue."""
    known = history.item_ids if any(i.domain == target.domain for i in history.items) else frozenset()
    pool = [target.items[i] for i in sorted(target.items) if i not in known]
    draw = random.Random(seed)
    count = draw.choice(_OPTIONS)
    return draw.sample(pool, count) if len(pool) >= count else []


def _drawn(demos: Mapping[str, Demo], home: Demo, seed: int, *parts: str) -> Demo | None:
    """Another domain than `home`, drawn; None when there is no other."""
    others = [demo for demo in demos.values() if demo is not home]
    return _random(seed, *parts, "across").choice(others) if others else None


def _seed(seed: int, *parts: str) -> int:
    """31 bits out of names, so that what is drawn for one prompt does not depend on the others."""
    name = "\0".join((str(seed), *parts))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") >> 1


def _random(seed: int, *parts: str) -> random.Random:
    return random.Random(_seed(seed, *parts))


def _spread(
    records: Sequence[PromptRecord], group: Callable[[PromptRecord], Hashable], seed: int
) -> list[PromptRecord]:
    """Each group spread evenly over the whole list; the order within a group is kept."""
    groups: dict[Hashable, list[PromptRecord]] = {}
    for record in records:
        groups.setdefault(group(record), []).append(record)
    placed: list[tuple[float, PromptRecord]] = []
    for name, members in groups.items():
        offset = _random(seed, repr(name)).random()
        placed += [((rank + offset) / len(members), member) for rank, member in enumerate(members)]
    return [record for _, record in sorted(placed, key=lambda pair: pair[0])]
