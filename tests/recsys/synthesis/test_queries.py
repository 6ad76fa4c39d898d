"""Search queries: seven examples in, one phrase out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalog import Item
from recsys.demos import DOMAINS
from recsys.prompts.build import language_of
from recsys.prompts.formats import PromptFormat
from recsys.synthesis.queries import parse_query, query_problem, query_prompt, worked_queries

ITEM = Item(id="1", title="Past Lives", domain="films", text="Two friends meet again.")


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("domain", [*DOMAINS, "cheese"])
def test_seven_examples_show_the_form(domain: str, language: str) -> None:
    examples = worked_queries(domain, language)
    assert len(examples) == 7
    for example in examples:
        title = example.item.split(" (")[0]
        assert query_problem(example.query, title=title, language=language, taken=set()) is None
    assert len({e.query for e in examples}) == 7
    assert {language_of(e.query) for e in examples} == {language}


@pytest.mark.parametrize("style", ["few-shot", "chat"])
def test_prompt_holds_the_examples_and_ends_with_the_item(style: str) -> None:
    prompt = query_prompt(ITEM, "en")
    template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>"
    text = PromptFormat(style, chat_template=template).render(prompt)  # type: ignore[arg-type]
    for example in worked_queries("films", "en"):
        assert example.query in text
    assert text.index("Past Lives") > text.index(worked_queries("films", "en")[-1].query)


@pytest.mark.parametrize(
    ("answer", "query"),
    [
        ("slow romance film", "slow romance film"),
        ('"slow romance film."\nmore', "slow romance film"),
        ("Query: slow romance", "slow romance"),
        ("Search query 8: slow romance", "slow romance"),
        ("8. slow romance", "slow romance"),
        ("- slow romance", "slow romance"),
        ("90s romance", "90s romance"),
        ("검색어: 느린 멜로 영화", "느린 멜로 영화"),
        ("\n\n  “느린   멜로”  ", "느린 멜로"),
        ("", ""),
        ('""', ""),
    ],
)
def test_one_phrase_is_read_from_an_answer(answer: str, query: str) -> None:
    assert parse_query(answer) == query


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("slow romance film", None),
        ("", "empty"),
        ("?!", "empty"),
        ("word " * 15, "too long"),
        ("x" * 91, "too long"),
        ("films like past lives", "repeats the title"),
        ("느린 멜로 영화", "wrong language"),
        ("Taken  Phrase", "duplicate"),
    ],
)
def test_problem_is_named(query: str, expected: str | None) -> None:
    assert query_problem(query, title="Past Lives", language="en", taken={"taken phrase"}) == expected


@given(st.text(max_size=200))
def test_any_answer_gives_one_tidy_line(answer: str) -> None:
    query = parse_query(answer)
    assert "\n" not in query
    assert query == " ".join(query.split())
    assert parse_query(query) == query or query != answer
