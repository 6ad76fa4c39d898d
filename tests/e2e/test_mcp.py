"""The endpoints as MCP tools, called by the protocol's own client over streamable HTTP."""

from __future__ import annotations

import ast
import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(600)]

TOOLS = ("models", "catalogs", "recommend", "retrieve", "suggest", "more_like", "search_chunks", "rate")


class Tools:
    """The app's tools by the names of their endpoints."""

    def __init__(self, session: ClientSession, names: dict[str, str]) -> None:
        self._session = session
        self.names = names

    async def call(self, name: str, **arguments: Any) -> Any:
        found = await self._session.call_tool(self.names[name], arguments)
        text = found.content[0].text  # type: ignore[union-attr]
        assert not found.isError, text
        return ast.literal_eval(text)  # Gradio writes results as Python does

    async def fail(self, name: str, **arguments: Any) -> str:
        found = await self._session.call_tool(self.names[name], arguments)
        assert found.isError
        return str(found.content[0].text)  # type: ignore[union-attr]


def with_tools(url: str, work: Callable[[Tools], Awaitable[None]]) -> None:
    async def run() -> None:
        async with (
            streamable_http_client(f"{url}/gradio_api/mcp/") as (read, write, *_),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            listed = {tool.name: tool for tool in (await session.list_tools()).tools}
            names = {t: next((n for n in listed if n == t or n.endswith(f"_{t}")), "") for t in TOOLS}
            assert all(names.values()), sorted(listed)
            assert all(listed[name].description for name in names.values())
            assert set(listed[names["recommend"]].inputSchema["properties"]) == {
                "catalog", "history", "query", "model", "k", "settings",
            }  # fmt: skip
            await work(Tools(session, names))

    # In a thread of its own: the browser tests leave an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()


def test_an_agent_lists_and_calls_the_tools(app) -> None:
    async def work(tools: Tools) -> None:
        deadline = time.monotonic() + 400
        while not all(c["embedder"] for c in await tools.call("catalogs")):
            assert time.monotonic() < deadline
            await asyncio.sleep(1)
        assert (await tools.call("models"))[0]["name"] == "smollm2-135m-instruct"
        found = await tools.call(
            "recommend", catalog="films", history=["Red Dead Redemption 2"], query="", model="", k=3
        )
        assert [item["domain"] for item in found["items"]] == ["films"] * 3
        assert found["answer"]
        near = await tools.call("retrieve", catalog="korean-news", text="늙은 강아지", k=2)
        assert "old-dog-daycare" in [item["id"] for item in near["items"]]
        found_items = await tools.call("suggest", text="journey", limit=3)
        assert found_items[0]["id"] == "journey"
        rated = await tools.call(
            "rate", recommendation=found["recommendation"], item=found["items"][0]["id"], value=1
        )
        assert rated["rating_id"] > 0
        message = await tools.fail("recommend", catalog="stamps", history=[], query="slow", model="", k=3)
        assert "stamps" in message

    with_tools(app.url, work)
