"""An event loop on a thread of its own, for callers that wait on theirs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for threads. After `close` nothing runs and nothing can be submitted."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T] | None:
        """Begin `work`; None after `close`."""
        with self._closing:
            if self._closed:
                work.close()
                return None
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Cancel what runs, run `last`, and end the thread; a second call does nothing."""
        with self._closing:
            if self._closed:
                last.close()
                return
            self._closed = True
            asyncio.run_coroutine_threadsafe(self._wind_up(last), self._loop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _wind_up(self, last: Coroutine[Any, Any, None]) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        try:
            await last
            await self._loop.shutdown_asyncgens()
        finally:
            self._loop.call_soon(self._loop.stop)


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """All results in order; where one fails or the caller is cancelled, the others are ended first."""
    tasks = [asyncio.ensure_future(w) for w in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def unless_cancelled(work: Coroutine[Any, Any, None], cancel: threading.Event, poll_s: float) -> None:
    """Do `work`, or end it at the next await once `cancel` is set."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=poll_s))[0]:
            if cancel.is_set():
                break
        else:
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
