from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.training.support import llama_cpp_tokens
from training.trainer.base_weights import base_weights, load_base, load_tokenizer

TEXTS = [
    "### Request\nThe films this person watched, oldest first:\n- Dune (1984)\n\n### Answer\n",
    "<|im_start|>system\nRecommend.<|im_end|>\n<|im_start|>user\nNext?<|im_end|>\n<|im_start|>assistant\n",
    "안녕하세요, 금리 인하에 대한 기사입니다.\n\n### 답\n",
    "  two  spaces\ttab\n\n\ncafé — “quotes” 🙂 12345 don't<eos>",
]


@pytest.mark.slow
@pytest.mark.model
def test_the_tokenizer_agrees_with_llama_cpp(base_gguf: Path, base_folder: Path) -> None:
    tokenizer = load_tokenizer(base_folder)
    assert [tokenizer(text)["input_ids"] for text in TEXTS] == llama_cpp_tokens(base_gguf, TEXTS)


@pytest.mark.slow
@pytest.mark.model
def test_gemmas_tokenizer_agrees_with_llama_cpp(gemma_gguf: Path, gemma_folder: Path) -> None:
    tokenizer = load_tokenizer(gemma_folder)
    tokens = [tokenizer(text)["input_ids"] for text in TEXTS]
    assert tokens == llama_cpp_tokens(gemma_gguf, TEXTS)
    assert tokens[0][0] == tokenizer.bos_token_id


@pytest.mark.slow
@pytest.mark.model
def test_the_copy_is_dense_and_made_once(base_gguf: Path, base_folder: Path) -> None:
    import torch

    before = os.stat(base_folder / "model.safetensors").st_mtime_ns
    assert base_weights(base_gguf, base_folder.parent) == base_folder
    assert os.stat(base_folder / "model.safetensors").st_mtime_ns == before
    model = load_base(base_folder, torch.float32)
    assert not hasattr(model.config, "quantization_config")
    assert not list(base_folder.parent.glob(".*.tmp-*"))


@pytest.mark.slow
@pytest.mark.model
def test_the_weights_are_those_of_the_file(base_gguf: Path, base_folder: Path) -> None:
    import gguf
    from safetensors.torch import load_file

    tensor = next(t for t in gguf.GGUFReader(base_gguf).tensors if t.name == "blk.3.ffn_down.weight")
    wanted = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    found = load_file(base_folder / "model.safetensors")["model.layers.3.mlp.down_proj.weight"]
    np.testing.assert_allclose(found.float().numpy(), wanted, rtol=2**-8, atol=0)
