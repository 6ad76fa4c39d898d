"""Recommended items, the answer and the state of things as HTML; every text is escaped."""

from __future__ import annotations

from html import escape

from recsys.demos import DOMAINS
from recsys.i18n import text
from recsys.recommend import Recommendation, RecommendedItem

_MAX_CHUNK_CHARS = 600


def answer_html(result: Recommendation, language: str) -> str:
    """The answer so far, and what has to be said about it."""
    notes = []
    if result.left_out:
        notes.append(text(language, "playground_left_out", count=result.left_out))
    if result.done and result.cut:
        notes.append(text(language, "playground_cut"))
    if result.done and not result.answer:
        notes.append(text(language, "playground_no_answer"))
    caret = "" if result.done else '<span class="zs-caret" aria-hidden="true"></span>'
    note_html = "".join(f'<p class="zs-note">{escape(note)}</p>' for note in notes)
    answer = escape(result.answer).replace("\n", "<br>")
    return f'<div class="zs-answer" aria-live="polite"><p>{answer}{caret}</p>{note_html}</div>'


def items_html(items: tuple[RecommendedItem, ...], language: str) -> str:
    """One card an item: rank, title, domain, score and the matching passage."""
    cards = "".join(_card(rank, found, language) for rank, found in enumerate(items, 1))
    return f'<ol class="zs-items">{cards}</ol>'


def timings_html(result: Recommendation, language: str) -> str:
    """What each stage took."""
    t = result.timings
    stages = (("generate", t.generate), ("embed", t.embed), ("search", t.search), ("total", t.total))
    parts = "".join(
        f"<span><b>{escape(text(language, f'timing_{name}'))}</b> {value:,.0f} ms</span>"
        for name, value in stages
    )
    return f'<div class="zs-timings">{parts}</div>'


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


def _card(rank: int, found: RecommendedItem, language: str) -> str:
    item = found.item
    own, local = item.title, item.title_in(language)
    second = f'<span class="zs-second">{escape(own)}</span>' if own != local else ""
    chunk = found.chunk if len(found.chunk) <= _MAX_CHUNK_CHARS else found.chunk[:_MAX_CHUNK_CHARS] + "…"
    phrase = item.phrases.get(language, "")
    phrase = f'<p class="zs-phrase">{escape(phrase)}</p>' if phrase else ""
    score_name = escape(text(language, "cosine"))
    domain = escape(text(language, f"domain_{item.domain}") if item.domain in DOMAINS else item.domain)
    return (
        f'<li class="zs-card" data-item="{escape(item.id)}" style="--rank:{rank}">'
        f'<header><span class="zs-rank">{rank}</span>'
        f'<h3>{escape(local)}{second}</h3><span class="zs-domain">{domain}</span></header>'
        f"{phrase}"
        f'<p class="zs-passage">{escape(chunk)}</p>'
        f'<footer title="{score_name}">{score_name} <b>{found.score:.3f}</b></footer></li>'
    )
