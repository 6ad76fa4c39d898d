"""MovieLens in all its editions."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset
from recsys.errors import DatasetFormatError

RATINGS = "userId,movieId,rating,timestamp\r\n1,1,4.0,964982703\r\n1,2,3.5,964982704\r\n1,1,4.0,964982703\r\n"
MOVIES = (
    "\ufeffmovieId,title,genres\r\n"
    '1,"Matrix, The (1999)",Action|Sci-Fi\r\n'
    '2,"City of Lost Children, The (Cité des enfants perdus, La) (1995)",Drama\r\n'
    "3,Untold,(no genres listed)\r\n"
)


def csv_edition(folder: Path, ratings: str = RATINGS, movies: str = MOVIES) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "ratings.csv").write_bytes(ratings.encode())
    (folder / "movies.csv").write_bytes(movies.encode())
    return folder


def test_csv_edition(tmp_path: Path) -> None:
    dataset = open_dataset("movielens", csv_edition(tmp_path))
    films = {film.id: film for film in dataset.items()}
    assert films["1"].title == "The Matrix"
    assert films["1"].attributes == {"year": 1999, "genres": ["Action", "Sci-Fi"]}
    assert films["2"].title == "The City of Lost Children"
    assert films["2"].attributes["also known as"] == ["La Cité des enfants perdus"]
    assert films["3"].attributes == {}
    found = inspect(dataset)
    assert (found.edition, found.users, found.items, found.interactions) == ("csv", 1, 3, 2)
    assert (found.positives, found.with_time, found.untitled) == (1, 2, 0)
    assert found.dropped == {"duplicate row": 1}
    assert found.period == ("2000-07-30T18:45:03+00:00", "2000-07-30T18:45:04+00:00")


def test_published_zip_with_its_top_folder_and_the_files_that_are_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ml-latest-small.zip", "w") as archive:
        archive.writestr("ml-latest-small/", "")
        archive.writestr("ml-latest-small/ratings.csv", RATINGS)
        archive.writestr("ml-latest-small/movies.csv", MOVIES)
        archive.writestr("ml-latest-small/tags.csv", "userId,movieId,tag,timestamp\n1,1,x,1\n")
        archive.writestr("__MACOSX/ml-latest-small/._ratings.csv", "junk")
    found = inspect(open_dataset("movielens", tmp_path / "ml-latest-small.zip"))
    assert (found.items, found.interactions) == (3, 2)
    assert found.notes == ["not read: ml-latest-small.zip/ml-latest-small/tags.csv"]


def test_copy_of_20m_with_singular_names_and_dates_as_times(tmp_path: Path) -> None:
    (tmp_path / "rating.csv").write_text(
        '"userId","movieId","rating","timestamp"\n1,2,3.5,"2005-04-02 23:53:47"\n1,3,4,soon\n'
    )
    (tmp_path / "movie.csv").write_text('"movieId","title","genres"\n2,"Jumanji (1995)","Adventure"\n')
    dataset = open_dataset("movielens", tmp_path)
    assert [row.time for row in dataset.interactions()] == [1112486027, None]
    assert dataset.notes == ["1 interactions have a time that cannot be used; they are kept without it"]


def test_1m_and_10m_differ_in_half_stars(tmp_path: Path) -> None:
    for name, stars in (("ml-1m", "5"), ("ml-10m", "4.5")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "ratings.dat").write_text(
            f"1::7::{stars}::978300760\n1::9::nan::978300760\n2::7::x::1\n3::7::4::-5\n\n"
        )
        (folder / "movies.dat").write_bytes("7::Amélie (2001)::Comedy|Romance\nbroken\n".encode("latin-1"))
        dataset = open_dataset("movielens", folder)
        assert dataset.edition == name.removeprefix("ml-").upper()
        assert [film.title for film in dataset.items()] == ["Amélie"]
        assert [(row.value, row.time) for row in dataset.interactions()] == [
            (float(stars), 978300760),
            (4.0, None),
        ]
        assert dataset.dropped == {"film row that cannot be read": 1, "rating row that cannot be read": 2}
        assert not any("UTF-8" in note for note in dataset.notes), "Latin-1 is usual here"


def test_100k(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("1\t7\t3\t881250949\n1\t8\t4\t881250949\n")
    (tmp_path / "u1.base").write_text("1\t7\t3\t881250949\n")
    flags = "|".join("1" if i in (1, 5) else "0" for i in range(19))
    (tmp_path / "u.item").write_bytes(f"7|Léon (1994)|01-Jan-1994||http://x|{flags}\n".encode("latin-1"))
    dataset = open_dataset("movielens", tmp_path)
    (film,) = dataset.items()
    assert film.title == "Léon"
    assert film.attributes == {"year": 1994, "genres": ["Action", "Comedy"]}
    found = inspect(dataset)
    assert (found.edition, found.interactions, found.untitled, found.untitled_interactions) == (
        "100K",
        2,
        1,
        1,
    )


@pytest.mark.parametrize(
    ("written", "title", "attributes"),
    [
        ("Usual Suspects, The (1995)", "The Usual Suspects", {"year": 1995}),
        ("Postino, Il (1994) ", "Il Postino", {"year": 1994}),
        ("Affaire du collier, L' (1946)", "L'Affaire du collier", {"year": 1946}),
        ("Vitelloni, I (1953)", "I Vitelloni", {"year": 1953}),
        ("Seven (a.k.a. Se7en) (1995)", "Seven", {"year": 1995, "also known as": ["Se7en"]}),
        ("Fawlty Towers (1975-1979)", "Fawlty Towers", {"year": 1975}),
        ("Ben &amp; Jerry (2000)", "Ben & Jerry", {"year": 2000}),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", {"year": 2009}),
        ("Me, Myself & Irene (2000)", "Me, Myself & Irene", {"year": 2000}),
        ("1984", "1984", {}),
        ("(2019)", "(2019)", {}),
    ],
)
def test_titles(tmp_path: Path, written: str, title: str, attributes: dict[str, object]) -> None:
    folder = csv_edition(tmp_path, movies=f'movieId,title,genres\n1,"{written}",\n')
    (film,) = open_dataset("movielens", folder).items()
    assert (film.title, film.attributes) == (title, attributes)


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    movies = (
        "movieId,title,genres\n"
        '1,"Toy Story (1995)",Comedy\n'
        '2,"Never closed,Drama\n'
        '3,"Heat (1995)",Crime\n'
        "4,Comma, unquoted,Drama\n"
        "5,,Drama\n"
        "x,No number,Drama\n"
        "6\n"
        "1,Toy Story again,Comedy\n"
        '7,"A ""quoted"" word (2001)",Drama\n'
    )
    ratings = (
        "userId,movieId,rating,timestamp\n1,1,4.0,1\n,1,4.0,1\n1,,4.0,1\n1,1,inf,1\n1,1\n\n   \n1,99,5,2\n"
    )
    found = inspect(open_dataset("movielens", csv_edition(tmp_path, ratings, movies)))
    assert (found.items, found.interactions, found.untitled) == (3, 2, 1)
    assert found.dropped == {
        "film row that cannot be read": 3,
        "item without title": 2,
        "item twice": 1,
        "rating row that cannot be read": 4,
    }


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, ends: str) -> None:
    for name, text in (
        ("ratings.csv", "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n"),
        ("movies.csv", 'movieId,title,genres\n1,"Misérables, Les (1995)",Drama\n'),
    ):
        (tmp_path / name).write_bytes(text.replace("\n", ends).encode(encoding))
    dataset = open_dataset("movielens", tmp_path)
    assert [film.title for film in dataset.items()] == ["Les Misérables"]
    assert len(list(dataset.interactions())) == 1


def test_several_copies_side_by_side_are_not_mixed(tmp_path: Path) -> None:
    csv_edition(tmp_path / "old", movies=MOVIES.replace("Matrix", "Old Matrix"))
    csv_edition(tmp_path / "a new one")
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n1,Alone,\n")
    dataset = open_dataset("movielens", tmp_path)
    assert next(dataset.items()).title == "The Matrix"
    assert dataset.notes[0] == "not read: movies.csv, old/movies.csv, old/ratings.csv"


def test_files_packed_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv.gz").write_bytes(gzip.compress(RATINGS.encode()))
    with zipfile.ZipFile(tmp_path / "movies.csv.zip", "w") as archive:
        archive.writestr("movies.csv", MOVIES)
    found = inspect(open_dataset("movielens", tmp_path))
    assert (found.items, found.interactions, found.notes) == (3, 2, [])


def test_empty_ratings_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetFormatError, match=r"found movies\.csv that begins .*, ratings\.csv \(it is empty\)"
    ):
        open_dataset("movielens", csv_edition(tmp_path, ratings=""))
