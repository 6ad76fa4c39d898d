"""Files with bytes changed at random: each is read or refused, and no row is lost without a count."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset
from recsys.errors import DatasetFileError, DatasetFormatError

FILES: dict[tuple[str, str], dict[str, bytes]] = {
    ("movielens", "csv"): {
        "ratings.csv": b"userId,movieId,rating,timestamp\n1,1,4.0,964982703\n2,1,3.5,964982704\n",
        "movies.csv": b'movieId,title,genres\n1,"Matrix, The (1999)",Action|Sci-Fi\n2,Heat (1995),Crime\n',
    },
    ("movielens", "dat"): {
        "ratings.dat": b"1::7::5::978300760\n2::7::4::978300761\n",
        "movies.dat": b"7::Am\xe9lie (2001)::Comedy\n",
    },
    ("books", "dump"): {
        "BX-Book-Ratings.csv": b'"User-ID";"ISBN";"Book-Rating"\r\n"1";"03";"0"\r\n"2";"03";"5"\r\n',
        "BX-Books.csv": b'"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher"\r\n'
        b'"03";"Caf\xe9 \\"Noir\\"";"R";"2002";"Ivy"\r\n',
    },
    ("mind", ""): {
        "news.tsv": b"N1\tsports\tgolf\tTitle\tAbstract\thttps://x/1\t[]\t[]\n",
        "behaviors.tsv": b"1\tU1\t11/11/2019 9:05:58 AM\tN1 N9\tN2-0 N1-1\n",
    },
    ("yelp", ""): {
        "business.json": b'{"business_id": "b", "name": "Cafe", "categories": "Food"}\n',
        "review.json": b'{"user_id": "u", "business_id": "b", "stars": 4, "date": "2018-07-07"}\n',
    },
    ("amazon", "2014"): {
        "reviews_Toys.json": b'{"reviewerID": "A", "asin": "B", "helpful": [0, 0], "overall": 5.0, '
        b'"unixReviewTime": 1344000000}\n',
        "meta_Toys.json": b"{'asin': 'B', 'title': 'Bear', 'price': 9.5, 'categories': [['Toys']]}\n",
    },
    ("anime", ""): {
        "anime.csv": b"anime_id,name,genre,type,episodes\n1,X &#039;,Drama,TV,12\n",
        "rating.csv": b"user_id,anime_id,rating\n1,1,-1\n2,1,8\n",
    },
    ("steam", ""): {"steam-200k.csv": b"1,Dota 2,purchase,1.0,0\n1,Dota 2,play,3.5,0\n"},
    ("catalog", ""): {
        "items.csv": b"id,title,year,genre\n1,Tea,1999,a|b\n",
        "log.jsonl": b'{"user": "a", "item_id": 1, "event": "buy", "ts": "2020-01-01"}\n',
    },
}
NASTY = (
    *(
        b'"',
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b",",
        b"\t",
        b"::",
        b"|",
        b";",
        b"\\",
    ),
    *(b"{", b"[[[[", b"}", b"null", b"NaN", b"1e999", b"-1", b"9" * 400, b"\\ud83d", b"&#x110000;", b"&#0;"),
    *(b"\x1f\x8b", b"PK\x03\x04", b" ", b"\xc3\x28", b"true", b"''"),
)
changes = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 12), st.sampled_from(NASTY)), min_size=1, max_size=4
)


@pytest.mark.parametrize(("name", "edition"), FILES)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoilt=st.data())
def test_no_bytes_bring_a_loader_down(tmp_path: Path, name: str, edition: str, spoilt: st.DataObject) -> None:
    for file, content in FILES[name, edition].items():
        data = bytearray(content)
        for place, length, nasty in spoilt.draw(changes):
            at = place % (len(data) + 1)
            data[at : at + length] = nasty
        (tmp_path / file).write_bytes(data)
    with suppress(DatasetFileError, DatasetFormatError):
        dataset = open_dataset(name, tmp_path)
        assert inspect(dataset).model_dump_json().encode()
        assert all(item.model_dump_json().encode() for item in dataset.items())


field = st.text(st.characters(exclude_characters='\r\n\0"', exclude_categories=["Cs"]), max_size=6)
row = st.one_of(
    st.tuples(st.sampled_from("123"), st.sampled_from("12"), st.sampled_from(["4.0", "x", ""])).map(",".join),
    st.lists(field, max_size=5).map(",".join),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(row, max_size=30))
def test_every_row_is_an_interaction_or_counted(tmp_path: Path, table: list[str]) -> None:
    text = "\n".join(["userId,movieId,rating", *table, ""])
    (tmp_path / "ratings.csv").write_bytes(text.encode())
    (tmp_path / "movies.csv").write_text("movieId,title\n1,Heat\n")
    found = inspect(open_dataset("movielens", tmp_path))
    assert found.interactions + found.dropped.get("duplicate row", 0) + found.dropped.get(
        "rating row that cannot be read", 0
    ) == sum(1 for line in table if line.strip())
