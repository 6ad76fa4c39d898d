"""SmolLM2 cut down to its first two blocks: what happens to a run does not depend on how well it writes."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from recsys.llm.model_files import file_sha256
from recsys.llm.registry import load_spec
from recsys.settings import Paths
from tests.training.support import MODEL
from training.gguf_reader import QuickReader

BLOCKS = 2


@pytest.fixture(scope="session")
def small_home(base_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder in which the model's file, under its own name, has only these blocks."""
    home = tmp_path_factory.mktemp("small-home")
    target = Paths(home).models / base_gguf.name
    reader = QuickReader(base_gguf)
    count = gguf.Keys.LLM.BLOCK_COUNT.format(arch="llama")
    writer = gguf.GGUFWriter(target, "llama")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == gguf.Keys.General.ARCHITECTURE:
            continue
        array = field.types[0] == gguf.GGUFValueType.ARRAY
        value = BLOCKS if field.name == count else field.contents()
        writer.add_key_value(field.name, value, field.types[0], sub_type=field.types[-1] if array else None)
    for tensor in reader.tensors:
        prefix, _, rest = tensor.name.partition(".")
        if prefix != "blk" or int(rest.partition(".")[0]) < BLOCKS:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    target.with_suffix(".sha256").write_text(f"{file_sha256(target)} from {load_spec(MODEL).sha256}\n")
    return home
