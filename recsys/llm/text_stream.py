"""From token bytes to text: UTF-8 put together again, and stop strings found across tokens."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """The text of one sequence as it is written.

    `lead` is text that the answer already has. White space before the first word is dropped, and
    text that might be the beginning of a stop string is held back until the next token decides.
    """

    def __init__(self, stop: Sequence[str] = (), lead: str = "") -> None:
        self.text = lead
        self.stopped = False
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stop = tuple(s for s in stop if s)
        self._held = ""

    def push(self, piece: bytes) -> str:
        """Add one token's bytes; returns the text that is now certain, possibly empty."""
        return self._take(self._decoder.decode(piece))

    def finish(self) -> str:
        """The last held-back text, once the model has ended of its own accord."""
        if self.stopped:
            return ""
        rest = self._take(self._decoder.decode(b"", final=True)) + self._held
        self.text += self._held
        self._held = ""
        return rest

    def _take(self, new: str) -> str:
        if self.stopped:
            return ""
        self._held += new
        if not self.text:
            self._held = self._held.lstrip()
        # The stop string that is complete first counts, as it would if the text came letter by letter.
        found = [(at + len(s), at) for s in self._stop if (at := self._held.find(s)) >= 0]
        if found:
            certain, self._held, self.stopped = self._held[: min(found)[1]], "", True
        else:
            keep = self._possible_stop()
            certain, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        self.text += certain
        return certain

    def _possible_stop(self) -> int:
        """How many characters at the end could begin a stop string."""
        return max(
            (
                size
                for stop in self._stop
                for size in range(1, min(len(stop), len(self._held) + 1))
                if self._held.endswith(stop[:size])
            ),
            default=0,
        )
