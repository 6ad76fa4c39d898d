from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from annotation.history import Origin
from annotation.quality.measure import Measure, Part
from annotation.quality.report import QualityReport
from annotation.records import Candidate, PromptRecord, Task
from annotation.selection import Exclusion, Reason, Selection
from annotation.ui.board import Sent
from annotation.ui.messages import origins_phrase, task_message
from annotation.ui.quality_html import excluded_html, report_html
from annotation.ui.tab import board_script
from recsys.demos import ASSETS
from recsys.i18n import text, texts

PROMPT = PromptRecord(
    situation="active",
    form="listwise",
    language="en",
    source_domain="books",
    target_domain="films",
    system="",
    heading="Read:",
    history=("- A (b)",),
    ask="Ask",
    query="rain",
)


def test_a_task_tells_nothing_of_the_models() -> None:
    task = Task("7", PROMPT, (Candidate("1", "text", ("cut off", "repeating")),), best="1")
    message = task_message(task, "mina", "ko")
    assert message["tags"] == ["책 → 영화", "요청에서", "목록에서 선택"]
    assert message["candidates"] == [{"id": "1", "text": "text", "marks": ["중간에 끊김", "같은 말 반복"]}]
    assert message["key"] != task_message(task, "jun", "ko")["key"]


def test_origins_are_told_only_when_there_are_any() -> None:
    origins = (Origin("1", "gemma", "mine"), Origin("2", "smol", None))
    assert "gemma+mine" in origins_phrase(origins, "1", "2", "en")
    assert origins_phrase((), "1", "2", "en") == ""


def test_what_the_page_sends_is_not_trusted() -> None:
    sent = Sent({"a": ["x"], "n": -4, "m": "7", "since": "2026-01-01"})
    assert (sent.text("a"), sent.text("none"), sent.number("n"), sent.number("m")) == ("", "", 0, 0)
    assert Sent({"a": "\ud800b"}).text("a") == "?b"
    assert Sent({"n": 10**30}).number("n") == 10**9
    assert sent.since is None  # without a time zone it names no moment
    assert Sent({"since": "2026-01-01T00:00:00.000Z"}).since == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_report_escapes_names_and_draws_a_bar_for_each_part() -> None:
    parts = (Part("<b>", 0.5, 8), Part("jun", None, 1))
    shares = Measure("gold", "share", 0.5, 9, 5, "tags", parts)
    scores = Measure("scores", "score", None, 1, 2, "models", (Part("m", -1.0, 30), Part("k", 1.0, 30)))
    shown = report_html(QualityReport(9, 3, 2, (shares, scores)), "en")
    assert "<b>" not in shown
    assert "&lt;b&gt;" in shown
    assert [f"width:{width}%" in shown for width in ("50.0", "0.0", "100.0")] == [True] * 3
    assert shown.count("is-few") == 1


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_reason_has_its_words(language: str) -> None:
    reasons: tuple[Reason, ...] = Reason.__args__
    shown = excluded_html(Selection([], [Exclusion("1", "", reason) for reason in reasons]), language)
    assert shown.count("<li>") == len(reasons)


def test_the_board_uses_only_words_that_there_are() -> None:
    named = set(re.findall(r"word\('(\w+)'", board_script()))
    known = set(texts("en"))
    assert {name for name in named if not name.endswith("_") and f"annotate_{name}" not in known} == set()


def test_every_layout_has_a_key_of_its_own_for_every_action() -> None:
    layouts = json.loads((ASSETS / "web" / "annotate_keys.json").read_text(encoding="utf-8"))
    for name, keys in layouts.items():
        assert text("ko", f"annotate_layout_{name}")
        assert keys.keys() == layouts["standard"].keys()
        assert len(set(keys.values())) == len(keys)
