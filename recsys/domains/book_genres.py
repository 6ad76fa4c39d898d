"""Genres of goodbooks-10k: what readers tagged a book with, without what is about their shelves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from recsys.domains.account import Account
from recsys.domains.values import clean

_MOST = 8
_UNREADABLE = "genre row that cannot be read"
_ABOUT_SHELVES = frozenset(
    (
        *("to-read", "currently-reading", "owned", "favorites", "favourites", "books-i-own", "default"),
        *("library", "my-library", "kindle", "ebook", "ebooks", "audiobook", "audiobooks", "audio"),
        *("to-buy", "wish-list", "my-books", "own-it", "i-own", "re-read"),
    )
)
Record = Mapping[str, str] | None


def listed_genres(books: Iterator[Record], account: Account) -> dict[str, list[str]]:
    """Genres by goodreads_book_id, where a file lists them for each book, separated by commas."""
    found = {}
    for row in books:
        if row is None or not row.get("goodreadsbookid"):
            account.dropped[_UNREADABLE] += 1
        else:
            found[row["goodreadsbookid"].strip()] = _known(row.get("genres", "").split(","))
    return found


def tagged_genres(
    tags: Iterator[Record], book_tags: Iterator[Record], account: Account
) -> dict[str, list[str]]:
    """Genres by goodreads_book_id: the tags that most readers gave."""
    names = {row.get("tagid", ""): row.get("tagname", "") for row in tags if row is not None}
    counted: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in book_tags:
        count = (row or {}).get("count", "").strip()
        if row is None or not count.lstrip("-").isdecimal():
            account.dropped[_UNREADABLE] += 1
        elif name := names.get(row.get("tagid", "")):
            counted[row.get("goodreadsbookid", "").strip()].append((int(count), name))
    return {
        book: _known(name for _, name in sorted(found, key=lambda pair: -pair[0]))
        for book, found in counted.items()
    }


def _known(tags: Iterable[str]) -> list[str]:
    names = dict.fromkeys(clean(tag).replace("-", " ") for tag in tags if tag and tag not in _ABOUT_SHELVES)
    return [name for name in names if name][:_MOST]
