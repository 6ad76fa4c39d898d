"""The backend for models on an OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from typing import Any, TypeVar

import httpx2
from openai import AsyncOpenAI

from recsys.errors import NotReadyError, PromptTooLongError, ServerAnswerError, UnknownAdapterError
from recsys.llm.base import Completion, Delta, Priority, Request, check_answers, check_single
from recsys.llm.openai_server.answers import Asker, BrokenOffError
from recsys.llm.openai_server.dialect import Call
from recsys.llm.openai_server.failures import TooLongError
from recsys.llm.openai_server.key import api_key
from recsys.llm.openai_server.loop import LoopThread, together, unless_cancelled
from recsys.llm.openai_server.name import ServerName
from recsys.llm.openai_server.served import Served
from recsys.llm.writing import Writing
from recsys.prompts.formats import Prompt, PromptFormat

T = TypeVar("T")

_POLL_S = 0.05
"""How soon a request that was called off is ended."""

_CONNECT_S = 5.0
_RETRIES = 2
"""Tries after the first where the server is busy, unreachable or breaks off; `Retry-After` is kept to."""

_TEMPLATE_TOKENS = 64
"""Tokens that a chat template may add to a prompt."""


class OpenAIBackend:
    """One model on a server. Safe to call from several threads.

    Nothing is asked of the server before the first request, so it may be started later. The key is read
    from the environment, so that it lies in no configuration. An adapter is a LoRA that the server
    itself offers: it is asked for as a model of that name.
    """

    def __init__(
        self, name: ServerName, *, context_tokens: int, requests: int = 16, timeout_s: float = 60.0
    ) -> None:
        self._name = name
        self._form = PromptFormat(style=name.style)
        self._context_tokens = context_tokens
        self._client = AsyncOpenAI(
            base_url=name.url,
            api_key=api_key(),
            timeout=httpx2.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s)),
            max_retries=_RETRIES,
        )
        self._asker = Asker(self._client, name.url, timeout_s)
        self._served: Served | None = None
        self._looking = asyncio.Lock()
        self._background = asyncio.Semaphore(requests)
        self._loop = LoopThread("openai-server")

    @property
    def name(self) -> str:
        """The string that names the model."""
        return self._name.text

    @property
    def languages(self) -> tuple[str, ...]:
        """Both: what a model on a server writes is not known."""
        return ("en", "ko")

    def adapters(self) -> tuple[str, ...]:
        """The adapters that the server offers, as far as it has been asked."""
        return self._served.adapters if self._served else ()

    def fit(self, request: Request) -> Request:
        """The request with its oldest history lines dropped until it fits; see `Backend.fit`.

        The server has the tokenizer, so a prompt that comes near the limit is tried out: the server
        refuses it, or begins an answer that is ended at once.
        """
        return self._result(self._fit(request))

    def prompt_text(self, request: Request) -> str:
        """The text that is sent; for a chat, its turns under their roles: the server has the template."""
        if self._form.style != "chat":
            return self._form.render(request.prompt) + self._form.lead(request.prompt)
        return "\n\n".join(f"[{turn['role']}]\n{turn['content']}" for turn in request.prompt.messages())

    def stream(self, request: Request) -> Iterator[Delta]:
        """Deltas of all sequences as they come; see `Backend.stream`."""
        deltas: queue.SimpleQueue[Delta | None] = queue.SimpleQueue()
        future = self._submit(self._answer(request, deltas.put, restart=False))
        future.add_done_callback(lambda _: deltas.put(None))
        try:
            while (delta := deltas.get()) is not None:
                yield delta
        except GeneratorExit:
            request.cancel.set()
            raise
        self._wait(future)

    def complete(self, request: Request) -> list[Completion]:
        """The `n` finished answers, in the order of their seeds."""
        if request.cancel.is_set():
            return []
        return self._result(self._answer(request, _nobody, restart=True))

    def complete_many(self, requests: Sequence[Request]) -> list[Completion]:
        """One answer to each request; see `Backend.complete_many`.

        As many at once as the settings say. A prompt that is too long is found when its turn comes.
        """
        check_single(requests)
        return self._result(self._answer_many(requests))

    def close(self) -> None:
        """End what is being written and close the connections."""
        self._loop.close(self._client.close())

    async def _answer_many(self, requests: Sequence[Request]) -> list[Completion]:
        queued = (replace(request, priority=Priority.BACKGROUND) for request in requests)
        one = (self._answer(request, _nobody, restart=True) for request in queued)
        return [completion for (completion,) in await together(*one)]

    async def _fit(self, request: Request) -> Request:
        limit = (await self._check(request)).limit or self._context_tokens
        # Two bytes a token is what neither English nor Korean text falls below in practice.
        while self._size(request.prompt) // 2 + _TEMPLATE_TOKENS + request.sampling.max_tokens > limit:
            brief = replace(request, sampling=request.sampling.model_copy(update={"max_tokens": 1}))
            first = Writing(0, brief, self._form, request.sampling.seed, _nobody)
            try:
                await self._write(request, [first])
            except TooLongError as error:
                request = self._shorter(request, error)
            except BrokenOffError:
                break
            else:
                break
        return request

    async def _answer(
        self, request: Request, emit: Callable[[Delta], None], *, restart: bool
    ) -> list[Completion]:
        """Answer one request, from the beginning again where the server broke off and nobody has seen a
        piece yet; with `restart`, nobody sees any.
        """
        await self._check(request)
        seeds = [request.sampling.with_seed(request.sampling.seed + i).seed for i in range(request.n)]
        tries = 0
        while True:
            writings = [Writing(i, request, self._form, seed, emit) for i, seed in enumerate(seeds)]
            try:
                await self._write(request, writings)
            except TooLongError as error:
                request = self._shorter(request, error)
            except BrokenOffError as error:
                tries += 1
                if tries > _RETRIES or (any(w.begun for w in writings) and not restart):
                    raise ServerAnswerError(url=self._name.url, problem="its answer broke off") from error
            else:
                for writing in writings:
                    writing.end("cancelled")  # those that had no end were called off
                return [writing.completion() for writing in writings]

    async def _write(self, request: Request, writings: Sequence[Writing]) -> None:
        """Returns before the end where the request is called off. People do not queue behind other work."""
        if request.cancel.is_set():
            return
        model = request.adapter or self._name.model
        call = Call(model, request.prompt, self._form, request.sampling, n=len(writings))

        async def in_turn() -> None:
            async with self._background:
                await self._asker.write(call, writings)

        work = in_turn() if request.priority is Priority.BACKGROUND else self._asker.write(call, writings)
        await unless_cancelled(work, request.cancel, _POLL_S)

    async def _check(self, request: Request) -> Served:
        """What is known of the server; raises InputError and UnknownAdapterError."""
        check_answers(request.n)
        served, adapter = self._served, request.adapter
        if served is None or (adapter is not None and adapter not in served.adapters):
            async with self._looking:
                # Of many requests that begin together, the first one looks for all.
                if self._served is served:
                    self._served = await self._asker.served(self._name.model)
            served = self._served or Served()
        if adapter is not None and adapter not in served.adapters:
            known = ", ".join(served.adapters) or "none on this server"
            raise UnknownAdapterError(name=adapter, known=known)
        return served

    def _shorter(self, request: Request, error: TooLongError) -> Request:
        """The request with less history, by what the server said of its length."""
        prompt = request.prompt
        limit = (error.limit or self._context_tokens) - request.sampling.max_tokens
        tokens = error.tokens or self._size(prompt) // 3
        if not prompt.history:
            raise PromptTooLongError(tokens=tokens, limit=max(limit, 0))
        excess = min(max((tokens - limit) / max(tokens, 1), 0.0), 1.0)
        # A little less than what seems to be too much: the history is not all of the prompt.
        return request.with_prompt(prompt.without_oldest(max(1, int(len(prompt.history) * excess * 0.8))))

    def _size(self, prompt: Prompt) -> int:
        """Bytes of the prompt."""
        if self._form.style != "chat":
            return len(self._form.render(prompt).encode("utf-8", "replace"))
        return sum(len(turn["content"].encode("utf-8", "replace")) for turn in prompt.messages())

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        future = self._loop.submit(work)
        if future is None:
            raise NotReadyError(what="The connection to the model server, which has been closed,")
        return future

    def _result(self, work: Coroutine[Any, Any, T]) -> T:
        return self._wait(self._submit(work))

    def _wait(self, future: Future[T]) -> T:
        try:
            return future.result()
        except CancelledError as error:
            raise NotReadyError(what="The connection to the model server, which was closed,") from error
        finally:
            future.cancel()


def _nobody(_: Delta) -> None:
    """For answers of which only the whole is wanted."""
