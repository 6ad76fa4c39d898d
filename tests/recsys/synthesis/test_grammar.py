"""Grammars that say only what is known."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.synthesis.grammar import Grammar, GrammarError, load_grammar


def test_alternatives_need_their_values_and_rules() -> None:
    grammar = Grammar({"start": ["<maker> {title}", "just {title}"], "maker": ["by {name}:"]})
    texts = {grammar.write("start", {"title": "Up", "name": ""}, Random(i)) for i in range(20)}
    assert texts == {"Just Up"}
    both = {grammar.write("start", {"title": "Up", "name": "Ann"}, Random(i)) for i in range(20)}
    assert both == {"Just Up", "By Ann: Up"}


def test_same_generator_state_gives_the_same_text() -> None:
    grammar = Grammar({"start": [f"alternative {i}" for i in range(50)]})
    assert grammar.write("start", {}, Random(3)) == grammar.write("start", {}, Random(3))
    assert len({grammar.write("start", {}, Random(i)) for i in range(50)}) > 20


def test_sentences_articles_and_blanks_are_tidied() -> None:
    grammar = Grammar({"start": ["a {kind}  film. it is a {kind} one? yes."]})
    assert grammar.write("start", {"kind": "epic"}, Random(0)) == "An epic film. It is an epic one? Yes."
    assert grammar.write("start", {"kind": "unique"}, Random(0)).startswith("A unique film")


def test_values_are_not_read_as_grammar() -> None:
    grammar = Grammar({"start": ["see {title}"]})
    assert grammar.write("start", {"title": "<start> {title}"}, Random(0)) == "See <start> {title}"


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"start": ["<missing>"]}, "no rule 'missing'"),
        ({"start": ["<other>"], "other": ["<start>"]}, "leads back to itself"),
        ({"start": []}, "no rule 'start'"),
    ],
)
def test_broken_rules_are_refused(rules: dict[str, list[str]], problem: str) -> None:
    with pytest.raises(GrammarError, match=problem):
        Grammar(rules)


def test_nothing_to_say_is_an_error() -> None:
    with pytest.raises(GrammarError, match="nothing can be said"):
        Grammar({"start": ["{title}"]}).write("start", {}, Random(0))


def test_file_that_is_no_grammar_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    path.write_text("start = 'text'\n")
    with pytest.raises(GrammarError, match="list of texts"):
        load_grammar(path)


@given(st.dictionaries(st.sampled_from("abc"), st.text(max_size=5)), st.integers(0, 2**32))
def test_a_rule_with_a_bare_alternative_never_fails(values: dict[str, str], seed: int) -> None:
    grammar = Grammar({"start": ["<x> end", "plain"], "x": ["{a} {b}", "{c}"]})
    assert grammar.write("start", values, Random(seed))
