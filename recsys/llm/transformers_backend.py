"""The transformers backend: safetensors in this process, on a GPU where there is one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import NotReadyError, PromptTooLongError
from recsys.llm.adapters import WEIGHTS, Adapter, AdapterStore
from recsys.llm.base import Completion, Delta, Priority, Request, check_answers, check_single
from recsys.llm.fitting import fit_history
from recsys.llm.transformers_model import TorchModel
from recsys.llm.turns import Turns
from recsys.llm.writing import Writing
from recsys.prompts.formats import Prompt, PromptFormat

_ROWS = 8
"""Different prompts that are continued together."""


@dataclass(frozen=True)
class _Part:
    """A request with its prompt's tokens, and the adapter and form in which its model is asked."""

    request: Request
    tokens: list[int]
    form: PromptFormat
    adapter: Adapter | None

    def goes_with(self, other: _Part) -> bool:
        """Whether both can be rows of one batch."""
        ours, theirs = self.request, other.request
        own = {"seed", "max_tokens", "stop", "ignore_eos"}
        return (ours.adapter, ours.priority) == (theirs.adapter, theirs.priority) and (
            ours.sampling.model_dump(exclude=own) == theirs.sampling.model_dump(exclude=own)
        )


class TransformersBackend:
    """One model of a folder with safetensors. Safe to call from several threads.

    Each answer is drawn with its own seed, whatever is drawn beside it; in other company the arithmetic
    may be rounded otherwise, on a GPU also from one call to the next.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        adapters: AdapterStore,
        *,
        context_tokens: int = 4096,
        four_bit: bool = True,
    ) -> None:
        self._name = name
        self._adapters = adapters
        self._model = TorchModel(folder, four_bit=four_bit)
        self._forms: dict[str | None, PromptFormat] = {None: self._model.form(None)}
        self._context_tokens = self._model.context(context_tokens)
        self._turns = Turns()
        self._closed = False

    @property
    def name(self) -> str:
        """The string that names the model."""
        return self._name

    @property
    def languages(self) -> tuple[str, ...]:
        """Both: what a model of the user's own writes is not known."""
        return ("en", "ko")

    def fit(self, request: Request) -> Request:
        """The request with its oldest history lines dropped until it fits; see `Backend.fit`."""
        form, _ = self._asked(request)
        prompt = fit_history(request.prompt, lambda p: len(self._tokens(p, form)), self._limit(request))
        return request.with_prompt(prompt)

    def prompt_text(self, request: Request) -> str:
        """The text that the model continues; see `ShowsPrompt`."""
        form, _ = self._asked(request)
        return form.render(request.prompt) + form.lead(request.prompt)

    def stream(self, request: Request) -> Iterator[Delta]:
        """Deltas of all sequences as they are written; see `Backend.stream`."""
        check_answers(request.n)
        part = self._part(request)
        deltas: queue.SimpleQueue[Delta | None] = queue.SimpleQueue()
        failures: list[Exception] = []

        def work() -> None:
            try:
                self._write([part], self._writings(part, deltas.put))
            except Exception as error:  # raised again where it is waited for
                failures.append(error)
            finally:
                deltas.put(None)

        threading.Thread(target=work, name="transformers", daemon=True).start()
        try:
            while (delta := deltas.get()) is not None:
                yield delta
        except GeneratorExit:
            request.cancel.set()
            raise
        if failures:
            raise failures[0]

    def complete(self, request: Request) -> list[Completion]:
        """The `n` finished answers, in the order of their seeds."""
        check_answers(request.n)
        part = self._part(request)
        if request.cancel.is_set():
            return []
        writings = self._writings(part, _nobody)
        self._write([part], writings)
        return [writing.completion() for writing in writings]

    def complete_many(self, requests: Sequence[Request]) -> list[Completion]:
        """One answer to each request; see `Backend.complete_many`. Up to eight share a batch."""
        check_single(requests)
        parts = [self._part(request) for request in requests]
        done: list[Completion] = []
        for wave in _waves(parts):
            writings = [writing for part in wave for writing in self._writings(part, _nobody)]
            self._write(wave, writings)
            done += [writing.completion() for writing in writings]
        return done

    def close(self) -> None:
        """Let the current step end, then free the weights."""
        self._closed = True
        with self._turns.turn(Priority.INTERACTIVE):
            self._model.close()

    def _write(self, parts: Sequence[_Part], writings: Sequence[Writing]) -> None:
        """Write the answers to one part, or one answer to each of several."""
        copies = len(writings) // len(parts)
        requests = [part.request for part in parts for _ in range(copies)]
        readers = [self._model.reader(part.tokens) for part in parts for _ in range(copies)]
        first = parts[0]
        priority = first.request.priority

        def follow(tokens: Sequence[int]) -> list[bool]:
            for writing, request, reader, token in zip(writings, requests, readers, tokens, strict=True):
                if writing.finish:
                    continue
                if request.cancel.is_set():
                    writing.end("cancelled")
                elif token in self._model.ends and not request.sampling.ignore_eos:
                    writing.end("stop")
                else:
                    writing.push(reader(token))
            self._refuse_when_closed()
            if self._turns.give_way(priority):
                self._refuse_when_closed()
                self._model.use_adapter(first.adapter)
            return [writing.finish is not None for writing in writings]

        with self._turns.turn(priority):
            self._refuse_when_closed()
            if not all(request.cancel.is_set() for request in requests):
                self._model.use_adapter(first.adapter)
                self._model.generate(
                    [part.tokens for part in parts],
                    copies,
                    first.request.sampling,
                    [writing.seed for writing in writings],
                    max(request.sampling.max_tokens for request in requests),
                    follow,
                )
        for writing in writings:
            writing.end("cancelled")

    def _writings(self, part: _Part, emit: Callable[[Delta], None]) -> list[Writing]:
        request, sampling = part.request, part.request.sampling
        seeds = [sampling.with_seed(sampling.seed + index).seed for index in range(request.n)]
        return [Writing(index, request, part.form, seed, emit) for index, seed in enumerate(seeds)]

    def _part(self, request: Request) -> _Part:
        form, adapter = self._asked(request)
        tokens = self._tokens(request.prompt, form)
        if len(tokens) > (limit := self._limit(request)):
            raise PromptTooLongError(tokens=len(tokens), limit=max(limit, 0))
        return _Part(request, tokens, form, adapter)

    def _asked(self, request: Request) -> tuple[PromptFormat, Adapter | None]:
        """The form and adapter of a request; raises UnknownAdapterError and AdapterFileError."""
        self._refuse_when_closed()
        if request.adapter is None:
            return self._forms[None], None
        adapter = self._adapters.get(request.adapter, self._name, file=WEIGHTS)
        if request.adapter not in self._forms:
            self._forms[request.adapter] = self._model.form(adapter.card.style)
        return self._forms[request.adapter], adapter

    def _tokens(self, prompt: Prompt, form: PromptFormat) -> list[int]:
        return self._model.tokenize(form.render(prompt) + form.lead(prompt))

    def _limit(self, request: Request) -> int:
        return self._context_tokens - request.sampling.max_tokens

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise NotReadyError(what="The model, which has been unloaded,")


def _waves(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """Neighbours that can be rows of one batch."""
    wave: list[_Part] = []
    for part in parts:
        if wave and (len(wave) == _ROWS or not part.goes_with(wave[0])):
            yield wave
            wave = []
        wave.append(part)
    if wave:
        yield wave


def _nobody(_: Delta) -> None:
    """For answers of which only the whole is wanted."""
