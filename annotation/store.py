"""The annotation store: one SQLite file with prompts, candidates and judgements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from annotation.activity import ActivityStore
from annotation.assignment import AssignmentStore
from annotation.database import StoreFile
from annotation.drafts import DraftStore
from annotation.history import HistoryStore
from annotation.judgements import JudgementStore
from annotation.log import judgement_log
from annotation.policy import PolicyStore
from annotation.prompts import PromptStore
from annotation.snapshot import Snapshot, take_snapshot


class AnnotationStore:
    """An open store; safe to use from several threads, and beside other processes.

    `prompts` is what the sampler works on, `assignments` says who gets what, `judgements`, `drafts`
    and `activity` are what annotators do, `history` looks back, and `policies` are the lead's.
    Opening makes the file when there is none and brings an older one up to date; it raises
    StoreFileError, NewerStoreError or StoreBusyError.
    """

    def __init__(self, path: Path) -> None:
        self._file = StoreFile(path)
        self.path = path
        self.prompts = PromptStore(self._file)
        self.policies = PolicyStore(self._file)
        self.assignments = AssignmentStore(self._file)
        self.judgements = JudgementStore(self._file)
        self.drafts = DraftStore(self._file)
        self.activity = ActivityStore(self._file)
        self.history = HistoryStore(self._file)

    def snapshot(self) -> Snapshot:
        """Everything that was judged or flagged, from one moment."""
        return take_snapshot(self._file)

    def log(self) -> Iterator[dict[str, Any]]:
        """Every row of the log with all provenance, oldest first."""
        return judgement_log(self._file)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
