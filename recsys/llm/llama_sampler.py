"""The next token of one sequence, drawn by llama.cpp from the few tokens that can be it."""

from __future__ import annotations

import ctypes

import llama_cpp
import numpy as np
import numpy.typing as npt

from recsys.llm.base import Sampling
from recsys.llm.llama_model import LlamaModel

_PENALTY_WINDOW = 64

_MARGIN, _WIDEST, _MANY = 8.0, 1e6, 32
"""How far below the best logit the tokens lie that are looked at, to begin with and at the most; it is
narrowed where they are more than this many times top-k."""

_TOKEN_DATA = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""llama.cpp's `llama_token_data`."""

Logits = npt.NDArray[np.float32]


class Sampler:
    """One sequence's chain: top-k, repetition penalty, top-p, temperature, seeded draw.

    Top-k comes first, so that only its survivors are sorted and penalised: the vocabulary can have
    262,144 entries. It is shown only the tokens near the best one, found by one comparison over all: a few
    hundred, of which it would have kept the same.
    """

    def __init__(self, model: LlamaModel, sampling: Sampling, seed: int) -> None:
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        links = [llama_cpp.llama_sampler_init_top_k(sampling.top_k)]
        if sampling.repeat_penalty > 1.0:
            links.append(
                llama_cpp.llama_sampler_init_penalties(
                    model.vocab_size, _PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0
                )
            )
        if sampling.temperature == 0.0:
            links.append(llama_cpp.llama_sampler_init_greedy())
        else:
            links += [
                llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1),
                llama_cpp.llama_sampler_init_temp(sampling.temperature),
                llama_cpp.llama_sampler_init_dist(seed),
            ]
        for link in links:
            llama_cpp.llama_sampler_chain_add(chain, link)
        self._chain = chain
        self._top_k = sampling.top_k
        self._margin = _MARGIN

    def draw(self, logits: Logits) -> int:
        """The next token, from the logits of the one before; shape (vocabulary,)."""
        near = self._near_the_best(logits)
        shown = np.zeros(len(near), _TOKEN_DATA)
        shown["id"], shown["logit"] = near, logits[near]
        data = shown.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
        candidates = llama_cpp.llama_token_data_array(data, len(near), -1, False)
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(candidates))
        token = int(shown["id"][candidates.selected])
        llama_cpp.llama_sampler_accept(self._chain, token)
        return token

    def _near_the_best(self, logits: Logits) -> npt.NDArray[np.intp]:
        """Tokens among which are the `top_k` likeliest; all of them where few are a number."""
        best = logits.max()
        while self._top_k < len(logits) and self._margin < _WIDEST:
            near = np.flatnonzero(logits >= best - self._margin)
            if len(near) >= self._top_k:
                if len(near) > _MANY * self._top_k:
                    self._margin *= 0.8
                return near
            self._margin *= 1.5
        return np.arange(len(logits))

    def close(self) -> None:
        """Free the chain."""
        if self._chain:
            llama_cpp.llama_sampler_free(self._chain)
            self._chain = None
