"""Zero-shot recommendation: catalogues, prompts, language models, retrieval and what joins them."""

import os

# llama.cpp, the embedder and a training run share the processor. OpenMP's threads would spin while
# they wait for each other and take the time that the others need; asleep, they leave it to them.
# It is read once, when the first library that uses OpenMP is loaded, so it has to be set here.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
