"""Who may use a model that can do one thing at a time: somebody who waits goes before work done ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from recsys.llm.base import Priority


class Turns:
    """A lock that background work lends, between two tokens, to whoever is waiting for an answer."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting = dict.fromkeys(Priority, 0)
        self._taken = False

    @contextmanager
    def turn(self, priority: Priority) -> Iterator[None]:
        """Wait for a turn, have it, and give it back."""
        self._take(priority)
        try:
            yield
        finally:
            self._leave()

    def give_way(self, priority: Priority) -> bool:
        """Within a turn: let those go first who matter more. True where somebody went."""
        with self._changed:
            if not self._more_urgent(priority):
                return False
        self._leave()
        self._take(priority)
        return True

    def _take(self, priority: Priority) -> None:
        with self._changed:
            self._waiting[priority] += 1
            self._changed.wait_for(lambda: not self._taken and not self._more_urgent(priority))
            self._waiting[priority] -= 1
            self._taken = True

    def _leave(self) -> None:
        with self._changed:
            self._taken = False
            self._changed.notify_all()

    def _more_urgent(self, priority: Priority) -> bool:
        return any(self._waiting[other] for other in Priority if other < priority)
