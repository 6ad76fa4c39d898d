"""The protocol that every backend keeps, and the small types that pass through it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from recsys.errors import InputError
from recsys.prompts.formats import Prompt


class Sampling(BaseModel):
    """How tokens are drawn. Sequence i of a batch uses `seed + i`.

    `repeat_penalty` divides the logits of tokens among the last 64 (1.0 turns it off). With
    `ignore_eos`, end tokens and stop strings do not end an answer: for measuring at a fixed length.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(default=0.8, ge=0.0, le=5.0)
    top_k: int = Field(default=40, ge=1)
    top_p: float = Field(default=0.95, gt=0.0, le=1.0)
    repeat_penalty: float = Field(default=1.1, ge=1.0, le=2.0)
    max_tokens: int = Field(default=96, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)
    stop: tuple[str, ...] = ()
    ignore_eos: bool = False

    def with_seed(self, seed: int) -> Sampling:
        """The same settings from another seed."""
        return self.model_copy(update={"seed": seed % 2**32})


MAX_ANSWERS = 8
"""Answers that can be asked for with one request."""


class Priority(IntEnum):
    """Who goes first: a person who waits, before work done ahead."""

    INTERACTIVE = 0
    BACKGROUND = 1


FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text of sequence `index`; `finish` is set on its last piece."""

    index: int
    text: str
    finish: FinishReason | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """One finished answer: its text, its tokens' number, why it ended and the seed that made it."""

    text: str
    tokens: int
    finish: FinishReason
    seed: int


@dataclass(frozen=True)
class Request:
    """One prompt to be continued `n` times.

    `adapter` is the name of a loaded adapter or None; setting `cancel` ends the work between two
    tokens.
    """

    prompt: Prompt
    sampling: Sampling
    n: int = 1
    adapter: str | None = None
    priority: Priority = Priority.INTERACTIVE
    cancel: threading.Event = field(default_factory=threading.Event)

    def with_prompt(self, prompt: Prompt) -> Request:
        """The same request for another prompt."""
        return replace(self, prompt=prompt)


class Backend(Protocol):
    """A language model that can be asked for text. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """The string that names the model."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that the model writes."""

    def fit(self, request: Request) -> Request:
        """The request with its oldest history lines dropped until it fits the model's context.

        Raises PromptTooLongError when even the bare prompt does not fit.
        """

    def stream(self, request: Request) -> Iterator[Delta]:
        """Deltas of all `n` sequences as they are written, interleaved; the last of each has `finish`.

        Raises UnknownAdapterError, AdapterFileError, PromptTooLongError. Closing the iterator
        cancels the request.
        """

    def complete(self, request: Request) -> list[Completion]:
        """The `n` finished answers, in the order of their seeds."""

    def complete_many(self, requests: Sequence[Request]) -> list[Completion]:
        """One finished answer to each of many requests (`n` of 1), in their order.

        Quicker than one call after another. Each answer is drawn with its own request's seed; in other
        company the arithmetic may be rounded otherwise, so only the same requests in the same order
        give the same texts. Setting a request's `cancel` ends that one. Raises what `stream` raises,
        PromptTooLongError before anything is evaluated.
        """

    def close(self) -> None:
        """Free the model."""


@runtime_checkable
class OwnAdapters(Protocol):
    """A backend whose adapters do not lie in this app's folder."""

    def adapters(self) -> tuple[str, ...]:
        """The names that can be asked for, as far as they are known."""


@runtime_checkable
class ShowsPrompt(Protocol):
    """A backend that can tell what the model is given."""

    def prompt_text(self, request: Request) -> str:
        """The text that the model continues, word for word, without its begin token."""


def check_answers(n: int) -> None:
    """Raise InputError where a request asks for fewer or more answers than a backend gives."""
    if not 1 <= n <= MAX_ANSWERS:
        raise InputError(reason=f"Between 1 and {MAX_ANSWERS} answers at once can be sampled.")


def check_single(requests: Sequence[Request]) -> None:
    """Raise InputError where one of many requests asks for more than one answer."""
    if any(request.n != 1 for request in requests):
        raise InputError(reason="Requests that are answered together have one answer each.")
