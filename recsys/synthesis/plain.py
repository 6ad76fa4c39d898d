"""Responses of one shape: what the person likes or asks for, what suits that, and then its name.

A model of some hundred million parameters that learns a thousand paragraphs in as many shapes learns none of
them; from these it learns where the name comes from.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from random import Random

from recsys.synthesis.facts import Facts, query_facts, target_facts
from recsys.synthesis.filling import fill
from recsys.synthesis.saying import quoted, short_description
from recsys.synthesis.shared import shared_facts
from recsys.synthesis.tasks import Task
from recsys.synthesis.words import load_words

_FOLDER = Path(__file__).with_name("data")
_VALUE = re.compile(r"\{([a-z_]+)\}")

Sentences = dict[str, list[str]]


@cache
def load_sentences(language: str, domain: str) -> Sentences:
    """The sentences by name, the likelier ones first, as they are for a domain."""
    data = tomllib.loads((_FOLDER / f"plain.{language}.toml").read_text(encoding="utf-8"))
    general = {name: texts for name, texts in data.items() if isinstance(texts, list)}
    found: Sentences = general | data.get(domain.removeprefix("korean-"), {})
    return found


def plain_response(task: Task) -> str:
    """Three sentences on the task. The same target is always described alike."""
    values = _facts(task).values
    sentences = load_sentences(task.language, task.domain)
    said = (sentences[task.situation], sentences[f"{task.situation}_kind"], sentences["name"])
    return fill(" ".join(_first_known(texts, values) for texts in said), values)


def _facts(task: Task) -> Facts:
    draw = Random(task.target.id)
    words = load_words(task.domain, task.language)
    facts = target_facts(task.target, words, draw, task.query)
    facts.add("t_about", short_description(task.target, task.language))
    if task.situation == "active":
        more = query_facts(facts, task.query, task.language, draw)
    else:
        more = shared_facts(task.history, task.target, words, draw)
    facts.values = more.values | facts.values | words.values()
    facts.add("target", quoted(task.target.title_in(task.language), task.language))
    return facts


def _first_known(texts: list[str], values: dict[str, str]) -> str:
    return next(text for text in texts if values.keys() >= set(_VALUE.findall(text)))
