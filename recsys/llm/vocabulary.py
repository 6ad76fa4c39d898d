"""The tokenizer of a GGUF file without its weights: quick to load, a few megabytes."""

from __future__ import annotations

import ctypes
from pathlib import Path

import llama_cpp

from recsys.errors import ModelFileError
from recsys.llm.gguf_metadata import silence_llama_cpp


class Vocabulary:
    """Token ids of text. Raises ModelFileError when the file cannot be read. For one thread."""

    def __init__(self, path: Path) -> None:
        silence_llama_cpp()
        parameters = llama_cpp.llama_model_default_params()
        parameters.vocab_only = True
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        if not self._model:
            raise ModelFileError(path=path, problem="it is damaged, cut short or not a model")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._room = 4096
        self._ids = (llama_cpp.llama_token * self._room)()

    def tokens(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids of `text` as it stands: no begin token, and control tokens are plain letters.

        With `special`, as a prompt is read: with the begin token where the model has one, and control
        tokens as what they are.
        """
        data = text.encode("utf-8", "replace")
        if len(data) + 8 > self._room:
            self._room = 2 * len(data) + 8
            self._ids = (llama_cpp.llama_token * self._room)()
        count = llama_cpp.llama_tokenize(
            self._vocab, ctypes.c_char_p(data), len(data), self._ids, self._room, special, special
        )
        return list(self._ids[:count])

    def close(self) -> None:
        """Free it."""
        if self._model:
            llama_cpp.llama_model_free(self._model)
            self._model = None
