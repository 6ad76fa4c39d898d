"""The suggestions as they are shown: each with its reason, in both languages, escaped."""

from __future__ import annotations

import pytest

from training.machine.devices import Device
from training.suggestions import suggest, suggested_values
from training.ui.suggested import suggested_html

BIG = 8_000_000_000
GPU = Device("gpu", 24 << 30)


@pytest.mark.parametrize(("language", "said"), [("en", "4 bits"), ("ko", "4비트")])
def test_a_large_model_gets_its_settings_with_their_reasons(language: str, said: str) -> None:
    rules = suggest("sft", BIG, GPU)
    html = suggested_html("a <b>model</b>", BIG, rules, suggested_values("sft", rules), language)
    assert html.count("<li>") == len(rules) > 1
    assert said in html
    assert "method qlora" in html
    assert "a &lt;b&gt;model&lt;/b&gt;" in html


def test_a_small_model_is_told_that_the_defaults_suit_it() -> None:
    rules = suggest("dpo", 270_000_000, Device("cpu", 16 << 30))
    assert rules == []
    assert "The defaults suit gemma-3-270m (0.27 billion weights)" in suggested_html(
        "gemma-3-270m", 270_000_000, rules, {}, "en"
    )
