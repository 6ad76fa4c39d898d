"""A process that works in the background steps back behind the page, which shares the processor with it.

    nice 10, SCHED_BATCH     the page's threads are woken before it, and it keeps its turns long
    autogroup 10             the same between sessions, where Linux shares the processor out by session
    ionice idle              its checkpoints wait for the page's database
    OMP_NUM_THREADS          on four processors or more, one is left to the page

What a system does not have is left out.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

import psutil

from recsys.settings import usable_cpus

_NICENESS = 10
_ENOUGH_CPUS = 4
_AUTOGROUP = Path("/proc/self/autogroup")


def step_back() -> None:
    """Give this process, and what it starts, a low priority."""
    if hasattr(os, "nice"):
        os.nice(max(0, _NICENESS - os.nice(0)))
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):  # a container may forbid it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    if leads_session():
        with suppress(OSError):  # only where the kernel groups by session; otherwise nice is enough
            _AUTOGROUP.write_text(str(_NICENESS), encoding="ascii")
    process = psutil.Process()
    if hasattr(process, "ionice") and hasattr(psutil, "IOPRIO_CLASS_IDLE"):
        with suppress(OSError, psutil.Error):
            process.ionice(psutil.IOPRIO_CLASS_IDLE)


def leads_session() -> bool:
    """Whether this process was started in a session of its own, as what works in the background is."""
    return hasattr(os, "getsid") and os.getsid(0) == os.getpid()


def limit_threads(environment: MutableMapping[str, str]) -> None:
    """Leave a processor to the page, unless the environment says how many threads there are."""
    cpus = usable_cpus()
    environment.setdefault("OMP_NUM_THREADS", str(cpus - 1 if cpus >= _ENOUGH_CPUS else cpus))
