from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from recsys.prompts.formats import PromptFormat
from recsys.prompts.templates import load_templates
from tests.training.support import make_row, write_rows
from training.data.instructions import EMPTY, LONG_PROMPT
from training.data.pair_checks import IDENTICAL
from training.data.pairs import (
    TextPair,
    parse_pairs,
    prepare_pairs,
    read_pairs,
    render_pair,
    usable_pairs,
)
from training.data.splits import split_by_prompt
from training.errors import NotEnoughPairsError, PairsFileError

FEW_SHOT = PromptFormat(style="few-shot")


def words(texts: Sequence[str]) -> list[list[int]]:
    return [[hash(word) for word in text.split()] for text in texts]


def answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def test_read_pairs_ignores_other_columns_and_empty_lines(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "pairs.jsonl", [make_row(1), make_row(2, score=3)])
    path.write_text(path.read_text() + "\n\n")
    assert [row.instruction for row in read_pairs(path)] == [
        "Liked film 1. Next book?",
        "Liked film 2. Next book?",
    ]


def test_read_pairs_keeps_a_line_separator_inside_a_string(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "pairs.jsonl", [make_row(1, chosen=answer("one\u2028two"))])
    assert read_pairs(path)[0].answers[0] == "one\u2028two"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"prompt": ', "it is not JSON"),
        ('{"prompt": "text", "chosen": "a", "rejected": "b"}', "prompt: "),
        ("[]", "row: "),
        ('{"prompt": [{"role": "user", "content": "x"}], "chosen": []}', "chosen: "),
    ],
)
def test_read_pairs_names_line_and_cause(tmp_path: Path, line: str, problem: str) -> None:
    path = write_rows(tmp_path / "pairs.jsonl", [make_row(1)])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(PairsFileError, match=f"pairs.jsonl, line 2: {problem}") as caught:
        read_pairs(path)
    assert caught.value.exit_code == 2


def test_read_pairs_of_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(PairsFileError, match="cannot be read"):
        read_pairs(tmp_path / "none.jsonl")


@pytest.mark.parametrize(("count", "said"), [(0, "there are 0"), (1, "there are 1")])
def test_fewer_than_two_pairs_are_not_enough(count: int, said: str) -> None:
    with pytest.raises(NotEnoughPairsError, match=f"at least 2 usable preference pairs; {said}"):
        usable_pairs(parse_pairs(make_row(number) for number in range(count)))


def test_pairs_that_say_nothing_are_dropped_and_counted() -> None:
    rows = [make_row(1), make_row(2), make_row(3, chosen=answer(" ")), make_row(4, rejected=answer("x "))]
    rows[3]["chosen"] = answer("x")
    usable, dropped = usable_pairs(parse_pairs(rows))
    assert len(usable) == 2
    assert dropped == {EMPTY: 1, IDENTICAL: 1}


def test_the_error_tells_why_pairs_were_dropped() -> None:
    rows = parse_pairs([make_row(1), make_row(2, rejected=make_row(2)["chosen"])])
    with pytest.raises(NotEnoughPairsError, match=f"there are 1 .1 dropped because {IDENTICAL}"):
        usable_pairs(rows)


def test_a_base_model_reads_the_worked_examples_of_the_situation() -> None:
    row = parse_pairs([make_row(1, language="ko", situation="active", form="listwise")])[0]
    text = render_pair(row, FEW_SHOT).prompt
    for example in load_templates("ko").worked_examples("active", "listwise"):
        assert example.response in text
    cues = load_templates("ko").cues
    assert text.endswith(f"{cues.request}\nLiked film 1. Next book?\n\n{cues.answer}\n")


def test_prepare_counts_long_prompts_and_cut_answers() -> None:
    plain = PromptFormat(style="plain")
    rows = [make_row(n) for n in range(4)]
    rows[0]["prompt"][1]["content"] = "word " * 40
    rows[1]["chosen"] = answer("word " * 40)
    ready = prepare_pairs(parse_pairs(rows), plain, words, max_length=30, held_out=0, seed=0)
    assert ready.dropped == {LONG_PROMPT: 1}
    assert (len(ready.train), ready.truncated) == (3, 1)


def test_long_prompts_can_leave_too_few() -> None:
    with pytest.raises(NotEnoughPairsError, match=LONG_PROMPT):
        prepare_pairs(
            parse_pairs([make_row(1), make_row(2)]), FEW_SHOT, words, max_length=4, held_out=0, seed=0
        )


@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.5])
def test_split_never_puts_a_prompt_on_both_sides(share: float) -> None:
    pairs = [TextPair(f"prompt {n // 3}", f"good {n}", f"bad {n}") for n in range(60)]
    train, aside = split_by_prompt(pairs, share, seed=1)
    assert not {pair.prompt for pair in train} & {pair.prompt for pair in aside}
    assert len({pair.prompt for pair in aside}) == round(share * 20)
    assert sorted(train + aside, key=repr) == sorted(pairs, key=repr)


def test_split_leaves_something_to_train_on() -> None:
    pairs = [TextPair("one prompt", "good", "bad"), TextPair("one prompt", "better", "bad")]
    assert split_by_prompt(pairs, 0.5, seed=0) == (pairs, [])
