"""Sampling on its way through the scheduler: several sequences of one context, one batch a step."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recsys.llm.base import Completion, Delta, FinishReason, Priority, Request
from recsys.llm.llama_engine import LlamaEngine
from recsys.llm.llama_sampler import Sampler
from recsys.llm.row_plan import RowPlan
from recsys.llm.text_stream import TextStream
from recsys.prompts.formats import PromptFormat

UseAdapter = Callable[[LlamaEngine, str | None], None]


@dataclass(frozen=True)
class Part:
    """A request with its prompt's tokens and the format in which its model is asked."""

    request: Request
    tokens: list[int]
    form: PromptFormat


class _Sequence:
    """One of the continuations. `tail` is what of its prompt is not evaluated yet."""

    def __init__(self, index: int, part: Part, tail: list[int], sampler: Sampler, seed: int) -> None:
        sampling = part.request.sampling
        self.index = index
        self.sampler = sampler
        self.seed = seed
        self.sampling = sampling
        self.cancel = part.request.cancel
        self.lead = part.form.lead(part.request.prompt)
        stop = () if sampling.ignore_eos else (*part.form.stop, *sampling.stop)
        self.stream = TextStream(stop, self.lead)
        self.prompt = part.tokens
        self.behind = len(part.tokens) - 1
        self.tail = tail
        self.tokens = 0
        self.token = -1
        self.finish: FinishReason | None = None


class Generation:
    """Answers to one request (`n` sequences that share all of its prompt), or to several requests of
    one answer each, which share the beginning of their prompts, each with the one before it.

    All requests have the same adapter and priority.
    """

    def __init__(
        self, engine: LlamaEngine, use_adapter: UseAdapter, parts: Sequence[Part], plan: RowPlan
    ) -> None:
        self.deltas: queue.SimpleQueue[Delta | None] = queue.SimpleQueue()
        self.error: Exception | None = None
        self._engine = engine
        self._use_adapter = use_adapter
        self._parts = parts
        self._plan = plan
        self._adapter = parts[0].request.adapter
        self._shared = parts[0].tokens if len(parts) == 1 else engine.shared([p.tokens for p in parts])
        self._count = parts[0].request.n if len(parts) == 1 else len(parts)
        self._done_shared = -1
        self._sequences: list[_Sequence] = []

    @property
    def priority(self) -> Priority:
        """Who waits for it."""
        return self._parts[0].request.priority

    def step(self) -> bool:
        """Evaluate one stretch of a prompt, or one token of every sequence that is still open."""
        if all(part.request.cancel.is_set() for part in self._parts):
            return self._end("cancelled")
        self._use_adapter(self._engine, self._adapter)
        if self._done_shared < 0:
            self._done_shared = self._engine.open(self._shared, self._count, whole=len(self._parts) > 1)
        elif self._done_shared < len(self._shared):
            self._done_shared = self._engine.prefill(self._shared, self._done_shared, self._count)
        if self._done_shared == len(self._shared):
            if not self._sequences:
                self._begin()
            else:
                self._continue()
        return self._end("stop") if self._sequences and all(s.finish for s in self._sequences) else False

    def fail(self, error: Exception) -> None:
        """Tell the caller why there is no answer."""
        self.error = error
        self._end("cancelled")

    def completions(self) -> list[Completion]:
        """What has been written, in the order of the seeds or the requests."""
        return [
            Completion(s.stream.text.strip(), s.tokens, s.finish or "cancelled", s.seed)
            for s in self._sequences
        ]

    def _begin(self) -> None:
        """Make the sequences; where they share all of the prompt, each draws from its last logits."""
        for index in range(self._count):
            part = self._parts[index if len(self._parts) > 1 else 0]
            sampling = part.request.sampling
            offset = 0 if len(self._parts) > 1 else index
            seed = (sampling.seed + offset) % 2**32
            sampler = Sampler(self._engine.model, sampling, seed)
            tail = part.tokens[len(self._shared) :]
            self._sequences.append(_Sequence(index, part, tail, sampler, seed))
            if lead := self._sequences[-1].lead:
                self.deltas.put(Delta(index, lead))
        for sequence in self._sequences:
            if not sequence.tail:
                self._draw(sequence, -1)

    def _continue(self) -> None:
        for sequence in self._sequences:
            if sequence.cancel.is_set() and sequence.finish is None:
                self._finish(sequence, "cancelled")
        writing = [s for s in self._sequences if s.finish is None]
        reading = next((s for s in writing if s.tail), None)
        if reading is not None:
            begin = self._begin_of_tail(reading)
            reading.tail = self._engine.extend(reading.index, reading.tail, begin)
            if not reading.tail:
                self._draw(reading, -1)
            return
        if not writing:
            return
        rows = self._plan.rows[len(writing)]
        if rows < len(writing):
            # Those furthest behind go first, so that all are written at the same pace.
            writing = sorted(writing, key=lambda s: s.tokens)[:rows]
        self._engine.advance([(s.index, s.token, s.behind + s.tokens) for s in writing], rows)
        for row, sequence in enumerate(writing):
            self._draw(sequence, row)

    def _begin_of_tail(self, reading: _Sequence) -> int:
        """Where its tail begins, after what can be had from the sequence before."""
        begin = len(reading.prompt) - len(reading.tail)
        if reading.index == 0 or begin > len(self._shared):
            return begin
        before = self._sequences[reading.index - 1]
        known = before.prompt[: len(before.prompt) - len(before.tail)]  # less where it was called off
        common = self._engine.in_common(known, reading.prompt)
        if common > begin:
            self._engine.share(before.index, reading.index, begin, common)
            reading.tail = reading.prompt[common:]
        return len(reading.prompt) - len(reading.tail)

    def _draw(self, sequence: _Sequence, row: int) -> None:
        model = self._engine.model
        sequence.token = sequence.sampler.draw(self._engine.logits(row))
        if model.ends(sequence.token) and not sequence.sampling.ignore_eos:
            text, sequence.finish = sequence.stream.finish(), "stop"
        else:
            sequence.tokens += 1
            text = sequence.stream.push(model.piece(sequence.token))
            if sequence.stream.stopped:
                sequence.finish = "stop"
            elif sequence.tokens >= sequence.sampling.max_tokens:
                text += sequence.stream.finish()
                sequence.finish = "length"
        if text or sequence.finish:
            self.deltas.put(Delta(sequence.index, text, sequence.finish))

    def _finish(self, sequence: _Sequence, reason: FinishReason) -> None:
        sequence.finish = reason
        self.deltas.put(Delta(sequence.index, sequence.stream.finish(), reason))

    def _end(self, reason: FinishReason) -> bool:
        for sequence in self._sequences:
            sequence.sampler.close()
            if sequence.finish is None:
                self._finish(sequence, reason)
        if self._done_shared >= 0:
            self._engine.release()
        self.deltas.put(None)
        return True
