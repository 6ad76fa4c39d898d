"""What can go wrong with a server, as errors of the project."""

from __future__ import annotations

import re

import openai

from recsys.errors import (
    ServerAnswerError,
    ServerBusyError,
    ServerKeyError,
    ServerUnreachableError,
    ZeroshelfError,
)

_LONGEST = 200
_TOO_LONG = re.compile(
    r"context_length_exceeded|context (?:length|window|size)|max_model_len|prompt is too long|too many token",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"(?:context (?:length|window|size)|max_model_len|n_ctx)\D{0,12}(\d+)", re.IGNORECASE | re.ASCII
)
_TOKENS = (
    re.compile(r"(\d+) (?:tokens )?in (?:the messages|your prompt|the prompt)", re.ASCII),
    re.compile(r"(?:has|contains at least|contains) (\d+) (?:input|prompt) tokens", re.ASCII),
    re.compile(r"n_prompt_tokens\D{1,4}(\d+)", re.ASCII),
    re.compile(r"[Rr]equested (?:tokens )?\(?(\d+)", re.ASCII),
)
"""How servers say the length of a prompt; the last form may count the answer's tokens with it."""

_REFUSALS = (400, 413, 422, 501)


class TooLongError(Exception):
    """The server finds the prompt too long; `tokens` and `limit` as it says, where it does."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        limit = _LIMIT.search(message)
        tokens = next((found for form in _TOKENS if (found := form.search(message))), None)
        self.limit = int(limit[1]) if limit else None
        self.tokens = int(tokens[1]) if tokens else None


class RefusedError(Exception):
    """The server does not take the request as it is; `failure` is what to say if nothing helps."""

    def __init__(self, message: str, failure: ZeroshelfError) -> None:
        super().__init__(message)
        self.message = message
        self.failure = failure


class UnknownServedModelError(Exception):
    """The server has no such model, or no such address."""


def failure(error: Exception, url: str, timeout_s: float) -> Exception:
    """What an exception of the client, or of reading what came, means."""
    if isinstance(error, openai.APITimeoutError):
        return ServerUnreachableError(url=url, problem=f"nothing came for {timeout_s:g} s")
    if isinstance(error, openai.APIConnectionError):
        return ServerUnreachableError(url=url, problem=line(error.__cause__ or error))
    if isinstance(error, openai.APIStatusError):
        return _status_failure(error, url)
    if isinstance(error, openai.APIError):  # an error event within a stream
        if _TOO_LONG.search(f"{error.code} {error.message}"):
            return TooLongError(error.message)
        return ServerAnswerError(url=url, problem=line(error))
    return ServerAnswerError(url=url, problem="what it sent is not OpenAI's protocol")


def _status_failure(error: openai.APIStatusError, url: str) -> Exception:
    status, message = error.status_code, _message(error)
    if status in (401, 403):
        return ServerKeyError(url=url)
    if status in _REFUSALS and _TOO_LONG.search(f"{error.code} {message}"):
        return TooLongError(f"{message} {error.body}")
    if status == 404 or error.code == "model_not_found":
        return UnknownServedModelError(message)
    if status in (429, 503):
        return ServerBusyError(url=url, problem=f"status {status} after several tries, {line(message)}")
    answer = ServerAnswerError(url=url, problem=f"status {status}, {line(message)}")
    if status in _REFUSALS or ("system" in message.lower() and "role" in message.lower()):
        return RefusedError(message, answer)
    return answer


def _message(error: openai.APIStatusError) -> str:
    """What the server itself says; the client's own message would repeat the whole body."""
    body = error.body
    if isinstance(body, dict):
        told = body.get("message") or body.get("detail") or body.get("error")
        return told if isinstance(told, str) else str(told or body)
    return str(body or error.message)


def line(what: object) -> str:
    """One short line of a text that comes from outside."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(what)).split())
    return (text[:_LONGEST] + "…" if len(text) > _LONGEST else text).rstrip(".") or type(what).__name__
