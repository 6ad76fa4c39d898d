"""llama.cpp's contexts, reduced to what a batched generation needs.

Several sequences of one context share the prompt's cells of the KV cache: the prompt is evaluated once
for all of them, and what two prompts have in common at their beginning (the worked examples, say) is
not evaluated again. A context serves one request at a time. Requests that are to be interleaved each
need one of their own: in a shared cache the place of the cells, and with it the rounding, would depend
on what else is in it, and a seed would not give the same answer twice.

All methods must be called from one thread.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence

import llama_cpp
import numpy as np

from recsys.errors import ResourceError
from recsys.llm.base import MAX_ANSWERS
from recsys.llm.llama_model import LlamaModel
from recsys.llm.llama_sampler import Logits

MAX_SEQUENCES = MAX_ANSWERS
"""Sequences that one context can hold."""

_BLOCK = 64
"""Prompts are evaluated in blocks of this many tokens, and reused from the cache in whole blocks: the
rest is then evaluated in the same shapes, so that a seed gives the same answer with and without the
cache. Between two blocks a waiting person can go first."""


class LlamaEngine:
    """One context over one model.

    `context_tokens` is what one request may take of the KV cache: its prompt once, and the new tokens
    of each of its sequences.
    """

    def __init__(self, model: LlamaModel, *, context_tokens: int, threads: int) -> None:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = context_tokens + MAX_SEQUENCES  # the empty rows of a step
        parameters.n_batch = _BLOCK
        parameters.n_ubatch = _BLOCK
        parameters.n_seq_max = MAX_SEQUENCES
        parameters.n_threads = threads
        parameters.n_threads_batch = threads
        parameters.kv_unified = True
        if not llama_cpp.llama_supports_gpu_offload():  # on a CPU it takes one cell after the other
            parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        parameters.swa_full = True
        parameters.no_perf = True
        self.model = model
        self._context = llama_cpp.llama_init_from_model(model.pointer, parameters)
        if not self._context:
            raise ResourceError(
                reason=f"There is not enough memory for a context of {context_tokens} tokens. "
                "Lower ZEROSHELF_CONTEXT_TOKENS."
            )
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(_BLOCK, 0, MAX_SEQUENCES)
        self._cached: tuple[str | None, list[int]] = (None, [])
        self._adapter: str | None = None

    def use_adapter(self, name: str | None, pointer: llama_cpp.llama_adapter_lora_p | None) -> None:
        """Apply one adapter, or none, to all that is evaluated from now on."""
        if name == self._adapter:
            return
        if pointer is None:
            llama_cpp.llama_set_adapters_lora(self._context, None, 0, None)
        else:
            adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(pointer)
            scales = (ctypes.c_float * 1)(1.0)
            llama_cpp.llama_set_adapters_lora(self._context, adapters, 1, scales)
        self._adapter = name

    @staticmethod
    def shared(prompts: Sequence[Sequence[int]]) -> list[int]:
        """What all prompts begin with, in whole blocks, so that each keeps a tail of its own."""
        common = min(len(prompt) - 1 for prompt in prompts)
        for prompt in prompts[1:]:
            common = min(common, _common_prefix(prompts[0], prompt))
        return list(prompts[0][: common // _BLOCK * _BLOCK])

    def open(self, prompt: Sequence[int], n: int, *, whole: bool = False) -> int:
        """Make ready for `n` continuations of `prompt` with the adapter in use.

        Returns how many of the prompt's tokens are already in the cache; `prefill` does the rest. Its
        last block is evaluated again for its logits, unless `whole` says that nobody needs them.
        """
        adapter, cached = self._cached
        common = _common_prefix(cached, prompt) if adapter == self._adapter else 0
        common = min(common, len(prompt) - (not whole)) // _BLOCK * _BLOCK
        llama_cpp.llama_memory_seq_rm(self._memory, 0, common, -1)
        for sequence in range(1, MAX_SEQUENCES):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        for sequence in range(1, n):
            llama_cpp.llama_memory_seq_cp(self._memory, 0, sequence, 0, common)
        self._cached = (self._adapter, list(prompt[:common]))
        return common

    def prefill(self, prompt: Sequence[int], start: int, n: int) -> int:
        """Evaluate the next stretch of the prompt from `start` for all `n` sequences at once.

        Returns where the following stretch begins. After the last one, row -1 holds the logits.
        """
        end = min(start + _BLOCK, len(prompt))
        batch = self._batch
        batch.n_tokens = end - start
        for row, position in enumerate(range(start, end)):
            batch.token[row] = prompt[position]
            batch.pos[row] = position
            batch.n_seq_id[row] = n
            for i in range(n):
                batch.seq_id[row][i] = i
            batch.logits[row] = position == len(prompt) - 1
        self._decode()
        self._cached = (self._adapter, list(prompt[:end]))
        return end

    def share(self, source: int, target: int, start: int, tokens: int) -> None:
        """Give one sequence what another has from `start` up to `tokens`, without evaluating it again."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, start, tokens)

    @staticmethod
    def in_common(a: Sequence[int], b: Sequence[int]) -> int:
        """How many tokens `b` can take over from `a`: whole blocks, and at least one is left to evaluate."""
        return min(_common_prefix(a, b), len(b) - 1) // _BLOCK * _BLOCK

    def extend(self, sequence: int, tail: Sequence[int], position: int) -> list[int]:
        """Evaluate the next stretch of one sequence's own `tail`, which begins at `position`.

        Returns what is left of it. After the last stretch, row -1 holds the logits.
        """
        stretch, left = tail[:_BLOCK], list(tail[_BLOCK:])
        batch = self._batch
        batch.n_tokens = len(stretch)
        for row, token in enumerate(stretch):
            batch.token[row] = token
            batch.pos[row] = position + row
            batch.n_seq_id[row] = 1
            batch.seq_id[row][0] = sequence
            batch.logits[row] = not left and row == len(stretch) - 1
        self._decode()
        return left

    def advance(self, tokens: Sequence[tuple[int, int, int]], rows: int = 0) -> None:
        """Evaluate each (sequence, token, position); row i then holds the logits of the i-th.

        Up to `rows` rows are evaluated: the further ones repeat the last token behind it, and are forgotten.
        """
        (last, token, position), batch = tokens[-1], self._batch
        empty = max(0, rows - len(tokens))
        batch.n_tokens = len(tokens) + empty
        behind = ((last, token, position + 1 + i) for i in range(empty))
        for row, (sequence, token, position) in enumerate((*tokens, *behind)):
            batch.token[row] = token
            batch.pos[row] = position
            batch.n_seq_id[row] = 1
            batch.seq_id[row][0] = sequence
            batch.logits[row] = True
        self._decode()
        if empty:
            self.forget(last, tokens[-1][2] + 1)

    def step_seconds(self, rows: int) -> float:
        """How long a step of so many rows takes, after no prompt; for an engine that is not in use."""
        started = time.perf_counter()
        self.advance([(sequence, 0, 0) for sequence in range(rows)])
        self.logits(0)
        taken = time.perf_counter() - started
        llama_cpp.llama_memory_clear(self._memory, False)
        self._cached = (None, [])
        return taken

    def release(self) -> None:
        """Drop everything of a finished request but its prompt, which the next may share."""
        prompt = self._cached[1]
        llama_cpp.llama_memory_seq_rm(self._memory, 0, len(prompt), -1)
        for sequence in range(1, MAX_SEQUENCES):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    @property
    def batch_tokens(self) -> int:
        """How many tokens can be evaluated at once."""
        return _BLOCK

    def logits(self, row: int) -> Logits:
        """The logits in `row` of the last batch, until the next is evaluated; shape (vocabulary,)."""
        pointer = llama_cpp.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, shape=(self.model.vocab_size,))

    def forget(self, sequence: int, position: int) -> None:
        """Drop what one sequence has from `position` on."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, position, -1)

    def close(self) -> None:
        """Free the context; the model stays."""
        if self._context:
            llama_cpp.llama_batch_free(self._batch)
            llama_cpp.llama_free(self._context)
            self._context = None

    def _decode(self) -> None:
        code = llama_cpp.llama_decode(self._context, self._batch)
        if code != 0:
            raise ResourceError(reason=f"llama.cpp could not evaluate a batch (code {code}).")


def _common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))
