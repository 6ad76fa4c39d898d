"""What `synthesize` is to do, as a TOML or JSON file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from recsys.domains.histories import HistoryRules
from recsys.domains.positive import PositiveRule
from recsys.domains.registry import DATASETS
from recsys.errors import InputError
from recsys.prompts.templates import Form, Situation
from recsys.synthesis.mixture import RECIPE, counts
from recsys.synthesis.quality import QualityRules

Language = Literal["en", "ko"]
TeacherName = Literal["attributes", "plain", "model"]
QueryTeacherName = Literal["attributes", "model"]

_HELD_OUT_LIMIT = 100_000
CATALOG = "catalog"
"""The dataset that is anybody's own."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceConfig(_Data):
    """One dataset: `path` is a folder, an archive or a file. `share` is the recipe's where it is left out;
    `positive`, written like `rating>=3.5`, is the dataset's own rule.

    `name`, which the job gives, is what rows record: the dataset's, or of further catalogues `catalog-2`
    and so on.
    and so on.
    """

    dataset: str
    path: Path
    name: str = ""
    positive: PositiveRule | None = None
    share: float | None = Field(default=None, gt=0.0)


class ListwiseRules(_Data):
    """Candidates of a listwise example, the target included; `hard` is the share of the others that is
    retrieved as similar to the target, the rest is drawn from the whole catalogue."""

    candidates: int = Field(default=5, ge=2, le=20)
    hard: float = Field(default=0.5, ge=0.0, le=1.0)


class ModelTeacherConfig(_Data):
    """Which model answers, and how: sampled answers that are rejected are drawn again `attempts` times.

    The small embedded models leave the subject at higher temperatures.
    """

    model: str = ""
    temperature: float = Field(default=0.5, ge=0.0, le=2.0)
    max_tokens: int = Field(default=160, ge=16, le=1024)
    attempts: int = Field(default=3, ge=1, le=10)


class SynthesisConfig(_Data):
    """A whole job. Two jobs of one configuration on the same files write the same rows.

    `examples` are training rows; `preference` prompts and `test` rows are held out beside them.
    Weights of situations, forms and languages are relative. `tokenizer` names the model whose tokens
    the quality score counts (a known model or a GGUF file). A `preview` writes training rows only: the
    held-out rows are set aside all the same, so that the job proper goes on from it.
    """

    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    examples: int = Field(default=600_000, ge=1)
    preference: int = Field(default=1_000, ge=0, le=_HELD_OUT_LIMIT)
    test: int = Field(default=1_000, ge=0, le=_HELD_OUT_LIMIT)
    seed: int = Field(default=0, ge=0, lt=2**32)
    situations: dict[Situation, float] = {"passive": 0.5, "active": 0.5}
    forms: dict[Form, float] = {"direct": 0.5, "listwise": 0.5}
    languages: dict[Language, float] = {"en": 0.5, "ko": 0.5}
    histories: HistoryRules = HistoryRules()
    listwise: ListwiseRules = ListwiseRules()
    quality: QualityRules = QualityRules()
    tokenizer: str = "gemma-3-270m"
    responses: TeacherName = "attributes"
    queries: QueryTeacherName = "attributes"
    teacher: ModelTeacherConfig = ModelTeacherConfig()
    shard_rows: int | None = Field(default=None, ge=1, le=100_000)
    preview: bool = False

    @field_validator("sources")
    @classmethod
    def _named(cls, sources: tuple[SourceConfig, ...]) -> tuple[SourceConfig, ...]:
        if len({(source.dataset, source.path) for source in sources}) < len(sources):
            raise ValueError("a source is named twice")
        named, catalogs = [], 0
        for source in sources:
            catalogs += source.dataset == CATALOG
            again = source.dataset == CATALOG and catalogs > 1
            name = f"{CATALOG}-{catalogs}" if again else source.dataset
            named.append(source.model_copy(update={"name": name}))
        return tuple(named)

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError("a dataset is named twice; only catalogues of your own can be several")
        if unknown := {source.dataset for source in self.sources} - DATASETS.keys():
            raise ValueError(f"unknown datasets {sorted(unknown)}; there are {', '.join(DATASETS)}")
        for source in self.sources:
            if source.positive:
                _check_positive(source, source.positive)
        for weights in (self.situations, self.forms, self.languages):
            if (
                not weights
                or any(not weight >= 0 for weight in weights.values())
                or not sum(weights.values())
            ):
                raise ValueError("weights are 0 or more, and not all 0")
        return self

    @property
    def rows_per_shard(self) -> int:
        """Rows that are written, and lost at most when the job is killed, at a time."""
        by_model = "model" in (self.responses, self.queries)
        return self.shard_rows or (48 if by_model else 1_000)

    def shares(self) -> dict[str, float]:
        """The weight of each source; one of no known share counts as the mean of the others."""
        given = {s.name: s.share or RECIPE.get(s.dataset, 0.0) for s in self.sources}
        known = [share for share in given.values() if share]
        mean = sum(known) / len(known) if known else 1.0
        return {name: share or mean for name, share in given.items()}

    def wanted(self, total: int) -> dict[str, int]:
        """`total` rows divided among the sources."""
        return counts(self.shares(), total)

    def fingerprint(self, *states: str) -> str:
        """SHA-256 (hex, 16 letters) of what decides the rows; `states` identify the source files.

        The number of training examples is left out: more of them are more of the same rows.
        """
        content = [self.model_dump(mode="json", exclude={"examples", "preview"}), *states]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _check_positive(source: SourceConfig, rule: PositiveRule) -> None:
    try:
        rule.check(source.dataset, DATASETS[source.dataset].signals)
    except InputError as error:
        raise ValueError(str(error)) from error


def read_config(path: Path) -> SynthesisConfig:
    """The configuration in a .toml or .json file; its relative paths start at the file's folder.

    Raises InputError with the first thing that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise InputError(reason=f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(reason=f"{path} is not a {path.suffix or 'TOML'} file: {error}.") from error
    config = parse_config(data, str(path))
    found = [s.model_copy(update={"path": (path.parent / s.path).resolve()}) for s in config.sources]
    return config.model_copy(update={"sources": tuple(found)})


def parse_config(data: object, name: str) -> SynthesisConfig:
    """Check a configuration; raises InputError, where `name` says what was read."""
    try:
        return SynthesisConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise InputError(reason=f"{name}, {where}: {first['msg']}.") from error
