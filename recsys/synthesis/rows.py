"""One row of the instruction data, and what became of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from recsys.prompts.templates import Form, Situation
from recsys.synthesis.instructions import Instruction
from recsys.synthesis.quality import Reason

Role = Literal["system", "user", "assistant"]


class Message(BaseModel):
    """One turn, as chat templates take it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    content: str


class Row(BaseModel):
    """An instruction with its response and where both come from.

    `index` counts the plan's rows of one source and split; `user` is a pseudonym; `target_position` is
    the target's place among `candidates`, from 0, or None for a direct instruction; `score` is None
    where there is no response. `heading`, `history` and `ask` are the parts of the user's message.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    domain: str
    index: int
    situation: Situation
    form: Form
    language: str
    template: int
    user: str
    history_ids: tuple[str, ...]
    target_id: str
    target_title: str
    candidate_ids: tuple[str, ...] = ()
    target_position: int | None = None
    system: str
    heading: str
    history: tuple[str, ...]
    ask: str
    query: str = ""
    response: str = ""
    teacher: str = ""
    query_teacher: str = ""
    tokens: int = 0
    score: float | None = None
    dropped: Reason | None = None

    @property
    def instruction(self) -> Instruction:
        """The instruction in its parts."""
        return Instruction(self.system, self.heading, self.history, self.ask)

    @property
    def messages(self) -> list[Message]:
        """System, user and, where there is a response, assistant."""
        turns = [
            Message(role="system", content=self.system),
            Message(role="user", content=self.instruction.text),
        ]
        return turns + ([Message(role="assistant", content=self.response)] if self.response else [])
