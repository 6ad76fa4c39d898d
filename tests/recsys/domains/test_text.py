"""Lines and rows: encodings, long lines, quotes that are never closed."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.domains.account import Account
from recsys.domains.archives import Member
from recsys.domains.encodings import guess
from recsys.domains.tables import delimiter_of, objects, records, rows
from recsys.domains.text import MAX_LINE, lines


def member(data: bytes) -> Member:
    return Member("x.csv", "x.csv", "", lambda: io.BytesIO(data))


def read(data: bytes) -> tuple[list[str], Account]:
    account = Account()
    return list(lines(member(data), account)), account


texts = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(texts, max_size=8), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.booleans())
def test_lines_come_out_as_they_went_in(found: list[str], end: str, last: bool, mark: bool) -> None:
    data = end.join(found) + (end if last and found else "")
    if end == "\r" and len(found) < 2:
        return  # nothing tells what it is
    assert read(data.encode("utf-8-sig" if mark else "utf-8"))[0] == found or data.startswith("\ufeff")


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        ("Pokémon", "utf-8", "UTF-8"),
        ("Pokémon", "latin-1", "Windows-1252"),
        ("“Naïve” – it’s", "cp1252", "Windows-1252"),
        ("AÇÃO É ÀÉÎ", "latin-1", "Windows-1252"),
        ("Größe", "latin-1", "Windows-1252"),
        ("서울의 봄", "cp949", "CP949"),
        ("佛 검찰 “독일 여객기, 부조종사", "cp949", "CP949"),
    ],
)
def test_encoding_of_a_line_is_guessed(text: str, encoding: str, name: str) -> None:
    assert guess(text.encode(encoding)) == (text, name)


def test_utf8_with_one_bad_byte_stays_utf8() -> None:
    line = "서울의 봄은 따뜻하다".encode()
    assert guess(line[:-1])[0].startswith("서울의 봄은 따뜻하")


def test_undefined_bytes_are_no_error() -> None:
    assert guess(b"\x81\x8d caf\xe9")[0].endswith("café")


def test_mixed_encodings_in_one_file() -> None:
    found, account = read("é\n".encode() + "é\n".encode("latin-1") + b"plain\n")
    assert found == ["é", "é", "plain"]
    assert account.notes == ["x.csv: 1 lines are not UTF-8 and were read as Windows-1252"]


def test_nul_bytes_are_left_out_and_counted() -> None:
    found, account = read(b"a,\0b\0\nc\n")
    assert found == ["a,b", "c"]
    assert account.altered == {"NUL bytes left out": 2}


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_very_long_line_is_left_out_and_counted(place: str) -> None:
    long = b'{"text": "' + b"x" * (50 << 20) + b'"}'
    parts = {"first": [long, b"a", b"b"], "middle": [b"a", long, b"b"], "last": [b"a", b"b", long]}[place]
    found, account = read(b"\n".join(parts))
    assert found == ["a", "b"]
    assert account.dropped == {f"line longer than {MAX_LINE >> 20} MiB": 1}


def table(text: str, **options: str) -> list[list[str] | None]:
    return list(rows(iter([text.split("\n")]), **options))


def test_quote_that_is_never_closed_spoils_its_own_line_only() -> None:
    found = table('a,b,c\n1,"open,x\n2,"closed",y\n3,z,w\n4,"also open\n5,v,"two\nlines"\n6,q,r')
    assert found == [
        ["a", "b", "c"],
        None,
        ["2", "closed", "y"],
        ["3", "z", "w"],
        None,
        ["5", "v", "two\nlines"],
        ["6", "q", "r"],
    ]


def test_open_quotes_in_every_line_of_a_large_file_lose_only_those() -> None:
    found = list(rows(iter([["a,b"], *([f'{n},"open', f"{n},fine"] for n in range(2000))])))
    assert found.count(None) == 2000
    assert len(found) == 4001


def test_row_across_blocks() -> None:
    assert list(rows(iter([["a,b", '1,"x'], ["y"], ['z"', "2,w"]]))) == [
        ["a", "b"],
        ["1", "x\ny\nz"],
        ["2", "w"],
    ]


def test_quotes_inside_and_doubled() -> None:
    assert table('1,say ""hi"",x\n2,"say ""hi""",x\n3,"a"b,x') == [
        ["1", 'say ""hi""', "x"],
        ["2", 'say "hi"', "x"],
        ["3", "ab", "x"],
    ]
    assert table('"say \\"hi\\"; you";"\\\\"', delimiter=";", escape="\\") == [['say "hi"; you', "\\"]]


field = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.lists(field, min_size=3, max_size=3), min_size=1, max_size=6), st.integers(1, 3))
def test_what_csv_writes_is_read(table: list[list[str]], size: int) -> None:
    import csv

    file = io.StringIO()
    csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *table])
    text = file.getvalue().removesuffix("\n").split("\n")
    blocks = [text[at : at + size] for at in range(0, len(text), size)]
    assert list(rows(iter(blocks))) == [["a", "b", "c"], *table]


def test_records_of_rows_that_do_not_fit() -> None:
    found = list(records(iter([["User-ID", "x"], ["1"], ["1", "2", ""], ["1", "2", "3"], None])))
    assert found == [{"userid": "1"}, {"userid": "1", "x": "2"}, None, None]


@pytest.mark.parametrize(("header", "mark"), [("a,b;c,d", ","), ('"a";"b"', ";"), ("a\tb", "\t"), ("a", ",")])
def test_delimiter_of_a_header(header: str, mark: str) -> None:
    assert delimiter_of(header) == mark


def test_objects_of_lines() -> None:
    deep = "[" * 100_000
    text = ['{"a": 1}', "", "  ", "[1]", "{cut", '{"a": NaN}', '{"a": "tab\there"}', deep, '{"a": "\\ud83d"}']
    assert list(objects(iter(text))) == [
        {"a": 1},
        None,
        None,
        {"a": None},
        {"a": "tab\there"},
        None,
        {"a": "\ud83d"},
    ]
