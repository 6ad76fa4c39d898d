"""The model that a run trains: the base in the wanted format, with a new adapter, one to go on from, or none.

Imports torch, transformers and PEFT.
"""

from __future__ import annotations

from pathlib import Path

import torch
from accelerate import PartialState
from bitsandbytes.nn import Linear4bit
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel

from training.config import TrainingConfig, trains_all
from training.trainer.base_weights import load_base
from training.trainer.hardware import training_dtype


def load_trainable(config: TrainingConfig, base: Path, parent: Path | None) -> PreTrainedModel | PeftModel:
    """The model to hand to TRL. `base` is a folder from `base_weights`, `parent` a PEFT folder.

    With a parent it is the PeftModel whose adapter `default` trains on: TRL keeps a frozen copy of
    that as DPO's reference (a fresh adapter would be compared with the bare base instead).
    """
    # All weights are kept in fp32 when all train: bf16 would round most steps away.
    dtype = torch.float32 if trains_all(config) else training_dtype(config)
    model = _load_in_4_bits(config, base, dtype) if config.method == "qlora" else load_base(base, dtype)
    if parent is None:
        return model
    return PeftModel.from_pretrained(model, parent, adapter_name="default", is_trainable=True)


def new_adapter(config: TrainingConfig, parent: Path | None) -> LoraConfig | None:
    """The adapter that TRL is to add, or None where there is one already or all weights train.

    It covers all linear layers but the output head, whose rows are as many as the vocabulary.
    """
    if parent is not None or trains_all(config):
        return None
    return LoraConfig(
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _load_in_4_bits(config: TrainingConfig, base: Path, dtype: torch.dtype) -> PreTrainedModel:
    """QLoRA's base: NF4 with double quantisation (Dettmers et al., https://arxiv.org/abs/2305.14314).

    ZeRO-3 places the weights itself, and splits them only where they are stored in the format of the rest.
    """
    quantisation = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_quant_storage=dtype if config.zero == "zero3" else torch.uint8,
    )
    card = PartialState().local_process_index
    device = f"cuda:{card}" if torch.cuda.is_available() else "cpu"
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        base,
        dtype=dtype,
        quantization_config=quantisation,
        device_map=None if config.zero == "zero3" else {"": device},
    )
    for module in model.modules():
        if isinstance(module, Linear4bit):
            # Else the first evaluation on a CPU with AVX-512 packs the weights for inference, for good, and
            # from then on no gradient passes through them (bitsandbytes 0.50).
            module.support_avx512bf16_for_cpu = False
    return model
