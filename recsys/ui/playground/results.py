"""What the playground shows: columns of answers and items, what is like an item, thumbs."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import gradio as gr

from recsys.access import Access
from recsys.catalog import ItemRef
from recsys.errors import EmptyRequestError, TextTooLongError, UnknownCatalogError, ZeroshelfError
from recsys.feedback.store import FeedbackStore
from recsys.recommend import Recommender
from recsys.recommendation import Recommendation
from recsys.retrieval.settings import RetrievalSettings
from recsys.ui.page import Texts
from recsys.ui.playground import html
from recsys.ui.playground.link import MAX_BESIDE, RESULTS, Inputs

SLOTS = 1 + MAX_BESIDE
_OF_THE_REQUEST = (EmptyRequestError, TextTooLongError, UnknownCatalogError)
"""Errors that every model would meet: said once, not in each column."""
_VISITORS = 1000
_AS_USUAL, _FROM_MEMORY = RetrievalSettings(), RetrievalSettings(candidates=0)


class Running:
    """What runs for which visitor, so that it can be stopped, and what came of it last.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[str, threading.Event] = {}
        self._last: OrderedDict[str, str] = OrderedDict()

    def begin(self, session: str) -> threading.Event:
        """A new event for this visitor; what ran before is stopped."""
        event = threading.Event()
        with self._lock:
            before, self._events[session] = self._events.get(session), event
            self._last.pop(session, None)
        if before:
            before.set()
        return event

    def stop(self, session: str) -> None:
        """Stop what runs for this visitor."""
        with self._lock:
            event = self._events.get(session)
        if event:
            event.set()

    def found(self, session: str, recommendation: str) -> None:
        """Keep the id of what was recommended; of several side by side the first."""
        with self._lock:
            self._last.setdefault(session, recommendation)
            while len(self._last) > _VISITORS:
                self._last.popitem(last=False)

    def last(self, session: str) -> str:
        """The id of what was recommended last, or ""."""
        with self._lock:
            return self._last.get(session, "")

    def end(self, session: str, event: threading.Event) -> None:
        """Forget what has come to its end."""
        with self._lock:
            if self._events.get(session) is event:
                del self._events[session]


class Results:
    """The handlers of the right half; all they do is call the recommender and render what comes back."""

    def __init__(
        self, recommender: Recommender, feedback: FeedbackStore, access: Access, page: Texts
    ) -> None:
        self._recommender = recommender
        self._feedback = feedback
        self._access = access
        self._page = page
        self._running = Running()
        self._serial = itertools.count(1)

    def run(self, inputs: Inputs, request: gr.Request) -> Iterator[list[Any]]:
        """One column after another, each as it grows: updates for all of them.

        A model that fails beside others says so in its own column, and the next one goes on.
        """
        language = self._page.language(request)
        session = request.session_hash or ""
        models = [inputs.model, *inputs.beside]
        cancel = self._running.begin(session)
        position = 0
        try:
            waiting = [html.slot_html(model, None, language) for model in models]
            yield [*waiting, *[""] * (SLOTS - len(models))]
            for position, model in enumerate(models):
                if position and cancel.is_set():
                    break
                try:
                    for result in self._recommended(inputs, model, cancel):
                        if result.done:
                            self._running.found(session, result.id)
                        yield self._changed(position, html.slot_html(model, result, language))
                except _OF_THE_REQUEST:
                    raise
                except ZeroshelfError as error:
                    if len(models) == 1:
                        raise
                    yield self._changed(position, html.failed_html(model, error, language))
            else:
                return
            yield self._emptied(position)
        except ZeroshelfError:
            # Before the message, or the column would wait for ever.
            yield [html.nothing_html(language), *[""] * (SLOTS - 1)]
            raise
        finally:
            self._running.end(session, cancel)

    def _recommended(self, inputs: Inputs, model: str, cancel: threading.Event) -> Iterator[Recommendation]:
        for result in self._recommender.recommend(
            inputs.catalog,
            history=inputs.history,
            query=inputs.query,
            model=model,
            k=inputs.results,
            language=inputs.language,
            seed=inputs.seed,
            settings=_FROM_MEMORY if inputs.memory else _AS_USUAL,
            cancel=cancel,
        ):
            if result.done:
                self._feedback.remember(result)
            yield result

    def stop(self, request: gr.Request) -> None:
        """End the answer that is being written; the next ones do not begin."""
        self._running.stop(request.session_hash or "")

    def more(self, catalog: str, results: Any, request: gr.Request, event: gr.EventData) -> str:
        """What is like the item whose button was pressed."""
        sent = event._data if isinstance(event._data, dict) else {}
        like = ItemRef(str(sent.get("catalog") or ""), str(sent.get("id") or ""))
        found = self._recommender.more_like(catalog, like, RESULTS)
        self._feedback.remember(found)
        assert found.asked is not None  # `more_like` always says what was asked
        return html.more_html(found.asked.history[0][1], found, self._page.language(request))

    def thumb(self, request: gr.Request, event: gr.EventData) -> dict[str, Any]:
        """A thumb was pressed: stored, and what counts now of its recommendation."""
        sent = event._data if isinstance(event._data, dict) else {}
        recommendation, value = str(sent.get("recommendation") or ""), sent.get("value")
        person = self._access.person(request.username, "")
        self._feedback.rate(recommendation, str(sent.get("item") or ""), value, person)  # type: ignore[arg-type]
        return {
            "serial": next(self._serial),
            "recommendation": recommendation,
            "rated": self._feedback.rated(recommendation),
        }

    def search(self, catalog: str, text: str, results: Any, request: gr.Request) -> str:
        """The passages nearest to a text."""
        found = self._recommender.search_chunks(catalog, text, max(int(results or RESULTS), 1))
        return html.list_html(found, self._page.language(request), rated=False)

    def last(self, request: gr.Request) -> str:
        """The id of what this visitor was recommended last, or ""."""
        return self._running.last(request.session_hash or "")

    def _changed(self, position: int, column: str) -> list[Any]:
        updates: list[Any] = [gr.skip()] * SLOTS
        updates[position] = column
        return updates

    def _emptied(self, start: int) -> list[Any]:
        """The columns from `start` on, which were not begun, taken away."""
        return [*([gr.skip()] * start), *([""] * (SLOTS - start))]
