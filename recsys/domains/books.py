"""Books: goodbooks-10k (both versions) and Book-Crossing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice

from recsys.catalog import Attribute, Interaction, Item
from recsys.domains.base import Dataset, Edition, clean, clean_title, number
from recsys.domains.source import Member, Source

_TAGS = 8
_NO_GENRES = frozenset(
    [
        "to-read",
        "currently-reading",
        "owned",
        "favorites",
        "favourites",
        "books-i-own",
        "default",
        "library",
        "my-library",
        "kindle",
        "ebook",
        "ebooks",
        "audiobook",
        "audiobooks",
        "audio",
        "to-buy",
        "wish-list",
        "my-books",
        "own-it",
        "i-own",
        "re-read",
    ]
)


class Books(Dataset):
    """Books with authors, year and genres where there are any. No times."""

    name = "books"
    domain = "books"
    positive = "goodbooks: rating of 4 or more of 5; Book-Crossing: 7 or more of 10, or an implicit 0"
    editions = (
        Edition(
            "goodbooks-10k",
            {"ratings": r"ratings.*\.csv", "books": r"books\.csv"},
            {"tags": r"tags\.csv", "book_tags": r"book_tags\.csv", "genres": r"book_genres\.csv"},
        ),
        Edition("Book-Crossing", {"ratings": r"bx-book-ratings\.csv", "books": r"bx[-_]books\.csv"}),
    )

    @classmethod
    def _recognises(cls, source: Source, edition: Edition, files: Mapping[str, Member]) -> bool:
        return edition.name != "goodbooks-10k" or "authors" in source.header(files["books"])

    def items(self) -> Iterator[Item]:
        """Books; those without a title are counted and left out."""
        seen: set[str] = set()
        rows = self._goodbooks() if self.edition == "goodbooks-10k" else self._book_crossing()
        for item in rows:
            if item.id in seen:
                self.dropped["item twice"] += 1
                continue
            seen.add(item.id)
            yield item

    def interactions(self) -> Iterator[Interaction]:
        """Ratings; a Book-Crossing rating of 0 is the signal `implicit`."""
        return self._once(self._ratings())

    def is_positive(self, interaction: Interaction) -> bool:
        """See `positive`."""
        if interaction.signal == "implicit":
            return True
        return interaction.value >= (4 if self.edition == "goodbooks-10k" else 7)

    def _ratings(self) -> Iterator[Interaction]:
        crossing = self.edition == "Book-Crossing"
        rows = self._crossing_rows("ratings") if crossing else self.source.rows(self.files["ratings"])
        header = [name.strip().lower() for name in next(rows, [])]
        # Version 1 of goodbooks-10k has the book first.
        user_at, item_at = (1, 0) if header[:1] == ["book_id"] else (0, 1)
        for row in rows:
            try:
                user, item, value = row[user_at].strip(), row[item_at].strip(), number(row[2])
                if not user or not item:
                    raise ValueError("no user or item")
            except (ValueError, IndexError):
                self.dropped["rating row that cannot be read"] += 1
                continue
            yield Interaction(user, item, "implicit" if crossing and value == 0 else "rating", value)

    def _crossing_rows(self, role: str) -> Iterator[list[str]]:
        return self.source.rows(self.files[role], encoding="latin-1", delimiter=";", escape="\\")

    def _book_crossing(self) -> Iterator[Item]:
        for row in islice(self._crossing_rows("books"), 1, None):
            if len(row) < 5 or not row[0].strip():
                self.dropped["book row that cannot be read"] += 1
                continue
            isbn, title, author, year, publisher = (clean(field) for field in row[:5])
            made = _item(isbn, title, [author], year)
            if made is None:
                self.dropped["item without title"] += 1
                continue
            if publisher:
                made.attributes["publisher"] = publisher
            yield made

    def _goodbooks(self) -> Iterator[Item]:
        genres = self._genres()
        for row in self.source.records(self.files["books"]):
            # Version 1 called the first two columns id and book_id.
            old = "goodreads_book_id" not in row
            identity = (row.get("id" if old else "book_id") or "").strip()
            goodreads = (row.get("book_id" if old else "goodreads_book_id") or "").strip()
            if not identity:
                self.dropped["book row that cannot be read"] += 1
                continue
            title = row.get("title") or row.get("original_title") or ""
            authors = [clean(name) for name in (row.get("authors") or "").split(",")]
            made = _item(identity, title, authors, row.get("original_publication_year") or "")
            if made is None:
                self.dropped["item without title"] += 1
                continue
            if found := genres.get(goodreads):
                made.attributes["genres"] = found
            yield made

    def _genres(self) -> dict[str, list[str]]:
        """Genres by goodreads_book_id: the most frequent tags, without those about the reader's shelf."""
        if genres := self.files.get("genres"):
            return {
                row["goodreads_book_id"]: _known(row["genres"].split(","))
                for row in self.source.records(genres)
                if row.get("goodreads_book_id") and row.get("genres")
            }
        tags, book_tags = self.files.get("tags"), self.files.get("book_tags")
        if tags is None or book_tags is None:
            return {}
        names = {row.get("tag_id", ""): row.get("tag_name", "") for row in self.source.records(tags)}
        counted: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for row in self.source.records(book_tags):
            count = row.get("count", "")
            if count.lstrip("-").isdigit() and (name := names.get(row.get("tag_id", ""))):
                counted[row.get("goodreads_book_id", "")].append((int(count), name))
        return {book: _known([name for _, name in sorted(found)[::-1]]) for book, found in counted.items()}


def _known(tags: list[str]) -> list[str]:
    names = dict.fromkeys(clean(tag).replace("-", " ") for tag in tags if tag and tag not in _NO_GENRES)
    return list(names)[:_TAGS]


def _item(identity: str, title: str, authors: list[str], year: str) -> Item | None:
    title = clean_title(title)
    if not title:
        return None
    attributes: dict[str, Attribute] = {}
    if known := [name for name in authors if name and name.lower() != "not applicable (na)"]:
        attributes["authors"] = known
    try:
        if known_year := int(number(year)):
            attributes["year"] = known_year
    except ValueError:
        pass
    return Item(id=identity[:200], title=title, domain=Books.domain, attributes=attributes)
