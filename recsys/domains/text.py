"""Lines of a file as text, whatever it is packed in, encoded in, and however its lines end."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, islice

from recsys.domains.account import Account
from recsys.domains.archives import Member
from recsys.domains.encodings import ToUtf8, guess
from recsys.domains.streams import Beginning, DamagedError, Opener, Readable, Stream
from recsys.errors import DatasetFileError

MAX_LINE = 8 << 20
_BLOCK = 1 << 18
_ENOUGH = 16
_MOST = 1 << 20


def lines(member: Member, account: Account, *, native: str = "UTF-8") -> Iterator[str]:
    """Its lines one by one; see `blocks`."""
    return chain.from_iterable(blocks(member, account, native=native))


def first_lines(member: Member, count: int, account: Account) -> tuple[str, ...]:
    """The first lines that are not blank, at most 1 MiB of them; none where nothing can be read."""
    if b"\n" in member.beginning:
        whole = member.beginning[: member.beginning.rindex(b"\n")]
        opener: Opener = partial(io.BytesIO, whole)
    else:
        opener = partial(_open_beginning, member)
    try:
        found = lines(replace(member, opener=opener), account)
        return tuple(islice((line for line in found if line.strip()), count))
    except DatasetFileError as error:
        account.note(str(error))
        return ()


def _open_beginning(member: Member) -> Readable:
    return Beginning(member.open(), _MOST)


def blocks(member: Member, account: Account, *, native: str = "UTF-8") -> Iterator[list[str]]:
    """Its lines without their ends, some thousands at a time.

    Lines that are neither UTF-8 nor `native` are noted. A line longer than MAX_LINE bytes is left out and
    counted; a file that is damaged or cut short gives the lines before that, and is noted. Raises
    DatasetFileError for one that cannot be read at all.
    """
    count = 0
    encodings: Counter[str] = Counter()
    try:
        with member.open() as file:
            for block in _whole_lines(file, member.place, account):
                try:
                    text = block.decode("utf-8")
                except UnicodeDecodeError:
                    text = _guessed(block, encodings)
                found = text.split("\n")
                if not found[-1]:
                    found.pop()
                count += len(found)
                yield found
    except DamagedError as error:
        account.note(f"{member.place} is damaged or cut short ({error}); whole lines read: {count:,}")
    except OSError as error:
        raise DatasetFileError(path=member.place, problem=f"it cannot be read ({error})") from error
    for encoding, number in encodings.items():
        if encoding not in ("UTF-8", native):
            account.note(f"{member.place}: lines that are not UTF-8, read as {encoding}: {number:,}")


def _whole_lines(file: Stream, place: str, account: Account) -> Iterator[bytes]:
    """Blocks that end where a line ends; what has no end because the file is damaged is not among them."""
    begun: list[bytes] = []
    too_long = False
    try:
        for chunk in _converted(file, place, account):
            end = chunk.rfind(b"\n") + 1
            if end:
                block = b"".join((*begun, chunk[:end]))
                begun = [chunk[end:]]
                if too_long:
                    too_long = False
                    block = block[block.find(b"\n") + 1 :]
                if block:
                    yield block.replace(b"\r\n", b"\n")
                continue
            begun.append(chunk)
            if sum(map(len, begun)) > MAX_LINE:
                begun = []
                if not too_long:
                    too_long = True
                    account.dropped[f"line longer than {MAX_LINE >> 20} MiB"] += 1
    except DamagedError:
        account.dropped["row cut off where its file is damaged"] += any(begun)
        raise
    rest = b"".join(begun).removesuffix(b"\r")
    if rest and not too_long:
        yield rest


def _converted(file: Stream, place: str, account: Account) -> Iterator[bytes]:
    chunk = file.read(_BLOCK)
    while len(chunk) < _ENOUGH and (more := file.read(_BLOCK)):
        chunk += more
    convert = ToUtf8(chunk, place, account)
    while chunk:
        yield convert(chunk)
        chunk = file.read(_BLOCK)


def _guessed(block: bytes, encodings: Counter[str]) -> str:
    texts = []
    for line in block.splitlines(keepends=True):
        text, encoding = guess(line)
        encodings[encoding] += 1
        texts.append(text)
    return "".join(texts)
