"""The interface's language as chosen on the page, kept in a cookie, over the browser's own."""

from __future__ import annotations

from urllib.parse import parse_qs

import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recsys.demos import ASSETS, LANGUAGES

COOKIE = "zeroshelf-language"
_QUERY = "lang"
_YEAR_S = 365 * 24 * 3600
_HEAD = b"<head>"


class ChosenLanguage:
    """ASGI middleware: `?lang=ko` or the cookie stands in for the browser's language, on both sides.

    The server reads it as the request's Accept-Language. Gradio's page asks `navigator.language` before
    it runs any script of the app, so the page itself is told in its head.
    """

    def __init__(self, app: ASGIApp, fixed: str | None = None) -> None:
        self._app = app
        self._fixed = fixed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request in the chosen language."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = _asked(scope)
        chosen = self._fixed or asked or _kept(scope)
        if chosen:
            # Replaced in the scope itself: the app makes its own Headers out of it.
            kept = [(name, value) for name, value in scope["headers"] if name != b"accept-language"]
            scope = {**scope, "headers": [*kept, (b"accept-language", chosen.encode())]}
        await self._app(scope, receive, _Page(send, chosen, asked).send)


class _Page:
    """What is sent back; where it is the page, with the language written into its head."""

    def __init__(self, send: Send, chosen: str | None, asked: str | None) -> None:
        self._send = send
        self._chosen = chosen
        self._asked = asked
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and "text/html" in _content_type(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page(self._start)

    async def _send_page(self, start: Message) -> None:
        script = f"<script>{_script(self._chosen)}</script>".encode()
        body = self._body.replace(_HEAD, _HEAD + script, 1)
        headers = MutableHeaders(scope=start)
        if "content-length" in headers and self._body:  # a HEAD request has a length and no body
            headers["content-length"] = str(len(body))
        if self._asked:
            cookie = f"{COOKIE}={self._asked}; Path=/; Max-Age={_YEAR_S}; SameSite=Lax"
            headers.append("set-cookie", cookie)
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def language_switch() -> None:
    """English or Korean, in the page's head; the page opens again on the same tab."""
    buttons = "".join(
        f'<button type="button" lang="{code}" data-language="{code}">{name}</button>'
        for code, name in (("en", "English"), ("ko", "한국어"))
    )
    gr.HTML(
        html_template=f'<div class="zs-languages" role="group" aria-label="Language · 언어">{buttons}</div>',
        js_on_load=(ASSETS / "web" / "language.js").read_text(encoding="utf-8"),
        elem_id="language-switch",
    )


def _script(chosen: str | None) -> str:
    told = f"Object.defineProperty(navigator,'language',{{get:()=>'{chosen}'}});" if chosen else ""
    known = "|".join(LANGUAGES)
    return f"{told}document.documentElement.lang=(/^({known})/.exec(navigator.language)||['en'])[0];"


def _asked(scope: Scope) -> str | None:
    values = parse_qs(scope.get("query_string", b"").decode("latin-1")).get(_QUERY, [])
    return next((value for value in values if value in LANGUAGES), None)


def _kept(scope: Scope) -> str | None:
    value = cookie_parser(Headers(scope=scope).get("cookie", "")).get(COOKIE)
    return value if value in LANGUAGES else None


def _content_type(start: Message) -> str:
    return Headers(raw=start.get("headers", [])).get("content-type", "")
