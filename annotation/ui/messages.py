"""What the server tells the board: its messages as JSON, in the visitor's language."""

from __future__ import annotations

from typing import Literal, TypedDict

from annotation.activity import Pace
from annotation.history import HistoryPage, Origin, PastJudgement
from annotation.records import Kind, Progress, PromptRecord, State, Task
from recsys.demos import DOMAINS
from recsys.i18n import duration, text

_ABOUT_CHARS = 160
_CHOSEN_CHARS = 200


class CandidateMessage(TypedDict):
    """One card; `marks` say what is wrong with the answer, and nothing says which model wrote it."""

    id: str
    text: str
    marks: list[str]


class TaskMessage(TypedDict):
    """The prompt in its parts; `key` differs for every task and annotator."""

    key: str
    task_id: str
    state: State
    language: str
    system: str
    tags: list[str]
    source: str
    target: str
    heading: str
    history: list[str]
    ask: str
    query: str
    listwise: bool
    candidates: list[CandidateMessage]
    best: str | None
    worst: str | None


class ProgressMessage(TypedDict):
    """`done` and `total` in prompts; `pace` and `left` are phrases, empty while there is no pace."""

    done: int
    total: int
    today: int
    pace: str
    left: str


class BoardMessage(TypedDict):
    """All that the board shows: `said` is read out, `notice` is an error, both may be empty."""

    kind: Literal["board"]
    serial: int
    words: dict[str, str]
    task: TaskMessage | None
    progress: ProgressMessage | None
    waiting: bool
    revising: bool
    said: str
    notice: str


class PastMessage(TypedDict):
    """One line of "my judgements"; `created` is UTC, ISO 8601."""

    task_id: str
    kind: Kind
    created: str
    revisions: int
    about: str
    best: str
    worst: str
    reason: str


class MineMessage(TypedDict):
    """Some of the annotator's own judgements, the latest first."""

    kind: Literal["mine"]
    serial: int
    offset: int
    total: int
    items: list[PastMessage]


class GuidelinesMessage(TypedDict):
    """The guidelines as Markdown."""

    kind: Literal["guidelines"]
    serial: int
    text: str


def task_message(task: Task, annotator: str, words: str) -> TaskMessage:
    """The task as its annotator reads it; `words` is the interface's language."""
    prompt = task.prompt
    source, target = (_domain(name, words) for name in (prompt.source_domain, prompt.target_domain))
    route = " → ".join(dict.fromkeys(filter(None, (source, target))))
    kind = text(words, f"annotate_{prompt.situation}"), text(words, f"annotate_{prompt.form}")
    return {
        "key": f"{annotator}/{task.id}",
        "task_id": task.id,
        "state": task.state,
        "language": prompt.language,
        "system": prompt.system,
        "tags": [*filter(None, [route]), *kind],
        "source": source,
        "target": target,
        "heading": prompt.heading,
        "history": list(prompt.history),
        "ask": prompt.ask,
        "query": prompt.query,
        "listwise": prompt.form == "listwise",
        "candidates": [
            {"id": c.id, "text": c.text, "marks": [text(words, _mark_key(mark)) for mark in c.marks]}
            for c in task.candidates
        ],
        "best": task.best,
        "worst": task.worst,
    }


def progress_message(progress: Progress, pace: Pace, words: str) -> ProgressMessage:
    """How far the annotator is, with their own pace and the estimated time left in words."""
    each, eta = pace.seconds_per_prompt, pace.eta_s
    return {
        "done": progress.done,
        "total": progress.total,
        "today": pace.today,
        "pace": "" if each is None else text(words, "annotate_pace", time=duration(each, words)),
        "left": "" if not eta else text(words, "annotate_left", time=duration(eta, words)),
    }


def past_message(past: PastJudgement) -> PastMessage:
    """One of the annotator's own judgements, shortened to a few lines."""
    judgement = past.judgement
    return {
        "task_id": judgement.task_id,
        "kind": judgement.kind,
        "created": judgement.created,
        "revisions": past.revisions,
        "about": _shortened(_about(past.prompt), _ABOUT_CHARS),
        "best": _shortened(past.best_text, _CHOSEN_CHARS),
        "worst": _shortened(past.worst_text, _CHOSEN_CHARS),
        "reason": judgement.reason,
    }


def mine_message(page: HistoryPage, serial: int) -> MineMessage:
    """A page of the annotator's own judgements."""
    items = [past_message(past) for past in page.items]
    return {"kind": "mine", "serial": serial, "offset": page.offset, "total": page.total, "items": items}


def origins_phrase(origins: tuple[Origin, ...], best: str, worst: str, words: str) -> str:
    """Which models wrote the two answers that were chosen; empty when that is not to be told."""
    names = {o.candidate_id: f"{o.model}+{o.adapter}" if o.adapter else o.model for o in origins}
    if best not in names or worst not in names:
        return ""
    return text(words, "annotate_revealed", best=names[best], worst=names[worst])


def _domain(name: str, words: str) -> str:
    return text(words, f"domain_{name}") if name in DOMAINS else name


def _mark_key(mark: str) -> str:
    return f"annotate_mark_{mark.replace(' ', '_')}"


def _about(prompt: PromptRecord) -> str:
    return prompt.query or " · ".join(line.removeprefix("- ") for line in prompt.history) or prompt.ask


def _shortened(words: str, limit: int) -> str:
    plain = " ".join(words.split())
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"
