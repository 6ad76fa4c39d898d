from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from recsys.errors import InputError
from training.config import DpoConfig, SftConfig, parse_config
from training.data.instructions import TextRow
from training.data.splits import Prepared
from training.errors import TrainingConfigError
from training.methods import build_trainer


def test_every_field_explains_itself() -> None:
    assert all(field.description for field in DpoConfig.model_fields.values())


def test_parse_config_names_each_field_at_fault() -> None:
    with pytest.raises(TrainingConfigError, match=r"beta: .*; epoch: ") as caught:
        parse_config({"beta": -1, "epoch": 3})
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0, "much"])
def test_parse_config_refuses_a_learning_rate_that_is_no_number(value: object) -> None:
    with pytest.raises(TrainingConfigError, match="learning_rate"):
        parse_config({"learning_rate": value})


def test_parse_config_refuses_a_name_that_is_a_path() -> None:
    with pytest.raises(InputError, match="cannot name an adapter"):
        parse_config({"name": "../elsewhere"})


def test_parse_config_takes_an_empty_name_as_none() -> None:
    assert parse_config({"name": ""}).name is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"processes": 2}, "processes: 2 wanted"), ({"zero": "zero2"}, "DeepSpeed was not started")],
)
def test_several_processes_need_a_launcher(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    rows = Prepared[TextRow]((), (), {}, 0)
    with pytest.raises(TrainingConfigError, match=said):
        build_trainer(
            SftConfig(**changes),
            rows,
            base=tmp_path,
            parent=None,
            checkpoints=tmp_path,
            progress=cast(Any, None),  # refused before it is used
        )
