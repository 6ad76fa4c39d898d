"""The few metadata fields of a GGUF file that are needed before (or without) loading its weights."""

from __future__ import annotations

import ctypes
import logging
from dataclasses import dataclass
from pathlib import Path

import llama_cpp

from recsys.errors import ModelFileError

_MAX_TEMPLATE_BYTES = 1 << 20
_LOG_LEVEL_ERROR = 4
_logger = logging.getLogger("llama.cpp")


@dataclass(frozen=True, slots=True)
class GgufMetadata:
    """Texts of the special tokens, the chat template, and the architecture's name."""

    architecture: str
    eos: str
    chat_template: str | None


def read_metadata(path: Path) -> GgufMetadata:
    """Read a GGUF file's metadata and vocabulary, without its tensors; raises ModelFileError."""
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelFileError(path=path, problem="it is not a GGUF file")
    silence_llama_cpp()
    parameters = llama_cpp.llama_model_default_params()
    parameters.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
    if not model:
        raise ModelFileError(path=path, problem="its header is damaged or cut short")
    try:
        vocab = llama_cpp.llama_model_get_vocab(model)
        return GgufMetadata(
            architecture=_text(model, b"general.architecture") or "",
            eos=_token_text(vocab, llama_cpp.llama_vocab_eos(vocab)),
            chat_template=_text(model, b"tokenizer.chat_template"),
        )
    finally:
        llama_cpp.llama_model_free(model)


def _text(model: llama_cpp.llama_model_p, key: bytes) -> str | None:
    buffer = ctypes.create_string_buffer(_MAX_TEMPLATE_BYTES)
    length = llama_cpp.llama_model_meta_val_str(model, key, buffer, _MAX_TEMPLATE_BYTES)
    return buffer.value.decode("utf-8", "replace") if length > 0 else None


def _token_text(vocab: llama_cpp.llama_vocab_p, token: int) -> str:
    if token < 0:
        return ""
    return str(llama_cpp.llama_vocab_get_text(vocab, token), "utf-8", "replace")


def silence_llama_cpp() -> None:
    """Send llama.cpp's messages to the `llama.cpp` logger instead of standard error."""
    llama_cpp.llama_log_set(_log_callback, None)


def _log(level: int, text: bytes, _data: object) -> None:
    if level >= _LOG_LEVEL_ERROR:
        _logger.debug("%s", text.decode("utf-8", "replace").rstrip())


_log_callback = llama_cpp.llama_log_callback(_log)
"""Kept for as long as the module: C code holds a pointer to it."""
