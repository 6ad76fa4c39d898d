from __future__ import annotations

import pytest

from recsys.errors import InputError
from recsys.retrieval.settings import RetrievalSettings, retrieval_settings, settings_from_json


def test_what_is_left_out_has_its_default() -> None:
    assert retrieval_settings(None) == retrieval_settings({}) == RetrievalSettings()
    some = retrieval_settings({"answers": 4, "signals": {"keywords": 0}, "diversity": {"mmr": 0.3}})
    assert (some.answers, some.signals.keywords, some.signals.numbers) == (4, 0.0, 0.6)
    assert settings_from_json('{"answers": 4}').answers == 4


def test_a_model_takes_part_only_where_it_is_asked() -> None:
    assert RetrievalSettings().needs_model
    assert not RetrievalSettings(answers=0).needs_model
    assert RetrievalSettings(answers=0, rerank="listwise").needs_model
    assert RetrievalSettings(rerank="likelihood").rerank_depth == RetrievalSettings().likelihood.depth
    assert RetrievalSettings(rerank="listwise", shown=5).rerank_depth == 5


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"answers": 9}, "answers"),
        ({"answers": "many"}, "answers"),
        ({"part": "half"}, "part"),
        ({"nonsense": 1}, "nonsense"),
        ({"signals": {"fade": 0}}, "signals.fade"),
        ({"weights": {"answer": -1}}, "weights.answer"),
        ({"weights": 3}, "weights"),
    ],
)
def test_setting_that_cannot_be_used_is_named(given: dict[str, object], field: str) -> None:
    with pytest.raises(InputError, match=f"setting {field} cannot be used"):
        retrieval_settings(given)


@pytest.mark.parametrize("text", ["", "{", "[1]", "4", "null"])
def test_text_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="JSON"):
        settings_from_json(text)
