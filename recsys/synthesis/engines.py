"""Who writes the shards: this process, several on this machine, or Ray Data on a cluster.

All give the same bytes: a shard depends on nothing but the configuration and the prepared sources.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from recsys.errors import ResourceError, ZeroshelfError
from recsys.llm.model_files import model_file
from recsys.llm.registry import load_spec
from recsys.llm.vocabulary import Vocabulary
from recsys.settings import Settings, usable_cpus
from recsys.synthesis.config import SynthesisConfig, TeacherName
from recsys.synthesis.shards import pack
from recsys.synthesis.teachers import AttributesTeacher, ModelTeacher, PlainTeacher, Teacher
from recsys.synthesis.writer import RowWriter, Shard

_LOOK_S = 1.0
"""How often a process that writes rows looks whether the job is still there."""

_PROJECT = Path(__file__).resolve().parents[2]

Packed = tuple[Shard, bytes]


@dataclass(frozen=True)
class Work:
    """What a process needs to write shards: it travels to other processes, so it holds names only."""

    config: SynthesisConfig
    sources: Path
    settings: Settings


class ShardWriter:
    """Shards as packed bytes. Loads tokenizer and model when made."""

    def __init__(self, work: Work, cancel: threading.Event | None = None) -> None:
        config, settings = work.config, work.settings
        self._vocabulary = Vocabulary(model_file(load_spec(config.tokenizer), settings.paths.models))
        self._close_model: Any = lambda: None
        teachers: dict[TeacherName, Teacher] = {"attributes": AttributesTeacher(), "plain": PlainTeacher()}
        if "model" in (config.responses, config.queries):
            from recsys.llm.pool import ModelPool

            pool = ModelPool(settings)
            self._close_model = pool.close
            backend, adapter = pool.resolve(config.teacher.model, typed=True)
            teachers["model"] = ModelTeacher(backend, config.teacher, adapter=adapter, cancel=cancel)
        self._writer = RowWriter(
            config,
            work.sources,
            tokenizer=self._vocabulary,
            responses=teachers[config.responses],
            queries=teachers[config.queries],
        )

    def __call__(self, shard: Shard) -> bytes:
        """One shard."""
        return pack(self._writer.write(shard))

    def close(self) -> None:
        """Free model, tokenizer and files."""
        self._writer.close()
        self._close_model()
        self._vocabulary.close()


class Engine(Protocol):
    """Writes shards in any order."""

    def run(self, work: Work, shards: Sequence[Shard], stop: threading.Event) -> Iterator[Packed]:
        """Each shard with its bytes as it is finished; ends early, without error, when `stop` is set."""


class LocalEngine:
    """`workers` processes (0: one a processor).

    A model teacher stays in this process, where a model has its threads and a server is sent several
    requests at once.
    """

    def __init__(self, workers: int = 0) -> None:
        self._workers = workers or usable_cpus()

    def run(self, work: Work, shards: Sequence[Shard], stop: threading.Event) -> Iterator[Packed]:
        """See `Engine.run`."""
        workers = min(self._workers, len(shards))
        if workers <= 1 or "model" in (work.config.responses, work.config.queries):
            yield from _one_by_one(work, shards, stop)
        else:
            yield from _in_processes(work, shards, stop, workers)


class RayEngine:
    """Ray Data, on a cluster's `address` or on `workers` local ones.

    On a cluster the job's folder has to be on a file system that all nodes share; each worker reads
    the prepared sources from there and sends its rows back. A model teacher is loaded by each worker, or
    asked for on its server, whose key every node needs in its environment. Needs `requirements-ray.txt`.
    """

    def __init__(self, address: str | None = None, workers: int = 0) -> None:
        self._address = address
        self._workers = workers or usable_cpus()

    def run(self, work: Work, shards: Sequence[Shard], stop: threading.Event) -> Iterator[Packed]:
        """See `Engine.run`."""
        ray = _import_ray()
        ours = not ray.is_initialized()
        if ours:
            local = {} if self._address else {"num_cpus": self._workers}
            ray.init(
                address=self._address,
                log_to_driver=False,
                include_dashboard=False,
                runtime_env={"env_vars": {"PYTHONPATH": str(_PROJECT)}},
                **local,
            )
        arguments = (work.config.model_dump_json(), str(work.sources), _plain(work.settings))
        try:
            rows = (
                ray.data.from_items([asdict(shard) for shard in shards], override_num_blocks=len(shards))
                .map_batches(
                    _RayWriter,
                    fn_constructor_args=arguments,
                    batch_size=1,
                    concurrency=min(self._workers, len(shards)),
                )
                .iter_rows()
            )
            for row in rows:
                data = row.pop("data")
                if problem := row["problem"]:
                    raise ResourceError(reason=problem)
                yield Shard(**{name: row[name] for name in ("dataset", "split", "begin", "end")}), data
                if stop.is_set():
                    return
        except ray.exceptions.RayError as error:
            raise ResourceError(reason=f"Ray could not write the rows: {error}") from error
        finally:
            if ours:
                ray.shutdown()


class _RayWriter:
    """Runs in an actor: one model, one tokenizer, many shards.

    What goes wrong for a reason travels as a text beside the data: Ray wraps an exception into pages.
    """

    def __init__(self, config: str, sources: str, settings: dict[str, Any]) -> None:
        self._work = Work(
            SynthesisConfig.model_validate_json(config), Path(sources), Settings.model_validate(settings)
        )
        self._writer: ShardWriter | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        shards = [
            Shard(str(d), s, int(b), int(e))
            for d, s, b, e in zip(*(batch[k] for k in ("dataset", "split", "begin", "end")), strict=True)
        ]
        try:
            writer = self._writer = self._writer or ShardWriter(self._work)
            return {**batch, "data": [writer(s) for s in shards], "problem": [""] * len(shards)}
        except ZeroshelfError as error:
            return {**batch, "data": [b""] * len(shards), "problem": [str(error)] * len(shards)}


def _import_ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        reason = "Ray is not installed. Run: pip install -r requirements-ray.txt, or use --engine local."
        raise ResourceError(reason=reason) from error
    return ray


def _plain(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json")


def _one_by_one(work: Work, shards: Sequence[Shard], stop: threading.Event) -> Iterator[Packed]:
    if not shards:
        return
    writer = ShardWriter(work, cancel=stop)
    try:
        for shard in shards:
            if stop.is_set():
                return
            try:
                data = writer(shard)
            except KeyboardInterrupt:
                if stop.is_set():  # the model teacher was called off
                    return
                raise
            yield shard, data
    finally:
        writer.close()


def _in_processes(
    work: Work, shards: Sequence[Shard], stop: threading.Event, workers: int
) -> Iterator[Packed]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(work,))
    waiting = list(reversed(shards))
    running: dict[Future[bytes], Shard] = {}
    try:
        while (waiting or running) and not stop.is_set():
            while waiting and len(running) < 2 * workers:
                shard = waiting.pop()
                running[pool.submit(_write, shard)] = shard
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise ResourceError(
            reason="A process that writes rows was killed, most likely for lack of memory. Run the job again "
            "with fewer --workers; finished shards are kept."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_writer: ShardWriter | None = None


def _begin(work: Work) -> None:
    """Runs once in each process. Ctrl-C reaches all of them; the first one decides what to do."""
    global _writer
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    _writer = ShardWriter(work)


def _end_with(parent: int) -> None:
    """End this process soon after its parent: one that was killed cannot tell its workers to stop."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


def _write(shard: Shard) -> bytes:
    assert _writer is not None  # set by the initializer
    return _writer(shard)
