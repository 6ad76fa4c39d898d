"""Blind comparison of two models: answers in a hidden, drawn order, votes that are kept, and a win rate.

One SQLite file; a vote is a row that is never changed, and it holds both answers, so that it can become
a preference pair.
"""

from __future__ import annotations

import json
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from recsys.errors import InputError
from recsys.prompts.formats import Prompt
from training.comparison.intervals import wilson

Vote = Literal["left", "right", "tie"]

_SAME_LENGTH = 0.2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS votes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created TEXT NOT NULL,
    voter TEXT NOT NULL,
    system TEXT NOT NULL,
    instruction TEXT NOT NULL,
    language TEXT NOT NULL,
    situation TEXT NOT NULL,
    form TEXT NOT NULL,
    left_model TEXT NOT NULL,
    right_model TEXT NOT NULL,
    left_text TEXT NOT NULL,
    right_text TEXT NOT NULL,
    vote TEXT NOT NULL CHECK (vote IN ('left', 'right', 'tie')),
    CHECK (left_model <> right_model)
);
CREATE TRIGGER IF NOT EXISTS votes_keep BEFORE UPDATE ON votes
BEGIN SELECT RAISE(ABORT, 'a vote cannot be changed'); END;
CREATE TRIGGER IF NOT EXISTS votes_stay BEFORE DELETE ON votes
BEGIN SELECT RAISE(ABORT, 'a vote cannot be deleted'); END;
"""


@dataclass(frozen=True, slots=True)
class Bout:
    """Two answers to one prompt, side by side; the page shows the texts and keeps the names back."""

    prompt: Prompt
    situation: str
    form: str
    left_model: str
    right_model: str
    left_text: str
    right_text: str


@dataclass(frozen=True, slots=True)
class WinRate:
    """How often `model` beat `other`: a tie counts half. `low` and `high` are Wilson's 95% interval.

    `rate`, `low` and `high` are None without votes.
    """

    model: str
    other: str
    wins: int
    losses: int
    ties: int
    rate: float | None
    low: float | None
    high: float | None

    @property
    def votes(self) -> int:
        """All votes, ties included."""
        return self.wins + self.losses + self.ties


def new_bout(
    prompt: Prompt,
    models: tuple[str, str],
    answer: Callable[[str, Prompt], str],
    *,
    situation: str,
    form: str,
    draw: random.Random | None = None,
) -> Bout:
    """Let both models answer, and draw who stands on the left. Raises what `answer` raises, and InputError
    for a model against itself."""
    if models[0] == models[1]:
        raise InputError(reason="A model cannot be compared with itself. Choose two different ones.")
    left, right = models if (draw or random).random() < 0.5 else models[::-1]
    return Bout(prompt, situation, form, left, right, answer(left, prompt), answer(right, prompt))


class BlindStore:
    """The votes of one home folder; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def vote(self, bout: Bout, vote: Vote, voter: str) -> int:
        """Store a vote and return its row's number; it is on the disk then. Raises InputError."""
        if vote not in get_args(Vote):
            raise InputError(reason=f"A vote is one of {', '.join(get_args(Vote))}, not {vote!r}.")
        row = (
            datetime.now(UTC).isoformat(timespec="milliseconds"),
            voter[:64],
            bout.prompt.system,
            bout.prompt.instruction,
            bout.prompt.language,
            bout.situation,
            bout.form,
            bout.left_model,
            bout.right_model,
            bout.left_text,
            bout.right_text,
            vote,
        )
        with self._open() as db:
            columns = "created, voter, system, instruction, language, situation, form"
            columns += ", left_model, right_model, left_text, right_text, vote"
            done = db.execute(f"INSERT INTO votes ({columns}) VALUES ({','.join('?' * 12)})", row)
            return int(done.lastrowid or 0)

    def win_rate(self, model: str, other: str, *, same_length: bool = False) -> WinRate:
        """The votes between the two; with `same_length` only those whose answers differ in length (in
        characters) by at most a fifth, since longer answers tend to be liked for their length."""
        results = []
        for row in self._between(model, other):
            lengths = len(row["left_text"]), len(row["right_text"])
            if same_length and min(lengths) < (1 - _SAME_LENGTH) * max(lengths):
                continue
            winner = {"left": row["left_model"], "right": row["right_model"]}.get(row["vote"])
            results.append(None if winner is None else winner == model)
        wins, losses, ties = results.count(True), results.count(False), results.count(None)
        if not results:
            return WinRate(model, other, 0, 0, 0, None, None, None)
        rate = (wins + ties / 2) / len(results)
        low, high = wilson(wins + ties / 2, len(results))
        return WinRate(model, other, wins, losses, ties, rate, low, high)

    def pairs(self) -> list[dict[str, object]]:
        """Votes that are no ties as TRL preference rows; the same answer twice gives none."""
        rows: list[dict[str, object]] = []
        with self._open() as db:
            for row in db.execute("SELECT * FROM votes WHERE vote <> 'tie' ORDER BY id"):
                best, worst = ("left", "right") if row["vote"] == "left" else ("right", "left")
                if row["left_text"].strip() == row["right_text"].strip():
                    continue
                rows.append(
                    {
                        "prompt": [
                            {"role": "system", "content": row["system"]},
                            {"role": "user", "content": row["instruction"]},
                        ],
                        "chosen": [{"role": "assistant", "content": row[f"{best}_text"]}],
                        "rejected": [{"role": "assistant", "content": row[f"{worst}_text"]}],
                        **{key: row[key] for key in ("language", "situation", "form")},
                    }
                )
        return rows

    def write_pairs(self, file: Path) -> int:
        """`pairs` as JSON Lines; returns their number."""
        rows = self.pairs()
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        file.write_text(lines, encoding="utf-8")
        return len(rows)

    def _between(self, model: str, other: str) -> Sequence[sqlite3.Row]:
        both = "(left_model = ? AND right_model = ?)"
        with self._open() as db:
            query = f"SELECT * FROM votes WHERE {both} OR {both} ORDER BY id"
            return db.execute(query, [model, other, other, model]).fetchall()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            db = sqlite3.connect(self._path, timeout=10.0)
            try:
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                db.executescript(_SCHEMA)
                with db:
                    yield db
            finally:
                db.close()
