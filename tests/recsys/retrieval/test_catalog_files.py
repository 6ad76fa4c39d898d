from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.catalog import Item
from recsys.errors import CatalogFileError
from recsys.retrieval.catalog_files import read_catalog_file

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
        ("", "it has no column id, title, text"),
        ("title,text\nA,x\n", "it has no column id"),
        ("id,title,text\n", "it has no rows"),
        ("id,title,text\n1,A,x\n1,B,y\n", "row 3 repeats the id '1'"),
        ("id,title,text\n1,A,x\n,B,y\n", "row 3, id: String should have at least 1 character"),
        ("id,title,text\n1,A,x\n2,,y\n", "row 3, title: Field required"),
        ("id,title,text\n1,A,x\n2\n", "row 3, title: Field required"),
        ("id,title,text\n1,A,x,extra,fields\n", "row 2 has too many fields"),
        (f"id,title,text\n1,{'A' * 501},x\n", "row 2, title: String should have at most 500"),
        ("id,title,text,titles\n1,A,x,B\n", "row 2, titles: Input should be a valid dictionary"),
        ("id,title,text,attributes\n1,A,x,B\n", "row 2, attributes: Input should be a valid dictionary"),
        (f"id,title,text\n1,A,{'x' * 200_000}\n", "row 2"),
        ("x" * 200_000, "row 2: field larger than field limit"),
        (JSON.replace('"text"', '"year": 1e999, "text"'), "row 1, attributes.year"),
        (JSON + "\n{broken\n", "line 2 is not JSON"),
        (JSON + "\n[1]\n", "line 2 is not a JSON object"),
        (JSON + "\n" + JSON, "row 2 repeats the id 'a'"),
        (JSON + '\n{"id": "b", "text": "x"}', "row 2, title: Field required"),
        (JSON + '\n{"id": null, "title": "B", "text": "x"}', "row 2, id: String should have at least 1"),
        (JSON + '\n{"title": "B", "text": "x"}', "row 2, id: String should have at least 1"),
        (JSON + '\n{"id": "b", "title": 2001, "text": "x"}', "row 2, title: Input should be a valid string"),
        (JSON + '\n{"id": "b", "title": "B", "text": "x", "nested": {"a": 1}}', "row 2, attributes.nested"),
        (JSON + '\n{"id": "b", "title": "B", "text": "x", "attributes": "y"}', "row 2, attributes"),
        (JSON + '\n{"id": "b", "title": "\\ud800", "text": "x"}', "row 2, title"),
        (b"id,title,text\n1,\xff,x\n", "it is not UTF-8 (byte 16)"),
        ("id,title,text\n1,A,x\n".encode("utf-16"), "it is not UTF-8 (byte 0)"),
        ('[{"id": "a", "title": "A", "text": "x"}]', "it has no column"),
    ],
)
def test_bad_file_is_refused_with_row_and_reason(tmp_path: Path, content: str | bytes, problem: str) -> None:
    with pytest.raises(CatalogFileError) as caught:
        _read(tmp_path, content)
    assert f"mine.txt cannot be used as a catalogue: {problem}" in str(caught.value)


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
