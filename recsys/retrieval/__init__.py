"""From text to real items: catalogues, chunks, embedders and the vector index."""
