"""Half-made choices: kept for their annotator across reloads and restarts, and no judgement."""

from __future__ import annotations

from annotation.activity import tick
from annotation.database import StoreFile, now, row_id
from annotation.errors import SameCandidateError, UnknownCandidateError
from annotation.leases import renew_lease
from annotation.records import Task
from annotation.shown import require_shown, show


class DraftStore:
    """One draft an annotator and task; judging, skipping or flagging the task ends it."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def save(self, task_id: str, annotator: str, best: str | None, worst: str | None) -> Task:
        """Keep the choice so far (None: not chosen yet) in place of the one before.

        It renews the annotator's lease of the task. Raises SameCandidateError, UnknownTaskError,
        TaskNotShownError or UnknownCandidateError.
        """
        if best is not None and best == worst:
            raise SameCandidateError()
        number = row_id(task_id)
        with self._file.writing() as db:
            require_shown(db, task_id, annotator)
            for candidate in filter(None, (best, worst)):
                if not db.table("candidates").count_where(
                    "id = ? AND prompt_id = ?", [row_id(candidate), number]
                ):
                    raise UnknownCandidateError(candidate_id=candidate, task_id=task_id)
            row = {
                "prompt_id": number,
                "annotator": annotator,
                "best": row_id(best) if best else None,
                "worst": row_id(worst) if worst else None,
                "updated": now(),
            }
            db.table("drafts").insert(row, pk=("prompt_id", "annotator"), replace=True)
            renew_lease(db, number, annotator)
            tick(db, annotator, number)
            return show(db, number, annotator)
