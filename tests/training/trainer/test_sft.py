from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.numpy import load_file

from recsys.catalog import History, Item
from recsys.llm.registry import prompt_format
from recsys.prompts.build import build_prompt
from recsys.prompts.formats import Prompt, Style
from tests.training.support import MODEL, FinishedRun, llama_cpp_tokens
from training.config import SftConfig
from training.data.instructions import TextRow, parse_instructions, render_row
from training.data.splits import Prepared
from training.methods import build_trainer
from training.runs.events import MetricsEvent
from training.trainer.progress import ProgressCallback

pytestmark = [pytest.mark.slow, pytest.mark.model]

ANSWERS = {
    "en": "This person likes quiet films; they will want a short novel about the sea.",
    "ko": "이 사람은 조용한 이야기를 좋아합니다. 다음에는 바다를 다룬 짧은 소설을 원할 것입니다.",
}


def served_prompts(language: str) -> list[Prompt]:
    """As the playground builds them: passive and active."""
    items = (
        Item(id="1", domain="films", title="Dune (1984)", attributes={"genre": ["science fiction"]}),
        Item(id="2", domain="films", title="기생충", attributes={}),
    )
    histories = (History(items=items), History(items=items[:1], query="a quiet book — for the winter"))
    return [build_prompt(history, target="books", language=language) for history in histories]


@pytest.mark.parametrize(
    ("model", "style", "language"),
    [("smollm2", "chat", "en"), ("gemma", "plain", "en"), ("gemma", "plain", "ko")],
)
def test_training_reads_the_tokens_that_serving_reads(
    model: str, style: Style, language: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The served prompt, begin token included, then the answer and one end token, which alone are learnt."""
    which = "base" if model == "smollm2" else "gemma"
    gguf, folder = request.getfixturevalue(f"{which}_gguf"), request.getfixturevalue(f"{which}_folder")
    asked = prompt_format(gguf, style)
    prompts = served_prompts(language)
    rows = parse_instructions(
        {
            "messages": [*prompt.messages(), {"role": "assistant", "content": ANSWERS[language]}],
            "language": language,
        }
        for prompt in prompts
    )
    texts = tuple(render_row(row, asked) for row in rows)
    trainer = build_trainer(
        SftConfig(dtype="bf16"),
        Prepared(texts, (), {}, 0),
        base=folder,
        parent=None,
        checkpoints=tmp_path,
        progress=ProgressCallback(lambda event: None),
    )
    end = trainer.processing_class.eos_token_id
    served = llama_cpp_tokens(gguf, [asked.render(prompt) for prompt in prompts])
    whole = llama_cpp_tokens(gguf, [asked.render(prompt) + ANSWERS[language] for prompt in prompts])
    for row, prompt, tokens in zip(trainer.train_dataset, served, whole, strict=True):
        assert row["input_ids"] == [*tokens, end]
        assert row["input_ids"][: len(prompt)] == prompt
        assert row["labels"] == [-100] * len(prompt) + [*tokens[len(prompt) :], end]
    if model == "gemma":
        assert served[0][0] == trainer.processing_class.bos_token_id


def test_a_run_learns_and_measures_before_and_after(taught: FinishedRun) -> None:
    events = taught.store.metrics(taught.status.run_id)
    train = [event.values["loss"] for event in events if event.split == "train"]
    held_out = [(event.step, event.values["loss"]) for event in events if event.split == "held-out"]
    assert len(train) == 4
    assert train[-1] < train[0]
    assert [step for step, _ in held_out] == [0, 4]
    assert held_out[1][1] < held_out[0][1]
    assert all(isinstance(event, MetricsEvent) for event in events)


def test_a_run_leaves_an_adapter_that_both_sides_read(taught: FinishedRun) -> None:
    card = taught.adapter.card
    assert (card.kind, card.style, card.parent, card.rows, card.held_out) == ("sft", "chat", None, 6, 2)
    assert card.agreement is not None
    assert card.agreement.mean_difference < 0.02
    tensors = load_file(taught.adapter.folder / "adapter_model.safetensors")
    assert all(value.any() for key, value in tensors.items() if "lora_B" in key)


def test_packed_rows_do_not_see_each_other(base_folder: Path, tmp_path: Path) -> None:
    """The loss over rows in one sequence is that over the rows apart."""
    rows = tuple(
        TextRow(f"Request {number}: a quiet book?\n", f"The sea, number {number}.") for number in range(3)
    )
    losses = []
    for packing in ("off", "on"):
        trainer = build_trainer(
            SftConfig(model=MODEL, dtype="fp32", batch_size=3, packing=packing, fast_path=False),
            Prepared(rows, (), {}, 0),
            base=base_folder,
            parent=None,
            checkpoints=tmp_path,
            progress=ProgressCallback(lambda event: None),
        )
        batch = trainer.data_collator(list(trainer.train_dataset))
        losses.append(trainer.compute_loss(trainer.model, batch).item())
    assert len(trainer.train_dataset) == 1
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
