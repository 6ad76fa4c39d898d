"""Leases: a place among a prompt's annotators, kept for whoever works on it, until they stop."""

from __future__ import annotations

import time

from sqlite_utils import Database

from annotation.policy import current_policy


def renew_lease(db: Database, number: int, annotator: str) -> None:
    """Keep a place for the annotator for the policy's time from now on."""
    expires = time.time() + current_policy(db).lease_s
    lease = {"prompt_id": number, "annotator": annotator, "expires": expires}
    db.table("leases").insert(lease, pk=("prompt_id", "annotator"), replace=True)


def keep_lease(db: Database, number: int, annotator: str) -> None:
    """Renew the lease that the annotator holds; nothing where it has expired or there is none."""
    held = "prompt_id = ? AND annotator = ? AND expires > ?"
    if db.table("leases").count_where(held, [number, annotator, time.time()]):
        renew_lease(db, number, annotator)


def end_lease(db: Database, number: int, annotator: str) -> None:
    """Give the annotator's place back: what they did now counts instead."""
    db.execute("DELETE FROM leases WHERE prompt_id = ? AND annotator = ?", [number, annotator])
