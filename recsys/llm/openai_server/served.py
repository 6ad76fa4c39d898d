"""What a server says of itself: its models, their context, the adapters among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from openai import APIStatusError, AsyncOpenAI, AuthenticationError, PermissionDeniedError

_LIMITS = ("max_model_len", "context_length", "context_window")
"""The names under which servers give a model's context in tokens: vLLM and SGLang, then others."""


@dataclass(frozen=True, slots=True)
class Served:
    """`limit` is the context in tokens, None where it is not told; `adapters` are the names under which
    the server offers LoRA adapters of the model (vLLM lists each as a model with a parent).
    """

    models: tuple[str, ...] = ()
    limit: int | None = None
    adapters: tuple[str, ...] = ()


async def look(client: AsyncOpenAI, model: str) -> Served:
    """Ask the server's `/models`. Raises what the client raises where the server cannot be reached or
    wants a key; a server that has no such list has told nothing.
    """
    try:
        page = await client.models.list()
        found: Iterable[object] = page.data or ()
        entries = {str(getattr(entry, "id", "")): entry for entry in found}
    except (AuthenticationError, PermissionDeniedError):
        raise
    except (APIStatusError, ValueError, TypeError, AttributeError):
        return Served()
    limits = [getattr(entries.get(model), name, None) for name in _LIMITS]
    return Served(
        models=tuple(name for name in entries if name),
        limit=next((n for n in limits if isinstance(n, int) and n > 0), None),
        adapters=tuple(n for n, entry in entries.items() if n and getattr(entry, "parent", None) == model),
    )
