"""Which task an annotator gets next, and the leases that keep a place on it while they work.

In this order: what they have open; a gold prompt or one they have judged before, at the rates of the
policy; prompts about which others disagree; the others, first come, first served. Flagged tasks are
given to nobody. A prompt has as many places as the policy's overlap says; a judgement takes one for
good, a lease until it expires. Somebody who comes back late to a task whose place is gone gets another
one; if they judge it all the same, the judgement counts, since no work is thrown away.
"""

from __future__ import annotations

import random
import time
from typing import Any

from sqlite_utils import Database

from annotation.activity import tick
from annotation.database import StoreFile, now, row_id
from annotation.leases import renew_lease
from annotation.policy import Policy, current_policy
from annotation.records import Task
from annotation.shown import show

_EVERYBODY = 1_000_000_000
_REPEAT_AFTER = 5
"""A prompt is repeated only when at least so many others were judged since."""

_FREE = (
    " coalesce(t.flagged, 0) = 0 AND coalesce(t.judged, 0) + (SELECT count(*) FROM leases AS l"
    " WHERE l.prompt_id = p.id AND l.annotator <> :annotator AND l.expires > :now)"
    " < :overlap + CASE WHEN coalesce(t.disputed, 0) THEN :extra ELSE 0 END"
)
_SPECIAL = (
    " (EXISTS (SELECT 1 FROM gold AS g WHERE g.prompt_id = p.id)"
    " OR EXISTS (SELECT 1 FROM repeats AS r WHERE r.prompt_id = p.id))"
)
_NEW = (
    " EXISTS (SELECT 1 FROM candidates AS c WHERE c.prompt_id = p.id)"
    " AND NOT EXISTS (SELECT 1 FROM displays AS d WHERE d.prompt_id = p.id AND d.annotator = :annotator)"
    " AND (:language IS NULL OR p.language = :language)"
)
_READY = (
    f"FROM prompts AS p LEFT JOIN tallies AS t ON t.prompt_id = p.id WHERE{_NEW} AND{_FREE} AND NOT{_SPECIAL}"
)
_DISPUTED = (
    "FROM tallies AS t JOIN prompts AS p ON p.id = t.prompt_id"
    f" WHERE t.disputed AND{_NEW} AND{_FREE} AND NOT{_SPECIAL}"
)
_GOLD = (
    "FROM gold AS g JOIN prompts AS p ON p.id = g.prompt_id LEFT JOIN tallies AS t ON t.prompt_id = p.id"
    f" WHERE coalesce(t.flagged, 0) = 0 AND{_NEW}"
)
# Shown and not closed, while there is a place. What was undone last comes first, then what was shown first.
_OPEN = (
    "FROM displays AS d JOIN prompts AS p ON p.id = d.prompt_id LEFT JOIN tallies AS t ON t.prompt_id = p.id"
    " WHERE d.annotator = :annotator"
    " AND NOT EXISTS (SELECT 1 FROM current_judgements AS j WHERE j.prompt_id = d.prompt_id"
    " AND j.annotator = d.annotator AND j.kind <> 'undo')"
    " AND (:language IS NULL OR p.language = :language)"
    f" AND (({_FREE}) OR EXISTS (SELECT 1 FROM leases AS o WHERE o.prompt_id = p.id"
    f" AND o.annotator = :annotator AND o.expires > :now) OR{_SPECIAL})"
    " ORDER BY (SELECT max(u.id) FROM judgements AS u WHERE u.prompt_id = d.prompt_id"
    " AND u.annotator = d.annotator) DESC NULLS LAST, d.id LIMIT 1"
)


class AssignmentStore:
    """Who gets what. Annotators are names, tasks are prompt ids, languages None for any."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def next_task(self, annotator: str, language: str | None = None) -> Task | None:
        """The annotator's open task, or else the next one; None when nothing is ready for them.

        The same task comes back until it is judged, skipped or flagged, or its lease has expired and
        its places are taken. It is leased to the annotator, and their clock runs.
        """
        with self._file.writing() as db:
            number = _chosen(db, current_policy(db), _who(db, annotator, language))
            if number is None:
                return None
            task = show(db, number, annotator)
            renew_lease(db, number, annotator)
            tick(db, annotator, number)
            return task

    def has_task(self, annotator: str, language: str | None = None) -> bool:
        """Whether `next_task` would give one."""
        with self._file.reading() as db:
            who = _who(db, annotator, language)
            found = " OR ".join(f"EXISTS (SELECT 1 {part})" for part in (_OPEN, _READY, _GOLD))
            return bool(next(db.query(f"SELECT {found} AS found", who))["found"])

    def ready(self, annotator: str, language: str | None = None) -> int:
        """How many prompts with candidates were not shown to the annotator and have a place for them."""
        with self._file.reading() as db:
            who = _who(db, annotator, language)
            return int(next(db.query(f"SELECT count(*) AS n {_READY}", who))["n"])

    def left(self, annotator: str, language: str | None = None) -> int:
        """How many prompts may still come to the annotator, also of those without candidates yet."""
        with self._file.reading() as db:
            who = _who(db, annotator, language)
            row = next(
                db.query(
                    "SELECT count(*) AS n FROM prompts AS p LEFT JOIN tallies AS t ON t.prompt_id = p.id"
                    " WHERE NOT EXISTS (SELECT 1 FROM current_judgements AS j WHERE j.prompt_id = p.id"
                    " AND j.annotator = :annotator AND j.kind <> 'undo')"
                    " AND (:language IS NULL OR p.language = :language)"
                    f" AND{_FREE} AND NOT EXISTS (SELECT 1 FROM repeats AS r WHERE r.prompt_id = p.id)",
                    who,
                )
            )
            return int(row["n"])

    def task(self, task_id: str, annotator: str) -> Task:
        """Any task as this annotator sees it; showing it for the first time draws its order.

        Raises UnknownTaskError, or TaskNotReadyError when it has no candidates yet.
        """
        with self._file.writing() as db:
            task = show(db, row_id(task_id), annotator, asked=task_id)
            tick(db, annotator, row_id(task_id))
            return task


def _who(db: Database, annotator: str, language: str | None) -> dict[str, Any]:
    policy = current_policy(db)
    overlap = _EVERYBODY if policy.overlap is None else policy.overlap
    return {
        "annotator": annotator,
        "language": language,
        "now": time.time(),
        "overlap": overlap,
        "extra": policy.extra_on_dispute,
    }


def _chosen(db: Database, policy: Policy, who: dict[str, Any]) -> int | None:
    if (number := _first(db, _OPEN, who)) is not None:
        return number
    if _due(policy.gold_every) and (number := _first(db, f"{_GOLD} ORDER BY random() LIMIT 1", who)):
        return number
    if _due(policy.repeat_every) and (number := _repeated(db, who)):
        return number
    for ready in (_DISPUTED, _READY, _GOLD):
        if (number := _first(db, f"{ready} ORDER BY p.id LIMIT 1", who)) is not None:
            return number
    return None


def _due(every: int) -> bool:
    """Drawn, since whoever can count to ten would see a gold prompt coming."""
    return every > 0 and random.random() * every < 1.0


def _first(db: Database, query: str, who: dict[str, Any]) -> int | None:
    row = next(db.query(f"SELECT p.id {query}", who), None)
    return None if row is None else int(row["id"])


def _repeated(db: Database, who: dict[str, Any]) -> int | None:
    """One of the annotator's judged prompts as a new prompt for them alone; None where none will do."""
    own = (
        "FROM current_judgements AS j JOIN prompts AS p ON p.id = j.prompt_id"
        " WHERE j.annotator = :annotator AND j.kind = 'judge'"
        " AND (:language IS NULL OR p.language = :language)"
        " AND NOT EXISTS (SELECT 1 FROM repeats AS r WHERE r.prompt_id = p.id"
        " OR (r.original = p.id AND r.annotator = :annotator))"
        " AND NOT EXISTS (SELECT 1 FROM gold AS g WHERE g.prompt_id = p.id)"
        " AND j.id <= (SELECT k.id FROM current_judgements AS k WHERE k.annotator = :annotator"
        f" ORDER BY k.id DESC LIMIT 1 OFFSET {_REPEAT_AFTER}) ORDER BY random() LIMIT 1"
    )
    original = _first(db, own, who)
    if original is None:
        return None
    prompt = next(db.query("SELECT * FROM prompts WHERE id = ?", [original]))
    copy = dict(prompt) | {"key": f"{prompt['key']}:{who['annotator']}", "origin": "repeat", "created": now()}
    del copy["id"]
    number = db.table("prompts").insert(copy).last_pk
    for candidate in list(db.query("SELECT * FROM candidates WHERE prompt_id = ?", [original])):
        del candidate["id"]
        db.table("candidates").insert(candidate | {"prompt_id": number})
    row = {"prompt_id": number, "original": original, "annotator": who["annotator"], "created": now()}
    db.table("repeats").insert(row)
    return int(str(number))
