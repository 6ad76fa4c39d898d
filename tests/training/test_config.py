from __future__ import annotations

import pytest

from recsys.errors import InputError
from training.config import DpoConfig, parse_config
from training.errors import TrainingConfigError


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
