from __future__ import annotations

import shutil
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.training.support import FinishedRun
from training.adapters.agreement import agreement
from training.adapters.gguf_lora import permute_rows, write_gguf_lora
from training.errors import AdapterConversionError


def test_permute_rows_pairs_the_halves_of_each_head() -> None:
    rows = np.arange(8, dtype=np.float32).reshape(8, 1)  # two heads of size 4
    assert permute_rows(rows, 2).ravel().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


@pytest.mark.slow
@pytest.mark.model
def test_the_file_holds_every_tensor_and_says_what_it_is(finished: FinishedRun) -> None:
    reader = gguf.GGUFReader(finished.adapter.gguf)
    fields = {
        key: field.contents()
        for key in ("general.type", "adapter.type", "general.architecture", "adapter.lora.alpha")
        if (field := reader.get_field(key)) is not None
    }
    assert list(fields.values()) == ["adapter", "lora", "llama", 32.0]
    tensors = load_file(finished.adapter.folder / "adapter_model.safetensors")
    assert len(reader.tensors) == len(tensors) == 30 * 7 * 2


@pytest.mark.slow
@pytest.mark.model
def test_a_strong_adapter_agrees(
    finished: FinishedRun, base_gguf: Path, base_folder: Path, tmp_path: Path
) -> None:
    """Random weights, since four steps of training hardly move the text; these do by 0.15 nats a
    token, and with the rows of q and k in the wrong order the difference would be 0.06."""
    strong = shutil.copytree(finished.adapter.folder, tmp_path / "strong")
    numbers = np.random.default_rng(0)
    tensors = load_file(strong / "adapter_model.safetensors")
    for key, value in tensors.items():
        if "lora_B" in key:
            tensors[key] = numbers.normal(0, 0.02, value.shape).astype(np.float32)
    save_file(tensors, strong / "adapter_model.safetensors")
    write_gguf_lora(strong, base_gguf, strong / "adapter.gguf")
    found = agreement(base_gguf, base_folder, strong, strong / "adapter.gguf")
    assert found is not None
    assert found.mean_difference < 0.005


def test_an_unknown_architecture_is_refused(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "base.gguf", "mamba")
    writer.add_tensor("x", np.zeros(1, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(AdapterConversionError, match="'mamba' is not among"):
        write_gguf_lora(tmp_path, tmp_path / "base.gguf", tmp_path / "out.gguf")
