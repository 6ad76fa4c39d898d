"""Thirty annotators on one server over HTTP, each submitting every few seconds, while candidates are sampled
and a training run goes.

What is stored afterwards is compared with what each of them was told: nothing lost, nothing twice, nothing
under another name. `ZEROSHELF_BENCH_SECONDS` sets how long (60), `ZEROSHELF_BENCH_ANNOTATORS` how many (30).
"""

from __future__ import annotations

import json
import os
import random
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from annotation.records import CANDIDATES, CandidateRecord, ImportedPrompt
from annotation.store import AnnotationStore
from annotation.tasks import demo_prompts
from bench.served import served
from bench.training_beside import training_beside
from recsys.demos import load_demos

_MODEL = "smollm2-135m-instruct"
_PREPARED = 160
_PAUSE_S = (2.0, 4.0)

Told = tuple[str, str, str, str, str]
"""Judgement, task, annotator, best and worst."""


class _Http:
    """Calls within one session over one connection that is kept, as a browser makes them.

    Gradio's own Python client would take as much of the processors, which are the server's too, as the
    server: it reads all certificates for each request, and looks for answers every 50 ms.
    """

    def __init__(self, address: str, session: str) -> None:
        self._http = httpx.Client(base_url=f"{address}/gradio_api/", timeout=300, verify=False)
        self._session = {"session_hash": session}

    def call(self, name: str, *values: Any) -> Any:
        """What the endpoint returns. Raises RuntimeError with what it says is wrong."""
        self._http.post(f"call/{name}", json={"data": values, **self._session}).raise_for_status()
        events = self._http.get("queue/data", params=self._session).raise_for_status().text
        told = [json.loads(line.removeprefix("data: ")) for line in events.splitlines() if line]
        last = [one for one in told if one["msg"] == "process_completed"][-1]
        if not last["success"]:
            raise RuntimeError(f"{name}: {last['output']}")
        return last["output"]["data"][0]

    def close(self) -> None:
        self._http.close()


@dataclass(slots=True)
class _Annotator:
    """One person: what they were told, how long each submit-and-next took, and what went wrong."""

    name: str
    client: _Http
    told: list[Told] = field(default_factory=list)
    times_ms: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def work(self, until: float) -> None:
        """Judge until the monotonic time `until`."""
        draw = random.Random(self.name)
        task = self.client.call("next_task", self.name)
        while time.monotonic() < until and task["task_id"]:
            time.sleep(draw.uniform(*_PAUSE_S))
            best, worst = draw.sample([candidate["id"] for candidate in task["candidates"]], 2)
            started = time.perf_counter()
            try:
                answer = self.client.call("judge", task["task_id"], self.name, best, worst)
                self.told.append((answer["judgement_id"], task["task_id"], self.name, best, worst))
                task = self.client.call("next_task", self.name)
            except Exception as error:  # whatever it is, it is a result of the measurement
                self.problems.append(str(error))
                continue
            self.times_ms.append(1000 * (time.perf_counter() - started))


def run() -> None:
    """Let them work, compare, and print the 95th percentile of submitting and getting the next prompt."""
    seconds = float(os.environ.get("ZEROSHELF_BENCH_SECONDS", "60"))
    count = int(os.environ.get("ZEROSHELF_BENCH_ANNOTATORS", "30"))
    with TemporaryDirectory() as folder:
        home = Path(folder)
        with AnnotationStore(home / "annotations.db") as store:
            store.prompts.import_all(_prepared())
        # So many ahead that the sampler is at work all the time.
        with served(home, "--model", _MODEL, ZEROSHELF_CANDIDATES_AHEAD="1000") as (address, _):
            people = [_Annotator(f"annotator {n}", _Http(address, f"annotator-{n}")) for n in range(count)]
            _wait_until_started(people[0].client)
            with training_beside(home, _MODEL):
                before = _sampled(home)
                until = time.monotonic() + seconds
                threads = [threading.Thread(target=person.work, args=(until,)) for person in people]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                sampled = _sampled(home) - before
            for person in people:
                person.client.close()
        _compare(home, people)
    times = sorted(t for person in people for t in person.times_ms)
    if len(times) < 2:
        raise RuntimeError("nobody has judged anything")
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"{count} annotators, {seconds:.0f} s: {len(times)} judgements, {sampled} prompts sampled meanwhile; "
        f"submit and next: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms"
    )


def _prepared() -> Iterator[ImportedPrompt]:
    """Demo prompts with made-up answers, so that what is measured is never the model."""
    for prompt in demo_prompts(load_demos())[:_PREPARED]:
        candidates = tuple(
            CandidateRecord(f"Answer {n} to prompt {prompt.key[:8]}.", "none", None, n, "{}", 8, "stop")
            for n in range(CANDIDATES)
        )
        yield ImportedPrompt(prompt, candidates)


def _wait_until_started(client: _Http) -> None:
    """Until the catalogues are indexed and the model is loaded, which is another measurement."""
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        indexed = all(catalog["embedder"] for catalog in client.call("catalogs"))
        if indexed and client.call("models")[0]["ready"]:
            return
        time.sleep(1)
    raise RuntimeError("the app was not ready within 15 minutes")


def _sampled(home: Path) -> int:
    with AnnotationStore(home / "annotations.db") as store:
        return store.judgements.counts().sampled


def _compare(home: Path, people: list[_Annotator]) -> None:
    """Raise RuntimeError unless the store holds exactly what they were told."""
    problems = [problem for person in people for problem in person.problems]
    if problems:
        raise RuntimeError(f"{len(problems)} requests failed, the first with: {problems[0]}")
    told = [one for person in people for one in person.told]
    with AnnotationStore(home / "annotations.db") as store:
        ratings = [rating.judgement for _, rating in store.snapshot().ratings()]
        rows = sum(1 for _ in store.log())
    stored = {(j.id, j.task_id, j.annotator, j.best or "", j.worst or "") for j in ratings}
    lost, unknown = set(told) - stored, stored - set(told)
    twice = len(told) - len({(task, name) for _, task, name, _, _ in told})
    if lost or unknown or twice or rows != len(told):
        raise RuntimeError(
            f"{len(lost)} judgements lost or changed, {len(unknown)} that nobody was told of, "
            f"{twice} tasks given twice, {rows} rows for {len(told)} judgements"
        )
    print(f"{len(told)} judgements were told and stored: none lost, none twice, none under another name")
