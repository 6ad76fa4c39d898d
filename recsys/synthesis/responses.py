"""A response without a model: what may be told for a task, and the grammar's text around it."""

from __future__ import annotations

from pathlib import Path
from random import Random

from recsys.synthesis.facts import Facts, genres_of, query_facts, target_facts
from recsys.synthesis.grammar import load_grammar
from recsys.synthesis.saying import quoted
from recsys.synthesis.shared import shared_facts
from recsys.synthesis.tasks import Task
from recsys.synthesis.words import load_words, number_word

_FOLDER = Path(__file__).with_name("data")


def response_facts(task: Task) -> Facts:
    """All that a response to the task may tell."""
    draw = Random(task.seed + 1)
    words = load_words(task.spoken_of, task.language)
    facts = target_facts(task.target, words, draw, task.query)
    if task.situation == "active":
        more = query_facts(facts, task.query, task.language, draw)
    else:
        more = shared_facts(task.history, task.target, words, draw)
        if facts.tells.get("t_thing", frozenset(["?"])) <= genres_of(task.history):
            facts.add("again_thing", facts.values["t_thing"], facts.tells["t_thing"])
    facts.values |= words.values() | more.values
    facts.tells |= more.tells
    facts.add("target", quoted(task.target.title_in(task.language), task.language))
    if task.form == "listwise":
        facts.add("options", number_word(task.options, task.language))
    return facts


def response_pattern(task: Task, facts: Facts) -> str:
    """A response with `{name}` where values go."""
    if task.situation == "active":
        told = facts.values.keys() & {"t_thing", "t_genres", "t_maker", "t_topics"}
        kind = "told" if told else "bare"
    else:
        kind = next((kind for kind in ("near", "far") if kind in facts.values), "bare")
    grammar = load_grammar(_FOLDER / "answers" / task.language, task.spoken_of)
    cell = f"{task.situation}_{task.form}"
    # Two places may share a town, and still too little is known of the second to say what comes next.
    return grammar.pattern(
        f"{cell}_{kind}", facts.values, Random(task.seed + 2), facts.tells, otherwise=f"{cell}_bare"
    )
