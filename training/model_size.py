"""How large a model is, from its GGUF file, without its weights in memory and without torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import llama_cpp

from recsys.errors import ModelFileError
from recsys.llm.gguf_metadata import silence_llama_cpp


@dataclass(frozen=True, slots=True)
class ModelSize:
    """Numbers of weights, layers and vocabulary entries, and the width between layers."""

    parameters: int
    layers: int
    width: int
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
        return ModelSize(
            parameters=int(llama_cpp.llama_model_n_params(model)),
            layers=int(llama_cpp.llama_model_n_layer(model)),
            width=int(llama_cpp.llama_model_n_embd(model)),
            vocabulary=int(llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))),
        )
    finally:
        llama_cpp.llama_model_free(model)
