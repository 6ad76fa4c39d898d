"""A PEFT LoRA adapter written as a GGUF file that llama.cpp loads beside its base model.

Follows llama.cpp's convert_lora_to_gguf.py. The architecture `llama` stores the rows of the q and
k projections in another order than transformers does (its rotary embedding pairs neighbouring
rows, transformers' the two halves of a head), so the rows of `lora_B` are permuted likewise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.errors import AdapterConversionError
from training.gguf_reader import QuickReader

if TYPE_CHECKING:
    import gguf

    FloatArray = NDArray[np.float32]

_PERMUTED = {"llama"}
_PLAIN = {"gemma", "gemma2", "gemma3", "qwen2", "qwen3"}
"""Architectures whose projections have the same layout in GGUF as in transformers."""

_PREFIX = "base_model.model."


def write_gguf_lora(peft_folder: Path, base_gguf: Path, target: Path) -> None:
    """Write the adapter in `peft_folder`, trained on `base_gguf`, to the file `target`, as fp32.

    Raises AdapterConversionError for an architecture whose layout is not known here, and for
    modules that GGUF has no name for.
    """
    import gguf

    layout = GgufLayout.of(QuickReader(base_gguf))
    config = json.loads((peft_folder / "adapter_config.json").read_text(encoding="utf-8"))
    writer = gguf.GGUFWriter(path=None, arch=layout.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(config["lora_alpha"]))
    for key, tensor in read_tensors(peft_folder / "adapter_model.safetensors"):
        module, part = _split(key)
        values = layout.reordered(module, tensor) if part == "lora_b" else tensor
        writer.add_tensor(f"{layout.name(module)}.weight.{part}", np.ascontiguousarray(values))

    temporary = target.with_name(target.name + ".part")
    writer.write_header_to_file(path=temporary)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(temporary, target)


@dataclass(frozen=True)
class GgufLayout:
    """Where a GGUF file of one architecture keeps what transformers calls by module names."""

    architecture: str
    heads: int
    key_heads: int
    names: gguf.TensorNameMap

    @classmethod
    def of(cls, reader: gguf.GGUFReader) -> GgufLayout:
        """The layout of a model's file; raises AdapterConversionError where it is not known here."""
        import gguf

        architecture = str(_field(reader, "general.architecture"))
        if architecture not in _PERMUTED | _PLAIN:
            known = ", ".join(sorted(_PERMUTED | _PLAIN))
            problem = f"the architecture {architecture!r} is not among {known}"
            raise AdapterConversionError(problem=problem)
        heads = int(_field(reader, f"{architecture}.attention.head_count"))
        key_heads = int(_field(reader, f"{architecture}.attention.head_count_kv", heads))
        blocks = int(_field(reader, f"{architecture}.block_count"))
        arch = next(key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
        return cls(architecture, heads, key_heads, gguf.get_tensor_name_map(arch, blocks))

    def name(self, module: str) -> str:
        """GGUF's name of a module; raises AdapterConversionError."""
        found: str | None = self.names.get_name(module)
        if found is None:
            raise AdapterConversionError(problem=f"GGUF has no name for the module {module}")
        return found

    def reordered(self, module: str, weight: FloatArray) -> FloatArray:
        """The rows of a module's output, shape (rows, columns), in the order that llama.cpp expects."""
        if self.architecture in _PERMUTED:
            if module.endswith(".q_proj"):
                return permute_rows(weight, self.heads)
            if module.endswith(".k_proj"):
                return permute_rows(weight, self.key_heads)
        return weight

    def stored(self, module: str, weight: FloatArray) -> FloatArray:
        """A dense weight as the file holds it: gemma's norms are stored plus one."""
        if self.architecture.startswith("gemma") and module.endswith("norm"):
            return weight + 1
        return self.reordered(module, weight)


def read_tensors(path: Path) -> Iterator[tuple[str, FloatArray]]:
    """The tensors of a safetensors file by name, in fp32; through torch, as NumPy knows no bf16."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        for key in sorted(file.keys()):
            yield key, file.get_tensor(key).float().numpy()


def permute_rows(weight: FloatArray, heads: int) -> FloatArray:
    """Rows from transformers' order (each head's first halves, then second) to llama.cpp's (pairs).

    `weight` has the shape (heads x head size, columns), and so has the result.
    """
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


def _split(key: str) -> tuple[str, str]:
    """`base_model.model.X.lora_A.weight` to (X, "lora_a")."""
    for suffix, part in ((".lora_A.weight", "lora_a"), (".lora_B.weight", "lora_b")):
        if key.startswith(_PREFIX) and key.endswith(suffix):
            return key[len(_PREFIX) : -len(suffix)], part
    raise AdapterConversionError(problem=f"{key} is no plain LoRA tensor")


def _field(reader: gguf.GGUFReader, key: str, default: Any = None) -> Any:
    field = reader.get_field(key)
    if field is not None:
        return field.contents()
    if default is None:
        raise AdapterConversionError(problem=f"the base model's file lacks {key}")
    return default
