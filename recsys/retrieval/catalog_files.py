"""A catalogue file of the user's own, CSV or JSON Lines, read row by row and checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from recsys.catalog import Item
from recsys.domains.account import Account
from recsys.domains.source import Source
from recsys.domains.tables import delimiter_of, numbered_rows
from recsys.domains.text import blocks
from recsys.errors import CatalogFileError, DatasetFileError
from recsys.retrieval.catalog_rows import RowProblem, item_of

MAX_BYTES = 512 << 20
_REQUIRED = ("id", "title", "text")
_TOLD = 100


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What is in a file: how many items, its first problems, how many there are in all, and what else there
    is to say, such as in which encoding it was read."""

    items: int
    problems: tuple[RowProblem, ...]
    bad_rows: int
    notes: tuple[str, ...]


class CatalogReader:
    """The rows of one file, in bounded memory but for the ids. `problems`, `bad_rows` and `notes` are filled
    while `rows` is read."""

    def __init__(self, path: Path, domain: str) -> None:
        self._path = path
        self._domain = domain
        self._account = Account()
        self.problems: list[RowProblem] = []
        self.bad_rows = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What else there is to say."""
        dropped = (f"{reason}: {count:,}" for reason, count in self._account.dropped.items())
        return (*self._account.remarks(), *dropped)

    def rows(self) -> Iterator[Item | RowProblem]:
        """Each row as an item, or what is wrong with it. Raises CatalogFileError for the file as a whole."""
        seen: set[str] = set()
        for number, row in self._numbered():
            found = row if isinstance(row, RowProblem) else item_of(row, self._domain, number)
            if isinstance(found, Item):
                if found.id not in seen:
                    seen.add(found.id)
                    yield found
                    continue
                found = RowProblem(number, "id", "repeated_id", {"value": found.id})
            self.bad_rows += 1
            if len(self.problems) < _TOLD:
                self.problems.append(found)
            yield found
        if not seen and not self.bad_rows:
            raise self._unusable("it has no rows")

    def items(self, *, skip_bad_rows: bool = False) -> Iterator[Item]:
        """The items; a row that is none raises CatalogFileError, or is left out."""
        good = 0
        for found in self.rows():
            if isinstance(found, Item):
                good += 1
                yield found
            elif not skip_bad_rows:
                raise self._unusable(str(found))
        if not good:
            raise self._unusable(f"none of its rows can be used; {self.problems[0]}")

    def _numbered(self) -> Iterator[tuple[int, dict[str, Any] | RowProblem]]:
        lines = self._blocks()
        begun: list[list[str]] = []
        first = ""
        for block in lines:
            begun.append(block)
            if first := next((line for line in block if line.strip()), ""):
                break
        whole = chain(begun, lines)
        return _json_rows(whole) if first.lstrip().startswith("{") else self._csv_rows(whole, first)

    def _blocks(self) -> Iterator[list[str]]:
        try:
            if self._path.is_dir():
                raise self._unusable("it is a directory")
            size = self._path.stat().st_size
            if not size:
                raise self._unusable("it is empty")
            if size > MAX_BYTES:
                raise self._unusable(f"it is larger than {MAX_BYTES >> 20} MiB")
            members = Source(self._path).members
            if len(members) > 1:
                raise self._unusable(f"there are {len(members)} files in it")
            yield from blocks(members[0], self._account)
        except DatasetFileError as error:
            raise self._unusable(str(error.details["problem"])) from error
        except OSError as error:
            raise self._unusable(f"it cannot be read ({error.strerror})") from error

    def _csv_rows(
        self, lines: Iterator[list[str]], first: str
    ) -> Iterator[tuple[int, dict[str, Any] | RowProblem]]:
        rows = numbered_rows(lines, delimiter=delimiter_of(first))
        _, header = next(rows, (0, None))
        names = [name.strip() for name in header or ()]
        if missing := [column for column in _REQUIRED if column not in names]:
            raise self._unusable(f"it has no column {', '.join(missing)}")
        for number, row in rows:
            if row is None:
                yield number, RowProblem(number, "", "open_quote")
            elif len(row) > len(names) and any(row[len(names) :]):
                yield number, RowProblem(number, "", "too_many_fields")
            else:
                yield number, {name: value for name, value in zip(names, row, strict=False) if value and name}

    def _unusable(self, problem: str) -> CatalogFileError:
        return CatalogFileError(file=self._path.name, problem=problem)


def read_catalog_file(path: Path, domain: str) -> list[Item]:
    """The items of a CSV or JSON Lines file with id, title, text (and any other `Item` field).

    Columns that are no field of `Item` become attributes. Raises CatalogFileError with the first bad
    row, its line and what is wrong.
    """
    return list(CatalogReader(path, domain).items())


def check_catalog_file(path: Path) -> FileCheck:
    """Read a file to its end and say what is in it; raises CatalogFileError where it is no catalogue."""
    reader = CatalogReader(path, "")
    items = sum(isinstance(found, Item) for found in reader.rows())
    return FileCheck(items, tuple(reader.problems), reader.bad_rows, reader.notes)


def _json_rows(lines: Iterator[list[str]]) -> Iterator[tuple[int, dict[str, Any] | RowProblem]]:
    for number, line in enumerate(chain.from_iterable(lines), 1):
        if not line.strip():
            continue
        try:
            # NaN is pandas' missing value.
            row = json.loads(line, strict=False, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            yield number, RowProblem(number, "", "not_json")
            continue
        yield number, row if isinstance(row, dict) else RowProblem(number, "", "not_object")
