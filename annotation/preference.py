"""One preference pair, and the orderings that a best and a worst tag imply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

from annotation.errors import UnknownStrategyError
from recsys.prompts.templates import Form, Situation

Strategy = Literal["best-worst", "all"]
Finish = Literal["stop", "length"]


class Message(TypedDict):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class PreferenceRow(TypedDict):
    """TRL's conversational preference format with an explicit prompt, and columns for slicing.

    `weight` is the share of annotators who agree, among those whose tags order the two answers;
    `chosen_finish` and `rejected_finish` say why the answers ended.
    """

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    language: str
    situation: str
    form: str
    task_id: str
    weight: float
    chosen_finish: Finish
    rejected_finish: Finish


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """One answer that somebody preferred to another one for the same prompt.

    `annotator` is empty where the tags of several were merged.
    """

    system: str
    instruction: str
    chosen: str
    rejected: str
    language: str
    situation: Situation
    form: Form
    task_id: str
    annotator: str
    weight: float = 1.0
    chosen_finish: Finish = "stop"
    rejected_finish: Finish = "stop"

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
            "weight": self.weight,
            "chosen_finish": self.chosen_finish,
            "rejected_finish": self.rejected_finish,
        }


def implied(best: int, worst: int, count: int) -> list[tuple[int, int]]:
    """(better, worse) of `count` answers by their indices: the best over all, all over the worst."""
    middle = [i for i in range(count) if i not in (best, worst)]
    return [(best, worst), *((best, i) for i in middle), *((i, worst) for i in middle)]


def ordered_texts(texts: list[str], best: int, worst: int, strategy: Strategy) -> list[tuple[str, str]]:
    """(chosen, rejected) texts that the two tags imply, without repetition.

    `best` and `worst` are indices into `texts`. Equal texts are never a pair, and when the best and
    the worst are equal the tags contradict each other and give none. Raises UnknownStrategyError.
    """
    check_strategy(strategy)
    if texts[best] == texts[worst]:
        return []
    pairs = implied(best, worst, len(texts))[: 1 if strategy == "best-worst" else None]
    named = dict.fromkeys((texts[better], texts[worse]) for better, worse in pairs)
    return [pair for pair in named if pair[0] != pair[1]]


def check_strategy(strategy: str) -> None:
    """Raise UnknownStrategyError unless there is such a way of making pairs."""
    if strategy not in get_args(Strategy):
        raise UnknownStrategyError(strategy=strategy, known=", ".join(get_args(Strategy)))
