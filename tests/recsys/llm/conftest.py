"""Adapters for the small model: real GGUF LoRA files written here, and damaged ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import gguf
import numpy as np
import pytest

from recsys.llm.adapters import CARD, GGUF, AdapterCard

MakeAdapter = Callable[..., Path]

_WIDTH, _RANK = 576, 4  # SmolLM2-135M's hidden size


def _lora(path: Path, strength: float) -> None:
    """A LoRA of random numbers on the first layers' output projections."""
    numbers = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(_RANK))
    for layer in range(4):
        name = f"blk.{layer}.attn_output.weight"
        a = numbers.standard_normal((_RANK, _WIDTH), dtype=np.float32)
        b = strength * numbers.standard_normal((_WIDTH, _RANK), dtype=np.float32)
        writer.add_tensor(f"{name}.lora_a", a)
        writer.add_tensor(f"{name}.lora_b", b)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="session")
def make_adapter() -> MakeAdapter:
    """An adapter's folder under `root`; `content` replaces its GGUF file, `None` leaves it out."""

    def make(
        root: Path,
        name: str,
        *,
        base: str = "smollm2-135m-instruct",
        strength: float = 0.5,
        content: bytes | None = b"real",
        style: str = "chat",
        minute: int = 0,
    ) -> Path:
        folder = root / name
        folder.mkdir(parents=True)
        card = AdapterCard(
            name=name,
            kind="dpo",
            base_model=base,
            base_sha256="0" * 64,
            style=style,
            created=datetime(2026, 1, 1, 0, minute, tzinfo=UTC),
        )
        (folder / CARD).write_text(card.model_dump_json(), encoding="utf-8")
        if content == b"real":
            _lora(folder / GGUF, strength)
        elif content is not None:
            (folder / GGUF).write_bytes(content)
        return folder

    return make
