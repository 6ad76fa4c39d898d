"""What can be wrong with a row of a catalogue file, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from recsys.catalog import Item
from recsys.domains.catalog_columns import language_of

_FIELDS = {"id", "title", "text", "domain", "language", "url", "titles", "phrases", "attributes"}

ProblemKind = Literal[
    "not_json", "not_object", "too_many_fields", "open_quote", "missing", "too_long", "wrong_type",
    "bad_text", "repeated_id", "unusable",
]  # fmt: skip

_SAID: dict[ProblemKind, str] = {
    "not_json": "it is not JSON",
    "not_object": "it is JSON, but not an object",
    "too_many_fields": "it has more fields than the header",
    "open_quote": "a double quote in it is never closed",
    "missing": "it is empty",
    "too_long": "it has more than {limit} characters",
    "wrong_type": "it is not {expected}",
    "bad_text": "it holds half a character, which no text has",
    "repeated_id": "the id {value!r} was there before",
    "unusable": "{detail}",
}
_CHANGE: dict[ProblemKind, str] = {
    "not_json": "write one whole JSON object a line",
    "not_object": 'write an object such as {{"id": ..., "title": ..., "text": ...}}',
    "too_many_fields": "put text that holds commas into double quotes",
    "open_quote": "close it, and write a quote within a text twice",
    "missing": "give the row one",
    "too_long": "shorten it",
    "wrong_type": "write {expected}",
    "bad_text": "save the file as UTF-8 again",
    "repeated_id": "give each row an id of its own",
    "unusable": "correct it",
}
_KINDS: dict[str, ProblemKind] = {
    "string_too_short": "missing",
    "missing": "missing",
    "string_too_long": "too_long",
    "string_unicode": "bad_text",
}
_EXPECTED = {
    "string_type": "a text",
    "dict_type": "an object",
    "dict_attributes_type": "an object",
    "list_type": "a list of texts",
    "int_type": "a text, a number or a list of texts",
    "finite_number": "a finite number",
}


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One row that cannot be used: `line` is its first one in the file, `column` "" where it is all of it."""

    line: int
    column: str
    kind: ProblemKind
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What is wrong, in English."""
        return _SAID[self.kind].format(**self.details)

    @property
    def change(self) -> str:
        """What to change, in English."""
        return _CHANGE[self.kind].format(**self.details)

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"line {self.line}{column}: {self.said}; {self.change}"


def item_of(row: Mapping[str, Any], domain: str, line: int) -> Item | RowProblem:
    """The item of one row; fields that `Item` has not become attributes."""
    given = {key: value for key, value in row.items() if value is not None}
    known = {key: value for key, value in given.items() if key in _FIELDS}
    extra = {key: value for key, value in given.items() if key not in _FIELDS}
    known["id"] = str(known.get("id", ""))
    known["domain"] = known.get("domain") or domain
    known["language"] = known.get("language") or language_of(str(known.get("title", "")))
    own = known.get("attributes", {})
    known["attributes"] = {**extra, **own} if isinstance(own, dict) else own
    try:
        return Item.model_validate(known)
    except ValidationError as error:
        return _problem(error, line)


def _problem(error: ValidationError, line: int) -> RowProblem:
    errors = error.errors()
    first = next((one for one in errors if one["type"] == "finite_number"), errors[0])
    where = [str(part) for part in first["loc"]]
    attribute = where[0] == "attributes" and len(where) > 1
    column = where[attribute]
    if attribute and first["type"] not in ("finite_number", "string_unicode"):
        # An attribute may be of several types, and pydantic names one that it has tried.
        return RowProblem(line, column, "wrong_type", {"expected": _EXPECTED["int_type"]})
    kind = _KINDS.get(first["type"])
    if kind == "too_long":
        return RowProblem(line, column, kind, {"limit": str(first["ctx"]["max_length"])})
    if kind is not None:
        return RowProblem(line, column, kind)
    if first["type"] in _EXPECTED:
        return RowProblem(line, column, "wrong_type", {"expected": _EXPECTED[first["type"]]})
    return RowProblem(line, column, "unusable", {"detail": first["msg"]})
