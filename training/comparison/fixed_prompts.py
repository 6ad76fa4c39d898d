"""The prompts by which a model is looked at before, during and after training: always the same six."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from recsys.catalog import History, Item
from recsys.demos import LANGUAGES, load_demo
from recsys.prompts.build import build_prompt
from recsys.prompts.formats import Prompt
from recsys.prompts.templates import Situation

_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class FixedPrompt:
    """One of them; `label` names it for a person: the domains, or what is asked for."""

    prompt: Prompt
    situation: Situation
    label: str


@cache
def fixed_prompts(languages: tuple[str, ...] = LANGUAGES) -> tuple[FixedPrompt, ...]:
    """For each language a history within a domain, answered from memory, then one across domains and a
    request, answered by a choice among candidates."""
    found = []
    for language in languages:
        for source, target in (("books", "books"), ("games", "films")):
            demo = load_demo(source)
            named = demo.histories[0]
            candidates = _candidates(target) if source != target else ()
            history = demo.history(named.id)
            prompt = build_prompt(history, target=target, language=language, candidates=candidates)
            route = source if source == target else f"{source} → {target}"
            found.append(FixedPrompt(prompt, "passive", f"{named.name[language]} ({route})"))
        query = next(q for q in load_demo("places").queries if q.language == language)
        asked = History((), query=query.text)
        prompt = build_prompt(asked, target="places", language=language, candidates=_candidates("places"))
        found.append(FixedPrompt(prompt, "active", query.text))
    return tuple(found)


def _candidates(domain: str) -> tuple[Item, ...]:
    """Five items from all over a demo catalogue."""
    items = tuple(load_demo(domain).items.values())
    return items[:: len(items) // _CANDIDATES][:_CANDIDATES]
