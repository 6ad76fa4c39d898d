"""Does llama.cpp with the GGUF adapter compute what PEFT computes with the trained one?

Both read one fixed English and Korean text, and their log-probabilities of each token are compared.
Against the quantised base itself that would say little: llama.cpp also rounds the activations of a
quantised product to 8 bits, which alone moves SmolLM2 (Q4_1) by 0.06 nats a token, as much as an
adapter with its rows in the wrong order does, and subtracting the base's own difference does not
take it out. So both sides get the same dense base: llama.cpp a temporary fp32 GGUF file with the
dequantised, bf16-rounded weights that training used. A right adapter then agrees to about 0.001
nats, a wrong one stands out by a factor of fifty. Imports torch.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import llama_cpp
import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from peft import PeftModel

from recsys.llm.adapters import Agreement
from recsys.llm.gguf_metadata import silence_llama_cpp
from training.adapters.gguf_model import write_dense_gguf
from training.gguf_reader import QuickReader
from training.trainer.base_weights import load_base

TEXT = (
    "This person likes quiet films about memory and the sea, in which little happens and much is felt. "
    "They will want a short novel about an old fisherman next.\n"
    "이 사람은 조용하고 느린 이야기를 좋아합니다. 다음에는 바다를 다룬 짧은 소설을 읽고 싶어 할 것입니다."
)

_BYTES_PER_WEIGHT = 4
_CONTEXT = 512


def agreement(
    base_gguf: Path, base_folder: Path, adapter_folder: Path, adapter_gguf: Path
) -> Agreement | None:
    """The differences over `TEXT`, in nats per token, or None where disk or memory have no room for it.

    `base_folder` is the safetensors copy of `base_gguf`, `adapter_folder` the PEFT folder that
    `adapter_gguf` was written from.
    """
    reader = QuickReader(base_gguf)
    needed = sum(int(tensor.n_elements) for tensor in reader.tensors) * _BYTES_PER_WEIGHT
    room = min(shutil.disk_usage(adapter_gguf.parent).free, psutil.virtual_memory().available)
    if room < 2 * needed:  # the dense file, and the same weights once more in the process
        return None
    with tempfile.TemporaryDirectory(dir=adapter_gguf.parent, prefix=".dense-") as folder:
        dense = Path(folder) / "base.gguf"
        write_dense_gguf(reader, dense)
        tokens, served = _llama_cpp_log_probs(dense, adapter_gguf)
    return _differences(served, _peft_log_probs(base_folder, adapter_folder, tokens))


def model_agreement(gguf_file: Path, folder: Path) -> Agreement:
    """The same for a whole model: llama.cpp with `gguf_file` (fp32) against the safetensors in `folder`."""
    tokens, served = _llama_cpp_log_probs(gguf_file, None)
    return _differences(served, _peft_log_probs(folder, None, tokens))


def _differences(served: NDArray[np.float64], trained: NDArray[np.float64]) -> Agreement:
    difference = np.abs(served - trained)
    return Agreement(
        tokens=len(difference),
        mean_difference=float(difference.mean()),
        max_difference=float(difference.max()),
    )


def _llama_cpp_log_probs(base: Path, adapter: Path | None) -> tuple[list[int], NDArray[np.float64]]:
    """The tokens of `TEXT`, and the log-probability of each but the first."""
    silence_llama_cpp()
    model = llama_cpp.Llama(
        str(base),
        lora_path=str(adapter) if adapter else None,
        n_ctx=_CONTEXT,
        logits_all=True,
        n_gpu_layers=0,
        verbose=False,
    )
    try:
        tokens: list[int] = model.tokenize(TEXT.encode(), add_bos=True, special=True)
        model.eval(tokens)
        return tokens, _of_next(torch.from_numpy(np.array(model.scores[: len(tokens)])), tokens)
    finally:
        model.close()


def _peft_log_probs(base: Path, adapter: Path | None, tokens: list[int]) -> NDArray[np.float64]:
    model = load_base(base, torch.float32)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter)
    model.eval()
    with torch.no_grad():
        return _of_next(model(torch.tensor([tokens])).logits[0], tokens)


def _of_next(logits: torch.Tensor, tokens: list[int]) -> NDArray[np.float64]:
    """Log-probability of each token but the first; `logits` has the shape (tokens, vocabulary)."""
    log_probs = torch.log_softmax(logits[:-1].double(), dim=-1)
    following = torch.tensor(tokens[1:]).unsqueeze(1)
    result: NDArray[np.float64] = log_probs.gather(1, following).squeeze(1).numpy()
    return result
