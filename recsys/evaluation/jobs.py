"""The evaluations of one home folder: those that run, each a process of its own, and the saved reports.

    evaluations = EvaluationStore(settings)
    name = evaluations.start(request)
    evaluations.progress(name).state

An evaluation's folder holds everything (see `recsys.evaluation.job`); one that was made in a terminal has a
report only.
"""

from __future__ import annotations

import re
import secrets
import sys
from datetime import UTC, datetime

from pydantic import ValidationError

from recsys.errors import InputError
from recsys.evaluation.job import Progress
from recsys.evaluation.report import SavedReport
from recsys.evaluation.request import EvaluationRequest
from recsys.evaluation.store import ReportStore
from recsys.files import write_whole
from recsys.job_folders import JobFolders
from recsys.settings import Settings

_NAME = re.compile(r"\d{8}-\d{6}-[\w-]{1,60}")
_KILLED = "Its process was killed. Start it again; texts that it has embedded are kept."


class EvaluationStore:
    """Evaluations by name, newest first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.reports = ReportStore(settings.paths.evaluations)
        self._folders = JobFolders(settings.paths.evaluations, _NAME, "evaluation")

    def names(self) -> list[str]:
        """All evaluations, newest first."""
        return self._folders.names()

    def start(self, request: EvaluationRequest) -> str:
        """Start one and return its name; raises ConflictError while another one runs."""
        with self._folders.lock:
            self._folders.refuse_second(lambda name: self.progress(name).state == "running")
            name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{request.dataset}-{secrets.token_hex(2)}"
            folder = self._folders.root / name
            folder.mkdir()
            write_whole(folder / "request.json", request.model_dump_json(indent=1).encode())
            command = [sys.executable, "-m", "recsys", "evaluate-job", str(folder)]
            command += ["--home", str(self._settings.paths.home)]
            self._folders.launch(folder, command, {"ZEROSHELF_MODEL": self._settings.model})
        return name

    def stop(self, name: str, *, wait_s: float = 0.0) -> None:
        """Ask one to end after the user in work; methods that are finished are reported."""
        self._folders.stop(self._folders.folder(name), wait_s)

    def running(self) -> str | None:
        """The evaluation that runs, if one does."""
        return self._folders.running()

    def progress(self, name: str) -> Progress:
        """How far it is. One whose process is gone without a word is `failed`."""
        folder = self._folders.folder(name)
        alive = self._folders.process(folder) is not None  # before reading: it may end in between
        try:
            found = Progress.model_validate_json((folder / "progress.json").read_bytes())
        except (OSError, ValidationError):
            found = Progress()
        if found.state == "running" and not alive:
            if not (folder / "request.json").exists():  # made in a terminal
                return found.model_copy(update={"state": "done"})
            if self._folders.asked_to_stop(folder):
                return found.model_copy(update={"state": "stopped", "eta_s": None})
            error = self._folders.last_words(folder) or _KILLED
            return found.model_copy(update={"state": "failed", "eta_s": None, "error": error})
        return found

    def request(self, name: str) -> EvaluationRequest | None:
        """What was asked; None of one that was made in a terminal."""
        try:
            text = (self._folders.folder(name) / "request.json").read_bytes()
            return EvaluationRequest.model_validate_json(text)
        except (OSError, ValidationError):
            return None

    def report(self, name: str) -> SavedReport | None:
        """The report, once there is one. Raises InputError for an unknown name, DataError for damage."""
        self._folders.folder(name)
        return self.reports.load(name) if name in self.reports.names() else None

    def finished(self, name: str) -> SavedReport:
        """The report; raises InputError where there is none yet."""
        found = self.report(name)
        if found is None:
            raise InputError(reason=f"The evaluation {name} has no report yet.")
        return found
