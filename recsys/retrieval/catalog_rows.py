"""What can be wrong with a row of a catalogue file, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from recsys.catalog import Item
from recsys.domains.catalog_columns import language_of
from recsys.i18n import text

_FIELDS = {"id", "title", "text", "domain", "language", "url", "titles", "phrases", "attributes"}

ProblemKind = Literal[
    "not_json", "not_object", "too_many_fields", "open_quote", "missing", "too_long", "wrong_type",
    "bad_text", "repeated_id", "unusable",
]  # fmt: skip

_KINDS: dict[str, ProblemKind] = {
    "string_too_short": "missing",
    "missing": "missing",
    "string_too_long": "too_long",
    "string_unicode": "bad_text",
}
_EXPECTED = {
    "string_type": "text",
    "dict_type": "object",
    "dict_attributes_type": "object",
    "list_type": "texts",
    "finite_number": "number",
}
"""What there should have been, by pydantic's name of the error: a key of the interface's texts."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One row that cannot be used: `line` is its first one in the file, `column` "" where it is all of it."""

    line: int
    column: str
    kind: ProblemKind
    details: Mapping[str, str] = field(default_factory=dict)

    def said(self, language: str = "en") -> str:
        """What is wrong."""
        return text(language, f"row_{self.kind}", **self._values(language))

    def change(self, language: str = "en") -> str:
        """What to change."""
        return text(language, f"row_{self.kind}_change", **self._values(language))

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"line {self.line}{column}: {self.said()}; {self.change()}"

    def _values(self, language: str) -> dict[str, str]:
        expected = self.details.get("expected")
        named = {"expected": text(language, f"row_expected_{expected}")} if expected else {}
        return {**self.details, **named}


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
        return RowProblem(line, column, "wrong_type", {"expected": "value"})
    kind = _KINDS.get(first["type"])
    if kind == "too_long":
        return RowProblem(line, column, kind, {"limit": str(first["ctx"]["max_length"])})
    if kind is not None:
        return RowProblem(line, column, kind)
    if first["type"] in _EXPECTED:
        return RowProblem(line, column, "wrong_type", {"expected": _EXPECTED[first["type"]]})
    return RowProblem(line, column, "unusable", {"detail": first["msg"]})
