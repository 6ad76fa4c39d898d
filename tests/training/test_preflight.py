from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from recsys.settings import Paths
from tests.training.support import MODEL, make_instruction, make_row
from training import preflight as module
from training.config import DpoConfig, SftConfig, TrainingConfig
from training.errors import NotEnoughDiskError, NotEnoughMemoryError
from training.machine.memory import GIB, Machine, free_memory, memory_needed, readable
from training.machine.model_size import ModelSize, model_size
from training.machine.speeds import expected_speed, remember_speed
from training.preflight import check_fit, preflight
from training.runs.store import RunStore

pytestmark = pytest.mark.model

ROWS = [make_row(number) for number in range(8)]
CPU = Machine(on_gpu=False, bf16=True)


def test_the_size_of_a_model_is_that_of_its_tensors(base_gguf: Path) -> None:
    import gguf

    reader = gguf.GGUFReader(base_gguf)
    size = model_size(base_gguf)
    assert size.parameters == sum(int(tensor.n_elements) for tensor in reader.tensors)
    shapes = {tensor.name: tuple(map(int, tensor.shape)) for tensor in reader.tensors}
    assert shapes["token_embd.weight"] == (size.width, size.vocabulary)
    assert shapes["blk.0.attn_q.weight"] == (size.width, size.query_width)
    assert shapes["blk.0.ffn_up.weight"] == (size.width, size.feed_forward)
    assert f"blk.{size.layers - 1}.attn_q.weight" in shapes
    assert f"blk.{size.layers}.attn_q.weight" not in shapes


def test_it_counts_what_the_run_itself_would_count(home: Path, base_gguf: Path, base_folder: Path) -> None:
    from training.data.lengths import row_reader
    from training.methods import parsed
    from training.trainer.base_weights import load_tokenizer

    rows = [
        *ROWS,
        make_row(1, rejected=make_row(1)["chosen"]),
        make_row(9, chosen=[{"role": "assistant", "content": "sea " * 90}]),
    ]
    config = DpoConfig(model=MODEL, batch_size=2, held_out=0.25, epochs=2, max_length=128)
    found = preflight(config, rows, home)
    assert found.fits, found.problems
    assert found.rows + found.held_out + sum(found.dropped.values()) == len(rows)
    assert found.dropped
    assert found.longest <= 128
    with row_reader(config, base_gguf, home) as reader:
        pair = reader.prepared(parsed(config, ROWS)).train[0]
        tokenizer = load_tokenizer(base_folder)
        wholes = [pair.prompt + answer for answer in (pair.chosen, pair.rejected)]
        assert reader.lengths(pair) == [len(ids) + 1 for ids in tokenizer(wholes)["input_ids"]]


def test_sft_rows_are_foretold_too(home: Path, base_gguf: Path) -> None:
    found = preflight(
        SftConfig(model=MODEL, batch_size=4, held_out=0), [make_instruction(n) for n in range(8)], home
    )
    assert (found.rows, found.steps, found.truncated) == (8, 2, 0)


def test_the_duration_comes_from_earlier_runs_of_the_same_kind(
    tmp_path: Path, home: Path, base_gguf: Path
) -> None:
    (tmp_path / "models").symlink_to(Paths(home).models)
    config = DpoConfig(model=MODEL, batch_size=2, held_out=0, max_steps=4)
    assert preflight(config, ROWS, tmp_path).duration_s is None
    for rate in (1000.0, 50.0, 100.0):
        remember_speed(tmp_path, config, rate)
    remember_speed(tmp_path, config.model_copy(update={"fast_path": False}), 1.0)
    remember_speed(tmp_path, SftConfig(model=MODEL), 1.0)
    assert expected_speed(tmp_path, config) == 100.0
    found = preflight(config, ROWS, tmp_path)
    assert found.duration_s is not None
    longest = 4 * 2 * 2 * found.longest / 100.0
    assert longest / 2 < found.duration_s <= longest
    first = preflight(config.model_copy(update={"precompute_reference": "on"}), ROWS, tmp_path)
    assert first.duration_s == pytest.approx(found.duration_s * (1 + 0.5 * found.rows / 8))


def test_a_run_that_cannot_fit_is_refused_with_what_would(
    home: Path, tmp_path: Path, base_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = DpoConfig(model=MODEL, batch_size=64, gradient_accumulation=2)
    fits = config.model_copy(update={"batch_size": 4})
    size = model_size(base_gguf)
    room = memory_needed(fits, size, 60, CPU)
    monkeypatch.setattr(module, "free_memory", lambda *workers: room)
    monkeypatch.setattr(module, "is_fast_at_bf16", lambda: True)
    store = RunStore(tmp_path / "runs", home=home)
    with pytest.raises(
        NotEnoughMemoryError, match=r"batch_size [248], gradient_accumulation (16|32|64)"
    ) as caught:
        store.start(config, ROWS)
    assert caught.value.exit_code == 7
    assert store.list() == []
    check_fit(fits.model_copy(update={"batch_size": 1}), ROWS, home)
    (problem,) = preflight(config, ROWS, home).problems
    assert isinstance(problem, NotEnoughMemoryError)

    monkeypatch.setattr(module, "free_memory", lambda *workers: 1 << 20)
    with pytest.raises(NotEnoughMemoryError, match="–"):
        check_fit(config, ROWS, home)


def test_a_full_disk_is_noticed_before_the_start(
    home: Path, base_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = module.shutil.disk_usage(home)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=1 << 20))
    with pytest.raises(NotEnoughDiskError, match=r"about \d+ MB under .*; 1 MB are free"):
        check_fit(DpoConfig(model=MODEL), ROWS, home)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (SftConfig(batch_size=1), SftConfig(batch_size=8)),
        (SftConfig(), DpoConfig(batch_size=8)),
        (SftConfig(lora_r=4), SftConfig(lora_r=64)),
        (SftConfig(max_length=64), SftConfig()),
        (SftConfig(gradient_checkpointing="on"), SftConfig()),
        (SftConfig(method="qlora"), SftConfig()),
        (SftConfig(), SftConfig(method="full")),
        (SftConfig(), SftConfig(fast_path=False)),
    ],
)
def test_what_takes_more_memory(less: TrainingConfig, more: TrainingConfig) -> None:
    size = ModelSize(4_000_000_000, 36, 2560, 4096, 9728, 151_936)
    assert memory_needed(less, size, 512, CPU) < memory_needed(more, size, 512, CPU)
    on_gpu = Machine(on_gpu=True, bf16=True)
    assert memory_needed(less, size, 512, on_gpu) <= memory_needed(more, size, 512, on_gpu)


def test_memory_that_a_run_holds_is_free_when_it_ends() -> None:
    own = psutil.Process()
    held = free_memory(own.pid) - free_memory()
    assert held == pytest.approx(own.memory_info().rss, abs=GIB)
    assert readable(3.25 * GIB) == "3.2 GB"
    assert readable(5 << 20) == "5 MB"
