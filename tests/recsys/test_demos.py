from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsys.demos import ASSETS, DOMAINS, LANGUAGES, check_demo, load_demo, load_demos, load_examples

Rows = list[dict[str, Any]]
Break = Callable[[Rows, dict[str, Any]], object]


@pytest.mark.parametrize("domain", DOMAINS)
def test_shipped_domain_has_the_right_shape(domain: str) -> None:
    assert check_demo(domain) == []


def test_all_domains_load_in_order() -> None:
    demos = load_demos()
    assert tuple(demos) == DOMAINS
    for demo in demos.values():
        histories = [demo.history(h.id) for h in demo.histories]
        assert len(histories) >= 6
        assert all(item.domain == demo.domain for h in histories for item in h.items)
        assert {q.language for q in demo.queries} == set(LANGUAGES)


def test_korean_news_is_in_korean() -> None:
    for item in load_demo("korean-news").items.values():
        assert item.language == "ko"
        letters = [c for c in item.text if c.isalpha()]
        assert sum("가" <= c <= "힣" for c in letters) > 0.8 * len(letters)


def test_unknown_history_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_demo("films").history("nobody")


def _copy(assets: Path, change: Break) -> Path:
    """The films of the demo, broken by `change`, in a folder of their own."""
    (assets / "catalogs").mkdir()
    (assets / "demos").mkdir()
    lines = (ASSETS / "catalogs" / "films.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    demo = json.loads((ASSETS / "demos" / "films.json").read_text(encoding="utf-8"))
    change(rows, demo)
    (assets / "catalogs" / "films.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (assets / "demos" / "films.json").write_text(json.dumps(demo), encoding="utf-8")
    return assets


def _set(key: str, value: object) -> Break:
    return lambda rows, demo: rows[3].__setitem__(key, value)


BROKEN: dict[str, tuple[Break, str]] = {
    "domain": (_set("domain", "books"), "films.jsonl:4: domain is 'books'"),
    "language": (_set("language", "ko"), "films.jsonl:4: language is 'ko'"),
    "slug": (_set("id", "Not A Slug"), "films.jsonl:4: id 'Not A Slug' is not a lower-case slug"),
    "attributes": (_set("attributes", {}), "films.jsonl:4: no attributes"),
    "no phrase": (_set("phrases", {"en": "two words"}), "films.jsonl:4: phrase in 'ko'"),
    "long phrase": (_set("phrases", {"en": "w " * 17, "ko": "두 단어"}), "phrase in 'en'"),
    "short text": (_set("text", "word " * 59), "films.jsonl:4: text has 59 words"),
    "long text": (_set("text", "word " * 151), "films.jsonl:4: text has 151 words"),
    "no title": (_set("title", ""), "films.jsonl:4: 1 validation error"),
    "unknown field": (_set("colour", "red"), "films.jsonl:4: 1 validation error"),
    "id twice": (lambda rows, demo: rows.append(rows[0]), "occurs twice"),
    "title twice": (lambda r, _: r[1].__setitem__("title", r[0]["title"].upper()), "occurs twice"),
    "few items": (lambda rows, demo: rows.__delitem__(slice(39, None)), "39 items, at least 40"),
    "demo domain": (lambda _, d: d.__setitem__("domain", "books"), "films.json: domain is 'books'"),
    "few histories": (lambda _, d: d["histories"].__delitem__(slice(5, None)), "5 histories"),
    "history twice": (lambda _, d: d["histories"].append(d["histories"][0]), "occurs twice"),
    "query twice": (lambda _, d: d["queries"].append(d["queries"][0]), "occurs twice"),
    "history's name": (lambda _, d: d["histories"][0]["name"].pop("ko"), "name wanted in"),
    "short history": (
        lambda _, d: d["histories"][0]["items"].__delitem__(slice(3, None)),
        "at least four different items",
    ),
    "item twice in a history": (
        lambda _, d: d["histories"][0]["items"].append(d["histories"][0]["items"][0]),
        "at least four different items",
    ),
    "unknown item": (lambda _, d: d["histories"][0]["items"].append("nothing"), "no item 'nothing'"),
    "few Korean queries": (
        lambda _, d: d.__setitem__("queries", [q for q in d["queries"] if q["language"] == "en"]),
        "at least four queries in 'ko'",
    ),
    "demo's shape": (lambda _, d: d.pop("queries"), "1 validation error"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_check_names_the_problem_in_a_broken_copy(name: str, tmp_path: Path) -> None:
    change, message = BROKEN[name]
    problems = check_demo("films", _copy(tmp_path, change))
    assert any(message in problem for problem in problems), problems


def test_unbroken_copy_has_no_problem(tmp_path: Path) -> None:
    assert check_demo("films", _copy(tmp_path, lambda rows, demo: None)) == []


def test_check_of_missing_and_unreadable_files(tmp_path: Path) -> None:
    assets = _copy(tmp_path, lambda rows, demo: None)
    assert "No such file" in check_demo("books", assets)[0]
    (assets / "catalogs" / "films.jsonl").write_bytes(b"\xff\xfe\x00")
    assert "utf-8" in check_demo("films", assets)[0]
    shutil.rmtree(assets / "demos")
    assert check_demo("films", assets)


def test_examples_name_what_is_there() -> None:
    examples = load_examples()
    assert len(examples) >= 4
    assert len({example.id for example in examples}) == len(examples)
    for example in examples:
        assert set(example.title) == set(example.says) == set(LANGUAGES)
        assert example.catalog in DOMAINS
        assert example.items or example.query
        assert all(item in load_demo(catalog).items for catalog, item in example.items)
        assert {catalog for catalog, _ in example.items} != {example.catalog}  # across domains
