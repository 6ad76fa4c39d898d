"""Saved reports: one folder each, with the report and the sampled candidates."""

from __future__ import annotations

import re
import uuid
from itertools import islice
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from recsys.errors import DataError, InputError
from recsys.evaluation.report import Difference, Report, SavedReport
from recsys.evaluation.sampled import Sampled
from recsys.evaluation.significance import Values, compare, holm
from recsys.files import write_whole

_NAME = re.compile(r"[\w-]{1,80}")


class ReportStore:
    """The reports under one folder, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """The newest first."""
        return sorted((path.parent.name for path in self.folder.glob("*/report.json")), reverse=True)

    def readable(self, most: int) -> list[tuple[str, Report]]:
        """The newest reports, at most `most`, with their names; damaged ones are left out."""
        found = ((name, self._read(name)) for name in self.names())
        return list(islice(((name, saved.report) for name, saved in found if saved), most))

    def comparable(self, name: str) -> list[str]:
        """The other reports of the same cases as `name`'s, the newest first."""
        cases = self.load(name).cases
        found = ((other, self._read(other)) for other in self.names() if other != name)
        return [other for other, saved in found if saved and saved.cases == cases]

    def save(self, saved: SavedReport, candidates: Sampled) -> str:
        """Write a report and return its name; it is there whole or not at all."""
        report = saved.report
        name = f"{report.created:%Y%m%d-%H%M%S}-{report.dataset}-{uuid.uuid4().hex[:4]}"
        part = self.folder / f".{name}.part"
        part.mkdir(parents=True)
        write_report(part, saved, candidates)
        part.rename(self.folder / name)
        return name

    def load(self, name: str) -> SavedReport:
        """The report called `name`; raises InputError for another name and DataError for a damaged file."""
        if not _NAME.fullmatch(name) or name not in self.names():
            known = ", ".join(self.names()) or "none yet"
            raise InputError(reason=f"There is no report called {name!r}; there are: {known}.")
        if (found := self._read(name)) is None:
            path = self.folder / name / "report.json"
            raise DataError(reason=f"The report {path} cannot be read: it is damaged, or of another version.")
        return found

    def _read(self, name: str) -> SavedReport | None:
        try:
            text = (self.folder / name / "report.json").read_text(encoding="utf-8")
            return SavedReport.model_validate_json(text)
        except (OSError, UnicodeDecodeError, ValidationError):
            return None


def write_report(folder: Path, saved: SavedReport, candidates: Sampled) -> None:
    """Write a report and its candidates into `folder`, the report last. Raises DiskFullError."""
    lines = (
        f'{{"protocol": "{protocol}", "candidates": {one.model_dump_json()}}}\n'
        for protocol, sets in candidates.items()
        for one in sets
    )
    write_whole(folder / "candidates.jsonl", "".join(lines).encode())
    write_whole(folder / "report.json", saved.model_dump_json(by_alias=True).encode())


def compare_reports(first: SavedReport, second: SavedReport) -> dict[str, Difference]:
    """For each method of both, NDCG@10 of the first minus the second.

    Raises InputError where they are not of the same cases.
    """
    if first.cases != second.cases:
        raise InputError(
            reason="The two reports are of different cases, so they cannot be compared in pairs."
        )
    common = [method for method in first.ndcg if method in second.ndcg]
    return differences(
        {method: (_values(first.ndcg[method]), _values(second.ndcg[method])) for method in common}
    )


def differences(pairs: dict[str, tuple[Values, Values]]) -> dict[str, Difference]:
    """Each pair's first values minus its second, p corrected for the number of pairs."""
    found = {name: compare(first, second) for name, (first, second) in pairs.items()}
    corrected = holm([one.p for one in found.values()])
    return {
        name: Difference(difference=one.difference, interval=(one.low, one.high), p=one.p, p_holm=p)
        for (name, one), p in zip(found.items(), corrected, strict=True)
    }


def _values(numbers: tuple[float, ...]) -> Values:
    return np.array(numbers, dtype=np.float64)
