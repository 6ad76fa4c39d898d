"""`python -m recsys evaluate`, `reports` and `compare`: the evaluation in a terminal."""

from __future__ import annotations

import signal
import sys
import threading
import time

from recsys.errors import ConflictError
from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.perform import Step, perform
from recsys.evaluation.report import Difference, MethodResult, Report
from recsys.evaluation.request import EvaluationRequest
from recsys.evaluation.run import EvaluationStopped
from recsys.evaluation.store import ReportStore, compare_reports
from recsys.settings import Settings

_EVERY_S = 5.0


def run_evaluation(request: EvaluationRequest, settings: Settings, *, as_json: bool) -> None:
    """Evaluate, save the report and print it; with `as_json` the last line is the report as JSON.

    Ctrl-C ends it after the user in work, with a report of the methods that are finished.
    """
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda signum, frame: _ask_to_stop(stop))
    try:
        done = perform(request, settings, _Lines(stop), _say_cases, typed=True)
    except EvaluationStopped:
        raise ConflictError(reason="Stopped before any method was finished.") from None
    finally:
        signal.signal(signal.SIGINT, before)
    name = ReportStore(settings.paths.evaluations).save(done.saved, done.candidates)
    report = done.saved.report
    print("\n".join(table(report)))
    print(f"saved as {name}")
    if as_json:
        print(report.model_dump_json(by_alias=True))


def list_reports(settings: Settings) -> None:
    """Print the saved reports, the newest first."""
    store = ReportStore(settings.paths.evaluations)
    for name in store.names():
        report = store.load(name).report
        print(f"{name}: {report.users} users, {len(report.methods)} methods, model {report.model or 'none'}")


def print_comparison(settings: Settings, first: str, second: str) -> None:
    """Print the difference of two saved reports, method by method."""
    store = ReportStore(settings.paths.evaluations)
    for method, found in compare_reports(store.load(first), store.load(second)).items():
        print(f"{method:26} {_difference(found)}")


def table(report: Report) -> list[str]:
    """The report as lines of text, the best NDCG@10 first."""
    head = f"{'method':26} {'NDCG@10':>24} {'HR@10':>7} {'HR@50':>7} {'MRR':>7} {'median':>7}  "
    lines = [head + "default minus it"]
    for result in sorted(report.methods, key=lambda one: -one.ndcg_10):
        lines.append(_line(result))
    lines.append("* learns from other users of this catalogue: not zero-shot")
    return lines


def _line(result: MethodResult) -> str:
    low, high = result.intervals["ndcg@10"]
    name = result.method + ("" if result.zero_shot else "*")
    numbers = f"{result.hr_10:7.3f} {result.hr_50:7.3f} {result.mrr:7.4f} {result.median_rank:7.0f}"
    against = _difference(result.against_default) if result.against_default else ""
    return f"{name:26} {result.ndcg_10:8.4f} [{low:.4f}, {high:.4f}] {numbers}  {against}"


def _difference(found: Difference) -> str:
    low, high = found.interval
    return f"{found.difference:+.4f} [{low:+.4f}, {high:+.4f}] p={found.p:.4f} Holm {found.p_holm:.4f}"


def _ask_to_stop(stop: threading.Event) -> None:
    if stop.is_set():
        raise KeyboardInterrupt
    _say("Stopping after the user in work. Once more: at once.")
    stop.set()


def _say_cases(data: EvaluationData) -> None:
    _say(f"{data.name}: {len(data.cases)} users, {len(data.items)} items; {data.protocol}")
    for note in data.notes:
        _say(f"note: {note}")


class _Lines:
    """Prints a line when the stage or the method changes, and every few seconds."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._at = ("", "")
        self._printed = 0.0

    def __call__(self, step: Step) -> None:
        if self._stop.is_set():
            raise EvaluationStopped
        at = (step.stage, step.method)
        if at != self._at or time.monotonic() - self._printed > _EVERY_S or step.done == step.total > 0:
            self._at, self._printed = at, time.monotonic()
            count = f": {step.done:,} of {step.total:,}" if step.total else ""
            _say(f"{step.method or step.stage}{count}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
