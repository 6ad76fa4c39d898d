"""How likely a model thinks given texts are after a prompt: the logarithm of their probability.

The prompt is evaluated once, and its cells of the KV cache are shared by every text. Texts of one wave are
read together, each as a sequence of its own, so that short titles fill a batch.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from recsys.llm.base import Priority
from recsys.llm.llama_engine import MAX_SEQUENCES, LlamaEngine

Tokenize = Callable[[str], list[int]]


@dataclass(frozen=True, slots=True)
class TextScore:
    """The summed natural logarithm of the probabilities of a text's `tokens` tokens."""

    log_p: float
    tokens: int


@runtime_checkable
class Scoring(Protocol):
    """A backend that can tell how likely texts are."""

    def score(
        self,
        prompt: str,
        texts: Sequence[str],
        *,
        adapter: str | None = None,
        priority: Priority = Priority.INTERACTIVE,
    ) -> list[TextScore]:
        """The likelihood of each of `texts` directly after `prompt`, which is plain text, not a `Prompt`.

        A text is the end of one whole: tokens are those of prompt and text together. Raises
        UnknownAdapterError, AdapterFileError and PromptTooLongError.
        """


class TextScorer:
    """A job of the scheduler: the scores of texts after one prompt."""

    def __init__(
        self,
        engine: LlamaEngine,
        use_adapter: Callable[[LlamaEngine, str | None], None],
        prompt: Sequence[int],
        texts: Sequence[Sequence[int]],
        adapter: str | None,
        priority: Priority,
    ) -> None:
        self.priority = priority
        self.error: Exception | None = None
        self.done: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._engine = engine
        self._use_adapter = use_adapter
        self._prompt = list(prompt)
        self._texts = [list(text) for text in texts]
        self._adapter = adapter
        self._evaluated = -1
        self._first: npt.NDArray[np.float32] | None = None
        self._scores: list[TextScore] = []

    def step(self) -> bool:
        """Evaluate one stretch of the prompt, or one wave of texts."""
        self._use_adapter(self._engine, self._adapter)
        if self._evaluated < 0:
            self._evaluated = self._engine.open(self._prompt, MAX_SEQUENCES)
        elif self._evaluated < len(self._prompt):
            self._evaluated = self._engine.prefill(self._prompt, self._evaluated, MAX_SEQUENCES)
        else:
            if self._first is None:
                self._first = log_softmax(self._engine.logits(-1))
            self._wave(self._texts[len(self._scores) :])
        if len(self._scores) < len(self._texts):
            return False
        self._engine.release()
        self.done.put(None)
        return True

    def fail(self, error: Exception) -> None:
        """Tell the caller why there are no scores."""
        self.error = error
        self.done.put(None)

    def scores(self) -> list[TextScore]:
        """Wait for the scores, in the order of the texts; raises what stopped the job."""
        self.done.get()
        if self.error:
            raise self.error
        return self._scores

    def _wave(self, texts: Sequence[list[int]]) -> None:
        """As many texts as sequences and one batch hold; a long one alone, in stretches."""
        assert self._first is not None
        room, wave = self._engine.batch_tokens, list[list[int]]()
        for text in texts[: MAX_SEQUENCES - 1]:
            need = max(len(text) - 1, 0)  # the last token's own logits are not needed
            if wave and need > room:
                break
            wave.append(text)
            room -= need
        totals = [float(self._first[text[0]]) if text else 0.0 for text in wave]
        start = len(self._prompt)
        if len(wave) == 1:
            totals[0] += self._long(wave[0], start)
        else:
            rows = [
                (number + 1, token, start + place)
                for number, text in enumerate(wave)
                for place, token in enumerate(text[:-1])
            ]
            if rows:
                self._engine.advance(rows)
            row = 0
            for number, text in enumerate(wave):
                for following in text[1:]:
                    totals[number] += log_probability(self._engine.logits(row), following)
                    row += 1
        for sequence in range(1, len(wave) + 1):
            self._engine.forget(sequence, start)
        self._scores += [TextScore(total, len(text)) for total, text in zip(totals, wave, strict=True)]

    def _long(self, text: Sequence[int], start: int) -> float:
        total, size = 0.0, self._engine.batch_tokens
        for begin in range(0, len(text) - 1, size):
            part = text[begin : min(begin + size, len(text) - 1)]
            self._engine.advance([(1, token, start + begin + i) for i, token in enumerate(part)])
            for row in range(len(part)):
                total += log_probability(self._engine.logits(row), text[begin + row + 1])
        return total


def log_probability(logits: npt.NDArray[np.float32], token: int) -> float:
    """The natural logarithm of the probability of one token; `logits` has shape (vocabulary,)."""
    largest = float(np.max(logits))
    return float(logits[token]) - largest - float(np.log(np.sum(np.exp(logits - largest))))


def log_softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The same for all tokens: shape (vocabulary,)."""
    largest = np.max(logits)
    shifted: npt.NDArray[np.float32] = logits - largest - np.log(np.sum(np.exp(logits - largest)))
    return shifted


def split_tokens(tokenize: Tokenize, prompt: str, texts: Sequence[str]) -> tuple[list[int], list[list[int]]]:
    """The tokens of the prompt, and of each text after it.

    Where a text's first letters are in one token with the prompt's last, the token counts as the text's:
    the prompt is then what all of them have in common, and always at least its first token.
    """
    alone = tokenize(prompt)
    whole = [tokenize(prompt + text) for text in texts]
    shared = len(alone)
    for tokens in whole:
        same = 0
        while same < min(shared, len(tokens) - 1) and tokens[same] == alone[same]:
            same += 1
        shared = same
    shared = max(shared, 1)
    return alone[:shared], [tokens[shared:] for tokens in whole]
