"""Grammars that say only what is known."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.demos import DOMAINS
from recsys.synthesis import grammar as module
from recsys.synthesis.filling import fill
from recsys.synthesis.grammar import Grammar, GrammarError, load_grammar

DATA = Path(module.__file__).with_name("data")


def written(
    grammar: Grammar,
    start: str,
    values: Mapping[str, str],
    draw: Random,
    tells: Mapping[str, frozenset[str]] | None = None,
) -> str:
    """One text with its values filled in."""
    known = [name for name, value in values.items() if value]
    return fill(grammar.pattern(start, known, draw, tells), values)


def test_alternatives_need_their_values_and_rules() -> None:
    grammar = Grammar({"start": ["<maker> {title}", "just {title}"], "maker": ["by {name}:"]})
    texts = {written(grammar, "start", {"title": "Up", "name": ""}, Random(i)) for i in range(20)}
    assert texts == {"Just Up"}
    both = {written(grammar, "start", {"title": "Up", "name": "Ann"}, Random(i)) for i in range(20)}
    assert both == {"Just Up", "By Ann: Up"}


def test_same_generator_state_gives_the_same_text() -> None:
    grammar = Grammar({"start": [f"alternative {i}" for i in range(50)]})
    assert written(grammar, "start", {}, Random(3)) == written(grammar, "start", {}, Random(3))
    assert len({written(grammar, "start", {}, Random(i)) for i in range(50)}) > 20


def test_blanks_are_folded() -> None:
    assert written(Grammar({"start": ["one  <x>  two"], "x": [""]}), "start", {}, Random(0)) == "One two"


def test_a_fact_is_told_once_where_there_is_a_choice() -> None:
    grammar = Grammar({"start": ["<x> <x>"], "x": ["likes {genres}", "asks for {thing}", "has {maker}"]})
    values = {"genres": "drama", "thing": "drama film", "maker": "Ann"}
    tells = {"genres": frozenset({"drama"}), "thing": frozenset({"drama"}), "maker": frozenset({"ann"})}
    for seed in range(50):
        text = written(grammar, "start", values, Random(seed), tells)
        assert text.count("drama") == 1, text


def test_a_phrase_is_used_once_where_there_is_a_choice() -> None:
    grammar = Grammar({"start": ["<x>, <x>, <x>"], "x": ["one thing", "another thing", "third thing"]})
    for seed in range(20):
        assert len(set(written(grammar, "start", {}, Random(seed)).lower().split(", "))) == 3


def test_what_has_no_choice_is_said_again() -> None:
    grammar = Grammar({"start": ["<x> <x>"], "x": ["{a} here"]})
    text = written(grammar, "start", {"a": "it"}, Random(0), {"a": frozenset({"a"})})
    assert text == "It here it here"


def test_person_is_introduced_once() -> None:
    grammar = Grammar(
        {
            "start": ["<who> like[s] it. <who> want[s] it. <whose> taste."],
            "who": ["this person"],
            "who_again": ["they"],
            "whose": ["this person's"],
            "whose_again": ["their"],
        }
    )
    assert written(grammar, "start", {}, Random(0)) == "This person likes it. They want it. Their taste."


def test_rules_of_a_domain_stand_in_for_the_general_ones(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("start = ['<x>']\nx = ['thing']\n[news]\nx = ['article']\n")
    (tmp_path / "b.toml").write_text("y = ['unused']\n")
    texts = {domain: written(load_grammar(tmp_path, domain), "start", {}, Random(0)) for domain in DOMAINS}
    assert texts["films"] == "Thing"
    assert texts["news"] == texts["korean-news"] == "Article"


def test_rule_that_stands_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text("start = ['text']\n")
    with pytest.raises(GrammarError, match="'start' stands in another file"):
        load_grammar(tmp_path)


@pytest.mark.parametrize("path", ["answers/en", "answers/ko", "query.en.toml", "query.ko.toml"])
def test_grammars_of_the_project_are_whole(path: str) -> None:
    """Every rule of the general grammar is used, and every rule that stands in for one in a domain."""
    starts = {"query", "query_bare"}
    if path.startswith("answers"):
        kinds = {"passive": ("near", "far", "bare"), "active": ("told", "bare")}
        starts = {f"{s}_{f}_{kind}" for s in kinds for f in ("direct", "listwise") for kind in kinds[s]}
    files = sorted((DATA / path).glob("*.toml")) if path.startswith("answers") else [DATA / path]
    tables = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    assert load_grammar(DATA / path).unreached(starts) == set()
    for domain in DOMAINS:
        grammar = load_grammar(DATA / path, domain)
        own = {rule for table in tables for rule in table.get(domain, {})}
        assert grammar.unreached(starts) & own == set(), domain


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
        Grammar({"start": ["{title}"]}).pattern("start", (), Random(0))


def test_file_that_is_no_grammar_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    path.write_text("start = 'text'\n")
    with pytest.raises(GrammarError, match="list of texts"):
        load_grammar(path)


@given(st.dictionaries(st.sampled_from("abc"), st.text(max_size=5)), st.integers(0, 2**32))
def test_a_rule_with_a_bare_alternative_never_fails(values: dict[str, str], seed: int) -> None:
    grammar = Grammar({"start": ["<x> end", "plain"], "x": ["{a} {b}", "{c}"]})
    assert written(grammar, "start", values, Random(seed))
