"""The peer of `bench.candidates`: llama-cpp-python as it comes, in a process of its own.

Started as `python bench/peer.py GGUF THREADS`, it imports nothing of this project, whose settings of
OpenMP are its own. One job a line on standard input, as JSON; one answer a line on standard output.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import llama_cpp


def main(path: str, threads: int) -> None:
    """Answer jobs until standard input ends."""
    # Every answer has its full length, as on the other side: no token counts as the end.
    llama_cpp.llama_cpp.llama_vocab_is_eog = lambda *_: False
    model = llama_cpp.Llama(path, n_ctx=2048, n_threads=threads, n_threads_batch=threads, verbose=False)
    for line in sys.stdin:
        job: dict[str, Any] = json.loads(line)
        seeds = job.pop("seeds")
        started = time.perf_counter()
        answers = [model.create_completion(**job, seed=seed) for seed in seeds]
        seconds = time.perf_counter() - started
        tokens = sum(answer["usage"]["completion_tokens"] for answer in answers)
        print(json.dumps({"tokens": tokens, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
