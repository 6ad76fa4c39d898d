"""Responses without a model: what they name and in which order, and that they vary."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from random import Random

import numpy as np
import pytest

from recsys.catalog import Attribute, Item
from recsys.prompts.templates import Form, Situation
from recsys.settings import Settings
from recsys.synthesis.engines import Vocabulary, load_spec, model_file
from recsys.synthesis.filling import fill
from recsys.synthesis.quality import QualityRules, near_duplicates, problem, quality_score, sketch
from recsys.synthesis.responses import response_facts, response_pattern
from recsys.synthesis.tasks import Task
from recsys.synthesis.teachers import AttributesTeacher
from tests.recsys.synthesis.support import demo_tasks

ROWS = 300
KIND = re.compile(r"\{(?:t_(?!phrase)[a-z_]+|again_thing|series|noun|one)\}")
CELLS = [(s, f, x) for s in ("passive", "active") for f in ("direct", "listwise") for x in ("en", "ko")]


@dataclass(frozen=True)
class Cell:
    """The rows of one cell: tasks, grammar's own words with `{name}` for each value, and whole texts."""

    tasks: Sequence[Task]
    patterns: Sequence[str]
    texts: Sequence[str]


def written(situation: Situation, form: Form, language: str, rows: int = ROWS) -> Cell:
    tasks = demo_tasks(situation, form, language, rows)
    facts = [response_facts(task) for task in tasks]
    patterns = [response_pattern(task, f) for task, f in zip(tasks, facts, strict=True)]
    return Cell(tasks, patterns, [fill(p, f.values) for p, f in zip(patterns, facts, strict=True)])


CACHE: dict[tuple[str, str, str], Cell] = {}


@pytest.fixture(params=CELLS, ids=["-".join(cell) for cell in CELLS])
def cell(request: pytest.FixtureRequest) -> Cell:
    """Each cell in turn, written once."""
    if request.param not in CACHE:
        CACHE[request.param] = written(*request.param)
    return CACHE[request.param]


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[Vocabulary]:
    """The tokenizer whose tokens the quality score counts."""
    vocabulary = Vocabulary(model_file(load_spec("gemma-3-270m"), Settings().paths.models))
    yield vocabulary
    vocabulary.close()


def sentences(pattern: str) -> list[str]:
    return [sentence for sentence in re.split(r"(?<=[.!?])\s+", pattern) if sentence]


def runs(pattern: str, length: int) -> set[str]:
    """Runs of the grammar's own words; a value or a stop ends one."""
    found: set[str] = set()
    for part in re.split(r"\{[a-z_]+\}|[.,:;]", pattern.lower()):
        words = re.findall(r"\[[^\]]*\]|[^\W_]+", part)
        found |= {" ".join(words[i : i + length]) for i in range(len(words) - length + 1)}
    return found


@dataclass(frozen=True)
class Variety:
    """Shares of the rows: different openings of five words, the most frequent sentence, and run of four
    words; and the share of different sentences among all. Values are masked."""

    openings: float
    sentence: float
    run: float
    sentences: float

    @classmethod
    def of(cls, patterns: Sequence[str]) -> Variety:
        rows = len(patterns)
        openings = {" ".join(pattern.split()[:5]) for pattern in patterns}
        counted = Counter(sentence for pattern in patterns for sentence in sentences(pattern))
        repeated = Counter(run for pattern in patterns for run in runs(pattern, 4))
        return cls(
            openings=len(openings) / rows,
            sentence=max(counted.values()) / rows,
            run=max(repeated.values(), default=0) / rows,
            sentences=len(counted) / sum(counted.values()),
        )

    @property
    def enough(self) -> bool:
        """Whether no template can be recognised after fifty rows: none is in two of them on average."""
        return self.openings > 0.5 and self.sentence < 0.05 and self.run < 0.08 and self.sentences > 0.55


def test_no_template_shows_through(cell: Cell) -> None:
    variety = Variety.of(cell.patterns)
    assert variety.enough, variety


def test_the_measure_finds_a_template() -> None:
    openings = ["this person likes {genres}.", "the taste is for {genres}.", "{genres} is what counts."]
    few = [f"{openings[i % 3]} Next comes a {{t_thing}}. It is {{target}}." for i in range(ROWS)]
    assert not Variety.of(few).enough
    one_sentence = written("passive", "direct", "en").patterns
    assert not Variety.of([f"{pattern} That fits." for pattern in one_sentence]).enough


def test_texts_begin_differently_and_none_is_nearly_another(cell: Cell) -> None:
    openings = {" ".join(text.split()[:5]) for text in cell.texts}
    assert len(openings) > 0.8 * ROWS
    assert not near_duplicates(np.stack([sketch(text) for text in cell.texts]), 0.8).any()


def test_texts_pass_the_quality_rules(cell: Cell, vocabulary: Vocabulary) -> None:
    scores = []
    for task, text in zip(cell.tasks, cell.texts, strict=True):
        tokens = vocabulary.tokens(text)
        scores.append(quality_score(tokens))
        title = task.target.title_in(task.language)
        arguments = {"title": title, "language": task.language, "tokens": tokens, "score": scores[-1]}
        assert problem(text, rules=QualityRules(), **arguments) is None, text  # type: ignore[arg-type]
    assert sum(scores) / len(scores) < 7


def test_the_kind_is_said_before_the_name(cell: Cell) -> None:
    for pattern in cell.patterns:
        assert pattern.count("{target}") == 1
        before = pattern[: pattern.index("{target}")]
        assert KIND.search(before), pattern


def test_only_history_and_target_are_named(cell: Cell) -> None:
    for task, text in zip(cell.tasks, cell.texts, strict=True):
        titles = [item.title_in(task.language) for item in (*task.history, task.target)]
        said = [task.query, task.target.text.replace('"', ""), *task.target.phrases.values()]
        for name in re.findall(r"〈(.+?)〉" if task.language == "ko" else r"“(.+?)”", text):
            assert any(name.rstrip("…") in source for source in (*titles, *said)), (name, text)


def test_a_text_is_one_tidy_paragraph(cell: Cell) -> None:
    for pattern, text in zip(cell.patterns, cell.texts, strict=True):
        assert text == " ".join(text.split())
        assert text[-1] in ".!?"
        assert not re.search(r"\[[^\]]*/[^\]]*\]|\{[a-z_]+\}|<[a-z_]+>", text), text
        assert not re.search(r" [.,]|,,|\.\.|\ba [aeiou]\w+ (?:film|album|anime)", text), text
        assert "{" not in re.sub(r"\{[a-z_]+\}", "", pattern)


@pytest.mark.parametrize("situation", ["passive", "active"])
def test_korean_sentences_are_of_one_level_of_politeness(situation: Situation) -> None:
    for pattern in written(situation, "direct", "ko").patterns:
        for sentence in sentences(pattern):
            assert sentence.endswith(("니다.", "{did}.")), sentence


def test_english_verbs_agree_with_their_subject() -> None:
    for situation in ("passive", "active"):
        for text in written(situation, "listwise", "en").texts:
            assert not re.search(r"\b[Tt]hey (?:\w+s|has|is)\b(?<!as)(?<!always)(?<!perhaps)", text), text
            assert not re.search(
                r"\b[Tt]his (?:person|viewer|reader|listener) (?:have|are|like|want) ", text
            ), text


def test_the_same_task_has_the_same_text() -> None:
    assert written("active", "direct", "ko", 20).texts == written("active", "direct", "ko", 20).texts


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("form", ["direct", "listwise"])
@pytest.mark.parametrize("situation", ["passive", "active"])
def test_something_is_said_however_little_is_known(situation: Situation, form: Form, language: str) -> None:
    draw = Random(7)
    for task in demo_tasks(situation, form, language, 400):
        names = sorted({name for item in (*task.history, task.target) for name in item.attributes})
        kept = {name for name in names if draw.random() < 0.3}
        texts = draw.random() < 0.5

        def bared(item: Item, kept: set[str] = kept, texts: bool = texts) -> Item:
            attributes = {name: value for name, value in item.attributes.items() if name in kept}
            changes: dict[str, object] = {"attributes": attributes}
            return item.model_copy(update=changes if texts else {**changes, "text": "", "phrases": {}})

        poor = replace(task, history=tuple(map(bared, task.history)), target=bared(task.target))
        facts = response_facts(poor)
        assert task.target.title_in(language) in fill(response_pattern(poor, facts), facts.values)
        assert AttributesTeacher().queries([poor])[0]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_places_of_which_only_the_town_is_known(language: str) -> None:
    attributes: dict[str, Attribute] = {"city": "Reno", "state": "NV"}
    known: dict[str, Attribute] = {**attributes, "categories": ["Coffee", "Food"]}
    cafes = [Item(id=t, title=t, domain="places", attributes=known) for t in ("Alba", "Brew", "Cosy", "Dew")]
    target = Item(id="e", title="Eden", domain="places", attributes=attributes)
    for form, seed in product(("direct", "listwise"), range(20)):
        task = Task("passive", form, language, "places", tuple(cafes), target, 5, seed)
        facts = response_facts(task)
        assert "near" in facts.values
        assert "Eden" in fill(response_pattern(task, facts), facts.values)
