"""DPO that goes on from an SFT adapter is compared with that adapter, not with the bare base."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.numpy import load_file

from tests.training.support import FinishedRun, make_row
from training.config import DpoConfig
from training.data.pairs import TextPair
from training.data.splits import Prepared
from training.methods import build_trainer
from training.trainer.base_weights import load_base, load_tokenizer
from training.trainer.progress import ProgressCallback

pytestmark = [pytest.mark.slow, pytest.mark.model]

PAIR = TextPair("Liked a quiet film. Next?\n", "A quiet novel about the sea, number 1.", "Films films films")


def answer_log_prob(model: torch.nn.Module, prompt: list[int], answer: list[int]) -> float:
    """The sum over the answer's tokens, with plain transformers."""
    with torch.no_grad():
        logits = model(torch.tensor([[*prompt, *answer]])).logits[0, len(prompt) - 1 : -1]
    return float(torch.log_softmax(logits, -1).gather(1, torch.tensor(answer)[:, None]).sum())


@pytest.mark.parametrize("fast", [False, True])
def test_the_reference_is_the_frozen_adapter(
    taught: FinishedRun, base_folder: Path, tmp_path: Path, fast: bool
) -> None:
    trainer = build_trainer(
        DpoConfig(parent="taught", dtype="fp32", fast_path=fast, epochs=1),
        Prepared((PAIR,), (), {}, 0),
        base=base_folder,
        parent=taught.adapter.folder,
        checkpoints=tmp_path,
        progress=ProgressCallback(lambda event: None),
    )
    (row,) = trainer.train_dataset
    batch = trainer.data_collator([row])
    loss = trainer.compute_loss(trainer.model, batch)
    metrics = trainer._metrics["train"]
    assert metrics["rewards/chosen"] == [0.0]
    assert metrics["rewards/rejected"] == [0.0]
    reference = [float(values) for values in trainer.compute_ref_log_probs(trainer.model, batch)]

    base = load_base(base_folder, torch.float32).eval()
    answers = (row["chosen_ids"], row["rejected_ids"])
    bare = [answer_log_prob(base, row["prompt_ids"], answer) for answer in answers]
    sft = PeftModel.from_pretrained(base, taught.adapter.folder).eval()
    wanted = [answer_log_prob(sft, row["prompt_ids"], answer) for answer in answers]
    assert reference == pytest.approx(wanted, abs=1e-3)
    assert abs(bare[0] - wanted[0]) > 0.1, "the adapter must differ from the base for this to say anything"

    loss.backward()
    moved = {name for name, weight in trainer.model.named_parameters() if weight.grad is not None}
    assert moved
    assert all(".default." in name for name in moved)
    assert load_tokenizer(base_folder).eos_token_id == row["chosen_ids"][-1]


def test_the_run_starts_at_its_parent_and_measures_on_the_way(preferring: FinishedRun) -> None:
    events = preferring.store.metrics(preferring.status.run_id)
    first = next(event for event in events if event.split == "train")
    assert (first.values["rewards/chosen"], first.values["rewards/rejected"]) == (0.0, 0.0)
    assert [event.step for event in events if event.split == "held-out"] == [1, 2]


def test_the_result_is_one_plain_adapter_with_a_parent(preferring: FinishedRun, taught: FinishedRun) -> None:
    card = preferring.adapter.card
    assert (card.kind, card.parent, card.style) == ("dpo", "taught", "chat")
    assert card.agreement is not None
    assert card.agreement.mean_difference < 0.02
    assert {path.name for path in preferring.adapter.folder.iterdir()} == {
        "adapter.gguf",
        "adapter_config.json",
        "adapter_model.safetensors",
        "card.json",
    }
    before, after = (
        load_file(run.adapter.folder / "adapter_model.safetensors") for run in (taught, preferring)
    )
    assert before.keys() == after.keys()
    assert any((before[key] != after[key]).any() for key in before)


def test_a_parent_that_is_not_there_is_refused(preferring: FinishedRun) -> None:
    from recsys.errors import UnknownAdapterError

    with pytest.raises(UnknownAdapterError, match="'nobody'"):
        preferring.store.start(DpoConfig(parent="nobody"), [make_row(n) for n in range(4)])
