"""One request's answers from the server, piece by piece, whatever the server can and cannot do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import openai
from openai import AsyncOpenAI

from recsys.errors import ServedModelError, ServerAnswerError
from recsys.llm.base import FinishReason
from recsys.llm.openai_server.dialect import Call, Dialect
from recsys.llm.openai_server.failures import RefusedError, UnknownServedModelError, failure
from recsys.llm.openai_server.loop import together
from recsys.llm.openai_server.served import Served, look
from recsys.llm.writing import Writing

_NAMED_MODELS = 10


class BrokenOffError(Exception):
    """The server's answer ended in the middle."""


class Asker:
    """Asks one server and remembers what it has learnt of it. For the thread of its event loop."""

    def __init__(self, client: AsyncOpenAI, url: str, timeout_s: float) -> None:
        self._client = client
        self._url = url
        self._timeout_s = timeout_s
        self._dialect = Dialect()

    async def served(self, model: str) -> Served:
        """What the server says of itself; raises the errors of a server that cannot be asked."""
        async with self._failures():
            return await look(self._client, model)

    async def write(self, call: Call, writings: Sequence[Writing]) -> None:
        """Get the answers to `call`, one for each of `writings`.

        Raises TooLongError, BrokenOffError, and ServerUnreachableError and its siblings.
        """
        dialect = self._dialect
        while True:
            try:
                if call.n > 1 and not dialect.choices:
                    parts = (self._one(call.alone(w.index), dialect, [w]) for w in writings)
                    await together(*parts)
                else:
                    await self._one(call, dialect, writings)
                break
            except RefusedError as refused:
                other = dialect.after(refused.message, call.n)
                if other is None or any(writing.begun for writing in writings):
                    raise refused.failure from refused
                dialect = other
        self._dialect = dialect
        left = [writing for writing in writings if not writing.begun and writing.finish is None]
        if left and len(left) < len(writings):
            # The server took `n` and gave fewer answers: it does not know the parameter.
            self._dialect = replace(dialect, choices=False)
            await together(*(self._one(call.alone(w.index), dialect, [w]) for w in left))
        if any(writing.finish is None for writing in writings):
            raise BrokenOffError

    async def _one(self, call: Call, dialect: Dialect, writings: Sequence[Writing]) -> None:
        """One HTTP request. Its stream is closed as soon as text comes that nobody waits for."""
        async with self._failures(call.model, writings):
            answer = await self._create(call, dialect, stream=True)
            async with answer as stream:
                async for chunk in stream:
                    if usage := getattr(chunk, "usage", None):
                        _count(usage, writings)
                    wanted = [_take(choice, call, writings) for choice in chunk.choices or ()]
                    if not all(wanted) and all(writing.finish for writing in writings):
                        return
        if not any(writing.begun or writing.finish for writing in writings):
            # A stream without a piece: asked again for the whole, the server says what is wrong.
            async with self._failures(call.model, writings):
                whole = await self._create(call, dialect, stream=False)
                for choice in whole.choices or ():
                    _take(choice, call, writings)
                if usage := getattr(whole, "usage", None):
                    _count(usage, writings)

    async def _create(self, call: Call, dialect: Dialect, *, stream: bool) -> Any:
        create: Callable[..., Any] = (
            self._client.chat.completions.create if call.chat else self._client.completions.create
        )
        return await create(**dialect.arguments(call, stream=stream))

    @asynccontextmanager
    async def _failures(self, model: str = "", writings: Sequence[Writing] = ()) -> AsyncIterator[None]:
        """Errors of the client as errors of the project."""
        try:
            yield
        except (openai.OpenAIError, ValueError, TypeError, LookupError, AttributeError) as error:
            begun = any(writing.begun for writing in writings)
            if begun and isinstance(error, openai.APIConnectionError):
                raise BrokenOffError from error
            found = failure(error, self._url, self._timeout_s)
            if isinstance(found, UnknownServedModelError):
                found = await self._unknown_model(model)
            raise found from error

    async def _unknown_model(self, model: str) -> Exception:
        async with self._failures():
            known = (await look(self._client, model)).models
        if not known or model in known:
            problem = "it has no such address, status 404"
            return ServerAnswerError(url=self._url, problem=problem)
        named = ", ".join(known[:_NAMED_MODELS]) + (", …" if len(known) > _NAMED_MODELS else "")
        return ServedModelError(url=self._url, name=model, known=named)


def _take(choice: Any, call: Call, writings: Sequence[Writing]) -> bool:
    """Pass on what came of one answer; False for text behind its end."""
    writing = writings[choice.index if len(writings) > 1 else 0]
    if call.chat:
        part = getattr(choice, "delta", None) or getattr(choice, "message", None)
        text = getattr(part, "content", None)
    else:
        text = choice.text
    if text and writing.finish:
        return False
    if text:
        writing.push(text)
    if choice.finish_reason:
        reason: FinishReason = "length" if choice.finish_reason == "length" else "stop"
        writing.end(reason)
    return True


def _count(usage: Any, writings: Sequence[Writing]) -> None:
    """The tokens of a single answer as the server counts them, instead of the pieces that came."""
    tokens = getattr(usage, "completion_tokens", None)
    if len(writings) == 1 and isinstance(tokens, int) and tokens > 0:
        writings[0].tokens = tokens
