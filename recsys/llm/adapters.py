"""The adapters on disk: one folder each, holding PEFT files, the GGUF LoRA and a card."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.errors import AdapterFileError, InputError, UnknownAdapterError
from recsys.prompts.formats import Style

CARD = "card.json"
GGUF = "adapter.gguf"
WEIGHTS = "adapter_model.safetensors"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


class Agreement(BaseModel):
    """How far llama.cpp's log-probabilities (GGUF) are from PEFT's (safetensors), over one text.

    Differences are in nats per token, of the fixed text's tokens.
    """

    model_config = ConfigDict(frozen=True)

    tokens: int
    mean_difference: float
    max_difference: float


class AdapterCard(BaseModel):
    """What an adapter is, and where it came from.

    `datasets` are those that its rows name, not those of its parent. `parent` is the adapter that it was
    trained on from; `rows` were trained on, `held_out` kept aside,
    `dropped` left out (by reason) and `truncated` cut. `curves` has a few points (step, value) a series.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["sft", "dpo"]
    base_model: str
    base_sha256: str
    style: Style
    created: datetime
    parent: str | None = None
    run_id: str | None = None
    rows: int = 0
    held_out: int = 0
    dropped: dict[str, int] = Field(default_factory=dict)
    truncated: int = 0
    data_sha256: str = ""
    datasets: tuple[str, ...] = ()
    config: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)
    curves: dict[str, list[tuple[int, float]]] = Field(default_factory=dict)
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter that can be loaded: its card and its folder."""

    card: AdapterCard
    folder: Path

    @property
    def gguf(self) -> Path:
        """The GGUF LoRA that llama.cpp loads."""
        return self.folder / GGUF


def check_adapter_name(name: str) -> str:
    """`name` when it can name an adapter (and so a folder); raises InputError otherwise."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(
            reason=f"{name!r} cannot name an adapter. "
            "Use lower-case letters, digits, '.', '_' and '-', at most 80 characters."
        )
    return name


class AdapterStore:
    """Adapters under one folder. Nothing is kept in memory, so a new one is seen at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self, base_model: str | None = None) -> list[Adapter]:
        """The finished adapters, newest first; only those of `base_model` when it is given.

        A folder without a readable card is no adapter yet (or no longer) and is left out.
        """
        adapters = []
        for card_path in self.root.glob(f"*/{CARD}"):
            try:
                card = AdapterCard.model_validate_json(card_path.read_bytes())
            except (OSError, ValidationError):
                continue
            if card.name == card_path.parent.name and base_model in (None, card.base_model):
                adapters.append(Adapter(card, card_path.parent))
        return sorted(adapters, key=lambda a: a.card.created, reverse=True)

    def get(self, name: str, base_model: str | None = None, *, file: str = GGUF) -> Adapter:
        """The adapter called `name`.

        Raises UnknownAdapterError when there is none for `base_model`, AdapterFileError when the `file`
        that is to be loaded is gone.
        """
        found = {a.card.name: a for a in self.list(base_model)}
        if name not in found:
            raise UnknownAdapterError(name=name, known=", ".join(found) or "none yet")
        adapter = found[name]
        if not (adapter.folder / file).is_file():
            raise AdapterFileError(name=name, problem=f"{file} is missing")
        return adapter

    def trained_on(self, name: str, base_model: str | None = None) -> tuple[str, ...]:
        """The datasets that the adapter and those before it in its line have learnt from, by name.

        Ends where a parent is no longer there. Raises UnknownAdapterError.
        """
        known = {a.card.name: a.card for a in self.list(base_model)}
        if name not in known:
            raise UnknownAdapterError(name=name, known=", ".join(known) or "none yet")
        found: list[str] = []
        seen: set[str] = set()
        at: str | None = name
        while at is not None and at in known and at not in seen:
            seen.add(at)
            found += known[at].datasets
            at = known[at].parent
        return tuple(dict.fromkeys(found))
