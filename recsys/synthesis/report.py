"""What a job asked for and what it obtained."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from recsys.domains.histories import Split
from recsys.synthesis.prepare import SourceCard


class Obtained(BaseModel):
    """One source in one split: `available` rows of its histories, of which `written` were tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Split
    dataset: str
    domain: str
    asked: int
    obtained: int
    available: int
    written: int
    dropped: dict[str, int]

    @property
    def shortfall(self) -> int:
        """How many rows are missing."""
        return self.asked - self.obtained


class Report(BaseModel):
    """The whole job; `job` is the folder of its shards under `work`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str
    obtained: list[Obtained]
    sources: list[SourceCard]

    def total(self, split: Split) -> int:
        """Rows obtained in a split."""
        return sum(o.obtained for o in self.obtained if o.split == split)

    def shortfalls(self) -> list[Obtained]:
        """The sources that gave less than they were asked for."""
        return [o for o in self.obtained if o.shortfall > 0]
