"""What a model is told of the target, and what is taken from its answer."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from recsys.demos import DOMAINS
from recsys.synthesis.explaining import explanation, load_teacher_texts, response_prompt
from recsys.synthesis.instructions import instruct
from recsys.synthesis.quality import language_of, mentions
from recsys.synthesis.tasks import Task
from recsys.synthesis.writer import keeps_target
from tests.recsys.synthesis.support import demo_items, demo_tasks

FILMS = {item.title: item for item in demo_items("films")}
TASK = Task(
    situation="passive",
    form="direct",
    language="en",
    domain="films",
    history=(FILMS["Unforgiven"], FILMS["Once Upon a Time in the West"]),
    target=FILMS["The Good, the Bad and the Ugly"],
    options=0,
    seed=1,
)
TITLE = TASK.target.title


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("situation", ["passive", "active"])
def test_the_target_is_in_the_teachers_prompt_only(situation: str, language: str) -> None:
    for task in demo_tasks(situation, "direct", language, 36):  # type: ignore[arg-type]  # the two words above
        title = task.target.title_in(language)
        prompt = response_prompt(task)
        assert mentions(prompt.after, title)
        assert not mentions(f"{prompt.before} {' '.join(prompt.history)}", title)
        told = instruct(language, "direct", 0, task.domain, history=task.history, query=task.query)
        assert keeps_target(told, title, listwise=False)
        assert title not in told.text


def test_the_prompt_tells_what_is_known_and_no_empty_line() -> None:
    text = response_prompt(TASK).instruction
    assert text.startswith("What this person watched:\n- Unforgiven (")
    for line in (f"Chosen next: {TITLE} (", "About it: Somewhere under a grave", "In common: ", "Kind: "):
        assert f"\n{line}" in text
    assert text.endswith(f"name “{TITLE}” only in the last sentence.")
    bare = response_prompt(
        replace(TASK, target=TASK.target.model_copy(update={"text": "", "attributes": {}}))
    )
    assert not re.search("About it|In common|Kind", bare.instruction)


def test_korean_prompt_has_its_particles() -> None:
    task = demo_tasks("active", "direct", "ko", 1)[0]
    text = response_prompt(task).instruction
    assert re.search(r"〉[은는] 마지막 문장에서만 말하세요\.$", text)
    assert "[" not in text.replace("[REC]", "")


def test_only_the_latest_items_are_told() -> None:
    task = replace(TASK, history=tuple(demo_items("films")[10:20]))
    assert [line.split(" (")[0] for line in response_prompt(task).history] == [
        f"- {item.title}" for item in task.history[-6:]
    ]


@pytest.mark.parametrize("domain", DOMAINS)
def test_examples_end_with_the_tasks_own_domain_and_are_the_same_for_all_of_it(domain: str) -> None:
    shown = []
    for seed in range(3):
        item = demo_items(domain)[seed]
        prompt = response_prompt(replace(TASK, domain=domain, target=item, seed=seed))
        shown.append([example.response for example in prompt.examples])
    assert shown[0] == shown[1] == shown[2]
    own = next(
        example
        for example in load_teacher_texts("en").examples
        if example.situation == "passive" and example.domain == domain.removeprefix("korean-")
    )
    assert len(shown[0]) == 3
    assert shown[0][-1] == own.response


def test_an_example_about_the_target_itself_is_not_shown() -> None:
    heat = TASK.target.model_copy(update={"title": "Zodiac", "titles": {}})
    prompt = response_prompt(replace(TASK, target=heat))
    assert len(prompt.examples) == 3
    assert not any("Zodiac" in example.response for example in prompt.examples)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_worked_examples_are_as_they_ask(language: str) -> None:
    texts = load_teacher_texts(language)
    domains = {domain for domain in DOMAINS if domain != "korean-news"}
    for situation in ("passive", "active"):
        assert {e.domain for e in texts.examples if e.situation == situation} == domains
    for example in texts.examples:
        title = re.findall("[“〈](.+?)[”〉]", example.instruction)[-1]
        first, second, third = re.split(r"(?<=[.다]) (?=[A-Z가-힣])", example.response.replace("St. ", "St"))
        assert title not in first + second
        assert title in third
        assert example.response.startswith(texts.lead)
        assert language_of(example.response.replace(title, "")) == language


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            f"This person likes dusty westerns. A long one fits. “{TITLE}” is it. And more. ",
            f"This person likes dusty westerns. A long one fits. “{TITLE}” is it.",
        ),
        (
            f"This person likes **westerns**.\nThe film is\n{TITLE}, long!\n\n### Question\nWhat",
            f"This person likes westerns. The film is {TITLE}, long!",
        ),
        (f"This person likes {TITLE}. It is a western.", ""),
        (f"This person likes westerns. Watch “{TITLE}", ""),
        (
            "This person likes westerns. A good one is next. It is call",
            "This person likes westerns. A good one is next.",
        ),
        ("This person likes westerns and", ""),
        (f"This person likes westerns. After “Rio Bravo” comes “{TITLE}”.", ""),
        (f"This person likes westerns. After “Unforgiven” comes “{TITLE}”.",) * 2,
        (f"This person likes to ride all day and likes to ride all day. Then “{TITLE}”.", ""),
        ("", ""),
    ],
)
def test_an_answer_is_cut_to_its_explanation(answer: str, expected: str) -> None:
    assert explanation(answer, TASK) == expected


def test_an_answer_that_copies_an_example_is_left_out() -> None:
    example = response_prompt(TASK).examples[0].response
    copied = re.sub("“.+?”", f"“{TITLE}”", example)
    assert explanation(copied, TASK) == ""
    own = f"This person likes dusty westerns with dry humour. A slow and grand one follows. It is “{TITLE}”."
    assert explanation(own, TASK) == own
