"""Facts are true: of the target, and of the items of the history that are named with them."""

from __future__ import annotations

import re
from random import Random

import pytest

from recsys.catalog import Attribute, Item
from recsys.synthesis.about import About, about
from recsys.synthesis.facts import Facts, genres_of, query_facts, target_facts
from recsys.synthesis.quality import mentions
from recsys.synthesis.shared import shared_facts
from recsys.synthesis.tasks import Task
from recsys.synthesis.words import load_words, number_word
from tests.recsys.synthesis.support import demo_items, demo_tasks

FILMS = load_words("films", "en")


def film(title: str, *, text: str = "", **attributes: Attribute) -> Item:
    return Item(id=title.casefold(), title=title, domain="films", text=text, attributes=attributes)


def target(item: Item, language: str = "en", seed: int = 0, query: str = "") -> Facts:
    return target_facts(item, load_words(item.domain, language), Random(seed), query)


def shared(history: list[Item], item: Item, language: str = "en", seed: int = 0) -> Facts:
    return shared_facts(history, item, load_words(item.domain, language), Random(seed))


def named(facts: Facts, prefix: str) -> set[str]:
    """The titles that stand with a fact, without their quotation marks."""
    values = [facts.values.get(f"{prefix}_{size}", "") for size in ("one", "pair", "trio")]
    return set(re.findall(r"[“〈](.+?)[”〉]", " ".join(values)))


def titled(task: Task, title: str) -> About:
    """What is known of the item of the history that goes by a title, which may have been cut."""
    return next(about(i) for i in task.history if i.title_in(task.language).startswith(title.rstrip("…")))


def passive(language: str) -> list[Task]:
    return demo_tasks("passive", "direct", language, 180)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_is_said_to_be_shared_is_shared_by_the_items_named(language: str) -> None:
    counted = 0
    for task in passive(language):
        facts = shared(list(task.history), task.target, language, task.seed)
        wanted = about(task.target)
        for title in named(facts, "g"):
            genres = {fact.removeprefix("genre:") for fact in facts.tells["genres"]}
            assert genres <= titled(task, title).terms.keys() & wanted.terms.keys()
            counted += 1
        for title in named(facts, "m"):
            assert titled(task, title).makers.keys() & wanted.makers.keys()
            assert facts.values["maker"] in wanted.makers.values()
        for title in named(facts, "p"):
            assert titled(task, title).places == wanted.places
        for title in named(facts, "w"):
            topics = {fact.removeprefix("topic:") for fact in facts.tells["topics"]}
            assert topics <= titled(task, title).topics.keys() & wanted.topics.keys()
        for title in named(facts, "d"):
            assert titled(task, title).decade == wanted.decade
        for title in named(facts, "c"):
            assert titled(task, title).price == wanted.price
    assert counted > 100


@pytest.mark.parametrize("language", ["en", "ko"])
def test_shares_are_counted(language: str) -> None:
    seen = 0
    for task in passive(language):
        words = load_words(task.domain, language)
        facts = shared(list(task.history), task.target, language, task.seed)
        if share := facts.values.get("share"):
            genres = {fact.removeprefix("genre:") for fact in facts.tells["genres"]}
            count = sum(genres <= about(item).terms.keys() for item in task.history)
            word = number_word(count, language, counting=True)
            whole = {"en": ("all", "both"), "ko": ("모두",)}[language]
            assert word in share.split() or (count == len(task.history) and any(w in share for w in whole))
            assert words.unit in share
            seen += 1
    assert seen > 20


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("situation", ["passive", "active"])
def test_no_fact_gives_the_title_away(situation: str, language: str) -> None:
    for task in demo_tasks(situation, "direct", language, 180):  # type: ignore[arg-type]  # the two words above
        facts = target(task.target, language, task.seed, task.query)
        for name, value in facts.values.items():
            assert not mentions(value, task.target.title_in(language)), (name, value)


def test_album_that_is_called_like_its_band_is_not_given_away() -> None:
    def album(title: str, band: str) -> Item:
        return Item(id=title, title=title, domain="music", attributes={"brand": band, "categories": ["Rock"]})

    facts = target(album("Weezer", "Weezer")).values
    assert facts["t_thing"] == "rock album"
    assert "t_maker" not in facts
    assert "maker" not in shared([album("Pinkerton", "Weezer")], album("Weezer", "Weezer")).values
    assert shared([album("Weezer", "Weezer")], album("Pinkerton", "Weezer")).values["maker"] == "Weezer"


def test_korean_facts_are_in_korean() -> None:
    for task in passive("ko"):
        facts = target(task.target, "ko", task.seed)
        for name in ("t_thing", "t_extra", "t_genres", "t_adj", "t_mood", "t_topics", "t_place"):
            latin = re.findall("[A-Za-z&-]+", facts.values.get(name, ""))
            assert set(latin) <= {"SF", "RPG", "R&B", "K", "TV", "IT"}, (name, facts.values[name])


def test_history_without_anything_shared_is_far_or_bare() -> None:
    horror, comedy = film("Saw", genres=["Horror"]), film("Clueless", genres=["Comedy"])
    assert "far" in shared([comedy], horror).values
    assert not shared([comedy], horror).values.keys() & {"near", "genres", "liked", "hint"}
    bare = shared([film("A"), film("B")], film("C")).values
    assert not bare.keys() & {"near", "far"}


def test_one_of_many_is_a_hint_and_a_good_part_is_a_liking() -> None:
    others = [film(f"Comedy {n}", genres=["Comedy"]) for n in range(8)]
    horror = [film(f"Horror {n}", genres=["Horror"]) for n in range(3)]
    wanted = film("Saw", genres=["Horror"])
    rare = shared([*others, horror[0]], wanted).values
    assert rare["hint"] == rare["genres"] == "horror"
    assert not rare.keys() & {"liked", "mood", "adj", "share"}
    often = shared([*others[:5], *horror], wanted).values
    assert often["liked"] == "horror"
    assert often["share"] == "three of the eight films"
    assert "hint" not in often
    assert often["mostly"] == "comedy"


def test_broad_categories_are_named_only_where_nothing_else_is_known() -> None:
    book = Item(
        id="1", title="Emma", domain="books", attributes={"genres": ["fiction", "romance", "classics"]}
    )
    assert "fiction" not in target(book).values["t_genres"]
    broad = Item(id="2", title="Emma", domain="books", attributes={"genres": ["fiction"]})
    assert target(broad).values["t_genres"] == "fiction"


def test_a_series_is_known_by_its_numbers() -> None:
    def series(history: str, title: str) -> str:
        return shared([film(history)], film(title)).values.get("series", "")

    assert series("Portal", "Portal 2") == "the Portal series"
    assert series("Divergent (Divergent, #1)", "Insurgent (Divergent, #2)") == "the Divergent series"
    assert series("The Godfather", "The Godfather: Part II") == "the Godfather series"
    assert series("Portal 2", "Portal") == "", "that would be the title"
    assert series("Heat", "Seven Samurai") == ""
    assert "t_series" not in target(film("Holes (Holes, #1)")).values


def test_kin_last_is_the_last_item_only_where_it_has_a_genre_of_the_target() -> None:
    saw, clueless = film("Saw", genres=["Horror"]), film("Clueless", genres=["Comedy"])
    assert shared([clueless, saw], film("It", genres=["Horror"])).values["kin_last"] == "“Saw”"
    assert "kin_last" not in shared([saw, clueless], film("It", genres=["Horror"])).values


@pytest.mark.parametrize(
    ("price", "said"),
    [
        (9.99, "under 10 dollars"),
        (10.0, "under 20 dollars"),
        (349.0, "under 500 dollars"),
        (900.0, ""),
        (0.0, ""),
    ],
)
def test_price_is_a_limit(price: float, said: str) -> None:
    assert target(film("X", price=price)).values.get("t_price", "") == said


def test_year_is_told_as_year_and_decade() -> None:
    facts = target(film("X", year=1994))
    assert (facts.values["t_year"], facts.values["t_period"]) == ("1994", "the 1990s")
    assert facts.tells["t_year"] == facts.tells["t_period"]
    assert target(film("X", year=1994), "ko").values["t_period"] == "1990년대"
    assert "t_year" not in target(film("The Odyssey", year=-750)).values


def test_words_of_the_title_are_no_topics() -> None:
    item = film("Dog Day Afternoon", text="A robbery goes wrong.", genres=["Crime"])
    assert target(item).values["t_topics"] == "robbery"


def test_a_phrase_is_whole_and_in_the_language() -> None:
    item = film("X", text="Three gunmen race for gold. They meet.")
    assert target(item).values["t_phrase"] == "“Three gunmen race for gold”"
    assert "t_phrase" not in target(item, "ko").values
    assert "t_phrase" not in target(film("Gold", text="Three gunmen race for gold.")).values
    assert "t_phrase" not in target(film("X", text="word " * 40)).values


def test_long_titles_of_the_history_are_cut_where_their_name_ends() -> None:
    long = film("Stand Mixer with Pouring Shield and Glass Bowl, 5-Quart, Tilt-Head, Empire Red, Refurbished")
    facts = shared([long, film("Heat")], film("X"))
    assert facts.values["one"] == "“Stand Mixer with Pouring Shield and Glass Bowl”"


def test_query_facts_are_those_that_stand_in_the_query() -> None:
    item = film("Heat", genres=["Crime", "Drama"], year=1995, director="Michael Mann")
    facts = target(item, query="crime film from the 1990s")
    assert facts.values["t_thing"] == "crime film"
    asked = query_facts(facts, "crime film from the 1990s", "en", Random(1))
    assert {"q_thing", "q_period"} <= asked.values.keys()
    assert not asked.values.keys() & {"q_maker", "q_extra"}
    assert asked.values["query"] == "“crime film from the 1990s”"
    assert "feels_mood" in asked.values
    told = [query_facts(facts, "crime film", "en", Random(i)).tells["query"] for i in range(20)]
    assert {bool(facts) for facts in told} == {True, False}


def test_terms_of_an_item_are_sorted_narrow_first() -> None:
    camera = Item(
        id="1",
        title="X",
        domain="shopping",
        attributes={"categories": ["Electronics", "Headphones", "Earbud Headphones"]},
    )
    assert list(about(camera).terms) == ["earbud headphones", "headphones", "electronics"]
    assert about(camera) is about(camera), "kept while it is the same item"


def test_genres_of_items_are_facts() -> None:
    items = demo_items("films")[:5]
    assert genres_of(items) == {f"genre:{key}" for item in items for key in about(item).terms}
