"""What every tab needs: texts in the visitor's language, and errors as messages on the page."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from html import escape
from typing import Any, Literal, ParamSpec, TypeVar

import gradio as gr

from recsys.errors import ZeroshelfError
from recsys.i18n import accepted_language, error_text, text, texts

P = ParamSpec("P")
R = TypeVar("R")

Language = Literal["auto", "en", "ko"]


class Texts:
    """The interface's texts: by the browser's language, or in one language where that was set (`fixed`)."""

    def __init__(self, language: Language = "auto") -> None:
        self.fixed = None if language == "auto" else language
        self.i18n = gr.I18n(en=dict(texts(self.fixed or "en")), ko=dict(texts(self.fixed or "ko")))

    def __call__(self, key: str) -> Any:
        """A text that the browser chooses, for labels and the like."""
        if key not in texts("en"):
            raise KeyError(key)
        return self.i18n(key)

    def language(self, request: gr.Request | None) -> str:
        """The visitor's language, for texts that the server writes."""
        if self.fixed:
            return self.fixed
        return accepted_language(request.headers.get("accept-language") if request else None)

    def say(self, request: gr.Request | None, key: str, **values: object) -> str:
        """One text in the visitor's language."""
        return text(self.language(request), key, **values)

    def shown(self, function: Callable[P, R]) -> Callable[P, R]:
        """The handler with the project's errors turned into messages on the page (and over HTTP)."""

        @functools.wraps(function)
        def handler(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except ZeroshelfError as error:
                raise self._page_error(error, args, kwargs) from error

        return handler

    def shown_stream(self, function: Callable[P, Iterator[R]]) -> Callable[P, Iterator[R]]:
        """`shown` for a handler that yields."""

        @functools.wraps(function)
        def handler(*args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
            try:
                yield from function(*args, **kwargs)
            except ZeroshelfError as error:
                raise self._page_error(error, args, kwargs) from error

        return handler

    def _page_error(self, error: ZeroshelfError, args: object, kwargs: Any) -> gr.Error:
        values = [*args, *kwargs.values()] if isinstance(args, tuple) else []
        request = next((v for v in values if isinstance(v, gr.Request)), None)
        language = self.language(request)
        message = escape(error_text(error, language))
        return gr.Error(message, title=text(language, "error_title"), print_exception=False)
