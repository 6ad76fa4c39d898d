"""How a language model is told the true target and asked to explain it, and what is taken from its answer."""

from __future__ import annotations

import re
import tomllib
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from random import Random
from string import Template
from textwrap import shorten

from pydantic import BaseModel, ConfigDict, Field

from recsys.prompts.build import item_line, one_line
from recsys.prompts.formats import Cues, Example, Prompt
from recsys.prompts.josa import attach_particles
from recsys.prompts.templates import Situation, load_templates
from recsys.synthesis.facts import target_facts
from recsys.synthesis.quality import mentions
from recsys.synthesis.saying import quoted
from recsys.synthesis.shared import shared_facts
from recsys.synthesis.tasks import Task
from recsys.synthesis.words import load_words

_FOLDER = Path(__file__).with_name("data")
_LONGEST_HISTORY = 6
"""The latest items are enough to explain a choice, and a small model loses its way in more."""
_ABOUT_CHARS = 160
_SHOWN = 3
_REPEATED = 5
"""Words in a row that a paragraph has once at most."""
_NAMED = re.compile(r"[\u201c〈]([^\u201d〉]*)[\u201d〉]")
_SENTENCE = re.compile(r"(?<=[.!?]) ")
_NEARLY = 0.85
_END = re.compile(r"[.!?][\"\u201d'\u2019〉)]*(?=\s|$)")


class _TeacherExample(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    situation: Situation
    domain: str
    instruction: str
    response: str


class TeacherTexts(BaseModel):
    """The texts of one language: `history` is the heading of one, and what is told of a task follows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str
    lead: str
    history: str
    passive: str
    active: str
    examples: tuple[_TeacherExample, ...] = Field(min_length=4)


@cache
def load_teacher_texts(language: str) -> TeacherTexts:
    """The texts of `language` ("en" or "ko"); raises ValueError where the file is malformed."""
    data = tomllib.loads((_FOLDER / f"teacher.{language}.toml").read_text(encoding="utf-8"))
    return TeacherTexts.model_validate(data)


def response_prompt(task: Task) -> Prompt:
    """What a model is told to write a response: history or query, the true target, and what they share."""
    templates, texts = load_templates(task.language), load_teacher_texts(task.language)
    wording = templates.wording(task.domain)
    common, kind = _notes(task)
    text = task.target.text if task.target.language == task.language else ""
    values = {
        "done": wording.done,
        "many": wording.many,
        "query": one_line(task.query),
        "target": item_line(task.target, templates),
        "title": quoted(one_line(task.target.title_in(task.language)), task.language),
        "about": shorten(one_line(text), _ABOUT_CHARS, placeholder="…") if text else "",
        "common": common,
        "kind": kind,
    }
    passive = task.situation == "passive"
    lines = [
        line
        for line in (texts.passive if passive else texts.active).splitlines()
        if all(values[name] for name in Template(line).get_identifiers())
    ]
    examples = _examples(texts, task)
    return Prompt(
        system=texts.system,
        before=_put(texts.history, values) if passive else "",
        history=tuple(f"- {item_line(item, templates)}" for item in task.history[-_LONGEST_HISTORY:]),
        after="\n".join(_put(line, values) for line in lines),
        examples=tuple(Example(e.instruction, e.response) for e in examples),
        cues=Cues(request=templates.cues.request, answer=templates.cues.answer, lead=texts.lead),
        language=task.language,
        always_examples=True,
    )


def explanation(text: str, task: Task) -> str:
    """One paragraph out of a model's answer: up to the end of the sentence that names the target.

    Empty where that is the first sentence, before anything is explained, and where the paragraph says
    the same twice, names other things than the history's, or copies a worked example. Where the target
    is not named at all, the finished sentences are left, for the quality rules to judge.
    """
    title = " ".join(task.target.title_in(task.language).split())
    folded = " ".join(re.split(r"#{2,}|<", text, maxsplit=1)[0].replace("**", "").split())
    at = folded.casefold().find(title.casefold())
    if at < 0 or not mentions(folded, title):
        ends = [match.end() for match in _END.finditer(folded)]
        return folded[: ends[-1]] if ends else ""
    end = _END.search(folded, at + len(title))
    if not end or not _END.search(folded[:at]):
        return ""
    paragraph = folded[: end.end()]
    known = " ".join((task.query, *(item.title_in(task.language) for item in (*task.history, task.target))))
    strange = any(name.casefold() not in known.casefold() for name in _NAMED.findall(paragraph))
    plain = paragraph.replace(title, "")
    return "" if strange or _repeats(plain) or _copies(plain, task) else paragraph


def _repeats(text: str) -> bool:
    words = re.findall(r"\w+", text.casefold())
    runs = [tuple(words[i : i + _REPEATED]) for i in range(len(words) - _REPEATED + 1)]
    return len(set(runs)) < len(runs)


def _copies(text: str, task: Task) -> bool:
    """Whether a sentence is nearly one of a worked example."""
    texts = load_teacher_texts(task.language)
    shown = [_NAMED.sub("", e.response) for e in _examples(texts, task)]
    theirs = [sentence for response in shown for sentence in _SENTENCE.split(response)]
    return any(
        SequenceMatcher(None, ours, sentence, autojunk=False).ratio() > _NEARLY
        for ours in _SENTENCE.split(_NAMED.sub("", text))
        for sentence in theirs
    )


def _examples(texts: TeacherTexts, task: Task) -> list[_TeacherExample]:
    """Two of other domains, and last the one of the task's own.

    Tasks of one domain have the same ones, so that a batch of prompts shares its beginning.
    """
    fitting = [e for e in texts.examples if e.situation == task.situation]
    domain = task.domain.removeprefix("korean-")
    title = quoted(task.target.title_in(task.language), task.language)
    own = [e for e in fitting if e.domain == domain and title not in e.response]
    others = [e for e in fitting if e.domain != domain]
    return others[: _SHOWN - len(own)] + own


def _notes(task: Task) -> tuple[str, str]:
    """What history and target share, and what kind of thing the target is, in a few words."""
    words, draw = load_words(task.domain, task.language), Random(task.seed)
    target = target_facts(task.target, words, draw).values
    kind = " ".join(target[name] for name in ("t_adj", "t_thing") if name in target)
    if not task.history:
        return "", kind
    shared = shared_facts(task.history, task.target, words, draw).values
    return ", ".join(shared[name] for name in ("genres", "maker", "topics", "series") if name in shared), kind


def _put(line: str, values: dict[str, str]) -> str:
    """A line with its variables in place. Only the line's own particles are decided, none in a value."""
    done = ""
    for piece in re.split(r"(\$[a-z]+)", line):
        done = done + values[piece[1:]] if piece.startswith("$") else attach_particles(piece, before=done)
    return done
