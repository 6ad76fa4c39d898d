"""`openai:http://host:8000/v1#model-name`: which server, which of its models, and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, get_args
from urllib.parse import parse_qsl, urlsplit

from recsys.errors import ServerNameError
from recsys.prompts.formats import Style

PREFIX = "openai:"


@dataclass(frozen=True, slots=True)
class ServerName:
    """`text` is the whole name; `url` goes up to and with `/v1`; `model` is its name on the server.

    A model of style `chat` is asked through the server's chat completions, and the server applies the
    template. The other styles are for base models, and for models tuned without a template: their prompt
    is rendered here and goes to the server's completions.
    """

    text: str
    url: str
    model: str
    style: Style


def parse_server_name(name: str) -> ServerName:
    """The parts of an `openai:` name; raises ServerNameError, which never repeats a password."""
    try:
        parts = urlsplit(name.removeprefix(PREFIX))
        problem = _problem(name, parts.scheme, parts.hostname, parts.port, parts.fragment)
    except ValueError as error:  # of a port that is no number, for example
        raise ServerNameError(name=PREFIX, problem=f"its URL cannot be read ({error})") from error
    if parts.username is not None or parts.password is not None:
        problem = "a key does not belong into it; set ZEROSHELF_OPENAI_API_KEY"
        raise ServerNameError(name=f"{PREFIX}{parts.scheme}://…@{parts.hostname}", problem=problem)
    if problem:
        raise ServerNameError(name=name, problem=problem)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    style = options.pop("style", "chat")
    if options or style not in get_args(Style):
        problem = f"only ?style= is understood, with {', '.join(get_args(Style))}"
        raise ServerNameError(name=name, problem=problem)
    url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return ServerName(name, url, parts.fragment, cast(Style, style))


def _problem(name: str, scheme: str, host: str | None, port: int | None, model: str) -> str:
    if scheme not in ("http", "https") or not host or port == 0:
        return "its URL does not begin with http://host or https://host"
    if not model:
        return "the model's name is missing behind #"
    if not name.isprintable() or " " in name:
        return "it holds blanks or control characters"
    return ""
