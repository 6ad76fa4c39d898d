"""A GGUF model as llama.cpp loads it: weights, vocabulary and adapters."""

from __future__ import annotations

import ctypes
from pathlib import Path

import llama_cpp

from recsys.errors import ModelFileError
from recsys.llm.gguf_metadata import silence_llama_cpp


class LlamaModel:
    """The weights and the vocabulary. Raises ModelFileError when the file cannot be loaded."""

    def __init__(self, path: Path) -> None:
        silence_llama_cpp()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 999 if llama_cpp.llama_supports_gpu_offload() else 0
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        if not self._model:
            raise ModelFileError(path=path, problem="it is damaged, cut short or not a model")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.vocab_size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._piece = ctypes.create_string_buffer(512)

    @property
    def pointer(self) -> llama_cpp.llama_model_p:
        """The C pointer, for making contexts and loading adapters."""
        return self._model

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a whole prompt, with the begin token where the model wants one.

        Control tokens written in the text (a chat template's markers) are recognised as such.
        """
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        ids = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), ids, room, True, True)
        return list(ids[:count])

    def piece(self, token: int) -> bytes:
        """The bytes of one token; control tokens have none."""
        size = len(self._piece)
        length = llama_cpp.llama_token_to_piece(self._vocab, token, self._piece, size, 0, False)
        return self._piece.raw[: max(length, 0)]

    def ends(self, token: int) -> bool:
        """Whether the token means that the model has ended its answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def load_adapter(self, path: Path) -> llama_cpp.llama_adapter_lora_p | None:
        """The LoRA in a GGUF file, or None where llama.cpp refuses it; freed with the model."""
        return llama_cpp.llama_adapter_lora_init(self._model, str(path).encode()) or None

    def close(self) -> None:
        """Free weights and adapters; no context of the model may be in use."""
        if self._model:
            llama_cpp.llama_model_free(self._model)
            self._model = None
