"""Annotation for one caller: the tab, HTTP and the command line all call this and nothing below it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from annotation.activity import Pace
from annotation.backup import check
from annotation.errors import AnnotatorNameError, PolicyError, StoreFileError, UnknownLanguageError
from annotation.export.judgements_csv import write_judgements
from annotation.history import FlaggedTask, HistoryPage, Origin
from annotation.pairs import PreferencePair, Strategy, pairs_from_store
from annotation.policy import Policy
from annotation.prompt_files import read_instructions, read_prompts
from annotation.quality.report import QualityReport, quality_report
from annotation.records import Counts, Judgement, Progress, StoredPrompt, Task
from annotation.sampling import CandidateSampler
from annotation.selection import ExportRules, Selection, select
from annotation.store import AnnotationStore
from annotation.tasks import demo_prompts
from recsys.demos import ASSETS, LANGUAGES, Demo, load_demos
from recsys.llm.base import Backend, Sampling
from recsys.settings import Settings

MAX_NAME_CHARS = 64


def annotator_name(name: str) -> str:
    """The name as it is stored: trimmed, in Unicode's composed form (macOS types Korean decomposed).

    Raises AnnotatorNameError unless it has 1 to 64 characters, none of them a control, a line
    separator or an invisible one that would make two names look alike.
    """
    name = unicodedata.normalize("NFC", name.strip())
    invisible = any(unicodedata.category(c)[0] == "C" or c in "\u2028\u2029" for c in name)
    if not 1 <= len(name) <= MAX_NAME_CHARS or invisible:
        raise AnnotatorNameError(limit=MAX_NAME_CHARS)
    return name


class AnnotationService:
    """What annotators do. Without a sampler only prompts that have candidates already are given out.

    Every method that takes an annotator raises AnnotatorNameError for an unusable name; ids are
    those of `Task` and `Candidate`. All raise StoreFileError or StoreBusyError when the disk fails.
    """

    def __init__(self, store: AnnotationStore, sampler: CandidateSampler | None = None) -> None:
        self.store = store
        self.sampler = sampler

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        backend: Callable[[], Backend] | None = None,
        *,
        models: Callable[[str], Backend] | None = None,
        languages: Collection[str] = LANGUAGES,
    ) -> Self:
        """The service over the home folder's store; it samples when it is given a `backend`.

        `models` gives the other models that a policy may name among the five. The file is checked
        first: StoreFileError says what is wrong with it, before anything is written to it.
        """
        path = settings.paths.annotations
        if path.exists() and (problem := next(check(path, quick=True), None)):
            raise StoreFileError(path=path, problem=problem)
        store = AnnotationStore(path)
        if backend is None:
            return cls(store)
        sampling = Sampling(max_tokens=settings.max_answer_tokens)
        ahead = settings.candidates_ahead
        sampler = CandidateSampler(
            store, backend, models=models, sampling=sampling, ahead=ahead, languages=languages
        )
        return cls(store, sampler)

    def add_demo_prompts(self, demos: Mapping[str, Demo] | None = None) -> int:
        """Store the prompts of the demo data (those that ship, unless given); how many were new."""
        return self.store.prompts.add(demo_prompts(load_demos() if demos is None else demos))

    def import_prompts(self, path: Path) -> int:
        """Store the prompts of a JSON Lines file, in its order, with the candidates and the known tags
        that they bring; how many were new.

        Raises PromptsFileError; then none of them is stored.
        """
        return self.store.prompts.import_all(read_prompts(path))

    def sample(
        self, limit: int | None = None, language: str | None = None, adapter: str | None = None
    ) -> Iterator[StoredPrompt]:
        """Sample candidates for prompts that have none, at most `limit`, and yield each prompt.

        Nothing without a model. Raises UnknownLanguageError and what the model raises.
        """
        if self.sampler is not None:
            self.sampler.adapter = adapter
            yield from self.sampler.sample(limit, _language(language))

    def next_task(self, annotator: str, language: str | None = None, *, wait_s: float = 60.0) -> Task | None:
        """The annotator's open task, or the next one; None when none is left.

        `language` ("en", "ko" or None for both) is that of the prompts. At once when candidates
        were sampled ahead; otherwise it waits up to `wait_s` seconds, then raises
        TaskNotReadyError. Also raises UnknownLanguageError, SamplingFailedError and
        LanguageNotWrittenError.
        """
        name, language = annotator_name(annotator), _language(language)
        task = self.store.assignments.next_task(name, language)
        if self.sampler is None:
            return task
        if task is None and self.sampler.ensure(name, language, timeout_s=wait_s):
            task = self.store.assignments.next_task(name, language)
        self.sampler.note(name, language)
        return task

    def task(self, task_id: str, annotator: str) -> Task:
        """A task that the annotator was shown, for looking back and revising: `judge` it again.

        Raises UnknownTaskError or TaskNotShownError.
        """
        name = annotator_name(annotator)
        self.store.activity.touch(task_id, name)
        return self.store.assignments.task(task_id, name)

    def judge(self, task_id: str, annotator: str, best: str, worst: str) -> Judgement:
        """Tag the best and the worst candidate of a task that was shown; again revises it.

        On the disk when it returns; the draft is over. Raises SameCandidateError, UnknownTaskError,
        UnknownCandidateError or TaskNotShownError.
        """
        return self.store.judgements.judge(task_id, annotator_name(annotator), best, worst)

    def skip(self, task_id: str, annotator: str, reason: str = "") -> Judgement:
        """Put a task aside. Raises UnknownTaskError, TaskNotShownError or ReasonTooLongError."""
        return self.store.judgements.skip(task_id, annotator_name(annotator), reason)

    def flag(self, task_id: str, annotator: str, reason: str) -> Judgement:
        """Say what is wrong with a task: it is given to nobody, gives no pairs, and is listed.

        `undo`, or judging it after all, takes the flag back. Raises FlagReasonError without a
        reason, UnknownTaskError, TaskNotShownError or ReasonTooLongError.
        """
        return self.store.judgements.flag(task_id, annotator_name(annotator), reason)

    def undo(self, annotator: str) -> Task | None:
        """Take back the latest judgement, skip or flag; its task, open again, or None if there is none."""
        return self.store.judgements.undo(annotator_name(annotator))

    def save_draft(self, task_id: str, annotator: str, best: str | None, worst: str | None) -> Task:
        """Keep a half-made choice (None: not chosen yet); `next_task` and `task` give it back.

        It survives reloads and restarts and is no judgement. Raises SameCandidateError,
        UnknownTaskError, UnknownCandidateError or TaskNotShownError.
        """
        return self.store.drafts.save(task_id, annotator_name(annotator), best, worst)

    def touch(self, task_id: str, annotator: str) -> None:
        """The annotator reads or types: call it every half minute at most while they do.

        It keeps their lease alive and lets their time count. Raises UnknownTaskError or TaskNotShownError.
        """
        self.store.activity.touch(task_id, annotator_name(annotator))

    def history(self, annotator: str, offset: int = 0, limit: int = 20) -> HistoryPage:
        """The annotator's own judgements, skips and flags that count, latest first, in pages.

        To revise one, get its `task`, and `judge`, `skip` or `flag` it; the rows before are kept.
        """
        return self.store.history.page(annotator_name(annotator), offset, limit)

    def origins(self, task_id: str, annotator: str) -> tuple[Origin, ...]:
        """Which model and adapter wrote each candidate; empty until the annotator has judged.

        Raises UnknownTaskError or TaskNotShownError.
        """
        return self.store.history.origins(task_id, annotator_name(annotator))

    def flagged(self) -> list[FlaggedTask]:
        """The tasks that are flagged now, with who flagged them and why."""
        return self.store.history.flagged()

    def pace(self, annotator: str, language: str | None = None, *, since: datetime | None = None) -> Pace:
        """The annotator's own figures and the estimated time left, in active seconds.

        `since` (with a time zone) is when their day began; by default midnight of this computer.
        Raises UnknownLanguageError.
        """
        name = annotator_name(annotator)
        since = since or datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        began = since.astimezone(UTC).isoformat(timespec="milliseconds")
        return self.store.activity.pace(name, self.store.assignments.left(name, _language(language)), began)

    def guidelines(self, language: str) -> str:
        """What annotators go by, as Markdown: `guidelines.LANGUAGE.md` beside the store, or ours.

        Raises UnknownLanguageError.
        """
        code = _language(language) or LANGUAGES[0]
        own = self.store.path.with_name(f"guidelines.{code}.md")
        file = own if own.is_file() else ASSETS / "guidelines" / f"{code}.md"
        return file.read_text(encoding="utf-8")

    def progress(self, annotator: str, language: str | None = None) -> Progress:
        """How far the annotator is. Raises UnknownLanguageError."""
        return self.store.judgements.progress(annotator_name(annotator), _language(language))

    def pairs(self, strategy: Strategy = "best-worst") -> list[PreferencePair]:
        """The pairs that all judgements imply. Raises UnknownStrategyError.

        Read over a connection of its own, so that a large export holds up no annotator.
        """
        return pairs_from_store(self.store.path, strategy)

    def selection(self, rules: ExportRules, against: Iterable[Path] = ()) -> Selection:
        """The rows under `rules`, and every judgement that gives none, with the reason.

        `against` are files whose instructions must not be trained on, such as a test split. Raises
        PromptsFileError.
        """
        contaminated = frozenset[str]().union(*(read_instructions(file) for file in against))
        return select(self.store.snapshot(), rules, contaminated=contaminated)

    def quality_report(self) -> QualityReport:
        """How far the judgements can be trusted; `annotation.quality.report` has it in words."""
        return quality_report(self.store.snapshot())

    def export_judgements(self, file: Path) -> int:
        """Write the whole log as CSV and return the number of its rows. Raises ExportFileError."""
        return write_judgements(self.store.log(), file)

    def policy(self) -> Policy:
        """How prompts are sampled and given out."""
        return self.store.policies.get()

    def set_policy(self, changes: Mapping[str, object]) -> Policy:
        """Change these fields of the policy, for everybody, from now on. Raises PolicyError."""
        try:
            policy = Policy.model_validate(self.policy().model_dump() | dict(changes))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise PolicyError(problem=f"{where}: {first['msg']}" if where else first["msg"]) from error
        self.store.policies.set(policy)
        return policy

    def counts(self) -> Counts:
        """How many prompts there are, how many have candidates, and who judged how many."""
        return self.store.judgements.counts()

    def close(self) -> None:
        """Stop sampling and close the store."""
        if self.sampler is not None:
            self.sampler.stop()
        self.store.close()


def _language(language: str | None) -> str | None:
    if not language:
        return None
    if language not in LANGUAGES:
        raise UnknownLanguageError(language=language, known=", ".join(LANGUAGES))
    return language
