from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.catalog import Item
from recsys.demos import load_demo
from recsys.retrieval.titles import TitleMatcher

LABELLED = Path(__file__).with_name("labelled_titles.json")
"""200 names as people and models write them, for three demo catalogues, with the item that each means: other
spellings, short forms, subtitles, Korean; and sequels, near names and made-up ones that mean none. The
matcher's rules were chosen with these in view, so on other names it may do worse."""


def test_precision_and_recall_on_labelled_names() -> None:
    labelled = json.loads(LABELLED.read_text(encoding="utf-8"))
    assert sum(map(len, labelled.values())) == 200
    said = right = meant = 0
    for domain, names in labelled.items():
        items = list(load_demo(domain).items.values())
        matcher = TitleMatcher(items)
        for name, wanted in names:
            position = matcher.match(name)
            said += position is not None
            meant += wanted is not None
            right += position is not None and items[position].id == wanted
    assert right / said >= 0.95
    assert right / meant >= 0.86


def test_every_title_means_its_item() -> None:
    items = list(load_demo("books").items.values())
    matcher = TitleMatcher(items)
    for item in items:
        for title in item.all_titles():
            position = matcher.match(title.upper())
            assert position is not None
            assert items[position] == item


@pytest.mark.parametrize("name", ["", "  ", "()", "!!!", "\ud800", "x" * 5000, "(" * 3000])
def test_odd_name_means_nothing(name: str) -> None:
    assert TitleMatcher([Item(id="a", title="Heat"), Item(id="b", title="!!!x")]).match(name) is None


def test_catalogue_of_nothing_matches_nothing() -> None:
    assert TitleMatcher([]).match("Heat") is None
