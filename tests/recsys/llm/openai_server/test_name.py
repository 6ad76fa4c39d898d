from __future__ import annotations

import pytest

from recsys.errors import ServerNameError
from recsys.llm.openai_server.name import parse_server_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("openai:http://host:8000/v1#m", ("http://host:8000/v1", "m", "chat")),
        ("openai:https://host/v1/#Qwen/Qwen3-4B", ("https://host/v1", "Qwen/Qwen3-4B", "chat")),
        ("openai:http://[::1]:1/v1?style=few-shot#base", ("http://[::1]:1/v1", "base", "few-shot")),
        ("openai:http://host/v1?style=plain#a+b", ("http://host/v1", "a+b", "plain")),
    ],
)
def test_name_has_url_model_and_style(name: str, parts: tuple[str, str, str]) -> None:
    found = parse_server_name(name)
    assert (found.url, found.model, found.style) == parts
    assert found.text == name


@pytest.mark.parametrize(
    "name",
    [
        "openai:",
        "openai:host:8000/v1#m",
        "openai:ftp://host/v1#m",
        "openai:file:///etc/passwd#m",
        "openai:http:///v1#m",
        "openai:http://host:port/v1#m",
        "openai:http://host:99999/v1#m",
        "openai:http://host:0/v1#m",
        "openai:http://[::1/v1#m",
        "openai:http://host/v1",
        "openai:http://host/v1#",
        "openai:http://host/v1?style=poem#m",
        "openai:http://host/v1?key=1#m",
        "openai:http://host/v1#a b",
        "openai:http://host/v1#a\x00b",
    ],
)
def test_other_names_are_refused_with_the_form(name: str) -> None:
    with pytest.raises(ServerNameError, match="openai:http://host:port/v1#model-name"):
        parse_server_name(name)


def test_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(ServerNameError, match="ZEROSHELF_OPENAI_API_KEY") as caught:
        parse_server_name("openai:http://me:secret@host/v1#m")
    assert "secret" not in str(caught.value)
