"""The fast path computes what TRL computes: losses, gradients, metrics; on real weights in fp32."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from training.config import DpoConfig, Loss, SftConfig, TrainingConfig
from training.data.instructions import TextRow
from training.data.pairs import TextPair
from training.data.splits import Prepared
from training.methods import build_trainer
from training.steps import precomputes
from training.trainer.dpo import loss_arguments
from training.trainer.fast_head import fast_log_probs
from training.trainer.length_groups import LengthGroups
from training.trainer.progress import ProgressCallback
from training.trainer.shared_prompts import share_prompts

PROMPTS = ("Liked a quiet film.", "Liked three loud films about wars in space, and a book.", "Nothing.")
PAIRS = tuple(
    TextPair(
        f"### Request\n{prompt}\n\n### Answer\n", f"A novel about the sea {number}.", "Films. " * (number + 1)
    )
    for number, prompt in enumerate(PROMPTS)
)
ROWS = tuple(TextRow(pair.prompt, pair.chosen) for pair in PAIRS)


def trainer(config: TrainingConfig, rows: Any, base: Path, folder: Path) -> Any:
    """Ready to train, its adapter no longer at zero, where half of the gradients would be 0."""
    progress = ProgressCallback(lambda event: None)
    built = build_trainer(
        config, Prepared(rows, (), {}, 0), base=base, parent=None, checkpoints=folder, progress=progress
    )
    numbers = torch.Generator().manual_seed(0)
    for name, weight in built.model.named_parameters():
        if "lora_B" in name:
            weight.data = torch.randn(weight.shape, generator=numbers) * 0.01
    return built


def computed(built: Any) -> tuple[float, dict[str, torch.Tensor], dict[str, float]]:
    """Loss, gradients and metrics of all rows as one batch."""
    built.model.train()
    loss = built.compute_loss(built.model, built.data_collator(list(built.train_dataset)))
    loss.backward()
    gradients = {n: p.grad.clone() for n, p in built.model.named_parameters() if p.grad is not None}
    return loss.item(), gradients, {k: v[-1] for k, v in built._metrics["train"].items()}


def assert_same(plain: Any, fast: Any) -> None:
    (loss, gradients, metrics), (fast_loss, fast_gradients, fast_metrics) = computed(plain), computed(fast)
    assert fast_loss == pytest.approx(loss, rel=1e-4, abs=1e-5)
    assert fast_gradients.keys() == gradients.keys()
    scale = max(float(gradient.norm()) for gradient in gradients.values())
    assert scale > 0
    for name, gradient in gradients.items():
        assert float((fast_gradients[name] - gradient).norm()) < 1e-3 * max(
            scale / 10, float(gradient.norm())
        )
    for name in ("entropy", "logps/chosen", "logps/rejected", "rewards/chosen", "num_tokens"):
        if name in metrics:
            assert fast_metrics[name] == pytest.approx(metrics[name], rel=1e-3, abs=1e-3), name


@pytest.mark.slow
@pytest.mark.model
def test_sft_computes_what_trl_computes(base_folder: Path, tmp_path: Path) -> None:
    both = (
        trainer(SftConfig(dtype="fp32", fast_path=on), ROWS, base_folder, tmp_path) for on in (False, True)
    )
    assert_same(*both)


@pytest.fixture(scope="module")
def dpo_trainers(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """TRL's as it is, and the fast one."""
    configs = [DpoConfig(dtype="fp32", fast_path=on, epochs=1) for on in (False, True)]
    return [trainer(config, PAIRS, base_folder, tmp_path_factory.mktemp("dpo")) for config in configs]


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("loss", get_args(Loss))
def test_dpo_computes_what_trl_computes(dpo_trainers: list[Any], loss: Loss) -> None:
    arguments = loss_arguments(DpoConfig(loss=loss, sft_weight=0.5, label_smoothing=0.2))
    for built in dpo_trainers:
        built.model.zero_grad()
        built.loss_types = arguments["loss_type"]
        built.loss_weights = arguments.get("loss_weights", [1.0])
        built.label_smoothing = arguments.get("label_smoothing", 0.0)
    assert_same(*dpo_trainers)


def test_each_loss_has_trls_name() -> None:
    from trl import DPOConfig as TrlConfig

    for loss in get_args(Loss):
        arguments = TrlConfig(use_cpu=True, bf16=False, **loss_arguments(DpoConfig(loss=loss)))
        assert arguments.loss_type == loss.split("+")
    assert loss_arguments(DpoConfig(loss="robust"))["label_smoothing"] == 0.1
    assert loss_arguments(DpoConfig(loss="sigmoid"))["label_smoothing"] == 0.0


@pytest.mark.parametrize(
    ("changes", "train", "held_out", "wanted"),
    [
        ({"epochs": 1}, 100, 0, False),
        ({"epochs": 1, "eval_steps": 0}, 100, 10, False),
        ({"epochs": 1, "eval_steps": 5}, 100, 10, True),
        ({"epochs": 2}, 100, 0, True),
        ({"epochs": 2, "max_steps": 10}, 100, 0, False),
        ({"epochs": 1, "precompute_reference": "on"}, 100, 0, True),
        ({"epochs": 2, "precompute_reference": "off"}, 100, 0, False),
    ],
)
def test_the_reference_is_precomputed_where_that_is_less_work(
    changes: dict[str, Any], train: int, held_out: int, wanted: bool
) -> None:
    assert precomputes(DpoConfig(**changes), train, held_out) is wanted


@pytest.mark.slow
@pytest.mark.model
def test_gemma_computes_what_trl_computes(gemma_folder: Path, tmp_path: Path) -> None:
    """Its vocabulary takes many tiles, and five of six layers see a window only."""
    configs = [DpoConfig(dtype="fp32", fast_path=on, epochs=1) for on in (False, True)]
    plain, fast = (trainer(config, PAIRS[:2], gemma_folder, tmp_path) for config in configs)
    for built in (plain, fast):
        built.model.config.sliding_window = 6
        for layer in built.model.get_base_model().model.layers:
            layer.self_attn.sliding_window = 6 if layer.self_attn.sliding_window else None
    assert_same(plain, fast)


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("fast", [False, True])
def test_a_precomputed_reference_gives_the_same_loss(base_folder: Path, tmp_path: Path, fast: bool) -> None:
    found = []
    for choice in ("off", "on"):
        config = DpoConfig(dtype="fp32", fast_path=fast, precompute_reference=choice, batch_size=2)
        found.append(computed(trainer(config, PAIRS, base_folder, tmp_path)))
    (loss, _, metrics), (precomputed, _, precomputed_metrics) = found
    assert precomputed == pytest.approx(loss, rel=1e-4)
    assert precomputed_metrics["rewards/chosen"] == pytest.approx(metrics["rewards/chosen"], abs=1e-4)


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("fast", [False, True])
def test_each_pair_has_its_own_reference(base_folder: Path, tmp_path: Path, fast: bool) -> None:
    """It is asked in another order, that of length, and in batches."""
    config = DpoConfig(dtype="fp32", fast_path=fast, precompute_reference="on", batch_size=2)
    built = trainer(config, PAIRS, base_folder, tmp_path)
    rows = list(built.train_dataset)
    texts = [built.processing_class.decode(row["prompt_ids"], skip_special_tokens=True) for row in rows]
    assert [PROMPTS[n] in text for n, text in enumerate(texts)] == [True] * 3
    for row in rows:
        alone = built.compute_ref_log_probs(built.model, built.data_collator([row]))
        assert [float(a) for a in alone] == pytest.approx(
            [row["ref_chosen_logps"], row["ref_rejected_logps"]], abs=1e-3
        )


def test_the_head_gives_log_probabilities_entropy_and_gradient() -> None:
    numbers = torch.Generator().manual_seed(0)
    hidden = torch.randn(5, 16, generator=numbers, requires_grad=True)
    weight = torch.randn(20_000, 16, generator=numbers)  # three tiles, the last one cut
    targets = torch.tensor([0, 8191, 8192, 19_999, 7])
    slopes = torch.arange(5.0)
    log_probs, entropy = fast_log_probs(hidden, weight, targets)
    (gradient,) = torch.autograd.grad((log_probs * slopes).sum(), hidden)
    whole = torch.log_softmax(hidden @ weight.T, -1)
    wanted = whole.gather(1, targets[:, None]).squeeze(1)
    (wanted_gradient,) = torch.autograd.grad((wanted * slopes).sum(), hidden)
    torch.testing.assert_close(log_probs, wanted, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(entropy, -(whole.exp() * whole).sum(-1), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(gradient, wanted_gradient, rtol=1e-4, atol=1e-5)


def test_an_answer_does_not_see_the_other_one() -> None:
    ids = torch.tensor([[1, 2, 3, 4], [1, 2, 5, 0]])
    seen = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    rows = share_prompts(ids, seen, ids.masked_fill(torch.tensor([[1, 1, 0, 0], [1, 1, 0, 1]]).bool(), -100))
    assert rows is not None
    assert rows.input_ids.tolist() == [[1, 2, 3, 4, 5]]
    assert rows.positions.tolist() == [[0, 1, 2, 3, 2]]
    assert rows.sources.tolist() == [1, 2, 1]
    assert rows.mask()[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 0, 0, 1],
    ]  # fmt: skip
    assert rows.mask(2)[0, 0, 4].int().tolist() == [0, 1, 0, 0, 1]


def test_pairs_with_different_prompts_are_not_shared() -> None:
    ids = torch.tensor([[1, 2, 3], [9, 2, 3]])
    labels = torch.tensor([[-100, -100, 3]] * 2)
    assert share_prompts(ids, torch.ones_like(ids), labels) is None


def test_length_groups_hold_every_row_once_and_batches_of_one_length() -> None:
    lengths = [number % 10 for number in range(103)]
    groups = LengthGroups(lengths, batch=4, seed=1)
    order = list(groups)
    assert sorted(order) == list(range(103))
    assert order == list(LengthGroups(lengths, batch=4, seed=1))
    batches = [order[i : i + 4] for i in range(0, 103, 4)]
    assert sum(len({lengths[i] for i in batch}) > 1 for batch in batches) <= 11
    groups.set_epoch(1)
    assert list(groups) != order


@pytest.mark.slow
@pytest.mark.model
def test_the_model_still_answers_outside_of_training(base_folder: Path, tmp_path: Path) -> None:
    """In bf16, where the losses run under autocast and generation does not."""
    built = trainer(SftConfig(dtype="bf16"), ROWS, base_folder, tmp_path)
    batch = built.data_collator(list(built.train_dataset))
    with built.compute_loss_context_manager():
        built.compute_loss(built.model, batch).backward()
    written = built.model.generate(torch.tensor([[1, 4093, 338]]), max_new_tokens=2, do_sample=False)
    assert written.shape[1] > 3
