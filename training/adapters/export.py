"""Adapters and trained models for other programs: a PEFT folder, a GGUF LoRA, or merged dense weights.

    export_adapter(store.get("my-adapter"), "merged", Path("out"), models_dir)

Imports torch only to merge.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Literal

from recsys.errors import ConflictError
from recsys.llm.adapters import CARD, GGUF, Adapter
from recsys.llm.model_files import file_sha256, model_file
from recsys.llm.registry import load_spec
from training.adapters.publish import PEFT_FILES
from training.errors import OutputExistsError

ExportForm = Literal["peft", "gguf", "merged"]
StoredDtype = Literal["bf16", "fp32"]


def export_adapter(adapter: Adapter, form: ExportForm, out: Path, models_dir: Path) -> Path:
    """Write `adapter` to the new folder `out`, with its card, whole or not at all; returns `out`.

    `peft` is a folder that any PEFT user can load, `gguf` the LoRA that llama.cpp loads beside the base,
    `merged` the base with the adapter in its weights (bf16 safetensors, tokenizer included). Raises
    OutputExistsError, and ConflictError when the base's file is no longer the one trained on.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputExistsError(path=out)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    try:
        if form == "merged":
            merge_adapter(_base(adapter, models_dir), adapter.folder, temporary)
        for name in {"peft": PEFT_FILES, "gguf": (GGUF,), "merged": ()}[form]:
            shutil.copyfile(adapter.folder / name, temporary / name)
        shutil.copyfile(adapter.folder / CARD, temporary / CARD)
        os.chmod(temporary, 0o755)  # mkdtemp gives 0700
        if out.exists():
            out.rmdir()
        os.rename(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return out


def merge_adapter(
    base: Path, peft_folder: Path, out: Path, *, dtype: Literal["bf16", "fp32"] = "bf16"
) -> None:
    """The base in the folder `base` (of `base_weights`) with the adapter added to its weights.

    The sum is made in fp32 and stored as `dtype`; bf16 rounds it, as it does the base.
    """
    import torch
    from peft import PeftModel

    from training.trainer.base_weights import load_base, load_tokenizer

    merged = PeftModel.from_pretrained(load_base(base, torch.float32), peft_folder).merge_and_unload()
    if dtype == "bf16":
        merged = merged.to(torch.bfloat16)
    merged.save_pretrained(out)
    load_tokenizer(base).save_pretrained(out)


def _base(adapter: Adapter, models_dir: Path) -> Path:
    from training.trainer.base_weights import base_weights

    gguf = model_file(load_spec(adapter.card.base_model), models_dir)
    if file_sha256(gguf) != adapter.card.base_sha256:
        raise ConflictError(
            reason=f"{adapter.card.name} was trained on another file than {gguf}. "
            "Put the file back that it was trained on, and export again."
        )
    return base_weights(gguf, models_dir)
