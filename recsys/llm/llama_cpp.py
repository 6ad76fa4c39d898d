"""The llama.cpp backend: several continuations of one prompt in one batch, adapters swapped by name."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from llama_cpp import llama_supports_gpu_offload

from recsys.errors import AdapterFileError, InputError, NotReadyError, PromptTooLongError
from recsys.llm.adapters import AdapterStore
from recsys.llm.base import Completion, Delta, FinishReason, Priority, Request
from recsys.llm.llama_engine import MAX_SEQUENCES, LlamaEngine, LlamaModel, Sampler
from recsys.llm.registry import ModelSpec, prompt_format
from recsys.llm.scheduler import Scheduler
from recsys.llm.text_stream import TextStream
from recsys.prompts.formats import Prompt, PromptFormat


class LlamaCppBackend:
    """One GGUF model in this process. Safe to call from several threads."""

    def __init__(
        self,
        spec: ModelSpec,
        path: Path,
        adapters: AdapterStore,
        *,
        context_tokens: int = 4096,
        threads: int = 2,
    ) -> None:
        self._spec = spec
        self._path = path
        self._adapters = adapters
        self._context_tokens = context_tokens
        self._formats: dict[str | None, PromptFormat] = {None: prompt_format(path, spec.style)}
        self._model = LlamaModel(path)
        self._loaded: dict[str, object] = {}
        # One context a priority: a paused background request keeps its keys and values.
        self._engines = {
            priority: LlamaEngine(self._model, context_tokens=context_tokens, threads=threads)
            for priority in Priority
        }
        self._even_rows = spec.even_rows and not llama_supports_gpu_offload()
        self._tokenizing = threading.Lock()
        self._closed = False
        self._scheduler = Scheduler(spec.name)

    @property
    def name(self) -> str:
        """The string that names the model."""
        return self._spec.name

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the model writes."""
        return self._spec.languages

    def fit(self, request: Request) -> Request:
        """The request with its oldest history lines dropped until it fits; see `Backend.fit`."""
        prompt, limit = request.prompt, self._limit(request)
        while (tokens := len(self._tokens(prompt, request.adapter))) > limit:
            if not prompt.history:
                raise PromptTooLongError(tokens=tokens, limit=max(limit, 0))
            excess = (tokens - limit) / tokens
            prompt = prompt.without_oldest(max(1, int(len(prompt.history) * excess * 0.5)))
        return request.with_prompt(prompt)

    def stream(self, request: Request) -> Iterator[Delta]:
        """Deltas of all sequences as they are written; see `Backend.stream`."""
        job = self._submit(request)
        try:
            while (delta := job.deltas.get()) is not None:
                yield delta
        except GeneratorExit:
            request.cancel.set()
            raise
        if job.error:
            raise job.error

    def complete(self, request: Request) -> list[Completion]:
        """The `n` finished answers, in the order of their seeds."""
        job = self._submit(request)
        while job.deltas.get() is not None:
            pass
        if job.error:
            raise job.error
        return job.completions()

    def count_tokens(self, text: str) -> int:
        """How many tokens the model's tokenizer makes of `text`, its begin token included."""
        return len(self._tokenize(text))

    def close(self) -> None:
        """Let the current step end, then free context, adapters and weights."""
        self._scheduler.close()
        with self._tokenizing:
            self._closed = True
            for engine in self._engines.values():
                engine.close()
            self._model.close()

    def _submit(self, request: Request) -> _Generation:
        if not 1 <= request.n <= MAX_SEQUENCES:
            raise InputError(reason=f"Between 1 and {MAX_SEQUENCES} answers at once can be sampled.")
        prompt_format = self._format(request.adapter)
        tokens = self._tokens(request.prompt, request.adapter)
        if len(tokens) > (limit := self._limit(request)):
            raise PromptTooLongError(tokens=len(tokens), limit=max(limit, 0))
        engine = self._engines[request.priority]
        job = _Generation(engine, self._use_adapter, request, tokens, prompt_format, self._even_rows)
        self._scheduler.submit(job)
        return job

    def _limit(self, request: Request) -> int:
        return self._context_tokens - request.n * request.sampling.max_tokens

    def _tokens(self, prompt: Prompt, adapter: str | None) -> list[int]:
        prompt_format = self._format(adapter)
        return self._tokenize(prompt_format.render(prompt) + prompt_format.lead(prompt))

    def _tokenize(self, text: str) -> list[int]:
        with self._tokenizing:
            if self._closed:
                raise NotReadyError(what="The model, which has been unloaded,")
            return self._model.tokenize(text)

    def _format(self, adapter: str | None) -> PromptFormat:
        if adapter not in self._formats:
            card = self._adapters.get(adapter or "", self._spec.name).card
            self._formats[adapter] = prompt_format(self._path, card.style)
        return self._formats[adapter]

    def _use_adapter(self, engine: LlamaEngine, name: str | None) -> None:
        """Runs on the scheduler's thread, where the contexts live."""
        if name is not None and name not in self._loaded:
            adapter = self._adapters.get(name, self._spec.name)
            pointer = self._model.load_adapter(adapter.gguf)
            if pointer is None:
                problem = f"llama.cpp refuses {adapter.gguf.name}; it is damaged or for another model"
                raise AdapterFileError(name=name, problem=problem)
            self._loaded[name] = pointer
        engine.use_adapter(name, self._loaded[name] if name is not None else None)


class _Sequence:
    """One of the continuations."""

    def __init__(self, index: int, sampler: Sampler, seed: int, stream: TextStream) -> None:
        self.index = index
        self.sampler = sampler
        self.seed = seed
        self.stream = stream
        self.tokens = 0
        self.token = -1
        self.finish: FinishReason | None = None


class _Generation:
    """A request on its way through the scheduler, one batch a step."""

    def __init__(
        self,
        engine: LlamaEngine,
        use_adapter: Callable[[LlamaEngine, str | None], None],
        request: Request,
        prompt: list[int],
        prompt_format: PromptFormat,
        even_rows: bool,
    ) -> None:
        self.deltas: queue.SimpleQueue[Delta | None] = queue.SimpleQueue()
        self.error: Exception | None = None
        self._engine = engine
        self._use_adapter = use_adapter
        self._request = request
        self._prompt = prompt
        self._stop = () if request.sampling.ignore_eos else (*prompt_format.stop, *request.sampling.stop)
        self._lead = prompt_format.lead(request.prompt)
        self._done_prompt = -1
        self._even_rows = even_rows
        self._sequences: list[_Sequence] = []

    @property
    def priority(self) -> Priority:
        """Who waits for it."""
        return self._request.priority

    def step(self) -> bool:
        """Evaluate one stretch of the prompt, or one token of every sequence that is still open."""
        if self._request.cancel.is_set():
            return self._end("cancelled")
        self._use_adapter(self._engine, self._request.adapter)
        if self._done_prompt < 0:
            self._done_prompt = self._engine.open(self._prompt, self._request.n)
        if self._done_prompt < len(self._prompt):
            self._done_prompt = self._engine.prefill(self._prompt, self._done_prompt, self._request.n)
            if self._done_prompt == len(self._prompt):
                self._begin()
        else:
            writing = [s for s in self._sequences if s.finish is None]
            if self._even_rows:
                # Those furthest behind go first, so that all are written at the same pace.
                rows = 1 << (len(writing).bit_length() - 1)
                writing = sorted(writing, key=lambda s: s.tokens)[:rows]
            behind = len(self._prompt) - 1
            self._engine.advance([(s.index, s.token, behind + s.tokens) for s in writing])
            for row, sequence in enumerate(writing):
                self._draw(sequence, row)
        if self._sequences and all(s.finish for s in self._sequences):
            return self._end("stop")
        return False

    def fail(self, error: Exception) -> None:
        """Tell the caller why there is no answer."""
        self.error = error
        self._end("cancelled")

    def completions(self) -> list[Completion]:
        """What has been written, in the order of the seeds."""
        return [
            Completion(s.stream.text.strip(), s.tokens, s.finish or "cancelled", s.seed)
            for s in self._sequences
        ]

    def _begin(self) -> None:
        """Give every sequence its first token, all from the prompt's last logits."""
        sampling = self._request.sampling
        for index in range(self._request.n):
            seed = (sampling.seed + index) % 2**32
            sampler = Sampler(self._engine.model, sampling, seed)
            stream = TextStream(self._stop, self._lead)
            self._sequences.append(_Sequence(index, sampler, seed, stream))
            if self._lead:
                self.deltas.put(Delta(index, self._lead))
        for sequence in self._sequences:
            self._draw(sequence, -1)

    def _draw(self, sequence: _Sequence, row: int) -> None:
        model = self._engine.model
        sequence.token = self._engine.draw(sequence.sampler, row)
        if model.ends(sequence.token) and not self._request.sampling.ignore_eos:
            text, sequence.finish = sequence.stream.finish(), "stop"
        else:
            sequence.tokens += 1
            text = sequence.stream.push(model.piece(sequence.token))
            if sequence.stream.stopped:
                sequence.finish = "stop"
            elif sequence.tokens >= self._request.sampling.max_tokens:
                text += sequence.stream.finish()
                sequence.finish = "length"
        if text or sequence.finish:
            self.deltas.put(Delta(sequence.index, text, sequence.finish))

    def _end(self, reason: FinishReason) -> bool:
        for sequence in self._sequences:
            sequence.sampler.close()
            if sequence.finish is None:
                sequence.finish = reason
                self.deltas.put(Delta(sequence.index, sequence.stream.finish(), reason))
        if self._done_prompt >= 0:
            self._engine.release()
        self.deltas.put(None)
        return True
