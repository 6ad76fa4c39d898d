"""An answer, the names in it, and what was found for it, as HTML; every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from recsys.catalog import Item
from recsys.demos import Example
from recsys.errors import ZeroshelfError
from recsys.i18n import error_text, text
from recsys.mentions import Mention
from recsys.recommend import NO_MODEL
from recsys.recommendation import Recommendation
from recsys.ui.cards import empty_html, notice_html
from recsys.ui.playground.card_html import (
    below_html,
    cards_html,
    domain_name,
    far_html,
    item_data,
    say,
    shortened,
    thumbs_html,
)
from recsys.ui.playground.link import Inputs, to_link


def model_name(model: str, language: str) -> str:
    """A column's heading, not escaped: the model, or that there is none."""
    return text(language, "playground_alone") if model == NO_MODEL else model


def nothing_html(language: str) -> str:
    """What stands in the first column before anything was asked."""
    return f'<section class="zp-slot">{empty_html(text(language, "playground_empty"))}</section>'


def slot_html(model: str, result: Recommendation | None, language: str) -> str:
    """One column: a model's answer as far as it is, and once it is done all that follows from it.

    None stands for a model whose turn has not come.
    """
    busy = result is None or not result.done
    state = "is-waiting" if result is None else "is-writing" if busy else "is-done"
    ident = f' data-recommendation="{escape(result.id)}"' if result and result.id else ""
    name = escape(model_name(model, language))
    body = f'<p class="zs-note">{say(language, "playground_waiting")}</p>'
    if result is not None:
        body = _answer(model, result, language) + (_found(result, language) if result.done else "")
    return (
        f'<section class="zp-slot {state}" aria-label="{name}" aria-busy="{str(busy).lower()}"{ident}>'
        f"<h3>{name}</h3>{body}</section>"
    )


def failed_html(model: str, error: ZeroshelfError, language: str) -> str:
    """One column whose model could not answer, with cause and cure."""
    name = escape(model_name(model, language))
    message = notice_html(error_text(error, language), kind="error")
    return f'<section class="zp-slot is-failed" aria-label="{name}"><h3>{name}</h3>{message}</section>'


def list_html(result: Recommendation, language: str, *, rated: bool = True) -> str:
    """Cards without an answer: for "more like this", and without thumbs for the retrieval tester."""
    ident = f' data-recommendation="{escape(result.id)}"' if result.id else ""
    cards = cards_html(result.items, language, rated=rated)
    return (
        f'<div class="zp-list"{ident}>{far_html(result, language)}{cards}{below_html(result, language)}</div>'
    )


def more_html(item: Item, result: Recommendation, language: str) -> str:
    """What is like one item, in a section that can be closed."""
    heading = say(language, "playground_more_of", title=shortened(item.title_in(language)))
    close = f'<button type="button" data-act="close">{say(language, "playground_close")}</button>'
    return (
        f'<section class="zp-more" tabindex="-1"><header><h3><bdi>{heading}</bdi></h3>{close}</header>'
        f"{list_html(result, language)}</section>"
    )


def examples_html(examples: Sequence[Example], language: str) -> str:
    """A button for each example."""
    buttons = "".join(
        f'<button type="button" data-act="example" data-link="{escape(_link(example))}">'
        f"<b>{escape(example.title[language])}</b>"
        f"<span>{escape(example.says[language])}</span></button>"
        for example in examples
    )
    label = say(language, "playground_examples")
    return f'<div class="zp-examples" role="group" aria-label="{label}">{buttons}</div>'


def _link(example: Example) -> str:
    return to_link(Inputs(history=example.history, query=example.query, catalog=example.catalog))


def _answer(model: str, result: Recommendation, language: str) -> str:
    if model == NO_MODEL:
        return f'<p class="zs-note">{say(language, "playground_alone_note")}</p>'
    note_html = "".join(f'<p class="zs-note">{note}</p>' for note in _notes(result, language))
    caret = "" if result.done or result.stopped else '<span class="zs-caret" aria-hidden="true"></span>'
    live = ' aria-live="polite"' if result.done else ""
    thumbs = thumbs_html("", language, "playground_answer") if result.done and result.answer else ""
    answer = f'<p dir="auto">{_answer_text(result)}{caret}</p>'
    chips = _chips(result.mentions, language) if result.mentions else ""
    return f'<div class="zs-answer"{live}>{answer}{note_html}{thumbs}</div>{chips}'


def _notes(result: Recommendation, language: str) -> list[str]:
    """What has to be said about an answer."""
    notes = []
    if result.left_out:
        notes.append(say(language, "playground_left_out", count=result.left_out))
    if result.stopped:
        notes.append(say(language, "playground_stopped"))
    elif result.done and result.cut:
        notes.append(say(language, "playground_cut"))
    if result.done and not result.answer:
        notes.append(say(language, "playground_no_answer"))
    return notes


def _answer_text(result: Recommendation) -> str:
    """The answer with its names set off."""
    parts, at = [], 0
    for one in result.mentions:
        kind = "is-there" if one.item else "is-missing"
        name = escape(result.answer[one.start : one.end])
        parts.append(f'{escape(result.answer[at : one.start])}<span class="zp-name {kind}">{name}</span>')
        at = one.end
    parts.append(escape(result.answer[at:]))
    return "".join(parts).replace("\n", "<br>")


def _chips(mentions: Sequence[Mention], language: str) -> str:
    chips = "".join(f"<li>{_chip(mention, language)}</li>" for mention in mentions)
    return f'<ul class="zp-chips" aria-label="{say(language, "playground_names")}">{chips}</ul>'


def _chip(mention: Mention, language: str) -> str:
    item = mention.item
    title = item.title_in(language) if item else mention.name
    name = f"<bdi>{escape(shortened(title))}</bdi>"
    if item is None or mention.known:
        kind, key = ("is-known", "playground_known") if item else ("is-missing", "playground_missing")
        return f'<span class="zp-chip {kind}">{name}<small>{say(language, key)}</small></span>'
    domain = escape(domain_name(item.domain, language))
    data = item_data(mention.catalog, item, language)
    hint = say(language, "playground_add")
    return (
        f'<button type="button" class="zp-chip" data-act="add" title="{hint}"{data}>'
        f'{name}<small>{domain}</small><span aria-hidden="true">+</span></button>'
    )


def _found(result: Recommendation, language: str) -> str:
    how = "playground_by_history" if result.ranked_by == "history" else "playground_by_search"
    if result.ranked_by == "search" and not result.answer:
        how = "playground_by_request"
    prompt = ""
    if result.asked and (read := result.asked.prompt or result.asked.instruction):
        prompt = (
            f'<details class="zp-prompt"><summary>{say(language, "playground_prompt")}</summary>'
            f'<pre tabindex="0">{escape(read)}</pre></details>'
        )
    return (
        f'{far_html(result, language)}<p class="zp-how">{say(language, how)}</p>'
        f"{cards_html(result.items, language)}{below_html(result, language)}{prompt}"
    )
