"""Notices, headings and empty places, as HTML; every text is escaped."""

from __future__ import annotations

from html import escape


def notice_html(message: str, *, kind: str = "info") -> str:
    """A line above a tab: `kind` is "info", "busy" or "error"; an empty message shows nothing."""
    if not message:
        return ""
    role = "alert" if kind == "error" else "status"
    return f'<div class="zs-notice zs-{escape(kind)}" role="{role}">{escape(message)}</div>'


def heading_html(message: str) -> str:
    """A small heading within a tab."""
    return f'<h3 class="zs-heading">{escape(message)}</h3>'


def empty_html(message: str) -> str:
    """What a place says while it has nothing to show."""
    return f'<div class="zs-empty">{escape(message)}</div>'
