"""The map of the catalogue as the page draws it."""

from __future__ import annotations

import itertools
from typing import Any

from recsys.demos import ASSETS
from recsys.errors import UnknownRecommendationError
from recsys.feedback.store import FeedbackStore
from recsys.i18n import texts
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.projection import MapPoint, catalog_map
from recsys.ui.playground.card_html import domain_name

_MAX_TITLE_CHARS = 120
_serial = itertools.count(1)


def map_value(
    catalogs: Catalogs, feedback: FeedbackStore, catalog: str, recommendation: str, language: str
) -> dict[str, Any]:
    """The map of `catalog` with what was recommended, where that was from it and is still known."""
    try:
        found = feedback.recent(recommendation) if recommendation else None
    except UnknownRecommendationError:
        found = None
    if found and found.asked and found.asked.catalog != catalog:
        found = None
    drawn = catalog_map(catalogs, catalog, found)
    return {
        "serial": next(_serial),
        "catalog": catalog,
        "points": [_point(point, language) for point in drawn.points],
        "explained": drawn.explained,
        "items": drawn.items,
        "words": {k: v for k, v in texts(language).items() if k.startswith("playground_map_")},
    }


def map_script() -> str:
    """The script that draws it."""
    return (ASSETS / "web" / "playground_map.js").read_text(encoding="utf-8")


def _point(point: MapPoint, language: str) -> dict[str, Any]:
    item = point.item
    return {
        "kind": point.kind,
        "x": point.x,
        "y": point.y,
        "rank": point.rank,
        "catalog": point.catalog,
        "id": item.id if item and point.catalog else "",
        "title": item.title_in(language)[:_MAX_TITLE_CHARS] if item else "",
        "domain": domain_name(item.domain, language) if item and point.catalog else "",
    }
