"""One answer as it is written: text pieces in, deltas out, until a stop string, the end or the limit."""

from __future__ import annotations

from collections.abc import Callable

from recsys.llm.base import Completion, Delta, FinishReason, Request
from recsys.llm.text_stream import TextStream
from recsys.prompts.formats import PromptFormat


class Writing:
    """Sequence `index` of a request, written with `seed`. Each new piece of text goes to `emit`."""

    def __init__(
        self, index: int, request: Request, form: PromptFormat, seed: int, emit: Callable[[Delta], None]
    ) -> None:
        sampling = request.sampling
        self.index = index
        self.seed = seed
        self.tokens = 0
        self.finish: FinishReason | None = None
        self.begun = False
        self._limit = sampling.max_tokens
        self._lead = form.lead(request.prompt)
        stop = () if sampling.ignore_eos else (*form.stop, *sampling.stop)
        self._stream = TextStream(stop, self._lead)
        self._emit = emit

    def push(self, text: str) -> None:
        """One more token has come, with this text; nothing happens after the end."""
        if self.finish:
            return
        self.tokens += 1
        certain = self._begin() + self._stream.push(text.encode("utf-8", "replace"))
        if self._stream.stopped:
            self._end(certain, "stop")
        elif self.tokens >= self._limit:
            self._end(certain + self._stream.finish(), "length")
        elif certain:
            self._emit(Delta(self.index, certain))

    def end(self, reason: FinishReason) -> None:
        """The model has ended, or was made to; nothing happens after the first end."""
        if self.finish is None:
            lead = "" if reason == "cancelled" else self._begin()
            self._end(lead + self._stream.finish(), reason)

    def completion(self) -> Completion:
        """What has been written; nothing where it was called off before it began."""
        text = self._stream.text.strip() if self.begun else ""
        return Completion(text, self.tokens, self.finish or "cancelled", self.seed)

    def _begin(self) -> str:
        lead = "" if self.begun else self._lead
        self.begun = True
        return lead

    def _end(self, text: str, reason: FinishReason) -> None:
        self.finish = reason
        self._emit(Delta(self.index, text, reason))
