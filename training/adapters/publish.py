"""Puts a finished adapter among the others, or a finished model among the models, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path

from filelock import FileLock

from recsys.llm.adapters import CARD, GGUF, AdapterCard

MODEL_GGUF = "model.gguf"
PEFT_FILES = ("adapter_config.json", "adapter_model.safetensors")


def publish_adapter(
    store: Path, peft_folder: Path, gguf: Path, card: AdapterCard
) -> tuple[AdapterCard, Path]:
    """Copy PEFT files, GGUF file and card into a new folder under `store`, named after the card.

    A name that is taken gets `-2`, `-3`, ...; nothing is overwritten. Returns the card with the
    name it got, and the folder.
    """
    temporary = Path(tempfile.mkdtemp(dir=store, prefix=".publishing-"))
    try:
        for name in PEFT_FILES:
            shutil.copyfile(peft_folder / name, temporary / name)
        shutil.copyfile(gguf, temporary / GGUF)
        os.chmod(temporary, 0o755)  # mkdtemp's 0700 would hide it from a server under another user
        with FileLock(store / ".lock"):
            name = _free_name(store, card.name)
            named = card.model_copy(update={"name": name})
            (temporary / CARD).write_text(named.model_dump_json(indent=2), encoding="utf-8")
            os.rename(temporary, store / name)
        return named, store / name
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def publish_model(models: Path, trained: Path, gguf: Path, card: AdapterCard) -> Path:
    """Move a model all of whose weights were trained into a new folder under `models`, named after the card:
    safetensors, tokenizer, GGUF file and card. Nothing is overwritten. Returns the folder."""
    temporary = Path(tempfile.mkdtemp(dir=models, prefix=".publishing-"))
    try:
        shutil.copytree(trained, temporary, dirs_exist_ok=True)
        shutil.copyfile(gguf, temporary / MODEL_GGUF)
        os.chmod(temporary, 0o755)
        with FileLock(models / ".lock"):
            name = _free_name(models, card.name)
            named = card.model_copy(update={"name": name})
            (temporary / CARD).write_text(named.model_dump_json(indent=2), encoding="utf-8")
            os.rename(temporary, models / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return models / name


def _free_name(store: Path, name: str) -> str:
    candidates = (name if number == 1 else f"{name[:74]}-{number}" for number in count(1))
    return next(candidate for candidate in candidates if not (store / candidate).exists())
