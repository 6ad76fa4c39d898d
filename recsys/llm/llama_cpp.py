"""The llama.cpp backend: several continuations of one prompt in one batch, adapters swapped by name."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from llama_cpp import llama_supports_gpu_offload

from recsys.errors import AdapterFileError, NotReadyError, PromptTooLongError
from recsys.llm.adapters import AdapterStore
from recsys.llm.base import Completion, Delta, Priority, Request, check_answers, check_single
from recsys.llm.fitting import fit_history
from recsys.llm.generation import Generation, Part
from recsys.llm.llama_engine import MAX_SEQUENCES, LlamaEngine
from recsys.llm.llama_model import LlamaModel
from recsys.llm.registry import ModelSpec, prompt_format
from recsys.llm.row_plan import RowPlan, kept_plan, measured
from recsys.llm.scheduler import Scheduler
from recsys.llm.scoring import TextScore, TextScorer, split_tokens
from recsys.prompts.formats import Prompt, PromptFormat


class LlamaCppBackend:
    """One GGUF model in this process. Safe to call from several threads.

    `plans` is the folder that keeps what was found out about the speed of steps on this machine.
    """

    def __init__(
        self,
        spec: ModelSpec,
        path: Path,
        adapters: AdapterStore,
        *,
        context_tokens: int = 4096,
        threads: int = 2,
        plans: Path | None = None,
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
        self._tokenizing = threading.Lock()
        self._closed = False
        self._scheduler = Scheduler()
        self.plan = RowPlan()
        if not llama_supports_gpu_offload():  # on a graphics card further rows cost next to nothing
            self.plan = self._planned(plans, threads)

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
        adapter, limit = request.adapter, self._limit(request)
        prompt = fit_history(request.prompt, lambda p: len(self._tokens(p, adapter)), limit)
        return request.with_prompt(prompt)

    def prompt_text(self, request: Request) -> str:
        """The text that the model continues; see `ShowsPrompt`."""
        form = self._format(request.adapter)
        return form.render(request.prompt) + form.lead(request.prompt)

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

    def complete_many(self, requests: Sequence[Request]) -> list[Completion]:
        """One answer to each request; see `Backend.complete_many`. Up to eight share a batch."""
        parts = [self._part(request) for request in requests]
        check_single(requests)
        # Prompts that begin alike come one after the other: they share what they have in common.
        order = sorted(range(len(parts)), key=lambda place: parts[place].tokens)
        done: dict[int, Completion] = {}
        for wave in self._waves([parts[place] for place in order]):
            job = self._run(wave)
            while job.deltas.get() is not None:
                pass
            if job.error:
                raise job.error
            # A job that was called off before it began has no sequences.
            none = [Completion("", 0, "cancelled", part.request.sampling.seed) for part in wave]
            places = order[len(done) : len(done) + len(wave)]
            done.update(zip(places, job.completions() or none, strict=True))
        return [done[place] for place in range(len(parts))]

    def score(
        self,
        prompt: str,
        texts: Sequence[str],
        *,
        adapter: str | None = None,
        priority: Priority = Priority.INTERACTIVE,
    ) -> list[TextScore]:
        """The likelihood of each text directly after the prompt; see `Scoring.score`."""
        if not texts:
            return []
        start, tails = split_tokens(self._tokenize, prompt, texts)
        engine = self._engines[priority]
        needed = len(start) + max(engine.batch_tokens, *map(len, tails))
        if needed > self._context_tokens:
            raise PromptTooLongError(tokens=needed, limit=self._context_tokens)
        job = TextScorer(engine, self._use_adapter, start, tails, adapter, priority)
        self._scheduler.submit(job)
        return job.scores()

    def count_tokens(self, text: str) -> int:
        """How many tokens the model's tokenizer makes of `text`, its begin token included."""
        return len(self._tokenize(text))

    def token_ids(self, text: str) -> list[int]:
        """The tokens of `text`, its begin token included where the model wants one."""
        return self._tokenize(text)

    def close(self) -> None:
        """Let the current step end, then free context, adapters and weights."""
        self._scheduler.close()
        with self._tokenizing:
            self._closed = True
            for engine in self._engines.values():
                engine.close()
            self._model.close()

    def _planned(self, plans: Path | None, threads: int) -> RowPlan:
        engine = self._engines[Priority.INTERACTIVE]

        def step_seconds(rows: int) -> float:
            return self._scheduler.call(lambda: engine.step_seconds(rows))

        if plans is None:
            return measured(step_seconds)
        return kept_plan(plans / f"{self._path.stem}.rows.json", self._path, threads, step_seconds)

    def _submit(self, request: Request) -> Generation:
        check_answers(request.n)
        return self._run([self._part(request)])

    def _run(self, parts: Sequence[Part]) -> Generation:
        engine = self._engines[parts[0].request.priority]
        job = Generation(engine, self._use_adapter, parts, self.plan)
        self._scheduler.submit(job)
        return job

    def _part(self, request: Request) -> Part:
        tokens = self._tokens(request.prompt, request.adapter)
        if len(tokens) > (limit := self._limit(request)):
            raise PromptTooLongError(tokens=len(tokens), limit=max(limit, 0))
        return Part(request, tokens, self._format(request.adapter))

    def _waves(self, parts: Sequence[Part]) -> Iterator[list[Part]]:
        """Neighbours of one adapter and priority, as many as a context holds."""
        wave: list[Part] = []
        for part in parts:
            first = wave[0].request if wave else part.request
            alike = (first.adapter, first.priority) == (part.request.adapter, part.request.priority)
            if wave and (len(wave) == MAX_SEQUENCES or not alike or not self._fits([*wave, part])):
                yield wave
                wave = []
            wave.append(part)
        if wave:
            yield wave

    def _fits(self, parts: Sequence[Part]) -> bool:
        texts = [part.tokens for part in parts]
        read = len(texts[0]) + sum(len(b) - LlamaEngine.in_common(a, b) for a, b in pairwise(texts))
        written = sum(part.request.sampling.max_tokens for part in parts)
        return read + written <= self._context_tokens

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
