"""Vectors that come with the app: those of the demo catalogues' passages, so that nobody waits for them.

assets/vectors/*.safetensors     keys: uint8 (passages, 16); vectors: float16 (passages, dimension);
                                 metadata: the embedder's name

A passage is known by a digest of its text. What is not in the file is embedded as always; the file of another
embedder, or none, is as good as an empty one. `python -m bench.demo_vectors` writes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file

from recsys.demos import ASSETS
from recsys.retrieval.embedders.around import AroundEmbedder
from recsys.retrieval.embedders.base import Embedder, Vectors

SHIPPED = ASSETS / "vectors" / "demos.safetensors"

_KEY_BYTES = 16
_EMBEDDER = "embedder"


class ShippedVectors(AroundEmbedder):
    """Another embedder, which is asked only for passages whose vectors are not in `file`."""

    def __init__(self, embedder: Embedder, file: Path = SHIPPED) -> None:
        super().__init__(embedder)
        self._known, self._vectors = _read(file, embedder.name)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed_queries`."""
        return self._embedder.embed_queries(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed_passages`."""
        places = [self._known.get(_key(text)) for text in texts]
        missing = [text for text, place in zip(texts, places, strict=True) if place is None]
        embedded = iter(self._embedder.embed_passages(missing)) if missing else iter(())
        found = [next(embedded) if place is None else self._vectors[place] for place in places]
        return np.stack(found) if found else self._embedder.embed_passages(texts)


def write_vectors(file: Path, embedder: Embedder, passages: Sequence[str]) -> None:
    """Embed `passages` and write their vectors."""
    texts = list(dict.fromkeys(passages))
    tensors: dict[str, npt.NDArray[np.generic]] = {
        "keys": np.stack([np.frombuffer(_key(text), np.uint8) for text in texts]),
        "vectors": embedder.embed_passages(texts).astype(np.float16),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file, metadata={_EMBEDDER: embedder.name})


def _read(file: Path, name: str) -> tuple[dict[bytes, int], Vectors]:
    """The place of each passage by its key, and the vectors, made whole again to length 1."""
    if not file.is_file():
        return {}, np.zeros((0, 0), np.float32)
    with safe_open(file, framework="numpy") as stored:
        if (stored.metadata() or {}).get(_EMBEDDER) != name:
            return {}, np.zeros((0, 0), np.float32)
        keys: npt.NDArray[np.uint8] = stored.get_tensor("keys")
        vectors: Vectors = stored.get_tensor("vectors").astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return {key.tobytes(): place for place, key in enumerate(keys)}, vectors


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()[:_KEY_BYTES]
