"""The prompts by which a model is looked at before, during and after training: always the same six."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from recsys.catalog import History
from recsys.demos import LANGUAGES, load_demo
from recsys.prompts.build import build_prompt
from recsys.prompts.formats import Prompt
from recsys.prompts.templates import Situation


@dataclass(frozen=True, slots=True)
class FixedPrompt:
    """One of them; `label` names it for a person: the domains, or what is asked for."""

    prompt: Prompt
    situation: Situation
    label: str


@cache
def fixed_prompts(languages: tuple[str, ...] = LANGUAGES) -> tuple[FixedPrompt, ...]:
    """For each language a history within a domain, one across domains, and a request."""
    found = []
    for language in languages:
        for source, target in (("books", "books"), ("games", "films")):
            demo = load_demo(source)
            named = demo.histories[0]
            prompt = build_prompt(demo.history(named.id), target=target, language=language)
            route = source if source == target else f"{source} → {target}"
            found.append(FixedPrompt(prompt, "passive", f"{named.name[language]} ({route})"))
        query = next(q for q in load_demo("places").queries if q.language == language)
        prompt = build_prompt(History((), query=query.text), target="places", language=language)
        found.append(FixedPrompt(prompt, "active", query.text))
    return tuple(found)
