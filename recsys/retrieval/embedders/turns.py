"""One at a time, and whoever is asked for by a person before work in the background."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock with two kinds of holders: while anybody waits in `first` (`waiting`), nobody gets in through
    `after`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held = False
        self.waiting = 0

    @contextmanager
    def first(self) -> Iterator[None]:
        """Hold it next."""
        with self._changed:
            self.waiting += 1
            try:
                self._changed.wait_for(lambda: not self._held)
            finally:
                self.waiting -= 1
            self._held = True
        yield from self._hold()

    @contextmanager
    def after(self) -> Iterator[None]:
        """Hold it once nobody waits in `first`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held and not self.waiting)
            self._held = True
        yield from self._hold()

    def _hold(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                self._held = False
                self._changed.notify_all()
