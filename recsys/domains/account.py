"""What was left out, changed or not understood while a dataset was read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Account:
    """Of one reading: `dropped` counts rows by reason; `altered` counts what was kept otherwise than it is
    in the file; `notes` is about whole files, each thing said once."""

    dropped: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Say something about a file."""
        if text not in self.notes:
            self.notes.append(text)

    def remarks(self) -> list[str]:
        """Notes, and what was altered with its number."""
        return [*self.notes, *(f"{count:,} {what}" for what, count in self.altered.items() if count)]
