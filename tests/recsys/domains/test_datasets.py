"""The loaders on small files in the native layouts, with the quirks of the real ones."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recsys.__main__ import app
from recsys.domains.base import clean, unmove_article
from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset
from recsys.errors import DatasetFileError, DatasetFormatError, InputError

RATINGS = "userId,movieId,rating,timestamp\r\n1,1,4.0,964982703\r\n1,2,3.5,964982704\r\n1,1,4.0,964982703\r\n"
MOVIES = (
    "\ufeffmovieId,title,genres\r\n"
    '1,"Matrix, The (1999)",Action|Sci-Fi\r\n'
    '2,"City of Lost Children, The (Cité des enfants perdus, La) (1995)",Drama\r\n'
    "3,Untold,(no genres listed)\r\n"
)


def movielens(folder: Path) -> Path:
    (folder / "ratings.csv").write_text(RATINGS, newline="")
    (folder / "movies.csv").write_text(MOVIES, newline="")
    return folder


def test_movielens_csv(tmp_path: Path) -> None:
    dataset = open_dataset("movielens", movielens(tmp_path))
    films = {film.id: film for film in dataset.items()}
    assert films["1"].title == "The Matrix"
    assert films["1"].attributes == {"year": 1999, "genres": ["Action", "Sci-Fi"]}
    assert films["2"].title == "The City of Lost Children"
    assert films["2"].attributes["also known as"] == ["La Cité des enfants perdus"]
    assert films["3"].attributes == {}
    found = inspect(dataset)
    assert (found.edition, found.users, found.items, found.interactions) == ("csv", 1, 3, 2)
    assert (found.positives, found.with_time, found.untitled) == (1, 2, 0)
    assert found.dropped["duplicate row"] == 1
    assert found.period == ("2000-07-30T18:45:03+00:00", "2000-07-30T18:45:04+00:00")


def test_movielens_1m_and_100k(tmp_path: Path) -> None:
    one, small = tmp_path / "ml-1m", tmp_path / "ml-100k"
    one.mkdir()
    small.mkdir()
    (one / "ratings.dat").write_text("1::7::5::978300760\n1::9::nan::978300760\n2::7::x::1\n3::7::4::-5\n")
    (one / "movies.dat").write_text("7::Amélie (2001)::Comedy|Romance\nbroken\n", "latin-1")
    found = inspect(open_dataset("movielens", one))
    assert (found.edition, found.items, found.interactions) == ("1M", 1, 1)
    assert found.dropped == {"film row that cannot be read": 1, "rating row that cannot be read": 3}
    (small / "u.data").write_text("1\t7\t3\t881250949\n1\t8\t4\t881250949\n")
    flags = "|".join("1" if i in (1, 5) else "0" for i in range(19))
    (small / "u.item").write_text(f"7|Léon (1994)|01-Jan-1994||http://x|{flags}\n", "latin-1")
    dataset = open_dataset("movielens", small)
    (film,) = dataset.items()
    assert film.title == "Léon"
    assert film.attributes["genres"] == ["Action", "Comedy"]
    assert inspect(dataset).untitled == 1


def test_goodbooks_joins_on_book_id_and_genres_on_goodreads_id(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user_id,book_id,rating\n1,1,5\n1,2,3\n")
    (tmp_path / "books.csv").write_text(
        "book_id,goodreads_book_id,authors,original_publication_year,original_title,title\n"
        '1,77,"Ann A, Bo B",1999.0,Orig,Salt &amp; Sea\n2,78,Cy C,,,\n'
    )
    (tmp_path / "tags.csv").write_text("tag_id,tag_name\n5,to-read\n6,sea-stories\n7,history\n")
    (tmp_path / "book_tags.csv").write_text(
        "goodreads_book_id,tag_id,count\n77,5,900\n77,7,2\n77,6,30\n1,7,5\n"
    )
    dataset = open_dataset("books", tmp_path)
    (book,) = dataset.items()
    assert (book.id, book.title) == ("1", "Salt & Sea")
    assert book.attributes == {
        "authors": ["Ann A", "Bo B"],
        "year": 1999,
        "genres": ["sea stories", "history"],
    }
    found = inspect(dataset)
    assert (found.interactions, found.positives, found.untitled, found.with_time) == (2, 1, 1, 0)
    assert found.dropped["item without title"] == 2  # read twice here


def test_goodbooks_version_1_calls_the_first_columns_id_and_book_id(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("book_id,user_id,rating\n1,9,5\n")
    (tmp_path / "books.csv").write_text("id,book_id,authors,title\n1,77,Ann A,Salt\n")
    (tmp_path / "book_genres.csv").write_text('book_id,goodreads_book_id,genres\n1,77,"sea,to-read"\n')
    dataset = open_dataset("books", tmp_path)
    (book,) = dataset.items()
    assert book.id == "1"
    assert book.attributes["genres"] == ["sea"]
    (rating,) = dataset.interactions()
    assert (rating.user, rating.item) == ("9", "1")


def test_book_crossing(tmp_path: Path) -> None:
    (tmp_path / "BX-Book-Ratings.csv").write_bytes(
        b'"User-ID";"ISBN";"Book-Rating"\r\n"1";"034545104X";"0"\r\n"2";"034545104X";"5"\r\n"3";"X";"9"\r\n'
    )
    (tmp_path / "BX-Books.csv").write_bytes(
        '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"a";"b";"c"\r\n'
        '"034545104X";"Caf\xe9 \\"Noir\\" &amp; More";"R. Dean";"2002";"Ivy";"";"";""\r\n'.encode("latin-1")
    )
    dataset = open_dataset("books", tmp_path)
    (book,) = dataset.items()
    assert book.title == 'Café "Noir" & More'
    assert book.attributes == {"authors": ["R. Dean"], "year": 2002, "publisher": "Ivy"}
    found = inspect(dataset)
    assert (found.edition, found.interactions, found.positives) == ("Book-Crossing", 3, 2)


def test_mind(tmp_path: Path) -> None:
    (tmp_path / "news.tsv").write_text(
        'N1\tsports\tgolf\tA "quoted" &amp; open title\tAn abstract.\thttps://x/1\t[]\t[]\n'
        "N2\tnews\tworld\t\t\t\t[]\t[]\nN3 cut\n"
    )
    (tmp_path / "behaviors.tsv").write_text(
        "1\tU1\t11/11/2019 9:05:58 AM\tN1 N9\tN2-0 N1-1\n"
        "2\tU1\t11/12/2019 1:00:00 PM\tN1 N9\tN2-1\n"
        "3\tU2\t11/12/2019 1:00:00 PM\t\tN1 N2\n4\tU2\tyesterday\t\tN1-1\n5\n"
    )
    dataset = open_dataset("mind", tmp_path)
    (article,) = dataset.items()
    assert (article.title, article.text) == ('A "quoted" & open title', "An abstract.")
    assert article.attributes == {"category": "sports", "subcategory": "golf"}
    clicks = list(dataset.interactions())
    assert [(c.user, c.item, c.time) for c in clicks] == [
        ("U1", "N1", None),
        ("U1", "N9", None),
        ("U1", "N1", 1573463158),
        ("U1", "N2", 1573563600),
    ]
    assert dataset.dropped == {
        "item without title": 1,
        "article row that cannot be read": 1,
        "shown article without a label (test split)": 2,
        "impression without a time": 1,
        "impression row that cannot be read": 1,
    }


def test_yelp(tmp_path: Path) -> None:
    places = [
        {"business_id": "b1", "name": "Café &amp; Co", "city": "Tampa", "categories": "Cafes, Food"},
        {"business_id": "b2", "name": "", "categories": None},
        {"name": "no id"},
    ]
    reviews = [
        {"user_id": "u", "business_id": "b1", "stars": 5.0, "date": "2018-07-07 22:09:11"},
        {"user_id": "u", "business_id": "b2", "stars": 2.0, "date": "2018-07-08 22:09:11"},
        {"user_id": "u", "business_id": "b2", "stars": 2.0, "date": "long ago"},
        {"user_id": 7},
    ]
    for name, rows in (("business", places), ("review", reviews)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows) + "{cut"
        (tmp_path / f"yelp_academic_dataset_{name}.json").write_text(text, "utf-8")
    dataset = open_dataset("yelp", tmp_path)
    (place,) = dataset.items()
    assert place.title == "Café & Co"
    assert place.attributes == {"categories": ["Cafes", "Food"], "city": "Tampa"}
    found = inspect(dataset)
    assert (found.interactions, found.positives, found.with_time, found.untitled) == (2, 1, 2, 1)
    assert found.dropped["review row that cannot be read"] == 3


def _gzip_lines(path: Path, lines: list[str]) -> None:
    path.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode()))


def _review(**fields: object) -> str:
    return json.dumps(fields)


def test_amazon_of_2014_has_python_literals_that_are_never_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    _gzip_lines(
        tmp_path / "reviews_Digital_Music_5.json.gz",
        [_review(reviewerID="A", asin="B1", helpful=[0, 0], overall=5.0, unixReviewTime=1344000000)],
    )
    _gzip_lines(
        tmp_path / "meta_Digital_Music.json.gz",
        [
            "{'asin': 'B1', 'title': \"It's\", 'price': 9.5, 'brand': 'L', 'categories': [['Music', 'Pop']]}",
            f"__import__('pathlib').Path({str(witness)!r}).touch()",
            "{'asin': 'B2'}",
        ],
    )
    dataset = open_dataset("amazon-music", tmp_path)
    (album,) = dataset.items()
    assert (album.title, album.domain, dataset.edition) == ("It's", "music", "2014")
    assert album.attributes == {"brand": "L", "categories": ["Music", "Pop"], "price": 9.5}
    assert dataset.dropped == {"product row that cannot be read": 1, "item without title": 1}
    assert not witness.exists()
    assert [r.time for r in dataset.interactions()] == [1344000000]


def test_amazon_of_2018(tmp_path: Path) -> None:
    row = {"reviewerID": "A", "asin": "B1", "verified": True, "overall": 4.0, "unixReviewTime": 1530000000}
    _gzip_lines(
        tmp_path / "All_Beauty_5.json.gz",
        [json.dumps(row), json.dumps(row), json.dumps({**row, "asin": "B9", "overall": 2.0}), "{"],
    )
    product = {
        "asin": "B1",
        "title": "Soap &amp; Water",
        "description": ["<b>Clean</b>", "hands"],
        "feature": ["200 g"],
        "price": "$1,299.50",
        "category": ["Beauty", "Soap"],
        "brand": "",
    }
    junk = {"asin": "B3", "title": "var aPageStart = (new Date()).getTime();"}
    _gzip_lines(
        tmp_path / "meta_All_Beauty.json.gz", [json.dumps(product), json.dumps(junk), json.dumps(product)]
    )
    dataset = open_dataset("amazon", tmp_path)
    (soap,) = dataset.items()
    assert (soap.title, soap.text) == ("Soap & Water", "Clean hands 200 g")
    assert soap.attributes == {"categories": ["Beauty", "Soap"], "price": 1299.5}
    found = inspect(open_dataset("amazon", tmp_path))
    assert (found.edition, found.interactions, found.positives, found.untitled) == ("2018", 2, 1, 1)
    assert found.dropped == {
        "item whose title is page source": 1,
        "item twice": 1,
        "duplicate row": 1,
        "review row that cannot be read": 1,
    }


def test_amazon_of_2023_joins_on_the_parent_and_has_milliseconds(tmp_path: Path) -> None:
    review = {"rating": 5.0, "asin": "B1X", "parent_asin": "B1", "user_id": "U", "timestamp": 1588615855070}
    (tmp_path / "All_Beauty.jsonl").write_text(json.dumps(review) + "\n")
    product = {"parent_asin": "B1", "title": "Oil", "features": ["Light"], "description": [], "store": "Shop"}
    (tmp_path / "meta_All_Beauty.jsonl").write_text(json.dumps({**product, "price": None}) + "\n")
    (tmp_path / "Toys.jsonl").write_text("{}\n")
    dataset = open_dataset("amazon", tmp_path)
    (oil,) = dataset.items()
    (rating,) = dataset.interactions()
    assert (oil.text, oil.attributes) == ("Light", {"brand": "Shop"})
    assert (rating.item, rating.time) == (oil.id, 1588615855)
    assert any("Toys.jsonl is not read" in note for note in dataset.source.notes)


def test_amazon_without_products(tmp_path: Path) -> None:
    row = {"reviewerID": "A", "asin": "B1", "verified": True, "overall": 4.0, "unixReviewTime": 1530000000}
    (tmp_path / "Books.json").write_text(json.dumps(row) + "\n")
    found = inspect(open_dataset("amazon", tmp_path / "Books.json"))
    assert (found.items, found.interactions, found.untitled) == (0, 1, 1)


def test_anime_of_2016(tmp_path: Path) -> None:
    (tmp_path / "anime.csv").write_text(
        "anime_id,name,genre,type,episodes,rating,members\n"
        '9253,Steins;Gate &#039;x&#039;,"Sci-Fi, Thriller",TV,24,9.17,673572\n5,Odd,,Movie,Unknown,,1\n'
    )
    (tmp_path / "rating.csv").write_text("user_id,anime_id,rating\n1,9253,-1\n1,5,8\n1,5,8\n1,,3\n")
    dataset = open_dataset("anime", tmp_path)
    first, second = dataset.items()
    assert first.title == "Steins;Gate 'x'"
    assert first.attributes == {"genres": ["Sci-Fi", "Thriller"], "type": "TV", "episodes": 24}
    assert second.attributes == {"type": "Movie"}
    found = inspect(dataset)
    assert (found.edition, found.interactions, found.positives) == ("2016", 2, 1)
    assert found.dropped == {"duplicate row": 1, "rating row that cannot be read": 1}


def test_anime_of_2020(tmp_path: Path) -> None:
    (tmp_path / "anime.csv").write_text(
        'MAL_ID,Name,Score,Genres,English name,Type\n1,Cowboy Bebop,8.78,"Action, Space",Unknown,TV\n'
    )
    (tmp_path / "anime_with_synopsis.csv").write_text(
        'MAL_ID,Name,Score,Genres,sypnopsis\n1,Cowboy Bebop,8.78,Action,"In 2071,\nhunters roam."\n'
    )
    (tmp_path / "rating_complete.csv").write_text("user_id,anime_id,rating\n0,1,9\n")
    (anime,) = open_dataset("anime", tmp_path).items()
    assert anime.text == "In 2071, hunters roam."
    assert anime.attributes == {"genres": ["Action", "Space"], "type": "TV"}


STEAM = (
    '151603712,"The Elder Scrolls V Skyrim",purchase,1.0,0\n'
    '151603712,"The Elder Scrolls V Skyrim",play,273.0,0\n'
    "151603712,Dota 2,purchase,1.0,0\n151603712,Dota 2,play,0.5,0\n"
    "59,Portal,purchase,1.0,0\n59,Portal,purchase,1.0,0\n59,Portal,eat,1.0,0\nx\n"
)


@pytest.mark.parametrize("packed", ["plain", "gz", "zip"])
def test_steam_purchase_and_play_are_one_interaction(tmp_path: Path, packed: str) -> None:
    path = tmp_path / "steam-200k.csv"
    if packed == "plain":
        path.write_text(STEAM)
    elif packed == "gz":
        path = tmp_path / "steam-200k.csv.gz"
        path.write_bytes(gzip.compress(STEAM.encode()))
    else:
        path = tmp_path / "archive.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("data/steam-200k.csv", STEAM)
            archive.writestr("__MACOSX/data/._steam-200k.csv", "junk")
    found = inspect(open_dataset("steam", path))
    assert (found.users, found.items, found.interactions, found.positives) == (2, 3, 3, 1)
    assert found.dropped == {"row that cannot be read": 2, "purchase twice": 1}


def test_gzip_that_was_cut_short_gives_what_is_whole_and_says_so(tmp_path: Path) -> None:
    rows = "".join(
        f"{user},Game {user % 97} \u00e9{os.urandom(4).hex()},purchase,1.0,0\n" for user in range(20_000)
    )
    whole = gzip.compress(rows.encode())
    path = tmp_path / "steam-200k.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    found = inspect(open_dataset("steam", path))
    assert 5_000 < found.interactions < 15_000
    assert len(found.notes) >= 1
    assert "cut short" in found.notes[0]


def test_lines_in_another_encoding_are_read_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "steam.csv"
    path.write_bytes("1,Pok\xe9mon,purchase,1.0,0\n".encode("latin-1"))
    found = open_dataset("steam", path)
    assert [item.title for item in found.items()] == ["Pokémon"]
    assert "cp1252" in found.source.notes[0]


@pytest.mark.parametrize("name", ["movielens", "books", "steam", "mind", "yelp", "anime", "amazon"])
@pytest.mark.parametrize("content", ["", "a,b,c\n1,2,3\n", "\x00\x01"])
def test_another_file_is_refused_with_what_was_expected_and_found(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / "steam.csv").write_text(content)
    with pytest.raises(DatasetFormatError, match=r"steam\.csv") as caught:
        open_dataset(name, tmp_path)
    assert "expected" in str(caught.value)


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetFileError, match="no such file"):
        open_dataset("steam", tmp_path / "gone")
    with pytest.raises(DatasetFileError, match="no files"):
        open_dataset("steam", tmp_path)
    (tmp_path / "steam.zip").write_bytes(b"PK no zip")
    with pytest.raises(DatasetFileError, match="not a whole zip"):
        open_dataset("steam", tmp_path)
    with pytest.raises(InputError, match="movielens"):
        open_dataset("netflix", tmp_path)


@pytest.mark.parametrize(
    ("moved", "title"),
    [
        ("Matrix, The", "The Matrix"),
        ("Avventura, L'", "L'Avventura"),
        ("Me, Myself & Irene", "Me, Myself & Irene"),
    ],
)
def test_articles(moved: str, title: str) -> None:
    assert unmove_article(moved) == title


def test_clean() -> None:
    assert clean("Steins&amp;#039;s\t Gate\u0000 ") == "Steins's Gate"


def test_command_line(tmp_path: Path) -> None:
    runner = CliRunner()
    assert "movielens" in runner.invoke(app, ["datasets", "list"]).output
    path = str(movielens(tmp_path))
    found = json.loads(runner.invoke(app, ["datasets", "inspect", "movielens", path, "--json"]).output)
    assert found["interactions"] == 2
    assert {"dataset", "edition", "users", "items", "positives", "with_time", "untitled", "dropped"} <= set(
        found
    )
    assert "duplicate row" in runner.invoke(app, ["datasets", "inspect", "movielens", path]).output


DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the real files beside the checkout")
def test_real_files() -> None:
    films = inspect(open_dataset("movielens", DATA / "movies"))
    assert (films.users, films.items, films.interactions) == (610, 9742, 100_836)
    assert (films.with_time, films.untitled, films.dropped) == (100_836, 0, {})
    books = inspect(open_dataset("books", DATA / "books"))
    assert (books.users, books.items, books.interactions) == (2672, 10_000, 298_176)
    assert (books.with_time, books.untitled, books.dropped) == (0, 0, {})
