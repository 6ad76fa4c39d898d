"""Endpoints of the catalogues: check a file, add, index, stop, delete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from recsys.access import Access, Role
from recsys.domains.sources import SourceFolder
from recsys.retrieval.catalog_files import check_catalog_file
from recsys.retrieval.catalog_view import check_payload, problem_payload, state_payload
from recsys.retrieval.catalogs import Catalogs, Stored
from recsys.ui.page import Texts


def register(catalogs: Catalogs, sources: SourceFolder, access: Access, page: Texts) -> None:
    """Add these endpoints to the Blocks that are being built."""

    @page.shown
    def add_catalog(name: str, domain: str, file: gr.FileData, request: gr.Request) -> dict[str, int]:
        """Add a catalogue from a CSV or JSON Lines file with the columns id, title and text."""
        access.require(request.username, Role.RESEARCHER)
        row = catalogs.add(name, domain, Path(file["path"]))
        return {"items": row.items, "chunks": row.chunks}

    @page.shown
    def check_catalog(file: gr.FileData, request: gr.Request) -> dict[str, Any]:
        """Which rows of a catalogue file cannot be used, with line, column and what to change."""
        access.require(request.username, Role.RESEARCHER)
        return check_payload(check_catalog_file(Path(file["path"])))

    @page.shown
    def store_catalog(
        name: str, domain: str, file: gr.FileData, skip_bad_rows: bool, request: gr.Request
    ) -> dict[str, Any]:
        """Store a catalogue and index it in the background; bad rows are left out, or refuse it whole."""
        access.require(request.username, Role.RESEARCHER)
        return _started(
            catalogs, catalogs.put_file(name, domain, Path(file["path"]), skip_bad_rows=skip_bad_rows)
        )

    @page.shown
    def store_source(name: str, source: str, dataset: str, request: gr.Request) -> dict[str, Any]:
        """Store the items of a source (see /sources) as a catalogue and index it in the background."""
        access.require(request.username, Role.RESEARCHER)
        return _started(catalogs, catalogs.put_source(name, sources, source, dataset))

    @page.shown
    def index_catalog(name: str, request: gr.Request) -> dict[str, Any]:
        """Index what is not indexed yet, in the background; all of it for another embedder."""
        access.require(request.username, Role.RESEARCHER)
        catalogs.indexer.start(name)
        return state_payload(catalogs.state(name))

    @page.shown
    def stop_indexing(name: str, request: gr.Request) -> dict[str, Any]:
        """Let the indexing of a catalogue end after the items in work."""
        access.require(request.username, Role.RESEARCHER)
        catalogs.indexer.stop(name)
        return state_payload(catalogs.state(name))

    @page.shown
    def catalog_state(name: str, request: gr.Request) -> dict[str, Any]:
        """How far the indexing of a catalogue is."""
        return state_payload(catalogs.state(name))

    @page.shown
    def delete_catalog(name: str, request: gr.Request) -> dict[str, str]:
        """Delete a catalogue of one's own and its index."""
        access.require(request.username, Role.RESEARCHER)
        catalogs.delete(name)
        return {"deleted": name}

    gr.api(add_catalog, api_name="add_catalog", concurrency_limit=1)
    gr.api(check_catalog, api_name="check_catalog", concurrency_limit=1)
    gr.api(store_catalog, api_name="store_catalog", concurrency_limit=1)
    gr.api(store_source, api_name="store_source", concurrency_limit=1)
    gr.api(index_catalog, api_name="index_catalog")
    gr.api(stop_indexing, api_name="stop_indexing")
    gr.api(catalog_state, api_name="catalog_state")
    gr.api(delete_catalog, api_name="delete_catalog", concurrency_limit=1)


def _started(catalogs: Catalogs, stored: Stored) -> dict[str, Any]:
    catalogs.indexer.start(stored.row.name)
    return {
        "items": stored.row.items,
        "bad_rows": stored.bad_rows,
        "problems": [problem_payload(problem) for problem in stored.problems],
        "notes": list(stored.notes),
    }
