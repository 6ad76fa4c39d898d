"""One found item as HTML: what it is, where it matched, how near it is and to what; every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from recsys.catalog import Item
from recsys.demos import DOMAINS
from recsys.i18n import text
from recsys.recommendation import Recommendation, RecommendedItem
from recsys.retrieval.highlight import Mark
from recsys.retrieval.reasons import Reason

MAX_NAME_CHARS = 120

_MAX_CHUNK_CHARS = 600
_MAX_PHRASE_CHARS = 200
_MAX_REASONS = 3
_SOME_REASON = 0.05
_THUMBS = ((1, "playground_up", "zp-up"), (-1, "playground_down", "zp-down"))
_THUMB = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7 10v11H3V10h4zm3 11h7.6a2 2 0 0 0 2-1.6l1.4'
    "-7A2 2 0 0 0 19 10h-5l.9-4.4A2.1 2.1 0 0 0 12.9 3L8.8 9.6c-.2.3-.3.7-.3 1V19.5c0 .8.7 1.5 1.5 1.5z"
    '"/></svg>'
)


def say(language: str, key: str, **values: object) -> str:
    """One of the interface's texts, escaped."""
    return escape(text(language, key, **values))


def shortened(value: str, most: int = MAX_NAME_CHARS) -> str:
    """A name that is cut where it is too long for a button."""
    return value if len(value) <= most else value[: most - 1] + "…"


def domain_name(domain: str, language: str) -> str:
    """A domain in words, not escaped."""
    return text(language, f"domain_{domain}") if domain in DOMAINS else shortened(domain, 40)


def cards_html(found: Sequence[RecommendedItem], language: str, *, rated: bool = True) -> str:
    """The cards in their order, with thumbs where they can be `rated`."""
    cards = "".join(_card(rank, one, language, rated=rated) for rank, one in enumerate(found, 1))
    return f'<ol class="zs-items">{cards}</ol>'


def below_html(result: Recommendation, language: str) -> str:
    """What the scores mean and what each stage took."""
    t = result.timings
    stages = [("generate", t.generate)] if t.generate else []
    stages += [("embed", t.embed), ("search", t.search), ("total", t.total)]
    parts = "".join(
        f"<span><b>{say(language, f'timing_{name}')}</b> {value:,.0f} ms</span>" for name, value in stages
    )
    scale = f'<p class="zp-scale">{say(language, "playground_scale")}</p>'
    return f'{scale}<div class="zs-timings">{parts}</div>'


def far_html(result: Recommendation, language: str) -> str:
    """The warning that nothing is really close, where that is so."""
    if result.close:
        return ""
    return f'<div class="zs-notice zs-error zp-far" role="status">{say(language, "playground_far")}</div>'


def thumbs_html(item: str, language: str, of: str) -> str:
    """Thumbs for an item, or for the answer (`item` ""); `of` is the key of what is rated."""
    buttons = "".join(
        f'<button type="button" data-act="rate" data-rates="{escape(item)}" data-value="{value}"'
        f' aria-pressed="false" aria-label="{say(language, of)}: {say(language, key)}"'
        f' title="{say(language, key)}" class="{look}">{_THUMB}</button>'
        for value, key, look in _THUMBS
    )
    return f'<span class="zp-thumbs">{buttons}</span>'


def item_data(catalog: str, item: Item, language: str) -> str:
    """The data attributes by which the page adds an item to the history."""
    values = {
        "catalog": catalog,
        "id": item.id,
        "title": shortened(item.title_in(language)),
        "domain": domain_name(item.domain, language),
    }
    return "".join(f' data-{key}="{escape(value)}"' for key, value in values.items())


def marked(passage: str, marks: Sequence[Mark]) -> str:
    """A passage with its marks, cut to what a card shows."""
    cut = passage[:_MAX_CHUNK_CHARS]
    parts, at = [], 0
    for mark in marks:
        if mark.end <= len(cut):
            word = escape(cut[mark.start : mark.end])
            parts.append(f'{escape(cut[at : mark.start])}<mark class="is-{mark.source}">{word}</mark>')
            at = mark.end
    parts.append(escape(cut[at:]) + ("…" if len(passage) > len(cut) else ""))
    return "".join(parts)


def _card(rank: int, found: RecommendedItem, language: str, *, rated: bool) -> str:
    item = found.item
    own, local = item.title, item.title_in(language)
    second = f'<span class="zs-second"><bdi>{escape(own)}</bdi></span>' if own != local else ""
    phrase = shortened(item.phrases.get(language, ""), _MAX_PHRASE_CHARS)
    phrase = f'<p class="zs-phrase" dir="auto">{escape(phrase)}</p>' if phrase else ""
    buttons = "".join(
        f'<button type="button" data-act="{act}">{say(language, key)}</button>'
        for act, key in (("more", "playground_more"), ("add", "playground_add"))
    )
    thumbs = thumbs_html(item.id, language, "playground_item") if rated else ""
    data = item_data(found.catalog, item, language)
    return (
        f'<li class="zs-card" data-item="{escape(item.id)}" style="--rank:{rank}"{data}>'
        f'<header><span class="zs-rank">{rank}</span>'
        f"<h3><bdi>{escape(local)}</bdi>{second}</h3>"
        f'<span class="zs-domain">{escape(domain_name(item.domain, language))}</span></header>'
        f'{phrase}<p class="zs-passage" dir="auto">{marked(found.chunk, found.marks)}</p>'
        f"{_score(found.score, language)}{_why(found.reasons, language)}"
        f'<footer class="zp-actions">{buttons}{thumbs}</footer></li>'
    )


def _score(score: float, language: str) -> str:
    wide = 100 * min(max(score, 0.0), 1.0)
    return (
        f'<div class="zp-score" title="{say(language, "playground_scale")}">'
        f"<span>{say(language, 'playground_cosine')}</span><b>{score:.3f}</b>"
        f'<i aria-hidden="true"><i style="width:{wide:.1f}%"></i></i></div>'
    )


def _why(reasons: Sequence[Reason], language: str) -> str:
    if not reasons or (len(reasons) == 1 and reasons[0].kind != "history"):
        return ""  # there is only one thing that it can be near to
    lines = []
    for reason in [reason for reason in reasons[:_MAX_REASONS] if reason.score >= _SOME_REASON]:
        if reason.item is not None:
            what = f"<bdi>{escape(shortened(reason.item.title_in(language)))}</bdi>"
        else:
            what = f"<i>{say(language, f'playground_near_{reason.kind}')}</i>"
        lines.append(f"<li>{what} <b>{reason.score:.2f}</b></li>")
    heading = say(language, "playground_why")
    if not lines:
        return ""
    return f'<div class="zp-why"><span>{heading}</span><ul>{"".join(lines)}</ul></div>'
