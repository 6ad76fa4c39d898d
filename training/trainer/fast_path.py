"""TRL's trainers with the parts replaced that hold them back on a CPU; losses, logs and checkpoints stay.

    FastSftTrainer, FastDpoTrainer     batches of equal length, the head at the answers' positions only
    FastDpoTrainer                     also evaluates the prompt of a pair once

The model's forward is replaced only for the call that TRL's losses make (`fused_lm_head=True`), and
gives the same `FusedCausalLMOutput`. Imports torch and TRL.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Any

import torch
from peft import PeftModel
from peft.helpers import disable_input_dtype_casting
from torch import Tensor
from transformers import PreTrainedModel
from trl import SFTTrainer
from trl.trainer.utils import FusedCausalLMOutput

from training.trainer.fast_head import fast_log_probs
from training.trainer.length_groups import LengthGroups
from training.trainer.reference import ReferenceFirstTrainer, pair_lengths
from training.trainer.shared_prompts import SharedRows, share_prompts

_NOT_MEASURED = ("mean_token_accuracy", "logits/chosen", "logits/rejected")
"""Metrics that need every logit; the fast head does without, so they are not logged."""

_SCALES = (
    "final_logit_softcapping",
    "logit_scale",
    "output_multiplier",
    "lm_head_multiplier",
    "logits_scaling",
)
"""What some architectures do to their logits, by its name in the config; left to TRL."""


class FastSftTrainer(SFTTrainer):  # type: ignore[misc]  # mypy does not read TRL
    """SFTTrainer for a CPU."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        speed_up(self.model, shared_prompts=False)

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroups:
        rows = self.train_dataset if train_dataset is None else train_dataset
        return _groups(self, [len(ids) for ids in rows["input_ids"]])

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """As TRL does, without what the fast head does not measure."""
        _forget(self._metrics)
        super().log(logs, start_time)


class FastDpoTrainer(ReferenceFirstTrainer):
    """DPOTrainer for a CPU."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        speed_up(self.model, shared_prompts=True)

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
        speed_up(self.model, shared_prompts=True)  # DPOTrainer's __init__ computes them before it ends
        return super()._precompute_ref_logps(dataset, name, batch_size)

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroups:
        rows = self.train_dataset if train_dataset is None else train_dataset
        return _groups(self, pair_lengths(rows))

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """As TRL does, without what the fast head does not measure."""
        _forget(self._metrics)
        super().log(logs, start_time)


def speed_up(model: PreTrainedModel | PeftModel, *, shared_prompts: bool) -> None:
    """Put the fast forward in front of the fused one of TRL; nothing happens the second time."""
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    if hasattr(inner, "trl_forward"):
        return
    inner.trl_forward = inner.forward
    inner.shares_prompts = shared_prompts and inner.config._attn_implementation == "sdpa"
    inner.forward = types.MethodType(_fast_forward, inner)


def _fast_forward(
    self: Any, *args: Any, fused_lm_head: bool = False, labels: Tensor | None = None, **inputs: Any
) -> Any:
    if not fused_lm_head or labels is None or args or not _head_is_plain(self):
        if labels is not None:
            inputs["labels"] = labels
        return self.trl_forward(*args, fused_lm_head=fused_lm_head, **inputs)
    inputs["use_cache"] = False
    inputs.pop("num_items_in_batch", None)
    following = labels[:, 1:]
    mask = following != -100
    shared = None
    if self.shares_prompts:
        shared = share_prompts(inputs["input_ids"], inputs["attention_mask"], labels)
    # Under autocast the cast of an adapter's inputs to its fp32 would be undone at once by the product.
    with disable_input_dtype_casting(self, active=torch.is_autocast_enabled(mask.device.type)):
        if shared is None:
            hidden = self.base_model(**inputs).last_hidden_state[:, :-1][mask]
        else:
            hidden = _shared_states(self, shared)
    head = self.get_output_embeddings()
    scored = fast_log_probs(hidden, head.weight, following[mask])
    log_probs, entropy = (_placed(values, mask) for values in scored)
    nothing = torch.zeros_like(entropy)
    return FusedCausalLMOutput(
        log_probs=log_probs, entropy=entropy, mean_logits=nothing, is_top1=nothing.bool(), label_mask=mask
    )


def _placed(values: Tensor, mask: Tensor) -> Tensor:
    return values.new_zeros(mask.shape).masked_scatter(mask, values)


def _shared_states(model: Any, rows: SharedRows) -> Tensor:
    """The states that predict the answers' tokens, shape (tokens, width)."""
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    masks = {
        kind: rows.mask(config.sliding_window if kind == "sliding_attention" else None) for kind in kinds
    }
    mask: Any = masks if getattr(config, "layer_types", None) else masks["full_attention"]
    states: Tensor = model.base_model(
        input_ids=rows.input_ids, position_ids=rows.positions, attention_mask=mask, use_cache=False
    ).last_hidden_state
    return states.flatten(0, 1)[rows.sources]


def _head_is_plain(model: Any) -> bool:
    """Whether the head is a frozen matrix and nothing else, as in all models that are listed here."""
    config, head = model.config.get_text_config(), model.get_output_embeddings()
    return (
        head.bias is None
        and not head.weight.requires_grad
        and all(getattr(config, name, None) is None for name in _SCALES)
    )


def _groups(trainer: Any, lengths: Sequence[int]) -> LengthGroups:
    batch = trainer.args.train_batch_size * trainer.accelerator.num_processes
    return LengthGroups(lengths, batch, trainer.args.seed)


def _forget(metrics: dict[str, dict[str, Any]]) -> None:
    for part in metrics.values():
        for name in _NOT_MEASURED:
            part.pop(name, None)
