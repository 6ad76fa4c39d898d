"""How one token of each row is drawn."""

from __future__ import annotations

import pytest

from recsys.llm.base import Sampling

torch = pytest.importorskip("torch")

from recsys.llm.transformers_model import _Draw  # noqa: E402

LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0, -5.0])
NOTHING = torch.zeros(1, 3, dtype=torch.long)


def _drawn(sampling: Sampling, seeds: list[int], steps: int = 1, ids: object = None) -> list[list[int]]:
    """The tokens of each step, for as many rows as there are seeds."""
    draw = _Draw(sampling, seeds, prompt_tokens=3)
    rows = LOGITS.repeat(len(seeds), 1)
    ids = NOTHING.repeat(len(seeds), 1) if ids is None else ids
    found = []
    for _ in range(steps):
        scores = draw(ids, rows)
        assert (scores > -torch.inf).sum(dim=-1).tolist() == [1] * len(seeds)
        found.append(scores.argmax(dim=-1).tolist())
    return found


def test_row_does_not_depend_on_its_company() -> None:
    sampling = Sampling(temperature=1.0, repeat_penalty=1.0)
    alone = [step[0] for step in _drawn(sampling, [5], 40)]
    together = [step[1] for step in _drawn(sampling, [3, 5, 9], 40)]
    assert alone == together
    assert alone != [step[0] for step in _drawn(sampling, [6], 40)]


def test_shares_are_those_of_the_softmax() -> None:
    steps = _drawn(Sampling(temperature=1.0, top_p=1.0, repeat_penalty=1.0), list(range(50)), 200)
    found = torch.bincount(torch.tensor(steps).flatten(), minlength=5) / 10_000
    assert torch.allclose(found, LOGITS.softmax(dim=-1), atol=0.015), found


def test_temperature_zero_takes_the_likeliest() -> None:
    assert _drawn(Sampling(temperature=0.0), [1, 2], 3) == [[0, 0]] * 3


def test_top_k_and_top_p_leave_the_likeliest() -> None:
    for sampling in (
        Sampling(temperature=2.0, top_k=2, repeat_penalty=1.0, top_p=1.0),
        Sampling(temperature=2.0, top_p=0.7, repeat_penalty=1.0),
    ):
        steps = _drawn(sampling, list(range(20)), 20)
        assert {token for step in steps for token in step} == {0, 1}


def test_penalty_counts_the_answers_tokens_and_not_the_prompts() -> None:
    greedy = Sampling(temperature=0.0, repeat_penalty=2.0)
    asked = torch.tensor([[0, 0, 0]])
    assert _drawn(greedy, [1], ids=asked) == [[0]]
    written = torch.tensor([[4, 4, 4, 0]])
    tie = LOGITS.clone()
    tie[0] = 1.9
    draw = _Draw(greedy, [1], prompt_tokens=3)
    assert draw(written, tie[None]).argmax().item() == 1
    long_ago = torch.cat([written, torch.full((1, 64), 4)], dim=1)
    assert draw(long_ago, tie[None]).argmax().item() == 0
