"""Books: goodbooks-10k (both versions) and Book-Crossing (the dump of 2004, and its copies as plain CSV)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from recsys.catalog import Attribute, Interaction, Item
from recsys.domains.account import Account
from recsys.domains.base import Dataset, Edition
from recsys.domains.book_genres import listed_genres, tagged_genres
from recsys.domains.layouts import table
from recsys.domains.positive import PositiveRule
from recsys.domains.ratings import header_columns, read_ratings
from recsys.domains.tables import Row, records
from recsys.domains.values import clean, number

_GOODBOOKS, _CROSSING = "goodbooks-10k", "Book-Crossing"
_NO_AUTHORS = ("", "not applicable (na)", "nan")


class Books(Dataset):
    """Books with authors, year and genres where there are any. No times."""

    name = "books"
    domain = "books"
    positive = "goodbooks: rating of 4 or more of 5; Book-Crossing: 7 or more of 10, or an implicit 0"
    rule = PositiveRule(least={"rating": 4.0})
    signals = ("rating", "implicit")
    editions = (
        Edition(
            _GOODBOOKS,
            {
                "ratings": table("ratings.csv", "user_id", "book_id", "rating"),
                "books": table("books.csv", "book_id", "authors", "title"),
                "tags": table("tags.csv", "tag_id", "tag_name", needed=False),
                "book_tags": table("book_tags.csv", "goodreads_book_id", "tag_id", "count", needed=False),
                "genres": table("book_genres.csv", "goodreads_book_id", "genres", needed=False),
            },
        ),
        Edition(
            _CROSSING,
            {
                "ratings": table("BX-Book-Ratings.csv", "User-ID", "ISBN", "Book-Rating"),
                "books": table("BX-Books.csv", "ISBN", "Book-Title", "Book-Author"),
            },
            rule=PositiveRule(least={"rating": 7.0, "implicit": None}),
        ),
    )

    def _items(self, account: Account) -> Iterator[Item]:
        return self._goodbooks(account) if self.edition == _GOODBOOKS else self._book_crossing(account)

    def _interactions(self, account: Account) -> Iterator[Interaction]:
        """Ratings; one of 0 of Book-Crossing is the signal `implicit`."""
        names = self.source.keys(self.file("ratings"))
        if self.edition == _GOODBOOKS:
            rows = islice(self.table("ratings", account), 1, None)
            yield from read_ratings(rows, header_columns(names, item="bookid"), account)
            return
        rows = islice(self._crossing_rows("ratings", account), 1, None)
        for row in read_ratings(rows, header_columns(names, item="isbn", value="bookrating"), account):
            yield row if row.value else Interaction(row.user, row.item, "implicit", 0.0)

    def _crossing_rows(self, role: str, account: Account) -> Iterator[Row | None]:
        r"""The dump is Latin-1 with \" for a quote in a text; its copies with commas are ordinary CSV."""
        if self.source.delimiter(self.file(role)) == ";":
            return self.table(role, account, escape="\\", native="Windows-1252")
        return self.table(role, account)

    def _book_crossing(self, account: Account) -> Iterator[Item]:
        for row in islice(self._crossing_rows("books", account), 1, None):
            if row is None or len(row) < 5 or not row[0].strip():
                account.dropped["book row that cannot be read"] += 1
                continue
            isbn, title, author, year, publisher = _mended(row)
            attributes = _attributes([author], year)
            if publisher := clean(publisher):
                attributes["publisher"] = publisher
            if item := self._item(account, isbn.strip(), title, attributes=attributes):
                yield item

    def _goodbooks(self, account: Account) -> Iterator[Item]:
        genres = self._genres(account)
        for row in records(self.table("books", account)):
            row = row or {}
            # Version 1 called the first two columns id and book_id.
            identity, goodreads = (
                ("bookid", "goodreadsbookid") if "goodreadsbookid" in row else ("id", "bookid")
            )
            book = row.get(identity, "").strip()
            if not book:
                account.dropped["book row that cannot be read"] += 1
                continue
            attributes = _attributes(
                row.get("authors", "").split(","), row.get("originalpublicationyear", "")
            )
            if found := genres.get(row.get(goodreads, "").strip()):
                attributes["genres"] = found
            title = row.get("title") or row.get("originaltitle") or ""
            if item := self._item(account, book, title, attributes=attributes):
                yield item

    def _genres(self, account: Account) -> dict[str, list[str]]:
        if "genres" in self.files:
            return listed_genres(records(self.table("genres", account)), account)
        if "tags" in self.files and "book_tags" in self.files:
            tags, counts = self.table("tags", account), self.table("book_tags", account)
            return tagged_genres(records(tags), records(counts), account)
        return {}


def _mended(row: Row) -> Row:
    r"""ISBN, title, author, year and publisher. Some titles end in \"; so that the author is in them."""
    isbn, title, author, year, publisher = row[:5]
    begin, cut, rest = title.partition('";')
    if cut:
        return [isbn, begin.rstrip("\\"), rest.strip('"'), author, year]
    return [isbn, title, author, year, publisher]


def _attributes(authors: list[str], year: str) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {}
    if known := [name for name in map(clean, authors) if name.lower() not in _NO_AUTHORS]:
        attributes["authors"] = known
    try:
        if known_year := int(number(year)):
            attributes["year"] = known_year
    except ValueError:
        pass  # unknown, or a publisher where the year should be
    return attributes
