"""A catalogue file of the user's own, CSV or JSON Lines, read row by row and checked."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recsys.catalog import Item
from recsys.errors import CatalogFileError

_MAX_BYTES = 512 << 20
_FIELDS = {"id", "title", "text", "domain", "language", "url", "titles", "phrases", "attributes"}
_REQUIRED = ("id", "title", "text")


def read_catalog_file(path: Path, domain: str) -> list[Item]:
    """The items of a CSV or JSON Lines file with id, title, text (and any other `Item` field).

    Columns that are no field of `Item` become attributes. Raises CatalogFileError with the first bad
    row, its number and what is wrong.
    """
    name = path.name
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise CatalogFileError(file=name, problem=f"it is larger than {_MAX_BYTES >> 20} MiB")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"it is not UTF-8 (byte {error.start})"
        raise CatalogFileError(file=name, problem=problem) from error
    except OSError as error:
        raise CatalogFileError(file=name, problem=f"it cannot be read ({error.strerror})") from error
    rows = _json_rows(text, name) if text.lstrip().startswith("{") else _csv_rows(text, name)
    items: dict[str, Item] = {}
    for number, row in rows:
        item = _item(row, domain, name, number)
        if item.id in items:
            raise CatalogFileError(file=name, problem=f"row {number} repeats the id {item.id!r}")
        items[item.id] = item
    if not items:
        raise CatalogFileError(file=name, problem="it has no rows")
    return list(items.values())


def _json_rows(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=lambda _: None)  # NaN: pandas' missing value
        except ValueError as error:
            raise CatalogFileError(file=name, problem=f"line {number} is not JSON") from error
        if not isinstance(row, dict):
            raise CatalogFileError(file=name, problem=f"line {number} is not a JSON object")
        yield number, row


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    number = 1
    try:
        missing = [c for c in _REQUIRED if c not in (reader.fieldnames or [])]
        if missing:
            raise CatalogFileError(file=name, problem=f"it has no column {', '.join(missing)}")
        for row in reader:
            number += 1
            if None in row:
                raise CatalogFileError(file=name, problem=f"row {number} has too many fields")
            yield number, {key: value for key, value in row.items() if value}
    except csv.Error as error:
        raise CatalogFileError(file=name, problem=f"row {number + 1}: {error}") from error


def _item(row: dict[str, Any], domain: str, name: str, number: int) -> Item:
    given = {key: value for key, value in row.items() if value is not None}
    known = {key: value for key, value in given.items() if key in _FIELDS}
    extra = {key: value for key, value in given.items() if key not in _FIELDS}
    known["id"] = str(known.get("id", ""))
    known["domain"] = known.get("domain") or domain
    own = known.get("attributes", {})
    known["attributes"] = {**extra, **own} if isinstance(own, dict) else own
    try:
        return Item.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CatalogFileError(file=name, problem=f"row {number}, {where}: {first['msg']}") from error
