from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

import recsys.prompts
from recsys.demos import DOMAINS, LANGUAGES
from recsys.prompts.templates import (
    Form,
    LanguageTemplates,
    MissingVariableError,
    Situation,
    load_templates,
)

SITUATIONS: tuple[Situation, ...] = get_args(Situation)
FORMS: tuple[Form, ...] = get_args(Form)
FOLDER = Path(recsys.prompts.__file__).with_name("templates")


def _data() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "en.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_shipped_templates_are_valid_and_know_every_domain(language: str) -> None:
    templates = load_templates(language)
    assert templates.language == language
    assert set(templates.domains) == set(DOMAINS)
    assert templates.cues.lead


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("form", FORMS)
def test_every_task_has_two_worked_examples(language: str, situation: Situation, form: Form) -> None:
    templates = load_templates(language)
    examples = templates.worked_examples(situation, form)
    assert len(examples) >= 2
    for example in examples:
        assert "$" not in example.instruction
        assert example.response.startswith(templates.cues.lead)
        assert "\n" not in example.response, "an answer is one paragraph"


@pytest.mark.parametrize("language", LANGUAGES)
def test_listwise_examples_choose_one_of_their_candidates(language: str) -> None:
    for example in load_templates(language).examples:
        assert bool(example.candidates) == (example.form == "listwise")
        titles = [c.split(". ", 1)[1].split(" (")[0] for c in example.candidates]
        assert not titles or any(title in example.response for title in titles)


def test_unknown_domain_has_the_general_wording() -> None:
    templates = load_templates("en")
    assert templates.wording("wine") == templates.other
    assert templates.heading("passive", "wine") == "The things this person enjoyed, oldest first:"


def test_task_is_filled_in() -> None:
    task = load_templates("ko").task("active", "direct", "films", "$느린 {영화}", ())
    assert "$느린 {영화}" in task, "a query is no template"
    assert "영화 하나를 추천하세요" in task


def test_unknown_variable_is_refused_when_the_file_is_read() -> None:
    data = _data()
    data["passive"]["direct"] = "Which $colour next?"
    with pytest.raises(ValidationError, match="colour"):
        LanguageTemplates.model_validate(data)


def test_malformed_variable_is_refused_when_the_file_is_read() -> None:
    data = _data()
    data["active"]["listwise"] = "That costs 5$ and ${query"
    with pytest.raises(ValidationError, match="malformed"):
        LanguageTemplates.model_validate(data)


def test_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra"):
        LanguageTemplates.model_validate(_data() | {"colour": "red"})


def test_variable_of_another_part_is_named_when_it_is_missing() -> None:
    data = _data()
    data["passive"]["history"] = "What they $target_next:"
    templates = LanguageTemplates.model_validate(data)
    with pytest.raises(MissingVariableError, match="target_next"):
        templates.heading("passive", "films")
