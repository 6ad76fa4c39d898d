"""What a training run can be told: one typed config a method, with a shared base.

Each description is the line shown under the field in the form and by `python -m training sft --help`.
The defaults suit a small model and a few dozen to a few thousand rows; `training.suggestions` changes
some for the size of the model and the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from recsys.llm.adapters import check_adapter_name
from training.errors import TrainingConfigError

Kind = Literal["sft", "dpo"]
Dtype = Literal["auto", "bf16", "fp32"]
Switch = Literal["auto", "on", "off"]
Loss = Literal["sigmoid", "robust", "ipo", "sigmoid_norm", "sigmoid+sft"]


class TrainingConfig(BaseModel):
    """What SFT and DPO have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[Kind]
    """Which method this is; part of the class, not of its values."""

    model: str = Field(
        default="smollm2-135m-instruct",
        min_length=1,
        max_length=1000,
        description="The base model: an embedded model, a path to a GGUF file, or hf:org/name.",
    )
    parent: str | None = Field(
        default=None, description="An adapter of this base model to go on from; empty starts from the base."
    )
    name: str | None = Field(
        default=None, description="What the adapter is called; left empty, model, kind and time."
    )
    method: Literal["lora", "qlora"] = Field(
        default="lora",
        description="lora trains an adapter; qlora also keeps the base in 4 bits (NF4), for small GPUs.",
    )
    epochs: int = Field(default=3, ge=1, le=100, description="How often each row is seen.")
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
    batch_size: int = Field(default=4, ge=1, le=256, description="Rows in memory at once.")
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
        default=0.1, ge=0, le=0.5, description="Share of the prompts kept aside to measure on, 500 at most."
    )
    eval_steps: int = Field(
        default=50,
        ge=0,
        description="Steps between two measurements on the held-out rows; 0: only at the end.",
    )
    samples: bool = Field(
        default=True,
        description="Answer the fixed prompts before training, at each measurement and after it.",
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="Same seed and data, same result.")
    dtype: Dtype = Field(
        default="auto", description="Number format; auto takes bf16 where the processor is fast at it."
    )
    gradient_checkpointing: Switch = Field(
        default="auto",
        description="Saves memory and costs time, as layers are computed twice; auto: on a GPU only.",
    )
    fast_path: bool = Field(
        default=True,
        description="On a CPU: same losses several times as fast; off, TRL's trainer runs as it is.",
    )
    save_steps: int = Field(default=50, ge=1, description="Steps between two checkpoints.")
    warmup: float = Field(
        default=0.1, ge=0, le=0.5, description="Share of the steps in which the learning rate rises."
    )
    report_to: Literal["none", "tensorboard"] = Field(
        default="none", description="Also write TRL's own logs, for TensorBoard, into the run's folder."
    )
    processes: int = Field(
        default=1, ge=1, le=1024, description="Training processes in all, one a GPU; accelerate starts them."
    )
    zero: Literal["off", "zero2", "zero3"] = Field(
        default="off",
        description="DeepSpeed: zero2 splits gradients and optimiser among the processes, zero3 weights too.",
    )

    @field_validator("name", "parent")
    @classmethod
    def _usable_name(cls, name: str | None) -> str | None:
        return check_adapter_name(name) if name else None


class SftConfig(TrainingConfig):
    """Settings of one SFT run: the model learns to write the answers of instruction rows."""

    kind: ClassVar[Kind] = "sft"

    method: Literal["lora", "qlora", "full"] = Field(  # type: ignore[assignment]  # one more than the base
        default="lora",
        description="lora trains an adapter, qlora over a base in 4 bits (NF4), full all weights.",
    )
    epochs: int = Field(default=1, ge=1, le=100, description="How often each row is seen.")
    learning_rate: float = Field(
        default=2e-4,
        gt=0,
        le=1e-2,
        allow_inf_nan=False,
        description="Size of the steps; too high, and the answers fall apart.",
    )
    batch_size: int = Field(default=8, ge=1, le=256, description="Rows in memory at once.")
    packing: Switch = Field(
        default="auto",
        description="Several rows in one sequence without padding; auto: on a GPU, where it helps.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.method == "full" and self.parent is not None:
            raise ValueError("full training starts from the base; leave parent empty or choose lora")
        return self


class DpoConfig(TrainingConfig):
    """Settings of one DPO run: the model learns to prefer the chosen answer to the rejected one."""

    kind: ClassVar[Kind] = "dpo"

    beta: float = Field(
        default=0.1,
        gt=0,
        le=10,
        allow_inf_nan=False,
        description="How strongly the model is held to where it started; higher holds it closer.",
    )
    loss: Loss = Field(
        default="sigmoid",
        description="sigmoid is plain DPO; robust: noisy tags; ipo: few tags, no overfitting; "
        "sigmoid_norm: no bias to length; sigmoid+sft also keeps the chosen answers likely.",
    )
    label_smoothing: float = Field(
        default=0.1, ge=0, lt=0.5, description="With robust: the share of tags expected to be wrong."
    )
    sft_weight: float = Field(
        default=1.0,
        gt=0,
        le=100,
        allow_inf_nan=False,
        description="With sigmoid+sft: weight of the SFT term.",
    )
    precompute_reference: Switch = Field(
        default="auto",
        description="Ask the reference model once, before training; auto: when that is less work.",
    )
    near_identical: float = Field(
        default=0.95,
        gt=0,
        le=1,
        description="Pairs whose answers are at least this alike (1: the same) are left out.",
    )
    max_score: float = Field(
        default=15.0, gt=0, description="Pairs with an answer that repeats itself this much are left out."
    )


_KINDS: dict[str, type[TrainingConfig]] = {"sft": SftConfig, "dpo": DpoConfig}


def config_class(kind: str) -> type[TrainingConfig]:
    """The config of a method; raises TrainingConfigError."""
    if kind not in _KINDS:
        raise TrainingConfigError(problems=f"kind: {kind!r} is neither sft nor dpo")
    return _KINDS[kind]


def parse_config(values: Mapping[str, object], kind: str = "dpo") -> TrainingConfig:
    """A config from a form, a request or the command line.

    Raises TrainingConfigError that names every field at fault, and InputError for an adapter name
    that cannot be one.
    """
    try:
        return config_class(kind).model_validate(dict(values))
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors())
        raise TrainingConfigError(problems="; ".join(problems)) from error


def read_config(kind: str, data: bytes) -> TrainingConfig:
    """The config of a run's folder, as JSON; raises pydantic's ValidationError."""
    return config_class(kind).model_validate_json(data)


def trains_all(config: TrainingConfig) -> bool:
    """Whether all weights train, so that a model comes out instead of an adapter."""
    return isinstance(config, SftConfig) and config.method == "full"


def changed_values(config: TrainingConfig) -> dict[str, Any]:
    """The settings that differ from their defaults, by field."""
    fields = type(config).model_fields
    return {name: value for name, value in config.model_dump().items() if value != fields[name].default}
