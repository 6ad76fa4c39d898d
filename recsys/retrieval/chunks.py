"""An item's text cut at sentence borders into pieces that an embedder reads well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from semantic_text_splitter import TextSplitter

from recsys.catalog import Item

MIN_TOKENS, MAX_TOKENS = 80, 128
"""A chunk is filled until its length is in this range, in the embedder's tokens."""

_MAX_HEADING_CHARS = 300


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of an item: `text` is shown, `embedded` is what the vector is made of."""

    item_id: str
    number: int
    text: str
    embedded: str


class Chunker:
    """Cuts items with the token count of the embedder that will read the chunks."""

    def __init__(self, count_tokens: Callable[[str], int]) -> None:
        self._splitter = TextSplitter.from_callback(count_tokens, (MIN_TOKENS, MAX_TOKENS))

    def chunks(self, item: Item) -> list[Chunk]:
        """At least one chunk an item. Each is embedded under the item's titles and attributes, so that
        a chunk from the middle of a text is still about its item."""
        head = heading(item)
        pieces = self._splitter.chunks(item.text) or [item.phrases.get(item.language, "")]
        return [
            Chunk(item.id, number, piece or item.title, f"{head}\n{piece}".strip())
            for number, piece in enumerate(pieces)
        ]


def heading(item: Item) -> str:
    """Titles and attributes, cut where they would leave the embedder no room for the text."""
    values: list[str] = []
    for value in item.attributes.values():
        values += value if isinstance(value, list) else [str(value)]
    titles = " / ".join(item.all_titles())
    line = f"{titles} ({', '.join(values)})" if values else titles
    return line if len(line) <= _MAX_HEADING_CHARS else line[: _MAX_HEADING_CHARS - 1] + "…"
