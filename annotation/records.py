"""The small types that pass between the store, the sampler, the pairs and the tab.

Ids are strings, as in the HTTP contract; only the store knows that they are row numbers.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from recsys.prompts.formats import Prompt
from recsys.prompts.templates import Form, Situation, load_templates

CANDIDATES = 5
"""How many answers are sampled for each prompt."""

Kind = Literal["judge", "skip", "flag", "undo"]
State = Literal["open", "judged", "skipped", "flagged"]
Mark = Literal["empty", "cut off", "near duplicate", "repeating"]


@dataclass(frozen=True, slots=True)
class PromptRecord:
    """One prompt with where it came from.

    `heading`, the `history` lines and `ask` make up the instruction; `history_items` are item ids
    of `source_domain`, `options` (of a listwise prompt) of `target_domain`; `seed` drew the options.
    """

    situation: Situation
    form: Form
    language: str
    source_domain: str
    target_domain: str
    system: str
    heading: str
    history: tuple[str, ...]
    ask: str
    query: str = ""
    history_items: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    seed: int = 0
    origin: str = "demo"

    @property
    def key(self) -> str:
        """SHA-256 (hex) of what the model is given: the same prompt is never stored twice."""
        content = [self.situation, self.form, self.language, self.system, self.instruction]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()

    @property
    def sampling_seed(self) -> int:
        """The seed of the first of its candidates; the same prompt gives the same one anywhere."""
        return int(self.key[:7], 16)

    @property
    def cross_domain(self) -> bool:
        """Whether the history comes from another domain than the one asked about."""
        return bool(self.source_domain) and self.source_domain != self.target_domain

    @property
    def instruction(self) -> str:
        """The instruction as a person and the model read it."""
        return self.to_prompt().instruction

    def to_prompt(self) -> Prompt:
        """What a backend is given, with the worked examples for base models."""
        templates = load_templates(self.language)
        return Prompt(
            system=self.system,
            before=self.heading,
            history=self.history,
            after=self.ask,
            examples=templates.worked_examples(self.situation, self.form),
            cues=templates.cues,
            language=self.language,
        )


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """A prompt in the store; `id` is also the id of the task that it becomes."""

    id: str
    record: PromptRecord


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """One sampled answer with all that made it; `sampling` is `Sampling` as JSON.

    `left_out` counts the oldest history lines that did not fit the model's context, `attempts` how
    often this place was sampled, and `marks` say what is still wrong with the answer.
    """

    text: str
    model: str
    adapter: str | None
    seed: int
    sampling: str
    tokens: int
    finish: Literal["stop", "length"]
    left_out: int = 0
    marks: tuple[Mark, ...] = ()
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class ImportedPrompt:
    """A prompt from a file; with five candidates or none, and where it is gold its best or worst position."""

    record: PromptRecord
    candidates: tuple[CandidateRecord, ...] = ()
    best: int | None = None
    worst: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer as an annotator sees it: nothing tells which model wrote it."""

    id: str
    text: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One prompt as one annotator sees it, candidates in display order.

    `best` and `worst` are this annotator's draft, or else what they chose: now (`judged`), or before
    an undo (`open`).
    """

    id: str
    prompt: PromptRecord
    candidates: tuple[Candidate, ...]
    state: State = "open"
    best: str | None = None
    worst: str | None = None

    @property
    def system(self) -> str:
        """The prompt's system message."""
        return self.prompt.system

    @property
    def instruction(self) -> str:
        """The prompt's instruction."""
        return self.prompt.instruction


@dataclass(frozen=True, slots=True)
class Judgement:
    """One row of the append-only log; `created` is UTC, ISO 8601."""

    id: str
    task_id: str
    annotator: str
    kind: Kind
    best: str | None
    worst: str | None
    reason: str
    supersedes: str | None
    created: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one annotator is, in prompts; what was flagged counts as skipped."""

    done: int
    total: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What the store holds: prompts, those with candidates, and each annotator's judged prompts."""

    prompts: int
    sampled: int
    judged: dict[str, int]
