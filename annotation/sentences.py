"""What of an answer is whole when it ended at its length limit."""

from __future__ import annotations

import re

_KEPT = 0.3
_END = re.compile(r"[.!?\u3002\uff01\uff1f\u2026][\"')\]\u201d\u2019\u300b\u300d\u300f]*(?=\s+[^a-z\s]|\s*$)")
_NO_END = re.compile(r"(?:^|\s)(?:\d+|[A-Z]|Mr|Mrs|Ms|Dr|St|vs|e\.g|i\.e)\.$")


def whole_sentences(text: str) -> str:
    """`text` up to its last whole sentence; empty where less than three tenths of it would be left.

    An initial, a number of a list and a common abbreviation end no sentence.
    """
    for match in reversed(list(_END.finditer(text))):
        kept = text[: match.end()]
        if len(kept) < _KEPT * len(text):
            return ""
        if not _NO_END.search(kept):
            return kept
    return ""
