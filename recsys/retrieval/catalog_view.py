"""What there is to show of catalogues and catalogue files: for the page, HTTP and the command line alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recsys.demos import load_demos
from recsys.retrieval.catalog_files import FileCheck
from recsys.retrieval.catalog_rows import RowProblem
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.indexing import IndexState


@dataclass(frozen=True, slots=True)
class ShownCatalog:
    """One catalogue; `embedder` is that which its index was made by, "" where it was never indexed whole.
    `own`: it is none of the demos, so it can be deleted."""

    name: str
    domain: str
    language: str
    items: int
    chunks: int
    embedder: str
    own: bool
    state: IndexState

    def payload(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "name": self.name,
            "domain": self.domain,
            "language": self.language,
            "items": self.items,
            "chunks": self.chunks,
            "embedder": self.embedder,
            **state_payload(self.state),
        }


def catalog_rows(catalogs: Catalogs) -> list[ShownCatalog]:
    """All catalogues, in the order in which they were added."""
    return [
        ShownCatalog(
            name=row.name,
            domain=row.domain,
            language=row.language,
            items=row.items,
            chunks=row.chunks,
            embedder=row.indexed_by.split(" ")[0],
            own=row.name not in load_demos(),
            state=catalogs.indexer.state(row),
        )
        for row in catalogs.list()
    ]


def state_payload(state: IndexState) -> dict[str, Any]:
    """How far a catalogue is, as plain values."""
    return {
        "state": state.state,
        "done": state.done,
        "total": state.total,
        "eta_s": None if state.eta_s is None else round(state.eta_s, 1),
        "error": str(state.error) if state.error else "",
    }


def check_payload(found: FileCheck) -> dict[str, Any]:
    """What is in a file, as plain values."""
    return {
        "items": found.items,
        "bad_rows": found.bad_rows,
        "problems": [problem_payload(problem) for problem in found.problems],
        "notes": list(found.notes),
    }


def problem_payload(problem: RowProblem) -> dict[str, Any]:
    """One bad row, as plain values, in English."""
    return {
        "line": problem.line,
        "column": problem.column,
        "problem": problem.said(),
        "change": problem.change(),
    }
