"""The key for servers. It is read from the environment, so that it lies in no configuration."""

from __future__ import annotations

import os

_VARIABLES = ("ZEROSHELF_OPENAI_API_KEY", "OPENAI_API_KEY")


def api_key() -> str:
    """The key to send; "none" where there is none, since the client wants one."""
    return next((value for variable in _VARIABLES if (value := os.environ.get(variable))), "none")
