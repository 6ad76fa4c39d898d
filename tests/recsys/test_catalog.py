from __future__ import annotations

import pytest
from pydantic import ValidationError

from recsys.catalog import History, Item


def test_title_in_a_language_falls_back_to_the_items_own() -> None:
    item = Item(id="heat", title="Heat", titles={"ko": "히트"})
    assert item.title_in("ko") == "히트"
    assert item.title_in("en") == "Heat"
    assert item.title_in("fr") == "Heat"


def test_all_titles_has_its_own_first_and_none_twice() -> None:
    item = Item(id="heat", title="Heat", titles={"en": "Heat", "ko": "히트"})
    assert item.all_titles() == ("Heat", "히트")


def test_history_gives_the_ids_to_leave_out() -> None:
    items = (Item(id="a", title="A"), Item(id="b", title="B"))
    assert History(items).item_ids == {"a", "b"}


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "", "title": "A"},
        {"id": "a", "title": "   "},
        {"id": "a", "title": "x" * 501},
        {"id": "a" * 201, "title": "A"},
        {"id": "a", "title": "A", "titles": {"ko": ""}},
        {"id": "a", "title": "A", "attributes": {"nested": {"x": 1}}},
        {"id": "a", "title": "A", "colour": "red"},
        {"id": "a"},
    ],
)
def test_item_refuses_what_cannot_be_shown(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Item.model_validate(fields)


def test_item_survives_json() -> None:
    item = Item(
        id="a",
        title="  Heat ",
        text="두 남자\n",
        titles={"ko": "히트"},
        attributes={"year": 1995, "genres": ["crime", "drama"], "score": 8.3, "director": "Mann"},
    )
    assert item.title == "Heat"
    assert Item.model_validate_json(item.model_dump_json()) == item
