from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.llm.text_stream import TextStream


def _run(pieces: list[bytes], stop: tuple[str, ...] = (), lead: str = "") -> tuple[str, bool]:
    """Text and `stopped` after all pieces; checks that the deltas make up the text."""
    stream = TextStream(stop, lead)
    deltas = [stream.push(piece) for piece in pieces]
    deltas.append(stream.finish())
    assert lead + "".join(deltas) == stream.text
    return stream.text, stream.stopped


def _bytes(text: str) -> list[bytes]:
    return [bytes([b]) for b in text.encode()]


@pytest.mark.parametrize("text", ["느리고 어두운 영화", "👩‍🚀 우주 🚀", "naïve café", "한"])
def test_characters_split_across_tokens_are_put_together(text: str) -> None:
    assert _run(_bytes(text)) == (text, False)


def test_half_a_character_is_not_shown() -> None:
    stream = TextStream()
    assert [stream.push(b) for b in _bytes("한")] == ["", "", "한"]


def test_bytes_that_are_no_utf8_become_replacement_characters() -> None:
    assert _run([b"a\xff", b"b\xed"]) == ("a\ufffdb\ufffd", False)


def test_stop_string_across_pushes() -> None:
    assert _run([b"one\n#", b"## ", b"two"], ("\n### ",)) == ("one", True)


def test_what_might_begin_a_stop_string_is_held_back() -> None:
    stream = TextStream(("###",))
    assert stream.push(b"a#") == "a"
    assert stream.push(b"#") == ""
    assert stream.push(b"b") == "##b"
    assert stream.push(b"#") == ""
    assert stream.finish() == "#"
    assert stream.text == "a##b#"


def test_nothing_follows_a_stop() -> None:
    stream = TextStream(("\n",))
    assert stream.push("끝\nmore".encode()) == "끝"
    assert stream.stopped
    assert stream.push(b"more") == ""
    assert stream.finish() == ""
    assert stream.text == "끝"


def test_first_stop_string_counts() -> None:
    assert _run([b"one. two\n"], ("\n", ". ")) == ("one", True)


def test_stop_string_inside_another_gives_the_same_text_in_any_split() -> None:
    stop = ("abc", "b")
    assert _run([b"xabc"], stop) == _run(_bytes("xabc"), stop)


def test_white_space_before_the_first_word_is_dropped() -> None:
    assert _run([b" ", b"\n", b" a b "], ("\n",)) == ("a b ", False)


def test_white_space_after_a_lead_is_kept() -> None:
    assert _run([b" likes", b" films\n"], ("\n",), "This person") == ("This person likes films", True)


def test_empty_stop_strings_are_ignored() -> None:
    assert _run([b"abc"], ("",)) == ("abc", False)


@given(
    text=st.text(alphabet="ab #\n가나👩‍🚀é", max_size=30),
    stop=st.lists(st.text(alphabet="ab #\n가", min_size=1, max_size=4), max_size=3).map(tuple),
    cuts=st.sets(st.integers(0, 120)),
    lead=st.sampled_from(["", "This"]),
)
def test_any_split_of_the_bytes_gives_the_same_text(
    text: str, stop: tuple[str, ...], cuts: set[int], lead: str
) -> None:
    data = text.encode()
    edges = sorted({0, len(data), *(c for c in cuts if c < len(data))})
    split = [data[a:b] for a, b in pairwise(edges)]
    assert _run(split, stop, lead) == _run([data], stop, lead) == _run(_bytes(text), stop, lead)


@given(st.binary(max_size=20), st.sets(st.integers(0, 20)))
def test_any_split_of_any_bytes_gives_the_same_text(data: bytes, cuts: set[int]) -> None:
    edges = sorted({0, len(data), *(c for c in cuts if c < len(data))})
    assert _run([data[a:b] for a, b in pairwise(edges)]) == _run([data])


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=3).map(tuple))
def test_no_stop_string_is_ever_in_the_text(text: str, stop: tuple[str, ...]) -> None:
    found, stopped = _run(_bytes(text), stop)
    assert not any(s in found for s in stop)
    if not stopped:
        assert found == text.lstrip()
