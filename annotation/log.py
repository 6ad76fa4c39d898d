"""The whole log with all provenance, one flat row a judgement."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from annotation.database import StoreFile
from annotation.prompts import prompt_of

_CHOSEN = (
    "{0}.position AS {0}, {0}.model AS {0}_model, {0}.adapter AS {0}_adapter, {0}.seed AS {0}_seed,"
    " {0}.sampling AS {0}_sampling, {0}.marks AS {0}_marks, {0}.text AS {0}_text"
)
_LOG = (
    "SELECT p.*, j.id AS judgement, j.prompt_id AS task, j.annotator, j.supersedes, j.created AS judged,"
    " j.reason, CASE WHEN f.judgement_id IS NULL THEN j.kind ELSE 'flag' END AS kind,"
    " NOT EXISTS (SELECT 1 FROM judgements AS l WHERE l.supersedes = j.id) AS counts,"
    " d.positions, a.seconds, g.best AS gold_best, g.worst AS gold_worst, r.original AS repeat_of,"
    f" {_CHOSEN.format('best')}, {_CHOSEN.format('worst')}"
    " FROM judgements AS j JOIN prompts AS p ON p.id = j.prompt_id"
    " JOIN displays AS d ON d.prompt_id = j.prompt_id AND d.annotator = j.annotator"
    " LEFT JOIN flags AS f ON f.judgement_id = j.id"
    " LEFT JOIN activity AS a ON a.prompt_id = j.prompt_id AND a.annotator = j.annotator"
    " LEFT JOIN gold AS g ON g.prompt_id = j.prompt_id"
    " LEFT JOIN repeats AS r ON r.prompt_id = j.prompt_id"
    " LEFT JOIN candidates AS best ON best.id = j.best"
    " LEFT JOIN candidates AS worst ON worst.id = j.worst"
    " ORDER BY j.id"
)


def judgement_log(file: StoreFile) -> Iterator[dict[str, Any]]:
    """Every row of the log, oldest first, with the columns of `annotation.export.judgements_csv`."""
    with file.reading() as db:
        rows = list(db.query(_LOG))
    for row in rows:
        order = json.loads(row["positions"])
        for which in ("best", "worst"):
            place = None if row[which] is None else order.index(row[which]) + 1
            row[f"{which}_displayed"] = place
        record = prompt_of(row)
        yield row | {
            "counts": bool(row["counts"]),
            "created": row["judged"],
            "displayed": row["positions"],
            "instruction": record.instruction,
        }
