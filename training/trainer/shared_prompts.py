"""Chosen and rejected of a pair in one row, behind the prompt that they share. Imports torch.

TRL asks for two rows a pair, [prompt, chosen] and [prompt, rejected]. Prompts are longer than answers
here, so most of that is done twice. One row [prompt, chosen, rejected] gives the same hidden states
when positions count on from the prompt in both answers and the rejected one does not see the chosen one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_PAD, _PROMPT, _CHOSEN, _REJECTED = range(4)


@dataclass(frozen=True)
class SharedRows:
    """A batch of B pairs as B rows of length L.

    `input_ids`, `positions` and `segments` have the shape (B, L); `sources` (tokens,) has, for each answer
    token in the order of TRL's 2B rows, the place in the flattened (B x L) states that predicts it.
    """

    input_ids: Tensor
    positions: Tensor
    segments: Tensor
    sources: Tensor

    def mask(self, window: int | None = None) -> Tensor:
        """Who sees whom, shape (B, 1, L, L), boolean; `window` is that of a sliding layer, in positions."""
        length = self.segments.shape[1]
        order = torch.arange(length)
        seen = (order[:, None] >= order[None, :]).expand(len(self.segments), length, length)
        query, key = self.segments[:, :, None], self.segments[:, None, :]
        seen = seen & ((key == _PROMPT) | (key == query))
        if window is not None:
            seen = seen & (self.positions[:, :, None] - self.positions[:, None, :] < window)
        return seen.unsqueeze(1)


def share_prompts(input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> SharedRows | None:
    """`input_ids`, `attention_mask` and `labels` are TRL's, shape (2B, T): chosen rows, then rejected.

    Labels are -100 but at answer tokens. None where the two prompts of a pair are not the same.
    """
    pairs = len(input_ids) // 2
    answered = labels != -100
    lengths = attention_mask.sum(1)
    prompts = lengths - answered.sum(1)
    rows, spans = [], []
    for chosen, rejected in zip(range(pairs), range(pairs, 2 * pairs), strict=True):
        prompt = int(prompts[chosen])
        same = prompt == int(prompts[rejected]) and prompt > 0
        if not same or not torch.equal(input_ids[chosen, :prompt], input_ids[rejected, :prompt]):
            return None
        first = input_ids[chosen, : int(lengths[chosen])]
        second = input_ids[rejected, prompt : int(lengths[rejected])]
        rows.append(torch.cat([first, second]))
        spans.append((prompt, len(first) - prompt, len(second)))
    longest = max(map(len, rows))
    ids = input_ids.new_zeros((pairs, longest))
    positions = torch.zeros_like(ids)
    segments = torch.full_like(ids, _PAD)
    of_chosen, of_rejected = [], []
    for number, (row, (prompt, chosen, rejected)) in enumerate(zip(rows, spans, strict=True)):
        both, whole = prompt + chosen, len(row)
        ids[number, :whole] = row
        positions[number, :both] = torch.arange(both)
        positions[number, both:whole] = torch.arange(prompt, prompt + rejected)
        segments[number, :prompt] = _PROMPT
        segments[number, prompt:both] = _CHOSEN
        segments[number, both:whole] = _REJECTED
        start = number * longest
        of_chosen.append(torch.arange(prompt - 1, both - 1) + start)
        last_of_prompt = torch.tensor([prompt - 1])
        of_rejected.append(torch.cat([last_of_prompt, torch.arange(both, whole - 1)])[:rejected] + start)
    return SharedRows(ids, positions, segments, torch.cat([*of_chosen, *of_rejected]))
