from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.catalog import Item
from recsys.errors import CatalogFileError
from recsys.retrieval.catalog_files import CatalogReader, check_catalog_file, read_catalog_file

JSON = '{"id": "a", "title": "A", "text": "x"}'


def _read(folder: Path, content: str | bytes) -> list[Item]:
    path = folder / "mine.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_catalog_file(path, "films")


def test_csv(tmp_path: Path) -> None:
    first, second = _read(tmp_path, 'id,title,text\n1,Heat,"Two men,\none city"\n2,기생충,반지하\n')
    assert first == Item(id="1", title="Heat", text="Two men,\none city", domain="films")
    assert (second.id, second.title, second.text) == ("2", "기생충", "반지하")


def test_json_lines(tmp_path: Path) -> None:
    rows = [
        {"id": 7, "title": "Heat", "text": "Two men", "titles": {"ko": "히트"}, "language": "en"},
        {"id": "b", "title": "기생충", "text": "", "domain": "korean films", "language": "ko"},
    ]
    first, second = _read(tmp_path, "\n\n".join(json.dumps(row) for row in rows))
    assert (first.id, first.domain, first.titles) == ("7", "films", {"ko": "히트"})
    assert (second.domain, second.language) == ("korean films", "ko")


@pytest.mark.parametrize("content", ["id,title,text\r\n1,A,x\r\n", JSON + "\r\n"])
def test_byte_order_mark_and_windows_line_ends(tmp_path: Path, content: str) -> None:
    (item,) = _read(tmp_path, b"\xef\xbb\xbf" + content.encode())
    assert (item.title, item.text) == ("A", "x")


def test_extra_columns_become_attributes(tmp_path: Path) -> None:
    (item,) = _read(tmp_path, "id,title,text,genre,year,studio\n1,A,x,drama,1995,\n")
    assert item.attributes == {"genre": "drama", "year": "1995"}
    row = {"id": "1", "title": "A", "text": "x", "year": 1995, "genre": ["a", "b"], "none": None}
    (item,) = _read(tmp_path, json.dumps(row | {"attributes": {"studio": "S"}}))
    assert item.attributes == {"year": 1995, "genre": ["a", "b"], "studio": "S"}


def test_empty_fields_of_json_are_as_good_as_missing(tmp_path: Path) -> None:
    row = {"id": "a", "title": "A", "text": None, "titles": None, "language": None, "url": None}
    (item,) = _read(tmp_path, json.dumps(row))
    assert (item.text, item.titles, item.language) == ("", {}, "en")


def test_numbers_that_are_none_are_left_out(tmp_path: Path) -> None:
    (item,) = _read(tmp_path, '{"id": "a", "title": "A", "text": "x", "year": NaN, "price": Infinity}')
    assert item.attributes == {}
    assert Item.model_validate_json(item.model_dump_json()) == item


def test_unicode_line_ends_inside_json_are_text(tmp_path: Path) -> None:
    row = {"id": "a", "title": "A", "text": "one\u2028two\u0085three\x0bfour"}
    item, _ = _read(tmp_path, json.dumps(row, ensure_ascii=False) + "\n" + JSON.replace('"a"', '"b"'))
    assert item.text == row["text"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "it is empty"),
        ("title,text\nA,x\n", "it has no column id"),
        ("id,title,text\n", "it has no rows"),
        ("id,title,text\n1,A,x\n1,B,y\n", "line 3, column id: the id 1 was there before"),
        ("id,title,text\n1,A,x\n,B,y\n", "line 3, column id: it is empty; give the row one"),
        ("id,title,text\n1,A,x\n2,,y\n", "line 3, column title: it is empty"),
        ("id,title,text\n1,A,x\n2\n", "line 3, column title: it is empty"),
        ("id,title,text\n1,A,x,extra,fields\n", "line 2: it has more fields than the header; put text"),
        ('id,title,text\n1,"A,x\n', "line 2: a double quote in it is never closed"),
        (f"id,title,text\n1,{'A' * 501},x\n", "line 2, column title: it has more than 500 characters"),
        ("id,title,text,titles\n1,A,x,B\n", "line 2, column titles: it is not an object"),
        ("id,title,text,attributes\n1,A,x,B\n", "line 2, column attributes: it is not an object"),
        ("x" * 200_000, "it has no column id, title, text"),
        (JSON.replace('"text"', '"year": 1e999, "text"'), "line 1, column year: it is not a finite number"),
        (JSON + "\n{broken\n", "line 2: it is not JSON; write one whole JSON object a line"),
        (JSON + "\n[1]\n", "line 2: it is JSON, but not an object; write an object such as {"),
        (JSON + "\n\n" + JSON, "line 3, column id: the id a was there before"),
        (JSON + '\n{"id": "b", "text": "x"}', "line 2, column title: it is empty"),
        (JSON + '\n{"id": null, "title": "B", "text": "x"}', "line 2, column id: it is empty"),
        (JSON + '\n{"title": "B", "text": "x"}', "line 2, column id: it is empty"),
        (JSON + '\n{"id": "b", "title": 2001, "text": "x"}', "line 2, column title: it is not a text"),
        (JSON + '\n{"id": "b", "title": "B", "text": "x", "in": {"a": 1}}', "line 2, column in: it is not a"),
        (JSON + '\n{"id": "b", "title": "B", "attributes": "y"}', "line 2, column attributes"),
        (JSON + '\n{"id": "b", "title": "\\ud800", "text": "x"}', "line 2, column title: it holds half a"),
        ('[{"id": "a", "title": "A", "text": "x"}]', "it has no column"),
    ],
)
def test_bad_file_is_refused_with_row_and_reason(tmp_path: Path, content: str | bytes, problem: str) -> None:
    with pytest.raises(CatalogFileError) as caught:
        _read(tmp_path, content)
    assert f"mine.txt cannot be used as a catalogue: {problem}" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "id,title,text\n1,기생충,반지하에 사는 가족\n".encode("cp949"),  # as Korean Excel saves it
        "id,title,text\n1,기생충,반지하에 사는 가족\n".encode("utf-16"),
        "id;title;text\n1;기생충;반지하에 사는 가족\n".encode(),
        "id\ttitle\ttext\n1\t기생충\t반지하에 사는 가족\n".encode(),
    ],
)
def test_encodings_and_delimiters_of_spreadsheets_are_read(tmp_path: Path, content: bytes) -> None:
    (item,) = _read(tmp_path, content)
    assert (item.title, item.text, item.language) == ("기생충", "반지하에 사는 가족", "ko")


def test_long_text_is_kept_whole(tmp_path: Path) -> None:
    (item,) = _read(tmp_path, f"id,title,text\n1,A,{'x' * 200_000}\n")
    assert len(item.text) == 200_000


BAD = 'id,title,text\n1,A,"two\nlines"\n,B,x\n3,C,"open\n4,D,x\n1,E,x\n6,F,x,more\n7,G,x\n'


def test_bad_rows_are_told_with_their_lines_and_lose_no_good_ones(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(BAD)
    found = check_catalog_file(path)
    assert (found.items, found.bad_rows) == (3, 4)
    assert [(p.line, p.column, p.kind) for p in found.problems] == [
        (4, "id", "missing"),
        (5, "", "open_quote"),
        (7, "id", "repeated_id"),
        (8, "", "too_many_fields"),
    ]
    reader = CatalogReader(path, "films")
    assert [item.title for item in reader.items(skip_bad_rows=True)] == ["A", "D", "G"]
    assert reader.bad_rows == 4
    with pytest.raises(CatalogFileError, match="line 4, column id"):
        list(CatalogReader(path, "films").items())


def test_file_of_bad_rows_alone_is_no_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,title,text\n1,,x\n2,,x\n")
    assert check_catalog_file(path).items == 0
    with pytest.raises(CatalogFileError, match="none of its rows can be used; line 2, column title"):
        list(CatalogReader(path, "films").items(skip_bad_rows=True))


def test_only_the_first_problems_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,title,text\n" + "1,,x\n" * 500)
    found = check_catalog_file(path)
    assert (len(found.problems), found.bad_rows) == (100, 500)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogFileError, match="No such file"):
        read_catalog_file(tmp_path / "gone.csv", "films")
    with pytest.raises(CatalogFileError, match="directory"):
        read_catalog_file(tmp_path, "films")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda b: b"id,title,text\n" + b)))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    try:
        items = _read(tmp_path, content)
    except CatalogFileError:
        return
    assert items


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["titles", "attributes", "text", "url", "language", "x"]), _json))
def test_any_json_row_is_read_or_refused(tmp_path: Path, row: dict[str, object]) -> None:
    try:
        (item,) = _read(tmp_path, json.dumps({"id": "a", "title": "A"} | row))
    except CatalogFileError:
        return
    assert Item.model_validate_json(item.model_dump_json()) == item
