"""Bytes of one file, wherever it is: gzipped, in a zip or in a tar; read forward, never unpacked to disk."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Protocol, Self, cast

GZIP = b"\x1f\x8b"
_CHUNK = 1 << 18
_ZIP_CHUNK = 1 << 14


class DamagedError(Exception):
    """A file is cut short or holds nonsense from here on; what came before is good."""


class Readable(Protocol):
    """What files and streams have in common; `read` gives nothing only at the end."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""

    def close(self) -> None:
        """Close the file under it too."""


Opener = Callable[[], Readable]


class Stream:
    """A stream over another one, which it closes. For a `with` statement."""

    def __init__(self, below: Readable) -> None:
        self._below = below

    def read(self, size: int = _CHUNK, /) -> bytes:
        """At most `size` bytes, nothing at the end. Raises DamagedError and OSError."""
        return self._below.read(size)

    def close(self) -> None:
        """Close this and what is below."""
        self._below.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Unpacked(Stream):
    """The bytes of a file, unpacked where they are gzip, whatever the file is called."""

    def __init__(self, below: Readable) -> None:
        super().__init__(below)
        with _closed_on_failure(below):
            self._ahead = below.read(len(GZIP))
        self.is_packed = self._ahead == GZIP
        self._unzip = zlib.decompressobj(wbits=31)

    def read(self, size: int = _CHUNK, /) -> bytes:
        """At most `size` bytes; DamagedError comes only after all that is whole."""
        if not self.is_packed:
            ahead, self._ahead = self._ahead, b""
            return ahead or self._below.read(size)
        while packed := self._ahead or self._below.read(_CHUNK):
            self._ahead = b""
            if self._unzip.eof:
                packed = packed.lstrip(b"\0")  # padding after a member
                if not packed:
                    continue
                self._unzip = zlib.decompressobj(wbits=31)
            if data := self._decompress(packed, size):
                return data
        if not self._unzip.eof:
            raise DamagedError("it ends early")
        return b""

    def _decompress(self, packed: bytes, size: int) -> bytes:
        before = self._unzip.copy()
        try:
            data = self._unzip.decompress(packed, size)
        except zlib.error as error:
            # The error has taken what was unpacked before it; steps of one byte lose nothing.
            data = b"".join(_until_it_fails(before, packed))
            self._unzip, self._ahead = before, packed[-1:]
            if not data:
                raise DamagedError(str(error)) from error
            return data
        self._ahead = self._unzip.unused_data if self._unzip.eof else self._unzip.unconsumed_tail
        return data


def _until_it_fails(unzip: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    for place in range(len(packed)):
        try:
            yield unzip.decompress(packed[place : place + 1])
        except zlib.error:
            return


class Beginning(Stream):
    """The first `size` bytes of another stream."""

    def __init__(self, below: Readable, size: int) -> None:
        super().__init__(below)
        self._left = size

    def read(self, size: int = _CHUNK, /) -> bytes:
        """At most `size` bytes."""
        size = min(size, self._left)
        data = self._below.read(size) if size else b""
        self._left -= len(data)
        return data


class Part(Beginning):
    """`size` bytes of another stream, which has to have them, from `offset` on: a file in a tar."""

    def __init__(self, below: Readable, offset: int, size: int) -> None:
        super().__init__(below, size)
        with _closed_on_failure(below):
            if isinstance(below, io.BufferedReader | ZipEntry):
                below.seek(offset)
                return
            while offset > 0 and (skipped := below.read(min(offset, _CHUNK))):
                offset -= len(skipped)

    def read(self, size: int = _CHUNK, /) -> bytes:
        """At most `size` bytes."""
        data = super().read(size)
        if size and self._left and not data:
            raise DamagedError(f"the archive ends early, and its last {self._left:,} bytes are missing")
        return data


class ZipEntry(Stream):
    """One file in a zip; what is wrong with it is told as of any other file."""

    def __init__(self, below: IO[bytes], entry: zipfile.ZipInfo) -> None:
        super().__init__(below)
        with _closed_on_failure(below), _damage(), zipfile.ZipFile(below) as archive:
            self._entry = cast(zipfile.ZipExtFile, archive.open(entry))  # outlives the archive
        self._size = self._left = entry.file_size

    def read(self, size: int = _CHUNK, /) -> bytes:
        """At most `size` bytes; few at a time, since those before a damaged place are lost with it."""
        with _damage(f", and its last {self._left:,} bytes are lost"):
            data = self._entry.read1(min(size, _ZIP_CHUNK))
        self._left -= len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go there, unpacking what lies between: a zip or a tar can be inside a zip."""
        with _damage():
            place = self._entry.seek(offset, whence)
        self._left = self._size - place
        return place

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._entry.tell()

    def seekable(self) -> bool:
        """As `zipfile` and `tarfile` ask."""
        return True

    def close(self) -> None:
        """Close the entry and the zip."""
        self._entry.close()
        super().close()


@contextmanager
def _closed_on_failure(below: Readable) -> Iterator[None]:
    try:
        yield
    except BaseException:
        below.close()
        raise


@contextmanager
def _damage(loss: str = "") -> Iterator[None]:
    """What `zipfile` raises for a bad entry, a password and a method it does not know, as DamagedError."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DamagedError(f"{str(error) or 'it ends early'}{loss}") from error
