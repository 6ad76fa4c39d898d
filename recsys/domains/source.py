"""The files of a dataset as they lie about: in a folder, inside a zip, gzipped, or one file alone.

Files are found by their base name, whatever folder they are in, and read as streams. Nothing that is
lost on the way is lost silently: see `Source.notes`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from recsys.errors import DatasetFileError


@dataclass(frozen=True)
class Member:
    """One file. `name` is its base name in lower case, without `.gz`; `open` gives its bytes."""

    name: str
    shown: str
    open: Callable[[], IO[bytes]]


class Source:
    """All files under one path. Raises DatasetFileError when there is nothing that can be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        try:
            self.members = sorted(self._collect(path), key=lambda member: member.shown)
        except OSError as error:
            problem = f"it cannot be read: {error.strerror or error}"
            raise DatasetFileError(path=path, problem=problem) from error
        if not self.members:
            raise DatasetFileError(path=path, problem="there are no files in it")

    def find(self, pattern: str) -> Member | None:
        """The first file whose name matches the whole of `pattern`, a regular expression."""
        return next((m for m in self.members if re.fullmatch(pattern, m.name)), None)

    def lines(self, member: Member, encoding: str = "utf-8") -> Iterator[str]:
        """Its lines, without their ends and a byte order mark.

        A line that is not in `encoding` is read as Windows-1252, and a compressed file that ends early
        gives the lines that are whole; either is noted.
        """
        count = misread = 0
        try:
            with member.open() as file:
                for raw in file:
                    if count == 0:
                        raw = raw.removeprefix(b"\xef\xbb\xbf")
                    count += 1
                    try:
                        line = raw.decode(encoding)
                    except UnicodeDecodeError:
                        misread += 1
                        line = raw.decode("cp1252", "replace")
                    yield line.rstrip("\r\n")
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            self.notes.append(
                f"{member.shown} is damaged or cut short; {count} lines could be read ({error})"
            )
        except OSError as error:
            raise DatasetFileError(path=member.shown, problem=f"it cannot be read: {error}") from error
        if misread:
            self.notes.append(f"{member.shown}: {misread} lines are not {encoding} and were read as cp1252")

    def rows(
        self, member: Member, *, encoding: str = "utf-8", delimiter: str = ",", escape: str | None = None
    ) -> Iterator[list[str]]:
        """Its rows as lists of fields, for CSV with quotes."""
        ended = (f"{line}\n" for line in self.lines(member, encoding))
        reader = csv.reader(ended, delimiter=delimiter, escapechar=escape)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self.notes.append(f"{member.shown}, line {reader.line_num}: {error}")
                continue
            if row:
                yield row

    def records(self, member: Member, **options: Any) -> Iterator[dict[str, str]]:
        """Its rows by the names in the header, in lower case; short rows lack their last fields."""
        rows = self.rows(member, **options)
        header = [name.strip().lower() for name in next(rows, [])]
        for row in rows:
            yield dict(zip(header, row, strict=False))

    def header(self, member: Member, **options: Any) -> list[str]:
        """The fields of the first row, in lower case."""
        return [name.strip().lower() for name in next(self.rows(member, **options), [])]

    def objects(self, member: Member) -> Iterator[dict[str, Any] | None]:
        """The object on each line of JSON Lines; None for a line that is none."""
        for line in self.lines(member):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            yield value if isinstance(value, dict) else None

    def _collect(self, path: Path) -> Iterable[Member]:
        if path.is_dir():
            for child in sorted(path.rglob("*")):
                if child.is_file() and not child.name.startswith("."):
                    yield from self._file(child)
        elif path.exists():
            yield from self._file(path)
        else:
            raise DatasetFileError(path=path, problem="there is no such file or folder")

    def _file(self, path: Path) -> Iterable[Member]:
        if path.suffix.lower() != ".zip":
            yield _member(path.name, str(path), lambda: path.open("rb"))
            return
        try:
            with zipfile.ZipFile(path) as archive:
                names = [info.filename for info in archive.infolist() if not info.is_dir()]
        except zipfile.BadZipFile as error:
            raise DatasetFileError(path=path, problem=f"it is not a whole zip file: {error}") from error
        for name in names:
            if "__MACOSX" not in name:
                yield _member(name, f"{path}/{name}", partial(_in_zip, path, name))


def _member(name: str, shown: str, opener: Callable[[], IO[bytes]]) -> Member:
    base = PurePosixPath(name).name.lower()
    if base.endswith(".gz"):
        return Member(base.removesuffix(".gz"), shown, lambda: io.BufferedReader(_Gunzip(opener())))
    return Member(base, shown, opener)


class _Gunzip(gzip.GzipFile):
    """A gzip file that gives what is whole before it says that it was cut short, and closes its source."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__(fileobj=raw, mode="rb")
        self._raw_file = raw

    def close(self) -> None:
        super().close()
        self._raw_file.close()


def _in_zip(path: Path, name: str) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    file = archive.open(name)
    archive.close()  # the entry keeps the file open for itself
    return file
