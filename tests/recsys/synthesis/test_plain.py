"""The plain teacher: true to the facts, one name only, and the same of the same target."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from recsys.demos import DOMAINS
from recsys.retrieval.answer_text import named_title
from recsys.synthesis.plain import load_sentences, plain_response
from recsys.synthesis.quality import mentions
from recsys.synthesis.teachers import PlainTeacher
from tests.recsys.synthesis.support import demo_tasks

SITUATIONS = ("passive", "active")


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_only_name_is_the_targets(situation: str, language: str) -> None:
    tasks = demo_tasks(situation, "listwise", language, 200)  # type: ignore[arg-type]  # the words above
    for task, text in zip(tasks, PlainTeacher().responses(tasks), strict=True):
        title = task.target.title_in(language)
        assert mentions(text, title)
        assert named_title(text) == title or '"' in title  # a headline that quotes somebody
        assert not any(mentions(text, item.title_in(language)) for item in task.history)
        assert not re.search(r"[\[\]{}<>$]", text)
        assert task.target.phrases[language] in text


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_title_alone_gives_an_answer(situation: str, language: str) -> None:
    for task in demo_tasks(situation, "direct", language, len(DOMAINS)):  # type: ignore[arg-type]
        bare = task.target.model_copy(update={"text": "", "attributes": {}, "phrases": {}})
        text = plain_response(replace(task, target=bare))
        assert named_title(text) == bare.title_in(language)
        assert len(text.split()) > 5


def test_what_a_target_is_does_not_depend_on_the_row() -> None:
    for task in demo_tasks("active", "direct", "en", 40):
        one, other = (plain_response(task.again(n)) for n in (1, 2))
        assert one == other


def test_no_liking_is_made_up() -> None:
    """Nothing is known of the first history but titles; the second has all in common with the target."""
    liked = []
    for task in demo_tasks("passive", "direct", "en", 40):
        bare = [item.model_copy(update={"text": "", "attributes": {}}) for item in task.history]
        unknown = plain_response(replace(task, history=tuple(bare)))
        assert unknown.startswith("This person has a taste of their own.")
        liked.append(plain_response(replace(task, history=(task.target, task.target))))
    assert sum(text.startswith("This person likes ") for text in liked) > 30


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_list_ends_with_what_can_always_be_said(language: str) -> None:
    always = {"target", "noun", "query"}
    for domain in (*DOMAINS, "other"):
        for name, texts in load_sentences(language, domain).items():
            assert set(re.findall(r"\{([a-z_]+)\}", texts[-1])) <= always, (domain, name)
