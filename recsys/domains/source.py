"""The files of a dataset as they lie about, and what each begins with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from recsys.domains.account import Account
from recsys.domains.archives import Member, find_members, shown
from recsys.domains.tables import delimiter_of, key, rows
from recsys.domains.text import first_lines
from recsys.errors import DatasetFileError

Files = Mapping[str, tuple[Member, ...]]
"""The files of a dataset by what they are for."""

_SHOWN = 8
_TEXTS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".dat", ".data", ".item")
_HEAD = 5


class Source:
    """All files under one path: a folder, an archive or one file alone. `notes` is about the path as a whole.

    Raises DatasetFileError when there is nothing in it that can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        account = Account()
        if not path.exists():
            raise DatasetFileError(path=path, problem="there is no such file or folder")
        if not (path.is_dir() or path.is_file()):
            raise DatasetFileError(path=path, problem="it is neither a file nor a folder")
        try:
            self.members = tuple(find_members(path, account.note))
        except OSError as error:
            problem = f"it cannot be read: {error.strerror or error}"
            raise DatasetFileError(path=path, problem=problem) from error
        self.notes = account.notes
        if not self.members:
            problem = self.notes[0] if self.notes else "there are no files in it"
            raise DatasetFileError(path=path, problem=problem)
        self._heads: dict[str, tuple[str, ...]] = {}
        self._problems: dict[str, str] = {}

    def head(self, member: Member) -> tuple[str, ...]:
        """The first lines that are not blank; none where the name says that it is no text."""
        if not member.name.endswith(_TEXTS) and "." in member.name:
            return ()
        if member.place not in self._heads:
            account = Account()
            self._heads[member.place] = first_lines(member, _HEAD, account)
            if not self._heads[member.place]:
                self._problems[member.place] = account.notes[0] if account.notes else "it is empty"
        return self._heads[member.place]

    def columns(self, member: Member) -> tuple[str, ...]:
        """The fields of its first line: the names of the columns, where it is CSV with a header."""
        first = next(rows(iter([list(self.head(member)[:1])]), delimiter=self.delimiter(member)), None)
        return tuple(name.strip() for name in first or ())

    def keys(self, member: Member) -> tuple[str, ...]:
        """The keys of its columns, see `tables.key`."""
        return tuple(map(key, self.columns(member)))

    def delimiter(self, member: Member) -> str:
        """What separates its columns."""
        return delimiter_of("".join(self.head(member)[:1]))

    def found(self) -> str:
        """What is there, in words: some names, with the beginning of what may be data."""
        words = [self._described(member) for member in self.members[:_SHOWN]]
        more = len(self.members) - _SHOWN
        return ", ".join(words) + (f" and {more} more" if more > 0 else "")

    def _described(self, member: Member) -> str:
        if head := self.head(member):
            return f"{member.place} that begins {shown(head[0], 60)!r}"
        problem = self._problems.get(member.place)
        return f"{member.place} ({problem})" if problem else member.place
