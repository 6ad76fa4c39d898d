"""Examples per second and peak memory of a synthesis job with the attributes teacher.

    python -m bench synthesis                                     60,000 examples
    ZEROSHELF_BENCH_EXAMPLES=600000 python -m bench synthesis      the recipe's number

The sources are generated (see `bench.generated`): as many films, products and users as it takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench import generated
from recsys.synthesis.config import parse_config
from recsys.synthesis.report import Report


def run() -> None:
    """Print seconds, examples per second and the highest memory of all processes together."""
    examples = int(os.environ.get("ZEROSHELF_BENCH_EXAMPLES", "60000"))
    with TemporaryDirectory() as name:
        folder = Path(name)
        users = max(2_000, examples // 4)
        generated.movielens(folder / "films", users=users // 4, items=9_000, ratings=users * 6)
        generated.amazon_2018(
            folder / "things", users=users, items=max(5_000, users // 3), reviews=users * 12
        )
        config = parse_config(
            {
                "sources": [
                    {"dataset": "movielens", "path": str(folder / "films"), "share": 0.4},
                    {"dataset": "amazon", "path": str(folder / "things"), "share": 0.6},
                ],
                "examples": examples,
            },
            "bench",
        )
        (folder / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
        seconds, peak = _measured(folder)
        report = Report.model_validate_json((folder / "out" / "report.json").read_bytes())
    obtained = report.total("train")
    print(
        f"attributes teacher: {obtained:,} examples in {seconds:.0f} s: {obtained / seconds:.0f} examples/s"
    )
    print(f"600,000 at this rate: {600_000 * seconds / obtained / 60:.1f} min; all stages are counted")
    print(f"peak memory of all processes: {peak / 2**20:.0f} MiB")


def _measured(folder: Path) -> tuple[float, int]:
    """Seconds, and the most resident bytes of the job's processes; shared pages count in each."""
    command = [sys.executable, "-m", "recsys", "synthesize", "--config", str(folder / "config.json")]
    started = time.perf_counter()
    job = subprocess.Popen([*command, "--out", str(folder / "out")], stdout=subprocess.DEVNULL)
    peak, over = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.25):
            peak = max(peak, _resident(job.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = job.wait()
    seconds = time.perf_counter() - started
    over.set()
    watcher.join()
    if code:
        raise RuntimeError(f"the job ended with exit code {code}")
    return seconds, peak


def _resident(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0
