"""Any file as UTF-8 with plain line ends, chunk by chunk, and a line that is not UTF-8 as what it may be."""

from __future__ import annotations

import codecs
import re

from recsys.domains.account import Account

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HANGUL = re.compile("[가-힣]")
_WORD = re.compile("[가-힣]{2}")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


class ToUtf8:
    """Takes the chunks of one file in turn. A byte order mark decides; without one, zeros in the first bytes
    do. Bytes of an 8-bit encoding pass as they are, for `guess`. NUL bytes are left out and counted."""

    def __init__(self, first: bytes, place: str, account: Account) -> None:
        self._account = account
        self._old_mac: bool | None = None
        self._decoder: codecs.IncrementalDecoder | None = None
        self._skip, encoding = _encoding(first)
        if encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")
            account.note(f"{place} is {encoding.upper()}")

    def __call__(self, chunk: bytes) -> bytes:
        """The chunk with LF where a line ends with CR; CRLF stays, for its two bytes may be in two chunks."""
        if self._skip:
            chunk, self._skip = chunk[self._skip :], 0
        if self._decoder:
            chunk = self._decoder.decode(chunk).encode("utf-8", "replace")
        if nul := chunk.count(b"\0"):
            self._account.altered["NUL bytes left out"] += nul
            chunk = chunk.replace(b"\0", b"")
        if self._old_mac is None and (b"\n" in chunk or b"\r" in chunk[:-1]):
            self._old_mac = b"\n" not in chunk
        return chunk.replace(b"\r", b"\n") if self._old_mac else chunk


def _encoding(first: bytes) -> tuple[int, str]:
    """The length of the byte order mark, and what it stands for."""
    for mark, encoding in _MARKS:
        if first.startswith(mark):
            return len(mark), encoding
    even, odd = first[:16:2], first[1:16:2]
    if len(even) >= 4 and not any(odd) and all(even):
        return 0, "utf-16-le"
    if len(odd) >= 4 and not any(even) and all(odd):
        return 0, "utf-16-be"
    return 0, "utf-8"


def guess(line: bytes) -> tuple[str, str]:
    """The text of a line and its encoding.

    UTF-8 where it is, also where it is but for a few bytes; Korean (CP949) where that gives mostly Hangul;
    else Windows-1252, of which the printable part of Latin-1 is a part.
    """
    try:
        return line.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        pass
    mended = line.decode("utf-8", "replace")
    bad = mended.count("\ufffd")
    if len(_BEYOND_ASCII.findall(mended)) > 3 * bad:
        return mended, "UTF-8 with bytes that are none"
    try:
        korean = line.decode("cp949")
        if _WORD.search(korean) and 2 * len(_HANGUL.findall(korean)) > len(_BEYOND_ASCII.findall(korean)):
            return korean, "CP949"
    except UnicodeDecodeError:
        pass
    try:
        return line.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:  # five bytes stand for nothing there
        return line.decode("latin-1"), "Windows-1252"
