"""Every file under a path: in folders, in zips and in tars, gzipped or not, also one inside another.

Names in an archive are only looked at: nothing is written, so no name can lead anywhere.
"""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from recsys.domains.streams import DamagedError, Opener, Part, Readable, Stream, Unpacked, ZipEntry

_DEPTH = 3
"""A gzipped tar in a zip in a folder is read; what is deeper is not looked into."""
_HEAD = 512
_BEGINNING = 1 << 16
_OPAQUE = {".jpg", ".jpeg", ".png", ".gif", ".pdf", ".html", ".xml", ".xlsx", ".docx", ".npz", ".parquet"}
"""Files that are no data and not looked into, though some are zips."""


Note = Callable[[str], None]
_Entry = tuple[str, Opener, bytes]


@dataclass(frozen=True)
class Member:
    """One file. `name` is its base name in lower case, without `.gz`; `folder` what it lies in, relative to
    the path that was given ("" at the top); `place` is `folder` and name, for messages. `beginning` is known
    of a file that can only be reached by unpacking all that comes before it."""

    name: str
    place: str
    folder: str
    opener: Opener
    beginning: bytes = b""

    def open(self) -> Stream:
        """Its bytes, unpacked. Raises DamagedError and OSError."""
        return Unpacked(self.opener())


def find_members(path: Path, note: Note) -> Iterator[Member]:
    """The files under `path`, which is there; what cannot be opened is noted. Raises OSError for `path`."""
    if not path.is_dir():
        yield from _expand(path.name, "", partial(_open_file, path), note, _DEPTH)
        return
    with os.scandir(path):
        pass  # the folder itself has to be readable; those below it only should be

    def unreadable(error: OSError) -> None:
        note(f"{os.path.relpath(error.filename, path)} cannot be read: {error.strerror}")

    for folder, below, names in os.walk(path, onerror=unreadable):
        below[:] = sorted(name for name in below if not name.startswith("."))
        inner = Path(folder).relative_to(path).as_posix().removeprefix(".")
        for name in sorted(names):
            file = Path(folder, name)
            if os.path.isfile(file):
                yield from _expand(name, inner, partial(_open_file, file), note, _DEPTH)
            elif not name.startswith("."):
                note(f"{file.relative_to(path)} is no file that can be read")


def _open_file(path: Path) -> Readable:
    return path.open("rb")


def _expand(
    name: str, folder: str, opener: Opener, note: Note, depth: int, beginning: bytes = b""
) -> Iterator[Member]:
    """The member itself, or those in it where it is an archive."""
    base = PurePosixPath(name).name
    if not base or base.startswith(".") or "__MACOSX" in folder.split("/"):
        return
    place = f"{folder}/{base}" if folder else base
    try:
        kind = _kind(base, opener, depth)
        entries = [] if kind == "file" else list(_zipped(opener) if kind == "zip" else _tarred(opener, note))
    except (OSError, DamagedError) as error:
        note(f"{shown(place)} cannot be read: {getattr(error, 'strerror', None) or error}")
        return
    if kind == "file":
        yield Member(shown(base.lower().removesuffix(".gz")), shown(place), shown(folder), opener, beginning)
    for entry, inner_opener, begins in entries:
        inner = PurePosixPath(entry.replace("\\", "/").lstrip("/"))
        where = place if inner.parent == PurePosixPath() else f"{place}/{inner.parent}"
        yield from _expand(inner.name, where, inner_opener, note, depth - 1, begins)


def _kind(base: str, opener: Opener, depth: int) -> str:
    """zip, tar or file. On disk the contents decide; inside an archive only what is called one is opened."""
    suffix = PurePosixPath(base).suffix.lower()
    if not depth or suffix in _OPAQUE or (depth < _DEPTH and suffix not in (".zip", ".tar", ".tgz", ".gz")):
        return "file"
    with Unpacked(opener()) as stream:
        head = b""
        try:
            while len(head) < _HEAD and (more := stream.read(_HEAD - len(head))):
                head += more
        except DamagedError:
            pass  # told by whoever reads it
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or (suffix == ".zip" and depth == _DEPTH):
        return "zip"
    return "tar" if head[257:262] == b"ustar" or suffix == ".tar" else "file"


def _zipped(opener: Opener) -> Iterator[_Entry]:
    file: Any = opener()
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, AttributeError) as error:
        raise DamagedError(f"it is not a whole zip file ({error})") from error
    finally:
        file.close()
    for entry in entries:
        yield entry.filename, partial(_open_entry, opener, entry), b""


def _open_entry(opener: Opener, entry: zipfile.ZipInfo) -> Readable:
    file: Any = opener()
    return ZipEntry(file, entry)


def _tarred(opener: Opener, note: Note) -> Iterator[_Entry]:
    with Unpacked(opener()) as stream:
        whole: Opener = partial(_unpacked, opener) if stream.is_packed else opener
    file: Any = whole()
    seekable = isinstance(file, io.BufferedReader)
    try:
        with tarfile.open(fileobj=file, mode="r:" if seekable else "r|") as archive:
            for entry in archive:
                if entry.isreg() and not entry.issparse():
                    content = None if seekable else archive.extractfile(entry)
                    begins = content.read(_BEGINNING) if content else b""
                    yield entry.name, partial(_open_part, whole, entry.offset_data, entry.size), begins
    except (tarfile.TarError, EOFError, DamagedError) as error:
        note(f"the tar is damaged or cut short: {error}")
    finally:
        file.close()


def _unpacked(opener: Opener) -> Readable:
    return Unpacked(opener())


def _open_part(opener: Opener, offset: int, size: int) -> Readable:
    return Part(opener(), offset, size)


def shown(text: str, limit: int = 200) -> str:
    """A name or a line from a file, as it can be printed: no control characters, not too long."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:limit])
