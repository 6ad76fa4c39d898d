"""Whole models as GGUF files: metadata and vocabulary of a base model's file, with other weights.

Nothing but the weights changes in training, so llama.cpp's own converter is not needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from training.adapters.gguf_lora import GgufLayout, read_tensors
from training.gguf_reader import QuickReader

_Weights = Callable[[str, NDArray[np.float32]], NDArray[np.float32]]
"""From a tensor's name and its values in the base's file to its values in the new file."""


def write_dense_gguf(reader: gguf.GGUFReader, target: Path) -> None:
    """The file of `reader` with every tensor as fp32, the values of its matrices rounded to bf16.

    Vectors stay as they are: gemma's GGUF holds its norms' weights plus one, which bf16 would not.
    """
    bf16 = gguf.GGMLQuantizationType.BF16

    def rounded(_: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if values.ndim < 2:
            return values
        result: NDArray[np.float32] = gguf.quants.dequantize(gguf.quants.quantize(values, bf16), bf16)
        return result

    _write(reader, target, rounded, quantise=False)


def write_model_gguf(folder: Path, base_gguf: Path, target: Path, *, quantise: bool = True) -> None:
    """The model in `folder` (safetensors, as transformers saves it), trained from `base_gguf`.

    Matrices are stored as Q8_0, with `quantise` off as fp32. Raises AdapterConversionError for an
    architecture whose layout is not known here.
    """
    reader = QuickReader(base_gguf)
    layout = GgufLayout.of(reader)
    weights = {}
    for path in folder.glob("*.safetensors"):
        for key, values in read_tensors(path):
            module = key.removesuffix(".weight")
            weights[f"{layout.name(module)}.weight"] = layout.stored(module, values)
    tied = weights.get("token_embd.weight")

    def trained(name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if name == "output.weight" and name not in weights and tied is not None:
            return tied
        return weights.get(name, values)

    _write(reader, target, trained, quantise=quantise)


def _write(reader: gguf.GGUFReader, target: Path, weights: _Weights, *, quantise: bool) -> None:
    q8 = gguf.GGMLQuantizationType.Q8_0
    architecture = reader.get_field(gguf.Keys.General.ARCHITECTURE)
    assert architecture is not None  # llama.cpp has served this file
    temporary = target.with_name(target.name + ".part")
    writer = gguf.GGUFWriter(temporary, architecture.contents())
    skipped = {gguf.Keys.General.ARCHITECTURE, *((gguf.Keys.General.FILE_TYPE,) if quantise else ())}
    if quantise:
        writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name not in skipped:
            array = field.types[0] == gguf.GGUFValueType.ARRAY
            writer.add_key_value(
                field.name, field.contents(), field.types[0], sub_type=field.types[-1] if array else None
            )
    for tensor in reader.tensors:
        values = weights(tensor.name, gguf.quants.dequantize(tensor.data, tensor.tensor_type))
        values = np.ascontiguousarray(values, dtype=np.float32)
        if quantise and values.ndim > 1 and values.shape[-1] % 32 == 0:
            writer.add_tensor(tensor.name, gguf.quants.quantize(values, q8), raw_dtype=q8)
        else:
            writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(temporary, target)
