"""What genres and categories are called: whole files, and the names that the public datasets use."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from recsys.demos import DOMAINS
from recsys.domains.registry import open_dataset
from recsys.synthesis import glossary
from recsys.synthesis.glossary import Term, feel, place_name, terms, topics
from tests.recsys.synthesis.support import demo_items

FOLDER = Path(glossary.__file__).with_name("data") / "glossary"
REAL = Path(__file__).resolve().parents[4] / "shared" / "data"

MOVIELENS = (
    "Action|Adventure|Animation|Children|Children's|Comedy|Crime|Documentary|Drama|Fantasy|Film-Noir|"
    "Horror|IMAX|Musical|Mystery|Romance|Sci-Fi|Thriller|War|Western"
)
ANIME = (
    "Action|Adventure|Cars|Comedy|Dementia|Demons|Drama|Ecchi|Fantasy|Game|Harem|Historical|Horror|"
    "Josei|Kids|Magic|Martial Arts|Mecha|Military|Music|Mystery|Parody|Police|Psychological|Romance|"
    "Samurai|School|Sci-Fi|Seinen|Shoujo|Shoujo Ai|Shounen|Shounen Ai|Slice of Life|Space|Sports|"
    "Super Power|Supernatural|Thriller|Vampire|Yaoi|Yuri"
)
MIND = (
    "news|sports|finance|travel|lifestyle|foodanddrink|autos|health|entertainment|tv|music|movies|"
    "weather|video|kids|newsus|newspolitics|newsworld|newscrime|newsopinion|newsscienceandtechnology|"
    "newsbusiness|football_nfl|football_ncaa|basketball_nba|baseball_mlb|icehockey_nhl|soccer|golf|"
    "tennis|markets|finance-companies|celebrity|lifestyleroyals|recipes|restaurantsandnews|weight-loss|"
    "wellness|medical|fitness|nutrition|traveltripideas|autosnews|weathertopstories|tvnews|movienews|"
    "musicnews|shop-holidays|personalfinance|finance-real-estate"
)
YELP = (
    "Restaurants|Food|Nightlife|Bars|Shopping|Mexican|Italian|Chinese|Japanese|Korean|Thai|Vietnamese|"
    "Indian|Greek|American (New)|American (Traditional)|Breakfast & Brunch|Coffee & Tea|Sandwiches|"
    "Pizza|Burgers|Seafood|Sushi Bars|Steakhouses|Barbeque|Bakeries|Desserts|Ice Cream & Frozen Yogurt|"
    "Fast Food|Vegan|Cafes|Museums|Parks|Beauty & Spas|Hair Salons|Nail Salons|Home Services|"
    "Automotive|Auto Repair|Health & Medical|Dentists|Active Life|Gyms|Hotels|"
    "Event Planning & Services|Arts & Entertainment|Local Flavor|Cajun/Creole|Southern"
)
AMAZON = (
    "Home & Kitchen|Kitchen & Dining|Electronics|Headphones|Cell Phones & Accessories|Toys & Games|"
    "Board Games|Beauty & Personal Care|Skin Care|Makeup|Hair Care|Pet Supplies|Dogs|Cats|"
    "Sports & Outdoors|Camping & Hiking|Tools & Home Improvement|Office Products|"
    "Clothing, Shoes & Jewelry|Men|Women|Shoes|Grocery & Gourmet Food|Health & Household|Baby|"
    "Patio, Lawn & Garden|Automotive|Arts, Crafts & Sewing|Musical Instruments|Video Games"
)
AMAZON_MUSIC = (
    "CDs & Vinyl|Pop|Rock|Jazz|Blues|Classical|Country|Folk|Rap & Hip-Hop|R&B|Soul|Metal|"
    "Hard Rock & Metal|Alternative Rock|Indie & Alternative|Classic Rock|Dance & Electronic|New Age|"
    "Reggae|World Music|Latin Music|Soundtracks|Gospel|Opera & Classical Vocal|Broadway & Vocalists|"
    "Holiday & Wedding|Punk"
)


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ("films", MOVIELENS),
        ("anime", ANIME),
        ("news", MIND),
        ("places", YELP),
        ("shopping", AMAZON),
        ("music", AMAZON_MUSIC),
    ],
)
def test_categories_of_the_datasets_have_a_name_in_both_languages(domain: str, names: str) -> None:
    for name in names.split("|"):
        found = terms(domain, [name])
        assert len(found) == 1, name
        term = next(iter(found.values()))
        assert term.en
        assert re.search("[가-힣]", term.ko) or term.ko in ("SF", "R&B", "BL"), name


@pytest.mark.data
def test_real_books_have_a_narrow_genre() -> None:
    if not (REAL / "books").is_dir():
        pytest.skip(f"no {REAL / 'books'}")
    without = 0
    items = list(open_dataset("books", REAL / "books").items())
    for item in items:
        shelves = item.attributes.get("genres", [])
        found = terms("books", shelves if isinstance(shelves, list) else [])
        without += not any(not term.broad and term.ko for term in found.values())
    assert without < 0.01 * len(items)


def test_names_that_readers_give_their_shelves_are_read_word_by_word() -> None:
    assert list(terms("books", ["crime mystery thriller"])) == ["crime thriller"]
    assert list(terms("books", ["02 fantasy to read"])) == ["fantasy"]
    assert list(terms("books", ["biography history"])) == ["biography", "history"]
    assert terms("books", ["punya", "to-read-soon"]) == {}


def test_names_made_of_several_are_taken_apart() -> None:
    assert list(terms("places", ["Vegan/Vegetarian"])) == ["vegan", "vegetarian"]
    assert list(terms("films", ["Sci-Fi", "science fiction", "Drama"])) == ["science fiction", "drama"]


def test_unknown_name_is_said_in_its_own_language_only() -> None:
    assert terms("shopping", ["Wrist Rests & Pads"]) == {
        "wrist rests and pads": Term(en="wrist rests and pads")
    }
    assert terms("shopping", ["Wet"]) == {}
    assert terms("shopping", ["British Tea > 20% off!"]) == {}
    assert terms("korean-news", ["생활문화"]) == {"생활문화": Term(en="", ko="생활문화")}


def test_one_thing_of_a_kind() -> None:
    def things(domain: str, name: str, en: str, ko: str) -> tuple[str, str]:
        term = next(iter(terms(domain, [name]).values()))
        return term.thing("en", en), term.thing("ko", ko)

    assert things("films", "Crime", "film", "영화") == ("crime film", "범죄 영화")
    assert things("books", "crime", "book", "책") == ("crime novel", "범죄 소설")
    assert things("films", "Thriller", "film", "영화") == ("thriller", "스릴러")
    assert things("places", "Mexican", "place", "장소") == ("Mexican place", "멕시코 음식점")
    assert things("shopping", "Headphones", "product", "상품") == ("pair of headphones", "헤드폰")


@pytest.mark.parametrize("name", ["stories", "music", "places", "shopping", "news"])
def test_files_are_whole(name: str) -> None:
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["terms"]
    feels = tomllib.loads((FOLDER / "feels.toml").read_text(encoding="utf-8"))
    names = Counter(n for key, entry in data.items() for n in {key, *entry.get("also", [])})
    assert [n for n, count in names.items() if count > 1] == []
    assert [n for n in names if n != n.casefold()] == []
    assert [entry["feel"] for entry in data.values() if entry.get("feel", "thriller") not in feels] == []
    for key, entry in data.items():
        assert entry["ko"], key
        assert (
            entry.get("broad")
            or feel(key, Term.model_validate(entry), "ko")
            or key in ("hentai", "game", "compilations")
        )


def test_no_feel_is_left_unused() -> None:
    used = set()
    for path in FOLDER.glob("*.toml"):
        for key, entry in tomllib.loads(path.read_text(encoding="utf-8")).get("terms", {}).items():
            used.add(entry.get("feel", key))
    assert set(tomllib.loads((FOLDER / "feels.toml").read_text(encoding="utf-8"))) <= used


@pytest.mark.parametrize("domain", [d for d in DOMAINS if d != "korean-news"])
def test_demo_items_have_a_term_in_korean(domain: str) -> None:
    keys = ("genres", "kinds", "category", "topic")
    for item in demo_items(domain):
        names: list[str] = []
        for value in (item.attributes.get(key, []) for key in keys):
            names += value if isinstance(value, list) else [str(value)]
        assert any(term.ko for term in terms(domain, names).values()), item.id


def test_topics_are_named_in_both_languages() -> None:
    assert topics("films", "Two detectives solve a murder.") == {
        "detective": ("detectives", "탐정"),
        "murder": ("murder", "살인"),
    }
    assert topics("shopping", "A murder mystery game in leather") == {"leather": ("leather", "가죽")}
    assert topics("places", "detectives") == {}


def test_cities_are_named_in_korean_where_that_is_known() -> None:
    assert place_name("New Orleans", "ko") == "뉴올리언스"
    assert place_name("New Orleans", "en") == "New Orleans"
    assert place_name("Nowhere Falls", "ko") == ""
    assert place_name("춘천", "ko") == "춘천"
