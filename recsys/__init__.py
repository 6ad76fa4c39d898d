"""Zero-shot recommendation: catalogues, prompts, language models, retrieval and what joins them."""

import os

# llama.cpp, the embedder and a training run share the processor. While OpenMP's threads wait for each
# other they spin, by default for so long that they take the time that the others need: beside two busy
# programs a token took thirty times as long. Spinning briefly and then sleeping costs nothing on an
# idle machine. It is read when the first library that uses OpenMP is loaded, so it is set here.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
