from __future__ import annotations

from string import Formatter

import pytest

import annotation.errors
import recsys.errors
import training.errors
from recsys.demos import DOMAINS, LANGUAGES
from recsys.errors import InputError, PortInUseError, UnknownModelError, ZeroshelfError
from recsys.i18n import accepted_language, error_text, text, texts


def _placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _interface(language: str) -> dict[str, str]:
    return {
        key: value
        for key, value in texts(language).items()
        if key == "error_title" or not key.startswith("error_")
    }


def test_both_languages_have_the_same_keys() -> None:
    assert set(_interface("en")) == set(_interface("ko"))
    assert all(value.strip() for language in LANGUAGES for value in texts(language).values())


def test_both_languages_have_the_same_placeholders() -> None:
    korean = _interface("ko")
    for key, english in _interface("en").items():
        assert _placeholders(english) == _placeholders(korean[key]), key


def test_every_domain_has_a_name() -> None:
    assert {f"domain_{domain}" for domain in DOMAINS} <= set(texts("en"))


def test_korean_texts_are_in_korean() -> None:
    names = {"app_title"}
    plain = [
        key
        for key, value in texts("ko").items()
        if key not in names and not any("가" <= c <= "힣" for c in value)
    ]
    assert plain == []


def _translated_errors() -> list[str]:
    return [k for k in texts("ko") if k.startswith("error_") and k != "error_title"]


@pytest.mark.parametrize("key", _translated_errors())
def test_translated_error_uses_only_details_of_its_class(key: str) -> None:
    _, name, part = key.split("_")
    modules = (recsys.errors, annotation.errors, training.errors)
    error = next(getattr(m, name) for m in modules if hasattr(m, name))
    assert part in ("cause", "cure")
    assert _placeholders(texts("ko")[key]) <= _placeholders(error.cause + error.cure)
    assert f"error_{name}_cause" in texts("ko"), "a cure without its cause is never shown"


def test_text_is_filled_in() -> None:
    assert text("en", "status_index", done=3, total=9).endswith("3 of 9 items.")


def test_error_text_is_translated_where_there_is_a_translation() -> None:
    error = UnknownModelError(name="x<y", known="a, b")
    assert error_text(error, "en") == str(error)
    korean = error_text(error, "ko")
    assert "x<y" in korean
    assert "a, b" in korean
    assert "모델이 없습니다" in korean


@pytest.mark.parametrize(
    "error", [InputError(reason="why"), PortInUseError(host="h", port=1), ZeroshelfError(reason="why")]
)
def test_error_without_a_translation_is_in_english(error: ZeroshelfError) -> None:
    assert error_text(error, "ko") == str(error)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-GB", "en"),
        ("fr-FR,fr;q=0.9,ko;q=0.5", "ko"),
        ("KO", "ko"),
        ("fr, de", "en"),
        ("", "en"),
        (None, "en"),
        (";;,,q=,", "en"),
        ("korean", "en"),
    ],
)
def test_accepted_language_is_the_first_that_the_interface_has(header: str | None, language: str) -> None:
    assert accepted_language(header) == language
