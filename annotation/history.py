"""Looking back: an annotator's own judgements, and which model wrote what once they have judged."""

from __future__ import annotations

from dataclasses import dataclass

from annotation.database import StoreFile, row_id
from annotation.prompts import prompt_of
from annotation.records import Judgement, PromptRecord
from annotation.shown import judgement_of, last_judgement

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class PastJudgement:
    """A judgement, skip or flag that counts, with its prompt and the texts that were chosen.

    `revisions` counts the rows that it superseded.
    """

    judgement: Judgement
    prompt: PromptRecord
    best_text: str
    worst_text: str
    revisions: int


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some of an annotator's past judgements, the latest first; `total` counts all of them."""

    items: tuple[PastJudgement, ...]
    offset: int
    total: int


@dataclass(frozen=True, slots=True)
class Origin:
    """What wrote a candidate."""

    candidate_id: str
    model: str
    adapter: str | None


@dataclass(frozen=True, slots=True)
class FlaggedTask:
    """A task that somebody flagged, and why."""

    task_id: str
    annotator: str
    reason: str
    created: str
    prompt: PromptRecord


class HistoryStore:
    """Reads only."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def page(self, annotator: str, offset: int = 0, limit: int = 20) -> HistoryPage:
        """The annotator's judgements that count, latest first; at most 100 a page."""
        offset, limit = max(offset, 0), min(max(limit, 1), MAX_PAGE)
        mine = "FROM current_judgements AS j WHERE j.annotator = :annotator AND j.kind <> 'undo'"
        who = {"annotator": annotator, "limit": limit, "offset": offset}
        with self._file.reading() as db:
            total = next(db.query(f"SELECT count(*) AS n {mine}", who))["n"]
            rows = list(
                db.query(
                    "SELECT j.*, (SELECT text FROM candidates WHERE id = j.best) AS best_text,"
                    " (SELECT text FROM candidates WHERE id = j.worst) AS worst_text,"
                    " (SELECT count(*) FROM judgements AS o WHERE o.prompt_id = j.prompt_id"
                    " AND o.annotator = j.annotator AND o.id < j.id) AS revisions"
                    f" {mine} ORDER BY j.id DESC LIMIT :limit OFFSET :offset",
                    who,
                )
            )
            items = []
            for row in rows:
                prompt = next(db.query("SELECT * FROM prompts WHERE id = ?", [row["prompt_id"]]))
                texts = row["best_text"] or "", row["worst_text"] or ""
                items.append(PastJudgement(judgement_of(row), prompt_of(prompt), *texts, row["revisions"]))
        return HistoryPage(tuple(items), offset, total)

    def origins(self, task_id: str, annotator: str) -> tuple[Origin, ...]:
        """What wrote each candidate, in the order of sampling; nothing before the annotator has judged.

        Raises UnknownTaskError or TaskNotShownError.
        """
        with self._file.reading() as db:
            last = last_judgement(db, task_id, annotator)
            if last is None or last.kind != "judge":
                return ()
            rows = db.query(
                "SELECT id, model, adapter FROM candidates WHERE prompt_id = ? ORDER BY position",
                [row_id(task_id)],
            )
            return tuple(Origin(str(row["id"]), row["model"], row["adapter"]) for row in rows)

    def flagged(self) -> list[FlaggedTask]:
        """Every task that is flagged now, in the order of the flags."""
        with self._file.reading() as db:
            rows = db.query(
                "SELECT p.*, j.annotator, j.reason, j.created AS flagged FROM current_judgements AS j"
                " JOIN prompts AS p ON p.id = j.prompt_id WHERE j.kind = 'flag' ORDER BY j.id"
            )
            return [
                FlaggedTask(str(row["id"]), row["annotator"], row["reason"], row["flagged"], prompt_of(row))
                for row in rows
            ]
