from __future__ import annotations

import pytest

from recsys.llm.base import Delta, Request, Sampling
from recsys.llm.writing import Writing
from recsys.prompts.formats import Cues, Prompt, PromptFormat

PROMPT = Prompt("Be brief.", "Next?", cues=Cues(lead="This person"))


def _writing(deltas: list[Delta], style: str = "chat", **sampling: object) -> Writing:
    settings = Sampling(**{"max_tokens": 5, "stop": ("END",), **sampling})  # type: ignore[arg-type]
    return Writing(2, Request(PROMPT, settings), PromptFormat(style=style), 7, deltas.append)  # type: ignore[arg-type]


def _said(deltas: list[Delta]) -> tuple[str, list[object]]:
    return "".join(d.text for d in deltas), [d.finish for d in deltas if d.finish]


def test_pieces_come_out_as_they_go_in() -> None:
    deltas: list[Delta] = []
    writing = _writing(deltas)
    for piece in (" Will", " read."):
        writing.push(piece)
    assert [d.text for d in deltas] == ["Will", " read."]
    writing.end("stop")
    writing.end("length")
    writing.push("more")
    assert _said(deltas) == ("Will read.", ["stop"])
    done = writing.completion()
    assert (done.text, done.tokens, done.finish, done.seed) == ("Will read.", 2, "stop", 7)
    assert {d.index for d in deltas} == {2}


def test_stop_string_across_pieces_ends_it() -> None:
    deltas: list[Delta] = []
    writing = _writing(deltas)
    for piece in ("One. E", "N", "D two"):
        writing.push(piece)
    assert _said(deltas) == ("One. ", ["stop"])


def test_limit_ends_it_with_what_was_held_back() -> None:
    deltas: list[Delta] = []
    writing = _writing(deltas, max_tokens=2)
    for piece in ("a", " E", " b"):
        writing.push(piece)
    assert _said(deltas) == ("a E", ["length"])
    assert writing.tokens == 2


def test_lead_comes_first_and_once() -> None:
    deltas: list[Delta] = []
    writing = _writing(deltas, "few-shot")
    for piece in (" loves", " it\nand"):
        writing.push(piece)
    assert _said(deltas) == ("This person loves it", ["stop"])
    assert writing.completion().text == "This person loves it"


@pytest.mark.parametrize("style", ["chat", "few-shot"])
def test_called_off_before_it_began_it_is_empty(style: str) -> None:
    deltas: list[Delta] = []
    writing = _writing(deltas, style)
    writing.end("cancelled")
    assert _said(deltas) == ("", ["cancelled"])
    assert writing.completion().text == ""


def test_measuring_ignores_stop_strings() -> None:
    deltas: list[Delta] = []
    writing = _writing(deltas, "few-shot", ignore_eos=True)
    for piece in ("a", "END", "\n", "b", "c"):
        writing.push(piece)
    assert _said(deltas) == ("This personaEND\nbc", ["length"])
