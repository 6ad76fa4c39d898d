"""The base model of a run as bf16 safetensors, made once from its GGUF file and kept.

Serving reads a quantised GGUF file; training needs the same weights in a format that torch
differentiates. transformers dequantises a GGUF file in some ten seconds; the copy loads in one.
Training on the dequantised weights, not on the original ones, keeps the reference model that DPO
compares with the same as the model that is served.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from recsys.llm.model_files import file_sha256
from training.errors import BaseConversionError
from training.gguf_reader import read_once

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_LAYOUT = "bf16-1"
"""Part of the folder's name; a new one makes every copy afresh when the way of making it changes."""


def base_weights(gguf: Path, models_dir: Path) -> Path:
    """The folder with the safetensors copy of `gguf` and its tokenizer, made if need be.

    Its name carries the file's SHA-256. Two processes wait for each other, and a copy that was
    cut short lies under another name and is removed. Raises BaseConversionError.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", gguf.stem)[:60]
    folder = models_dir / f"{stem}-{file_sha256(gguf)[:16]}-{_LAYOUT}"
    if folder.is_dir():
        return folder
    with FileLock(models_dir / f".{folder.name}.lock"):
        if folder.is_dir():
            return folder
        for left_over in models_dir.glob(f".{folder.name}.tmp-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(dir=models_dir, prefix=f".{folder.name}.tmp-"))
        os.chmod(temporary, 0o755)  # mkdtemp gives 0700
        try:
            with read_once():
                _convert(gguf, temporary)
            os.rename(temporary, folder)
        except (OSError, ValueError, KeyError, RuntimeError, NotImplementedError) as error:
            raise BaseConversionError(path=gguf, problem=str(error) or repr(error)) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def load_base(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """The model of a folder made by `base_weights`, its weights as `dtype`."""
    from transformers import AutoModelForCausalLM

    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    return model


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Its tokenizer; it adds the begin token exactly where llama.cpp does."""
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return tokenizer


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    # The model may still count as quantised although its weights are dense; save_pretrained would
    # refuse then, and a reload would look for the GGUF file.
    for name, value in (("hf_quantizer", None), ("is_quantized", False)):
        setattr(model, name, value)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
