"""The first step of a job: each source read once and laid out so that any process can write its rows."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from recsys.catalog import Item
from recsys.domains.base import Dataset
from recsys.domains.histories import (
    SPLITS,
    Examples,
    Ints,
    Sequences,
    Split,
    keep_items,
    read_sequences,
    split_examples,
)
from recsys.domains.registry import open_dataset
from recsys.synthesis.config import SourceConfig, SynthesisConfig
from recsys.synthesis.items import ItemTable, write_items
from recsys.synthesis.terms import Terms, build_terms

Reading = Literal["reading interactions", "reading items", "counting terms"]
"""What is being done with a source."""

_TOLD_EVERY = 10_000

_RESERVE = 2
"""Held-out rows for each one wanted: what the quality rules drop is made up for from these."""


class SourceCard(BaseModel):
    """What is known of a prepared source: `dropped` rows of its files, `counts` along the way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    edition: str
    domain: str
    positive: str
    timed: bool
    dropped: dict[str, int]
    notes: list[str]
    counts: dict[str, int]
    rows: dict[Split, int]


@dataclass(frozen=True)
class Layout:
    """The files of one prepared source in a folder of its own."""

    folder: Path

    @property
    def items(self) -> Path:
        """Items by code (SQLite)."""
        return self.folder / "items.db"

    @property
    def terms(self) -> Path:
        """Their weighted terms."""
        return self.folder / "terms.npz"

    def array(self, name: str) -> Path:
        """One array of the sequences or of a split's rows, to be mapped into memory."""
        return self.folder / f"{name}.npy"

    @property
    def card(self) -> Path:
        """`SourceCard` as JSON; written last, so a source that has one is whole."""
        return self.folder / "card.json"

    def read_card(self) -> SourceCard | None:
        """The card, or None where the source has not been prepared to the end."""
        try:
            return SourceCard.model_validate_json(self.card.read_bytes())
        except (OSError, ValueError):
            return None


def prepare(
    source: SourceConfig,
    config: SynthesisConfig,
    folder: Path,
    said: Callable[[Reading, int], None] = lambda stage, read: None,
) -> SourceCard:
    """Lay out one source under `folder`, or take what an earlier run has laid out there.

    `said` hears the stage and how many rows it has read, every few ten thousand rows; what it raises ends
    the work. Raises DatasetFileError, DatasetFormatError; OSError where the disk is full.
    """
    layout = Layout(folder)
    if card := layout.read_card():
        return card
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    dataset = open_dataset(source.dataset, source.path, source.positive)
    said("reading interactions", 0)
    sequences = read_sequences(dataset, config.histories, partial(said, "reading interactions"))
    said("reading items", 0)
    size = len(sequences.item_ids)
    known = np.zeros(size, dtype=bool)
    write_items(layout.items, _wanted_items(dataset, sequences, known, partial(said, "reading items")))
    sequences = keep_items(sequences, known)
    said("counting terms", 0)
    table = ItemTable(layout.items)
    build_terms(table.all(), size).save(layout.terms)
    table.close()
    name = source.name
    held = {split: config.wanted(total)[name] for split, total in _held_out(config).items()}
    rows = split_examples(
        sequences,
        config.histories,
        preference=_RESERVE * held["preference"],
        test=_RESERVE * held["test"],
        seed=config.seed,
    )
    _save_arrays(layout, sequences, np.flatnonzero(known), rows)
    card = SourceCard(
        dataset=name,
        edition=dataset.edition,
        domain=dataset.domain,
        positive=dataset.positive_words,
        timed=sequences.timed,
        dropped=dict(dataset.dropped),
        notes=dataset.notes,
        counts=sequences.counts,
        rows={split: len(rows[split]) for split in SPLITS},
    )
    unfinished = layout.card.with_suffix(".part")
    unfinished.write_text(card.model_dump_json(indent=1), encoding="utf-8")
    os.replace(unfinished, layout.card)
    return card


class PreparedSource:
    """One laid-out source, opened for writing rows. For one thread."""

    def __init__(self, folder: Path) -> None:
        layout = Layout(folder)
        card = layout.read_card()
        if card is None:
            raise FileNotFoundError(layout.card)
        self.card = card
        self.items = ItemTable(layout.items)
        self.terms = Terms.load(layout.terms)
        self.users: npt.NDArray[np.uint64] = _mapped(layout, "users")
        self.offsets: Ints = _mapped(layout, "offsets")
        self.sequence: npt.NDArray[np.int32] = _mapped(layout, "items")
        self.known: Ints = _mapped(layout, "known")
        self.rows = {
            split: Examples(_mapped(layout, f"{split}-user"), _mapped(layout, f"{split}-position"))
            for split in SPLITS
        }

    def history(self, split: Split, row: int, longest: int) -> tuple[int, list[int], int]:
        """User, item codes of the history (the latest `longest`), and the target's code."""
        user, position = int(self.rows[split].user[row]), int(self.rows[split].position[row])
        begin = max(int(self.offsets[user]), position - longest)
        return user, self.sequence[begin:position].tolist(), int(self.sequence[position])

    def liked(self, user: int) -> set[int]:
        """The codes of all that a user liked, before and after any target."""
        return set(self.sequence[self.offsets[user] : self.offsets[user + 1]].tolist())

    def close(self) -> None:
        """Close the files."""
        self.items.close()


def _held_out(config: SynthesisConfig) -> dict[Split, int]:
    return {"preference": config.preference, "test": config.test}


def _wanted_items(
    dataset: Dataset, sequences: Sequences, known: npt.NDArray[np.bool_], told: Callable[[int], None]
) -> Iterator[tuple[int, Item]]:
    codes = {item_id: code for code, item_id in enumerate(sequences.item_ids)}
    for number, item in enumerate(dataset.items(), 1):
        if number % _TOLD_EVERY == 0:
            told(number)
        code = codes.get(item.id)
        if code is not None and not known[code]:
            known[code] = True
            yield code, item


def _save_arrays(layout: Layout, sequences: Sequences, known: Ints, rows: dict[Split, Examples]) -> None:
    arrays: dict[str, npt.NDArray[Any]] = {
        "users": sequences.users,
        "offsets": sequences.offsets,
        "items": sequences.items,
        "known": known,
    }
    for split, examples in rows.items():
        arrays |= {f"{split}-user": examples.user, f"{split}-position": examples.position}
    for name, values in arrays.items():
        np.save(layout.array(name), values, allow_pickle=False)


def _mapped(layout: Layout, name: str) -> Any:
    return np.load(layout.array(name), mmap_mode="r", allow_pickle=False)


def source_state(source: SourceConfig) -> str:
    """What identifies the files of a source: their paths, sizes and times of change."""
    path = source.path
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    seen = []
    for file in files:
        if file.exists():
            stat = file.stat()
            seen.append([str(file), stat.st_size, stat.st_mtime_ns])
    return json.dumps([source.name, seen])
