"""What counts as liking an item: a setting of each dataset."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_serializer, model_validator

from recsys.catalog import Interaction
from recsys.domains.values import number
from recsys.errors import InputError

ANY_OTHER = "*"
_TERM = re.compile(r"(?P<signal>\*|[^\s>=,*]+)(?:\s*>=\s*(?P<least>\S+))?")


class PositiveRule(BaseModel):
    """An interaction is positive when its signal is among `least` with a value of at least that (None: any).

    The signal `*` stands for every signal that is not named. Written as text, in a configuration file and on
    the command line, it reads `rating>=8, watch`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: dict[str, FiniteFloat | None] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        least: dict[str, float | None] = {}
        for term in given.split(","):
            match = _TERM.fullmatch(term.strip())
            if match is None or match["signal"] in least:
                raise ValueError(f"{given!r} is no rule; write it like 'rating>=4' or 'rating>=8, watch'")
            least[match["signal"]] = None if match["least"] is None else number(match["least"])
        return {"least": least}

    @model_serializer
    def __str__(self) -> str:
        return ", ".join(
            signal if value is None else f"{signal}>={repr(value).removesuffix('.0')}"
            for signal, value in self.least.items()
        )

    def holds(self, interaction: Interaction) -> bool:
        """Whether the interaction is positive."""
        least = self.least
        signal = interaction.signal if interaction.signal in least else ANY_OTHER
        if signal not in least:
            return False
        value = least[signal]
        return value is None or interaction.value >= value

    def check(self, dataset: str, signals: tuple[str, ...]) -> None:
        """Raises InputError for a signal that is not among the dataset's; no `signals`: it may have any."""
        for signal in self.least:
            if signals and signal not in (*signals, ANY_OTHER):
                known = ", ".join(signals)
                raise InputError(reason=f"{dataset} has no signal {signal!r}; it has {known}.")


def parse_positive(text: str) -> PositiveRule:
    """The rule that `text` writes; raises InputError."""
    try:
        return PositiveRule.model_validate(text)
    except ValueError as error:
        example = "rating>=4' or 'rating>=8, watch"
        raise InputError(
            reason=f"{text!r} does not say what is positive. Write it like '{example}'."
        ) from error
