"""How large a model is, from its GGUF file, without its weights in memory and without torch."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import llama_cpp

from recsys.errors import ModelFileError
from recsys.llm.gguf_metadata import silence_llama_cpp

_TEXT_BYTES = 256


@dataclass(frozen=True, slots=True)
class ModelSize:
    """Numbers of weights, layers and vocabulary entries; the widths between layers, of the queries (all
    heads together) and within the feed-forward part."""

    parameters: int
    layers: int
    width: int
    query_width: int
    feed_forward: int
    vocabulary: int


def model_size(path: Path) -> ModelSize:
    """The size of the model in a GGUF file; raises ModelFileError. The file is mapped, not read."""
    stat = path.stat()
    return _model_size(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=16)
def _model_size(path: Path, size: int, changed: int) -> ModelSize:
    silence_llama_cpp()
    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = 0
    parameters.use_mmap = True
    parameters.use_extra_bufts = False  # repacked weights would be a copy of all
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
    if not model:
        raise ModelFileError(path=path, problem="it is damaged, cut short or not a model")
    try:
        architecture = _text(model, "general.architecture")
        width, heads = int(llama_cpp.llama_model_n_embd(model)), int(llama_cpp.llama_model_n_head(model))
        return ModelSize(
            parameters=int(llama_cpp.llama_model_n_params(model)),
            layers=int(llama_cpp.llama_model_n_layer(model)),
            width=width,
            query_width=heads
            * _number(model, f"{architecture}.attention.key_length", width // max(1, heads)),
            feed_forward=_number(model, f"{architecture}.feed_forward_length", 4 * width),
            vocabulary=int(llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))),
        )
    finally:
        llama_cpp.llama_model_free(model)


def _number(model: llama_cpp.llama_model_p, key: str, default: int) -> int:
    """A number of the metadata; the default where it is missing or differs from layer to layer."""
    text = _text(model, key)
    return int(text) if text.isdigit() else default


def _text(model: llama_cpp.llama_model_p, key: str) -> str:
    buffer = ctypes.create_string_buffer(_TEXT_BYTES)
    length = llama_cpp.llama_model_meta_val_str(model, key.encode(), buffer, _TEXT_BYTES)
    return buffer.value.decode("utf-8", "replace") if length > 0 else ""
