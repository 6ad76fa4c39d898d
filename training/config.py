"""What a DPO run can be told, with defaults that are right for a few dozen pairs and a small model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from recsys.llm.adapters import check_adapter_name
from training.errors import TrainingConfigError

Dtype = Literal["auto", "bf16", "fp32"]


class DpoConfig(BaseModel):
    """Settings of one DPO run. Each description is the line shown under the field in the form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        default="smollm2-135m-instruct",
        min_length=1,
        max_length=1000,
        description="The base model: an embedded model, a path to a GGUF file, or hf:org/name.",
    )
    name: str | None = Field(
        default=None, description="What the adapter is called; left empty, model, kind and time."
    )
    epochs: int = Field(default=3, ge=1, le=100, description="How often each pair is seen.")
    max_steps: int | None = Field(
        default=None, ge=1, le=1_000_000, description="End after this many steps, whatever the epochs say."
    )
    learning_rate: float = Field(
        default=5e-5,
        gt=0,
        le=1e-2,
        allow_inf_nan=False,
        description="Size of the steps; too high, and the answers fall apart.",
    )
    beta: float = Field(
        default=0.1,
        gt=0,
        le=10,
        allow_inf_nan=False,
        description="How strongly the model is held to where it started; higher holds it closer.",
    )
    batch_size: int = Field(default=4, ge=1, le=256, description="Pairs in memory at once.")
    gradient_accumulation: int = Field(
        default=1, ge=1, le=256, description="Batches added up before each step."
    )
    lora_r: int = Field(default=16, ge=1, le=256, description="Rank of the adapter: its capacity and size.")
    lora_alpha: int = Field(
        default=32, ge=1, le=1024, description="Scale of the adapter; twice the rank is usual."
    )
    lora_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the adapter's inputs dropped at random while training."
    )
    max_length: int = Field(
        default=1024,
        ge=64,
        le=32_768,
        description="Tokens of prompt and answer together; longer answers are cut, longer prompts left out.",
    )
    held_out: float = Field(
        default=0.1, ge=0, le=0.5, description="Share of the prompts kept aside to measure accuracy on."
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="Same seed and data, same result.")
    dtype: Dtype = Field(
        default="auto", description="Number format; auto takes bf16 where the processor is fast at it."
    )
    save_steps: int = Field(default=50, ge=1, description="Steps between two checkpoints.")
    warmup: float = Field(
        default=0.1, ge=0, le=0.5, description="Share of the steps in which the learning rate rises."
    )

    @field_validator("name")
    @classmethod
    def _usable_name(cls, name: str | None) -> str | None:
        return check_adapter_name(name) if name else None


def parse_config(values: Mapping[str, object]) -> DpoConfig:
    """A config from a form, a request or the command line.

    Raises TrainingConfigError that names every field at fault, and InputError for an adapter name
    that cannot be one.
    """
    try:
        return DpoConfig.model_validate(dict(values))
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors())
        raise TrainingConfigError(problems="; ".join(problems)) from error
