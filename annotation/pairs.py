"""Preference pairs: what one best and one worst tag say about five answers.

    from annotation.pairs import pairs_from_store
    rows = [pair.to_row() for pair in pairs_from_store(path, "all")]

Best-worst tags over five answers imply seven of the ten orderings: the best over the other four, and
the three in the middle over the worst (best-worst scaling; Louviere and Woodworth, 1990).
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict, get_args

from annotation.errors import ExportFileError, UnknownStrategyError
from annotation.records import JudgedPrompt
from annotation.store import AnnotationStore
from recsys.prompts.templates import Form, Situation

Strategy = Literal["best-worst", "all"]


class Message(TypedDict):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class PreferenceRow(TypedDict):
    """TRL's conversational preference format with an explicit prompt, and columns for slicing."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    language: str
    situation: str
    form: str
    task_id: str


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """One answer that somebody preferred to another one for the same prompt."""

    system: str
    instruction: str
    chosen: str
    rejected: str
    language: str
    situation: Situation
    form: Form
    task_id: str
    annotator: str

    @property
    def prompt(self) -> list[Message]:
        """The prompt as messages: system, then user."""
        return [
            {"role": "system", "content": self.system},
            {"role": "user", "content": self.instruction},
        ]

    def to_row(self) -> PreferenceRow:
        """The row that DPO trains on; the annotator's name stays behind."""
        return {
            "prompt": self.prompt,
            "chosen": [{"role": "assistant", "content": self.chosen}],
            "rejected": [{"role": "assistant", "content": self.rejected}],
            "language": self.language,
            "situation": self.situation,
            "form": self.form,
            "task_id": self.task_id,
        }


def ordered_texts(texts: list[str], best: int, worst: int, strategy: Strategy) -> list[tuple[str, str]]:
    """(chosen, rejected) texts that the two tags imply, without repetition.

    `best` and `worst` are indices into `texts`. Equal texts are never a pair, and when the best and
    the worst are equal the tags contradict each other and give none. Raises UnknownStrategyError.
    """
    if strategy not in get_args(Strategy):
        raise UnknownStrategyError(strategy=strategy, known=", ".join(get_args(Strategy)))
    top, bottom = texts[best], texts[worst]
    if top == bottom:
        return []
    implied = [(top, bottom)]
    if strategy == "all":
        middle = [text for i, text in enumerate(texts) if i not in (best, worst)]
        implied += [(top, text) for text in middle] + [(text, bottom) for text in middle]
    return [pair for pair in dict.fromkeys(implied) if pair[0] != pair[1]]


def pairs_of(judged: JudgedPrompt, strategy: Strategy) -> list[PreferencePair]:
    """The pairs that one judgement implies."""
    ids = [candidate.id for candidate in judged.candidates]
    best, worst = (ids.index(str(i)) for i in (judged.judgement.best, judged.judgement.worst))
    prompt = judged.prompt
    system, instruction = prompt.system, prompt.instruction
    texts = [candidate.text for candidate in judged.candidates]
    return [
        PreferencePair(
            system=system,
            instruction=instruction,
            chosen=chosen,
            rejected=rejected,
            language=prompt.language,
            situation=prompt.situation,
            form=prompt.form,
            task_id=judged.judgement.task_id,
            annotator=judged.judgement.annotator,
        )
        for chosen, rejected in ordered_texts(texts, best, worst, strategy)
    ]


def all_pairs(judged: Iterable[JudgedPrompt], strategy: Strategy) -> Iterator[PreferencePair]:
    """The pairs of many judgements, in their order."""
    for one in judged:
        yield from pairs_of(one, strategy)


def pairs_from_store(path: Path, strategy: Strategy = "best-worst") -> list[PreferencePair]:
    """The pairs of a store on disk, also while the app is using it; none where there is no file yet.

    Raises StoreFileError, NewerStoreError, StoreBusyError or UnknownStrategyError.
    """
    if not path.exists():
        return []
    with AnnotationStore(path) as store:
        return list(all_pairs(store.judgements.judged(), strategy))


def write_jsonl(pairs: Iterable[PreferencePair], file: Path) -> int:
    """Write one row a line (UTF-8) and return their number; an existing file is replaced as a whole.

    Raises ExportFileError; whatever `file` was before is then still there.
    """
    count = 0
    part = file.with_name(f".{file.name[:100]}.{uuid.uuid4().hex}.part")
    try:
        try:
            with open(part, "x", encoding="utf-8") as lines:
                for pair in pairs:
                    lines.write(json.dumps(pair.to_row(), ensure_ascii=False) + "\n")
                    count += 1
                lines.flush()
                os.fsync(lines.fileno())
            os.replace(part, file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ExportFileError(file=file, problem=error.strerror or str(error)) from error
    return count
