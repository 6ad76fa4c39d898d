"""Log-probabilities of the answer's tokens from hidden states, without the whole matrix of logits.

The time of a training step on a CPU goes mostly into the output head: gemma's vocabulary has 262,144
entries. TRL 1.16 scores every position there, in fp32 copies, and computes the logits again in the
backward pass, with products in fp32. Here the head is one pass over tiles of the vocabulary, in the
model's own number format, as in flash attention (Dao et al., https://arxiv.org/abs/2205.14135) with the
head's rows as keys and values: it gives log Z and the expected row E = sum_v p_v W_v, and since

    log p(t) = h . W_t - log Z        d log p(t) / dh = W_t - E

the gradient is known when the forward pass ends. The head itself must be frozen. Imports torch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_TILE = 8192
"""Rows of the head at a time; a tile of logits of a few hundred tokens stays in the cache."""


def fast_log_probs(hidden: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """(log-probabilities, entropies), both of shape (tokens,) and fp32; only the first has a gradient.

    `hidden` has the shape (tokens, width), `weight` (vocabulary, width), `targets` (tokens,).
    """
    result: tuple[Tensor, Tensor] = _FastLogProbs.apply(hidden, weight, targets)  # type: ignore[no-untyped-call]
    return result


class _FastLogProbs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """See `fast_log_probs`."""
        states = hidden.detach().to(weight.dtype)
        rows = weight[targets].float()
        log_z, mean_logit, expected = _scan(states, weight, with_rows=ctx.needs_input_grad[0])
        if expected is not None:
            ctx.save_for_backward(rows.sub_(expected))
            ctx.dtype = hidden.dtype
            rows = weight[targets].float()
        log_probs = (states.float() * rows).sum(-1) - log_z
        entropy = log_z - mean_logit
        ctx.mark_non_differentiable(entropy)
        return log_probs, entropy

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """The gradient with respect to `hidden`."""
        (slope,) = ctx.saved_tensors
        return (slope * gradients[0].unsqueeze(-1)).to(ctx.dtype), None, None


def _scan(states: Tensor, weight: Tensor, *, with_rows: bool) -> tuple[Tensor, Tensor, Tensor | None]:
    """log Z and the mean logit of each token, shape (tokens,), and E where it is wanted.

    The running maximum and sums are rescaled when a tile has a larger logit (Milakov and Gimelshein,
    https://arxiv.org/abs/1805.02867).
    """
    tokens = len(states)
    top = torch.full((tokens, 1), -torch.inf)
    total, weighted = torch.zeros(tokens, 1), torch.zeros(tokens, 1)
    expected = torch.zeros(tokens, states.shape[1]) if with_rows else None
    for start in range(0, len(weight), _TILE):
        tile = weight[start : start + _TILE]
        logits = (states @ tile.T).float()
        new_top = torch.maximum(top, logits.amax(-1, keepdim=True))
        shrink = (top - new_top).exp_()
        shares = (logits - new_top).exp_()
        total = total * shrink + shares.sum(-1, keepdim=True)
        weighted = weighted * shrink + torch.linalg.vecdot(shares, logits).unsqueeze(-1)
        if expected is not None:
            expected = expected * shrink + (shares.to(weight.dtype) @ tile).float()
        top = new_top
    log_z = (top + total.log()).squeeze(-1)
    return log_z, (weighted / total).squeeze(-1), None if expected is None else expected / total
