from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import AutoPeftModelForCausalLM, PeftModel

from recsys.errors import ConflictError
from recsys.llm.adapters import Adapter
from recsys.settings import Paths
from tests.training.support import FinishedRun, command_line
from training.adapters.export import export_adapter, merge_adapter
from training.errors import OutputExistsError
from training.trainer.base_weights import load_base

pytestmark = [pytest.mark.slow, pytest.mark.model]

TOKENS = torch.tensor([[1, 4093, 338, 216, 5, 77]])


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.eval()(TOKENS).logits
    return found


def test_merged_weights_give_the_adapters_logits(
    preferring: FinishedRun, base_folder: Path, tmp_path: Path
) -> None:
    """Of an adapter that was trained on from another one."""
    base = load_base(base_folder, torch.float32)
    bare = logits(base)
    adapted = logits(PeftModel.from_pretrained(base, preferring.adapter.folder))
    merge_adapter(base_folder, preferring.adapter.folder, tmp_path / "merged", dtype="fp32")
    merged = logits(load_base(tmp_path / "merged", torch.float32))
    torch.testing.assert_close(merged, adapted, rtol=1e-3, atol=2e-3)
    assert float((merged - bare).abs().max()) > 0.05


def test_the_command_writes_merged_bf16_weights_with_tokenizer_and_card(
    taught: FinishedRun, home: Path, base_folder: Path, tmp_path: Path
) -> None:
    done = command_line("export", "taught", "--form", "merged", "--out", str(tmp_path / "m"), home=home)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "m").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "card.json"} <= names
    model = load_base(tmp_path / "m", torch.float32)
    adapted = PeftModel.from_pretrained(load_base(base_folder, torch.float32), taught.adapter.folder)
    torch.testing.assert_close(logits(model), logits(adapted), rtol=0.05, atol=0.5)


def test_a_peft_folder_loads_by_itself(
    taught: FinishedRun, home: Path, base_folder: Path, tmp_path: Path
) -> None:
    out = export_adapter(taught.adapter, "peft", tmp_path / "peft", Paths(home).models)
    loaded = AutoPeftModelForCausalLM.from_pretrained(out, dtype=torch.float32)
    adapted = PeftModel.from_pretrained(load_base(base_folder, torch.float32), taught.adapter.folder)
    torch.testing.assert_close(logits(loaded), logits(adapted))


def test_gguf_is_the_file_that_is_served(taught: FinishedRun, home: Path, tmp_path: Path) -> None:
    out = export_adapter(taught.adapter, "gguf", tmp_path / "gguf", Paths(home).models)
    assert (out / "adapter.gguf").read_bytes() == taught.adapter.gguf.read_bytes()
    with pytest.raises(OutputExistsError):
        export_adapter(taught.adapter, "gguf", out, Paths(home).models)


def test_a_base_that_has_changed_is_refused(taught: FinishedRun, home: Path, tmp_path: Path) -> None:
    card = taught.adapter.card.model_copy(update={"base_sha256": "0" * 64})
    with pytest.raises(ConflictError, match="another file"):
        export_adapter(Adapter(card, taught.adapter.folder), "merged", tmp_path / "m", Paths(home).models)
    assert list(tmp_path.iterdir()) == []
