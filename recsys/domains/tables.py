"""Rows of CSV and objects of JSON Lines. What cannot be read is None, so that whoever asked can count it.

A quote that is never closed spoils its own line only: it does not swallow those that follow.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

_LONGEST_ROW = 1_000
"""Lines of one row at most: texts in quotes may hold line ends."""
_DELIMITERS = ",;\t|"

Row = list[str]


def rows(
    blocks: Iterator[list[str]], *, delimiter: str = ",", escape: str | None = None
) -> Iterator[Row | None]:
    """The fields of each row, blank lines left out; None for a line with a quote that is never closed.

    `blocks` are lines without their ends. A row of several lines has to have as many fields as the first one.
    """
    return (row for _, row in numbered_rows(blocks, delimiter=delimiter, escape=escape))


def numbered_rows(
    blocks: Iterator[list[str]], *, delimiter: str = ",", escape: str | None = None
) -> Iterator[tuple[int, Row | None]]:
    """`rows` with the number of each one's first line, from 1."""
    options = {"delimiter": delimiter, "escapechar": escape}
    pending: list[str] = []
    at, width, number = 0, 0, 0
    while True:
        if at == len(pending):
            more = next(blocks, None)
            if more is None:
                return
            pending, at = more, 0
            continue
        line = pending[at]
        at += 1
        number += 1
        first = number
        row: Row | None
        if '"' not in line and (escape is None or escape not in line):
            if not line or line.isspace():
                continue
            row = line.split(delimiter)
        else:
            row = _one_line(line, options)
            if row is None:
                while len(pending) - at < _LONGEST_ROW and (more := next(blocks, None)):
                    pending, at = [line, *pending[at:], *more], 1
                row, used = _several_lines(pending[at - 1 : at + _LONGEST_ROW], options)
                if row and len(row) == width:
                    at += used - 1
                    number += used - 1
                else:
                    row = None
        if not width:
            width = len(row or ())
        yield first, row


def _one_line(line: str, options: Mapping[str, Any]) -> Row | None:
    """The row in one line, or None where a quote stays open. Raises nothing: a field can be too long."""
    asked = False

    def feed() -> Iterator[str]:
        nonlocal asked
        yield line
        asked = True

    try:
        row = next(csv.reader(feed(), **options), None)
    except csv.Error:
        return None
    return None if asked else row


def _several_lines(lines: list[str], options: Mapping[str, Any]) -> tuple[Row | None, int]:
    """The row that begins in the first line, and how many lines it takes; None where it is not sound."""
    reader = csv.reader((f"{line}\n" for line in lines), strict=True, **options)
    try:
        return next(reader, None), reader.line_num
    except csv.Error:
        return None, 1


def key(name: str) -> str:
    """The name of a column without case and marks: `User-ID`, `user_id` and `userId` are `userid`."""
    return re.sub(r"[\W_]+", "", name).lower()


def records(rows: Iterator[Row | None], named: Callable[[str], str] = key) -> Iterator[dict[str, str] | None]:
    """Rows by the keys of their columns; short rows lack their last fields, longer ones are None."""
    names = [named(name) for name in next(rows, None) or ()]
    for row in rows:
        if row is None or (len(row) > len(names) and any(row[len(names) :])):
            yield None
        else:
            yield dict(zip(names, row, strict=False))


def delimiter_of(header: str) -> str:
    """What separates the columns that `header` names: the mark that is there most often."""
    return max(_DELIMITERS, key=header.count)


def objects(lines: Iterator[str]) -> Iterator[dict[str, Any] | None]:
    """The object in each line of JSON Lines, blank lines left out."""
    for line in lines:
        if line and not line.isspace():
            yield parse_object(line)


def parse_object(line: str) -> dict[str, Any] | None:
    """The object in a line; control characters and NaN, which some writers put there, are let pass."""
    try:
        value = orjson.loads(line)
    except ValueError:
        try:
            value = json.loads(line, strict=False, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None
