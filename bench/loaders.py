"""Seconds and peak memory of reading interactions: `datasets inspect`, and histories for a synthesis job.

    python -m bench loaders                                10 million ratings and 10 million reviews
    ZEROSHELF_BENCH_INTERACTIONS=1000000 python -m bench loaders

The files are generated (see `bench.generated`); each reading is a process of its own. The peak is Linux's
VmHWM: `ru_maxrss` would begin with that of the process that started it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import generated

_READING = """
import re, sys
from pathlib import Path
from recsys.domains.histories import HistoryRules, read_sequences
from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset

dataset = open_dataset(sys.argv[2], Path(sys.argv[3]))
inspect(dataset) if sys.argv[1] == "inspect" else read_sequences(dataset, HistoryRules())
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def run() -> None:
    """Print both for a CSV of ratings and for gzipped JSON Lines of reviews."""
    rows = int(os.environ.get("ZEROSHELF_BENCH_INTERACTIONS", "10000000"))
    with TemporaryDirectory() as name:
        films, things = Path(name, "films"), Path(name, "things")
        generated.movielens(films, users=rows // 50, items=60_000, ratings=rows)
        generated.amazon_2018(things, users=rows // 5, items=300_000, reviews=rows)
        for dataset, folder in (("movielens", films), ("amazon", things)):
            for what in ("inspect", "histories"):
                began = time.perf_counter()
                words = [sys.executable, "-c", _READING, what, dataset, str(folder)]
                ended = subprocess.run(words, capture_output=True, text=True, check=True)
                seconds = time.perf_counter() - began
                print(
                    f"{dataset}, {rows:,} interactions, {what}: {seconds:.0f} s, "
                    f"{int(ended.stdout) >> 10} MiB at most"
                )
