"""Which process does a run's work, told from a later one that got the same number."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType

import psutil
from pydantic import BaseModel, ConfigDict

_STARTING_S = 60.0
_TOLERANCE_S = 1.0


class Terminated(BaseException):
    """The process was told to end by SIGTERM; no `except Exception` of a library holds it back."""


def end_on_sigterm() -> None:
    """Let SIGTERM raise Terminated in the main thread, so that the run can say its last word."""

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    signal.signal(signal.SIGTERM, end)


class ProcessRecord(BaseModel):
    """A process; its creation time (Unix seconds) tells it from a later one with the same number.

    `devices` are the graphics cards that it was given, by number; none means the processor.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    create_time: float
    devices: tuple[int, ...] = ()

    @classmethod
    def of(cls, pid: int, devices: tuple[int, ...] = ()) -> ProcessRecord:
        """The record of a running process; raises psutil.NoSuchProcess."""
        return cls(pid=pid, create_time=psutil.Process(pid).create_time(), devices=devices)

    @classmethod
    def about_to_start(cls, devices: tuple[int, ...] = ()) -> ProcessRecord:
        """Stands for a process that is being started at this moment, and counts as alive for a minute.

        Written before the process is made, it keeps others from starting a second one should the
        starter die in between.
        """
        return cls(pid=0, create_time=time.time(), devices=devices)

    def is_alive(self) -> bool:
        """Whether this very process still runs. One that ended and was not waited for does not."""
        if self.pid == 0:
            return time.time() - self.create_time < _STARTING_S
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.create_time) < _TOLERANCE_S
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def end(self, patience_s: float) -> None:
        """Wait for its end, and bring it about after `patience_s` seconds."""
        deadline = time.monotonic() + patience_s
        while self.is_alive():
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process and all that it started, if it leads a group of its own."""
        if self.pid == 0 or not self.is_alive():
            return
        try:
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            pass
