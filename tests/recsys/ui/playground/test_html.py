"""What comes from catalogues, models and people is text on the page, whatever it holds."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from recsys.catalog import Item
from recsys.mentions import Mention
from recsys.recommend import NO_MODEL
from recsys.recommendation import Asked, Recommendation, RecommendedItem
from recsys.retrieval.highlight import Mark
from recsys.retrieval.reasons import Reason
from recsys.ui.playground.card_html import marked
from recsys.ui.playground.html import list_html, more_html, slot_html

HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>"
RTL = "\u202eمرحبا بالعالم\u202c 👩‍🚀"


class Tags(HTMLParser):
    """The tags and attributes of a page, and whether each tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def hostile(text: str) -> Recommendation:
    item = Item(
        id=text[:200], title=text[:500], text=text * 50, domain=text, titles={"ko": text[:500]},
        phrases={"en": text, "ko": text},
    )  # fmt: skip
    found = RecommendedItem(
        item,
        0.4,
        text * 20,
        text[:64],
        (Reason("history", 0.3, item), Reason("query", 0.1)),
        (Mark(0, 4, "query"),),
    )
    return Recommendation(
        answer=text,
        items=(found,),
        asked=Asked("films", history=((text, item),), query=text, model=text, prompt=text, instruction=text),
        mentions=(Mention(text[:10], 0, 10, text, item), Mention(text[10:20], 10, 20)),
        ranked_by="search",
        id=text,
        done=True,
    )


@pytest.mark.parametrize("text", [HOSTILE, RTL, "x" * 50_000, "👩‍🚀" * 400, "</p></section>"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_text_is_text(text: str, language: str) -> None:
    result = hostile(text)
    for page in (
        slot_html(text, result, language),
        slot_html(NO_MODEL, result, language),
        list_html(result, language),
        more_html(result.items[0].item, result, language),
    ):
        seen = Tags(page)
        assert not {"img", "script"} & set(seen.tags)
        assert not [name for name in seen.attributes if name.startswith("on")]
        assert seen.open == []


def test_a_long_description_does_not_fill_the_page() -> None:
    page = list_html(replace(hostile("word " * 10_000), id="r"), "en")
    assert len(page) < 8000


def test_marks_are_where_they_belong() -> None:
    marks = (Mark(0, 3, "query"), Mark(4, 9, "history"))
    assert (
        marked("a<b & c> d", marks)
        == '<mark class="is-query">a&lt;b</mark> <mark class="is-history">&amp; c&gt; </mark>d'
    )
    assert marked("x" * 700, (Mark(690, 700, "query"),)) == "x" * 600 + "…"


def test_a_column_says_where_it_stands() -> None:
    assert "is-waiting" in slot_html("base", None, "en")
    growing = slot_html("base", Recommendation("This per"), "en")
    assert "is-writing" in growing
    assert "zs-caret" in growing
    stopped = slot_html("base", Recommendation("This per", stopped=True), "en")
    assert "zs-caret" not in stopped
    assert "Stopped" in stopped


def test_names_of_an_answer_become_chips() -> None:
    answer = "Dune, Heat and “Nothing Real”."
    dune, heat = Item(id="d", title="Dune", domain="books"), Item(id="h", title="Heat", domain="films")
    mentions = (
        Mention("Dune", 0, 4, "books", dune),
        Mention("Heat", 6, 10, "films", heat, known=True),
        Mention("Nothing Real", 16, 28),
    )
    page = slot_html("base", Recommendation(answer, mentions=mentions, ranked_by="search", done=True), "en")
    assert 'data-act="add" title="Add to history" data-catalog="books" data-id="d" data-title="Dune"' in page
    assert page.count("<bdi>") == 3
    assert "<bdi>Heat</bdi><small>in the history</small>" in page
    assert "<bdi>Nothing Real</bdi><small>not in any catalogue</small>" in page
    assert '<span class="zp-name is-missing">Nothing Real</span>' in page


def test_far_items_come_with_a_warning() -> None:
    near, far = (
        Recommendation(items=(RecommendedItem(Item(id="a", title="A"), score, "a"),), done=True)
        for score in (0.9, 0.01)
    )
    assert "zp-far" in list_html(far, "en")
    assert "zp-far" not in list_html(near, "en")
