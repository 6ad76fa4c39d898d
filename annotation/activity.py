"""Active time and pace. Each annotator has one clock, so no second is counted for two tasks or twice.

Every sign of work (a task shown, a draft, a heartbeat of the page, a judgement) adds the time since the
sign before it to the task that was open then, `IDLE_SECONDS` of it at most: who goes away for lunch
does not count as reading.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from sqlite_utils import Database

from annotation.database import StoreFile, row_id
from annotation.leases import keep_lease
from annotation.shown import require_shown

IDLE_SECONDS = 60.0
"""The longest stretch without a sign of work that counts as work."""

_RECENT = 50


@dataclass(frozen=True, slots=True)
class Pace:
    """One annotator's own figures; times are active seconds.

    `today` counts what was closed since the moment that the caller names. `seconds_per_prompt` is
    the median of the last 50 judged prompts, None before the first. `left` are the prompts that may
    still come, and `eta_s` the time that they take if nobody else takes any of them.
    """

    judged: int
    today: int
    active_s: float
    seconds_per_prompt: float | None
    left: int

    @property
    def eta_s(self) -> float | None:
        """Estimated active seconds for what is left; None while there is no pace yet."""
        return None if self.seconds_per_prompt is None else self.seconds_per_prompt * self.left


class ActivityStore:
    """The clocks. Annotators are names, tasks are prompt ids."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def touch(self, task_id: str, annotator: str) -> None:
        """The annotator works on this task now; a lease that is alive goes on.

        Raises UnknownTaskError or TaskNotShownError.
        """
        with self._file.writing() as db:
            require_shown(db, task_id, annotator)
            keep_lease(db, row_id(task_id), annotator)
            tick(db, annotator, row_id(task_id))

    def seconds(self, task_id: str, annotator: str) -> float:
        """Active seconds that the annotator has spent on the task."""
        query = "SELECT seconds FROM activity WHERE prompt_id = ? AND annotator = ?"
        with self._file.reading() as db:
            row = next(db.query(query, [row_id(task_id), annotator]), None)
        return 0.0 if row is None else float(row["seconds"])

    def seconds_per_prompt(self, annotator: str) -> float | None:
        """The median of the annotator's last 50 judged prompts; None before the first."""
        with self._file.reading() as db:
            return _median(db, annotator)

    def pace(self, annotator: str, left: int, since: str) -> Pace:
        """The annotator's figures; `since` (UTC, ISO 8601) is when their day began."""
        with self._file.reading() as db:
            row = next(
                db.query(
                    "SELECT count(*) AS judged, coalesce(sum(j.created >= :since), 0) AS today,"
                    " (SELECT coalesce(sum(seconds), 0) FROM activity WHERE annotator = :annotator) AS active"
                    " FROM current_judgements AS j WHERE j.annotator = :annotator AND j.kind = 'judge'",
                    {"annotator": annotator, "since": since},
                )
            )
            return Pace(row["judged"], row["today"], row["active"], _median(db, annotator), left)


def tick(db: Database, annotator: str, working_on: int | None) -> None:
    """A sign of work: count the time since the last one; the clock now runs for `working_on`."""
    at = time.time()
    clock = next(db.query("SELECT prompt_id, at FROM clocks WHERE annotator = ?", [annotator]), None)
    if clock is not None and clock["prompt_id"] is not None:
        seconds = min(max(at - clock["at"], 0.0), IDLE_SECONDS)
        db.execute(
            "INSERT INTO activity (prompt_id, annotator, seconds) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET seconds = seconds + excluded.seconds",
            [clock["prompt_id"], annotator, seconds],
        )
    db.execute(
        "INSERT INTO clocks (annotator, prompt_id, at) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET prompt_id = excluded.prompt_id, at = excluded.at",
        [annotator, working_on, at],
    )


def _median(db: Database, annotator: str) -> float | None:
    rows = db.query(
        "SELECT a.seconds FROM current_judgements AS j JOIN activity AS a"
        " ON a.prompt_id = j.prompt_id AND a.annotator = j.annotator"
        " WHERE j.annotator = ? AND j.kind = 'judge' ORDER BY j.id DESC LIMIT ?",
        [annotator, _RECENT],
    )
    seconds = [row["seconds"] for row in rows]
    return statistics.median(seconds) if seconds else None
