"""Synthesis jobs of one home folder, each a process of its own that outlives page and app.

    store = JobStore(settings)
    name = store.start(config)
    store.progress(name).state

A job's folder holds everything (see `recsys.synthesis.job`); `job.log` is what its process printed.
"""

from __future__ import annotations

import re
import secrets
import sys
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from recsys.errors import InputError
from recsys.files import write_whole
from recsys.job_folders import JobFolders
from recsys.llm.pool import ModelPool
from recsys.settings import Settings
from recsys.synthesis.config import SynthesisConfig, parse_config
from recsys.synthesis.job import Progress
from recsys.synthesis.report import Report

_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_KILLED = "Its process was killed. Run it again: it goes on from what is finished."


class JobStore:
    """Jobs by name, newest first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.root = settings.paths.datasets
        self._folders = JobFolders(self.root, _NAME, "job")

    def names(self) -> list[str]:
        """All jobs, newest first."""
        return self._folders.names()

    def folder(self, name: str) -> Path:
        """Where a job's files are; raises InputError for a name that is no job's."""
        return self._folders.folder(name)

    def start(self, config: SynthesisConfig, name: str = "") -> str:
        """Start a job and return its name; raises ConflictError while another one runs.

        In the folder of the job called `name`, where one is given: what its finished rows have in
        common with the new configuration is kept, all of them where only the number of examples differs.
        A configuration from a page names a model of the app's list, or UnknownModelError is raised.
        """
        if "model" in (config.responses, config.queries):
            ModelPool(self._settings).check_reference(config.teacher.model)
        with self._folders.lock:
            self._folders.refuse_second(self._at_work)
            if not name:
                name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
                (self.root / name).mkdir()
            folder = self.folder(name)
            write_whole(folder / "request.json", config.model_dump_json(indent=1).encode())
            self._launch(folder)
        return name

    def resume(self, name: str) -> None:
        """Let a job that stopped go on from its finished rows; nothing happens to one that runs."""
        folder = self.folder(name)
        with self._folders.lock:
            if self._folders.process(folder) is None:
                self._folders.refuse_second(self._at_work)
                self._launch(folder)

    def stop(self, name: str, *, wait_s: float = 0.0) -> None:
        """Ask a job to end after the rows in work; finished rows stay."""
        self._folders.stop(self.folder(name), wait_s)

    def running(self) -> str | None:
        """The job that runs, if one does."""
        return self._folders.running()

    def progress(self, name: str) -> Progress:
        """How far the job is. One whose process is gone without a word is `failed`."""
        folder = self.folder(name)
        alive = self._folders.process(folder) is not None  # before reading: it may end in between
        try:
            found = Progress.model_validate_json((folder / "progress.json").read_bytes())
        except (OSError, ValidationError):
            found = Progress()
        if found.state == "running" and not alive:
            if self._folders.asked_to_stop(folder):
                return found.model_copy(update={"state": "stopped", "stage": "stopped"})
            return found.model_copy(
                update={"state": "failed", "error": self._folders.last_words(folder) or _KILLED}
            )
        return found

    def config(self, name: str) -> SynthesisConfig:
        """What the job was asked; raises InputError where the file is damaged."""
        path = self.folder(name) / "request.json"
        try:
            return SynthesisConfig.model_validate_json(path.read_bytes())
        except OSError as error:
            raise InputError(reason=f"{path.name} of {name} cannot be read: {error.strerror}.") from error
        except ValidationError:
            return parse_config(None, path.name)

    def report(self, name: str) -> Report | None:
        """What the job obtained, once it is done."""
        try:
            return Report.model_validate_json((self.folder(name) / "report.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def files(self, name: str) -> list[Path]:
        """The finished files, for downloading."""
        wanted = ("train.jsonl", "train.parquet", "test.jsonl", "test.parquet", "preference.jsonl")
        folder = self.folder(name)
        return [folder / file for file in (*wanted, "README.md", "report.json") if (folder / file).exists()]

    def prompts(self, name: str) -> Path | None:
        """The file of a finished job's held-out prompts, where it has any."""
        path = self.folder(name) / "preference.jsonl"
        return path if self.report(name) and path.exists() and path.stat().st_size else None

    def _at_work(self, name: str) -> bool:
        return self.progress(name).state == "running"

    def _launch(self, folder: Path) -> None:
        command = [sys.executable, "-m", "recsys", "synthesize", "--config", str(folder / "request.json")]
        command += ["--out", str(folder), "--home", str(self._settings.paths.home)]
        (folder / "progress.json").unlink(missing_ok=True)
        self._folders.launch(folder, command, {"ZEROSHELF_MODEL": self._settings.model})
