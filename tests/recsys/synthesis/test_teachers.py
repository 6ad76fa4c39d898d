"""Both teachers: phrases and paragraphs of the one without a model, and of the real small model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from recsys.llm.model_files import model_file
from recsys.llm.pool import ModelPool
from recsys.llm.registry import load_spec
from recsys.llm.vocabulary import Vocabulary
from recsys.prompts.build import language_of
from recsys.settings import Settings
from recsys.synthesis.config import ModelTeacherConfig
from recsys.synthesis.quality import QualityRules, folded, mentions, problem, quality_score
from recsys.synthesis.queries import query_problem
from recsys.synthesis.tasks import Task
from recsys.synthesis.teachers import AttributesTeacher, ModelTeacher
from tests.recsys.synthesis.support import demo_items, demo_tasks

GEMMA = "gemma-3-270m"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_queries_are_phrases_without_the_title(language: str) -> None:
    tasks = demo_tasks("active", "direct", language, 300)
    problems = []
    for task in tasks:
        title = task.target.title_in(language)
        problems.append(query_problem(task.query, title=title, language=language, taken=set()))
        assert not re.search(r"[\[\]{}<>$]", task.query)
    # A foreign name may outweigh a Korean phrase; then another phrase is drawn.
    assert set(problems) <= {None, "wrong language"}
    assert problems.count(None) > 0.95 * len(tasks)
    assert len({folded(task.query) for task in tasks}) > 250


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_title_alone_still_gives_a_query_and_an_answer(language: str) -> None:
    task = demo_tasks("active", "direct", language, 1)[0]
    bare = task.target.model_copy(update={"text": "", "attributes": {}, "phrases": {}})
    teacher = AttributesTeacher()
    for seed in range(30):
        asked = replace(task, target=bare, seed=seed)
        asked = replace(asked, query=teacher.queries([asked])[0])
        assert language_of(asked.query) == language
        text = teacher.responses([asked])[0]
        assert mentions(text, bare.title_in(language))


@pytest.mark.parametrize("situation", ["passive", "active"])
def test_answers_come_in_the_order_of_the_tasks_and_repeat(situation: str) -> None:
    tasks = demo_tasks(situation, "listwise", "en", 30)  # type: ignore[arg-type]  # the two words above
    teacher = AttributesTeacher()
    texts = teacher.responses(tasks)
    assert [mentions(t, task.target.title) for t, task in zip(texts, tasks, strict=True)] == [True] * 30
    assert teacher.responses(tasks[::-1]) == texts[::-1]
    assert AttributesTeacher().responses(tasks) == texts


def test_another_attempt_gives_another_text() -> None:
    task = demo_tasks("passive", "direct", "en", 1)[0]
    texts = {AttributesTeacher().responses([task.again(n)])[0] for n in range(4)}
    assert len(texts) == 4


def test_number_of_candidates_is_told_right() -> None:
    for task in demo_tasks("passive", "listwise", "en", 40):
        text = AttributesTeacher().responses([replace(task, options=7)])[0]
        assert "candidates" not in text or "seven" in text or "the candidate" in text


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[Vocabulary]:
    """The tokenizer whose tokens the quality score counts."""
    vocabulary = Vocabulary(model_file(load_spec(GEMMA), Settings().paths.models))
    yield vocabulary
    vocabulary.close()


@pytest.fixture(scope="module")
def gemma() -> Iterator[ModelTeacher]:
    """The small base model, which writes both languages."""
    pool = ModelPool(Settings())
    backend, adapter = pool.resolve(GEMMA)
    yield ModelTeacher(backend, ModelTeacherConfig(model=GEMMA, max_tokens=96), adapter=adapter)
    pool.close()


def kept(tasks: Sequence[Task], texts: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    """The texts that the quality rules keep."""
    good = []
    for task, text in zip(tasks, texts, strict=True):
        tokens = vocabulary.tokens(text)
        score = quality_score(tokens)
        title = task.target.title_in(task.language)
        arguments = {"title": title, "language": task.language, "tokens": tokens, "score": score}
        if problem(text, rules=QualityRules(), **arguments) is None:  # type: ignore[arg-type]
            good.append(text)
    return good


@pytest.mark.model
@pytest.mark.parametrize("language", ["en", "ko"])
def test_small_model_explains_some_choices(
    gemma: ModelTeacher, vocabulary: Vocabulary, language: str
) -> None:
    first = demo_tasks("active", "direct", language, 4)
    tasks = [task.again(attempt) for attempt in range(gemma.attempts) for task in first]
    texts = gemma.responses(tasks)
    assert len(texts) == len(tasks)
    good = kept(tasks, texts, vocabulary)
    assert good, texts
    assert len(set(good)) == len(good)
    for task, text in zip(tasks, texts, strict=True):
        assert text == " ".join(text.split())
        assert not mentions(re.split(r"(?<=[.!?]) ", text)[0], task.target.title_in(language))


@pytest.mark.model
def test_small_model_writes_search_phrases(gemma: ModelTeacher) -> None:
    tasks = [
        replace(demo_tasks("active", "direct", "en", 1)[0], domain="films", target=item, seed=seed)
        for seed, item in enumerate(demo_items("films")[:6])
    ]
    queries = gemma.queries(tasks)
    good = [
        query
        for task, query in zip(tasks, queries, strict=True)
        if query_problem(query, title=task.target.title, language="en", taken=set()) is None
    ]
    assert len(set(good)) >= 3, queries
