"""Preference pairs: what one best and one worst tag say about five answers.

    from annotation.pairs import pairs_from_store
    rows = [pair.to_row() for pair in pairs_from_store(path, "all")]

Best-worst tags over five answers imply seven of the ten orderings: the best over the other four, and
the three in the middle over the worst (best-worst scaling; Louviere and Woodworth, 1990).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from annotation.files import whole_file
from annotation.preference import (
    Message,
    PreferencePair,
    PreferenceRow,
    Strategy,
    check_strategy,
    ordered_texts,
)
from annotation.selection import ExportRules, select
from annotation.store import AnnotationStore

__all__ = [
    "Message",
    "PreferencePair",
    "PreferenceRow",
    "Strategy",
    "ordered_texts",
    "pairs_from_store",
    "write_jsonl",
]


def pairs_from_store(path: Path, strategy: Strategy = "best-worst") -> list[PreferencePair]:
    """The pairs of a store on disk, also while the app is using it; none where there is no file yet.

    Each annotator's judgements give pairs of their own; flagged prompts, gold prompts and repeats
    give none. Raises StoreFileError, NewerStoreError, StoreBusyError or UnknownStrategyError.
    """
    check_strategy(strategy)
    if not path.exists():
        return []
    with AnnotationStore(path) as store:
        return select(store.snapshot(), ExportRules(strategy=strategy)).pairs


def write_jsonl(pairs: Iterable[PreferencePair], file: Path) -> int:
    """Write one row a line (UTF-8) and return their number; an existing file is replaced as a whole.

    Raises ExportFileError; whatever `file` was before is then still there.
    """
    count = 0
    with whole_file(file) as part, part.open("w", encoding="utf-8") as lines:
        for pair in pairs:
            lines.write(json.dumps(pair.to_row(), ensure_ascii=False) + "\n")
            count += 1
    return count
