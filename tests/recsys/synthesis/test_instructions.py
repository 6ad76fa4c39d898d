"""The user's side: phrasings of each cell, in the words of each domain, and files that are refused."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from recsys.demos import DOMAINS
from recsys.prompts.templates import Form, Situation
from recsys.synthesis import instructions
from recsys.synthesis.instructions import Instruction, Instructions, instruct, load_instructions
from recsys.synthesis.writer import keeps_target
from tests.recsys.synthesis.support import demo_items

LANGUAGES = ("en", "ko")
CELLS: list[tuple[Situation, Form]] = [
    ("passive", "direct"),
    ("passive", "listwise"),
    ("active", "direct"),
    ("active", "listwise"),
]
VERBS = {
    "news": ("read", "읽"),
    "music": ("listen", "듣"),
    "places": ("visit", "가고 싶"),
    "anime": ("watch", "보고"),
    "books": ("read", "읽"),
    "films": ("watch", "보고"),
    "games": ("play", "하고"),
    "shopping": ("buy", "사고"),
    "korean-news": ("read", "읽"),
}


def written(language: str, situation: Situation, form: Form, domain: str) -> list[Instruction]:
    """Every phrasing of a cell, about items of a demo catalogue."""
    items = demo_items(domain)
    count = len(load_instructions(language).cell(situation, form))
    return [
        instruct(
            language,
            form,
            number,
            domain,
            history=items[:3] if situation == "passive" else (),
            query=("조용한 것" if language == "ko" else "something quiet") if situation == "active" else "",
            candidates=items[5:9] if form == "listwise" else (),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("situation", "form"), CELLS)
def test_each_cell_has_at_least_six_phrasings(situation: Situation, form: Form, language: str) -> None:
    texts = [told.text for told in written(language, situation, form, "films")]
    assert len(texts) >= 6
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("domain", DOMAINS)
def test_each_domain_has_its_words_and_its_system_message(domain: str, language: str) -> None:
    texts = load_instructions(language)
    assert texts.system(domain) == texts.systems[domain] != texts.systems["other"]
    told = written(language, "passive", "direct", domain)
    verb = VERBS[domain][language == "ko"]
    assert sum(verb in one.ask for one in told) >= len(told) / 3
    assert not any("$" in one.text or "{" in one.text for one in told)


@pytest.mark.parametrize("domain", [d for d in DOMAINS if d not in ("books", "news", "korean-news")])
def test_only_what_is_read_is_read(domain: str) -> None:
    for situation, form in CELLS:
        for told in written("en", situation, form, domain):
            assert " read" not in f"{told.heading} {told.ask}".replace(domain, "")
        for told in written("ko", situation, form, domain):
            assert "읽" not in f"{told.heading} {told.ask}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("situation", "form"), CELLS)
def test_articles_and_particles_fit_the_noun(situation: Situation, form: Form, language: str) -> None:
    for domain in ("anime", "music", "films", "books"):
        for told in written(language, situation, form, domain):
            text = f"{told.heading} {told.ask}"
            assert not any(
                wrong in text for wrong in (" a album", " a anime", " an film", "음반를", "영화을")
            )
            assert "/" not in text.replace("R&B/", ""), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_speaks_of_themselves(language: str) -> None:
    own = {"en": (" I ", " me ", " my "), "ko": (" 제가 ", " 제 ", " 저는 ", " 내가 ")}[language]
    for situation, form in CELLS:
        for phrasing in load_instructions(language).cell(situation, form):
            assert not any(word in f" {phrasing.heading} {phrasing.ask} " for word in own)


def test_lines_are_the_items_in_their_order() -> None:
    items = demo_items("films")
    told = instruct("en", "listwise", 0, "films", history=items[:2], candidates=items[2:5])
    assert [line.split(" (")[0] for line in told.lines] == [f"- {item.title}" for item in items[:2]]
    assert [f"{n}. {item.title}" in told.ask for n, item in enumerate(items[2:5], 1)] == [True] * 3
    assert told.text == "\n".join([told.heading, *told.lines, told.ask])


def test_what_stands_in_a_query_or_title_is_left_alone() -> None:
    told = instruct("ko", "direct", 4, "films", query="$many [을/를] {x}")
    assert "“$many [을/를] {x}”" in told.ask


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("situation", "form"), CELLS)
def test_the_target_stands_among_candidates_only(situation: Situation, form: Form, language: str) -> None:
    target = demo_items("films")[6]
    for told in written(language, situation, form, "films"):
        assert keeps_target(told, target.title_in(language), listwise=form == "listwise")
        assert (target.title_in(language) in told.text) == (form == "listwise")


def test_domain_of_the_users_own_has_general_words() -> None:
    told = instruct("en", "direct", 0, "cheese", query="mild")
    assert "item" in told.ask
    assert told.system == load_instructions("en").systems["other"]


def _too_few(data: dict[str, Any]) -> None:
    del data["passive"]["direct"][5:]


def _no_system(data: dict[str, Any]) -> None:
    del data["systems"]["places"]


def _unknown_variable(data: dict[str, Any]) -> None:
    data["active"]["direct"][0]["ask"] = "$query $taste"


def _no_candidates(data: dict[str, Any]) -> None:
    data["passive"]["listwise"][0]["ask"] = "Choose."


def _no_query(data: dict[str, Any]) -> None:
    data["active"]["direct"][0]["ask"] = "Recommend one."


def _heading_without_history(data: dict[str, Any]) -> None:
    data["active"]["direct"][0]["heading"] = "History:"


def _unknown_field(data: dict[str, Any]) -> None:
    data["passive"]["direct"][0]["tone"] = "warm"


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (_too_few, "at least 6"),
        (_no_system, "no system message for .*places"),
        (_unknown_variable, "taste"),
        (_no_candidates, "passive listwise"),
        (_no_query, "active direct"),
        (_heading_without_history, "a heading belongs"),
        (_unknown_field, "tone"),
    ],
)
def test_malformed_file_is_refused(break_it: Callable[[dict[str, Any]], None], problem: str) -> None:
    path = Path(instructions.__file__).with_name("data") / "instructions.en.toml"
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    Instructions.model_validate(data)
    break_it(data)
    with pytest.raises(ValidationError, match=problem):
        Instructions.model_validate(data)


def test_a_history_of_another_domain_is_spoken_of_in_its_own_words() -> None:
    told = instruct("en", "direct", 0, "films", source="games", history=tuple(demo_items("games")[:2]))
    assert "games" in told.heading
    assert "played" in told.heading
    assert "film" in told.ask
    assert "across films, games" in told.system
