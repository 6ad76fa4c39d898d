"""goodbooks-10k and Book-Crossing, as published and as copied."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset
from recsys.errors import DatasetFormatError

BOOKS = (
    "book_id,goodreads_book_id,authors,original_publication_year,original_title,title\n"
    '1,77,"Ann A, Bo B",1999.0,Orig,Salt &amp; Sea\n2,78,Cy C,,,\n3,79,Homer,-750.0,,The Odyssey\n'
)


def test_goodbooks_joins_on_book_id_and_genres_on_goodreads_id(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user_id,book_id,rating\n1,1,5\n1,2,3\n")
    (tmp_path / "books.csv").write_text(BOOKS)
    (tmp_path / "tags.csv").write_text("tag_id,tag_name\n5,to-read\n6,sea-stories\n7,history\n")
    (tmp_path / "book_tags.csv").write_text(
        "goodreads_book_id,tag_id,count\n77,5,900\n77,7,2\n77,6,30\n1,7,5\n77,6,many\n78,7,-1\n"
    )
    (tmp_path / "to_read.csv").write_text("user_id,book_id\n1,1\n")
    dataset = open_dataset("books", tmp_path)
    first, second = dataset.items()
    assert (first.id, first.title) == ("1", "Salt & Sea")
    assert first.attributes == {
        "authors": ["Ann A", "Bo B"],
        "year": 1999,
        "genres": ["sea stories", "history"],
    }
    assert second.attributes["year"] == -750
    found = inspect(dataset)
    assert (found.interactions, found.positives, found.untitled, found.with_time) == (2, 1, 1, 0)
    assert found.dropped == {"item without title": 1, "genre row that cannot be read": 1}
    assert found.notes == ["not read: to_read.csv"]


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


def test_samples_beside_the_whole_are_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "goodbooks-10k-master.zip", "w") as archive:
        for folder, more in (("goodbooks-10k-master/a_samples", ""), ("goodbooks-10k-master", "2,1,5\n")):
            archive.writestr(f"{folder}/books.csv", BOOKS)
            archive.writestr(f"{folder}/ratings.csv", f"user_id,book_id,rating\n1,1,5\n{more}")
        archive.writestr("goodbooks-10k-master/books_xml/books_xml.zip", b"no zip")
    assert inspect(open_dataset("books", tmp_path)).users == 2


DUMP = (
    '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S";"Image-URL-M";"Image-URL-L"\r\n'
    '"034545104X";"Caf\xe9 \\"Noir\\" &amp; More";"R. Dean";"2002";"Ivy";"http://s";"http://m";"http://l"\r\n'
    '"078946697X";"DK Readers (Level 4)\\";Michael T";"2000";"DK Publishing Inc";"http://s";"http://m";"http://l"\r\n'
    '"2";"Amp &amp; semi; colon";"Not Applicable (Na )";"0";"";"";"";""\r\n'
    '"3";"Lines\r\nbroken";"A";"1999";"P";"";"";""\r\n'
    '"4";"Never closed;"B";"1999";"P";"";"";"\r\n'
    '"5";"Back\\\\slash";"B";"1999";"P";"";"";""\r\n'
    '"6";"cut'
)
RATINGS = '"User-ID";"ISBN";"Book-Rating"\r\n"1";"034545104X";"0"\r\n"2";"034545104X";"5"\r\n"3";"X";"9"\r\n"3";"X\r\n'


def test_book_crossing(tmp_path: Path) -> None:
    (tmp_path / "BX-Book-Ratings.csv").write_bytes(RATINGS.encode("latin-1"))
    (tmp_path / "BX-Books.csv").write_bytes(DUMP.encode("latin-1"))
    (tmp_path / "BX-Users.csv").write_bytes(b'"User-ID";"Location";"Age"\r\n"1";"nyc, usa";NULL\r\n')
    dataset = open_dataset("books", tmp_path)
    books = {book.id: book for book in dataset.items()}
    assert books["034545104X"].title == 'Café "Noir" & More'
    assert books["034545104X"].attributes == {"authors": ["R. Dean"], "year": 2002, "publisher": "Ivy"}
    mended = books["078946697X"]
    assert mended.title == "DK Readers (Level 4)"
    assert mended.attributes == {"authors": ["Michael T"], "year": 2000, "publisher": "DK Publishing Inc"}
    assert books["2"].title == "Amp & semi; colon"
    assert books["3"].title == "Lines broken"
    assert books["5"].title == "Back\\slash"
    found = inspect(dataset)
    assert (found.edition, found.interactions, found.positives) == ("Book-Crossing", 3, 2)
    assert [row.signal for row in dataset.interactions()] == ["implicit", "rating", "rating"]
    assert found.dropped["rating row that cannot be read"] == 1
    assert found.items + found.dropped["book row that cannot be read"] == 7
    assert not any("UTF-8" in note for note in found.notes)


def test_book_crossing_as_plain_csv(tmp_path: Path) -> None:
    header = "ISBN,Book-Title,Book-Author,Year-Of-Publication,Publisher,Image-URL-S,Image-URL-M,Image-URL-L\n"
    (tmp_path / "Books.csv").write_text(
        header + '1,"Café ""Noir"" &amp; More",R. Dean,2002,Ivy,s,m,l\n'
        '078946697X,"DK Readers (Level 4)\\"";Michael T",2000,DK Publishing Inc,http://s,http://m,http://l,\n'
    )
    (tmp_path / "Ratings.csv").write_text("User-ID,ISBN,Book-Rating\n1,1,0\n2,1,7\n2,1,6\n")
    (tmp_path / "Users.csv").write_text('User-ID,Location,Age\n1,"nyc, usa",\n')
    dataset = open_dataset("books", tmp_path)
    first, second = dataset.items()
    assert first.title == 'Café "Noir" & More'
    assert (second.title, second.attributes["authors"]) == ("DK Readers (Level 4)", ["Michael T"])
    found = inspect(dataset)
    assert (found.edition, found.interactions, found.positives) == ("Book-Crossing", 3, 2)


def test_ratings_without_books_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user_id,book_id,rating\n1,1,5\n")
    with pytest.raises(DatasetFormatError, match=r"ratings\.csv, books\.csv .*ratings\.csv that begins"):
        open_dataset("books", tmp_path)
