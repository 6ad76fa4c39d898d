"""Every judgement that was ever made, with all that is known about it, as CSV.

One line a row of the log: also what was superseded, skipped, flagged or undone. A cell that a
spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from annotation.files import whole_file

COLUMNS = (
    "judgement", "task", "annotator", "kind", "counts", "supersedes", "created", "reason", "seconds",
    "best", "best_displayed", "best_model", "best_adapter", "best_seed", "best_sampling", "best_marks",
    "best_text",
    "worst", "worst_displayed", "worst_model", "worst_adapter", "worst_seed", "worst_sampling", "worst_marks",
    "worst_text", "displayed", "gold_best", "gold_worst", "repeat_of",
    "origin", "situation", "form", "language", "source_domain", "target_domain", "system", "instruction",
)  # fmt: skip
"""`best`, `worst` and gold are sampling positions from 0, `..._displayed` places on the page from 1;
`seconds` is the active time that the annotator has spent on the task in all."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_judgements(rows: Iterable[Mapping[str, object]], file: Path) -> int:
    """Write the rows (see `annotation.log.judgement_log`) and return their number. Raises ExportFileError."""
    count = 0
    with whole_file(file) as part, part.open("w", encoding="utf-8-sig", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(_cells(row))
            count += 1
    return count


def _cells(row: Mapping[str, object]) -> Iterator[object]:
    for column in COLUMNS:
        value = row[column]
        if isinstance(value, str) and value.startswith(_FORMULA):
            value = f"'{value}"
        yield "" if value is None else value
