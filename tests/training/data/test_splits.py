from __future__ import annotations

from dataclasses import dataclass

from training.data.splits import MOST_HELD_OUT, split_by_prompt


@dataclass(frozen=True)
class Row:
    prompt: str
    answer: int


def rows(prompts: int) -> list[Row]:
    return [Row(f"prompt {number}", answer) for number in range(prompts) for answer in range(2)]


def test_all_rows_of_a_prompt_are_on_one_side() -> None:
    train, aside = split_by_prompt(rows(40), 0.25, seed=0)
    assert (len(train), len(aside)) == (60, 20)
    assert not {row.prompt for row in train} & {row.prompt for row in aside}


def test_a_share_of_many_is_cut_and_keeps_the_same_prompts() -> None:
    few, many = split_by_prompt(rows(6000), 0.1, seed=0)[1], split_by_prompt(rows(6000), 0.5, seed=0)[1]
    assert len({row.prompt for row in few}) == MOST_HELD_OUT
    assert few == many


def test_one_prompt_is_left_to_train_on() -> None:
    train, aside = split_by_prompt(rows(1), 0.5, seed=0)
    assert (len(train), len(aside)) == (2, 0)
