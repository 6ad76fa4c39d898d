"""How prompts are sampled and given out: one policy a store, kept in it so that all processes agree."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlite_utils import Database

from annotation.database import StoreFile, now
from annotation.records import CANDIDATES
from recsys.llm.base import Sampling


class CandidateSource(BaseModel):
    """Which model writes how many of the five; what is None or empty is the app's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(ge=1, le=CANDIDATES)
    model: str = ""
    adapter: str | None = None
    temperature: float | None = Field(default=None, ge=0.0, le=5.0)
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)

    def settings(self, base: Sampling) -> Sampling:
        """`base` with this source's temperature and top-p."""
        own = {"temperature": self.temperature, "top_p": self.top_p}
        return base.model_copy(update={name: value for name, value in own.items() if value is not None})


class Policy(BaseModel):
    """What the lead decides.

    `overlap` is how many annotators judge each prompt (None: everybody), and `extra_on_dispute` how
    many more when those disagree. A task that nobody works on for `lease_s` seconds is given to
    somebody else. On average every `gold_every`-th task is a gold prompt and every `repeat_every`-th
    one that the annotator has judged before (0: none). Without `sources` all five candidates come
    from the app's model. A place is sampled again at most `resamples` times.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    overlap: int | None = Field(default=None, ge=1)
    extra_on_dispute: int = Field(default=1, ge=0)
    lease_s: float = Field(default=900.0, gt=0.0)
    gold_every: int = Field(default=10, ge=0)
    repeat_every: int = Field(default=0, ge=0)
    sources: tuple[CandidateSource, ...] = ()
    resamples: int = Field(default=3, ge=0, le=20)

    @model_validator(mode="after")
    def _five(self) -> Self:
        total = sum(source.count for source in self.sources)
        if self.sources and total != CANDIDATES:
            raise ValueError(f"the sources give {total} candidates, not {CANDIDATES}")
        return self


class PolicyStore:
    """The policy of one store; every one that ever counted is kept."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def get(self) -> Policy:
        """The policy that counts now; the defaults until one was set."""
        with self._file.reading() as db:
            return current_policy(db)

    def set(self, policy: Policy) -> None:
        """Let `policy` count from now on, in every process."""
        with self._file.writing() as db:
            db.table("policies").insert({"policy": policy.model_dump_json(), "created": now()})


def current_policy(db: Database) -> Policy:
    """The policy that counts, read within a transaction."""
    row = next(db.query("SELECT policy FROM policies ORDER BY id DESC LIMIT 1"), None)
    return Policy() if row is None else Policy.model_validate_json(row["policy"])
