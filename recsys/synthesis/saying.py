"""How facts are worded: titles, lists, times, prices, shares and phrases as they stand in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from recsys.catalog import Item
from recsys.prompts.build import one_line
from recsys.prompts.josa import attach_particles
from recsys.synthesis.glossary import Term
from recsys.synthesis.words import Words, counted, number_word

_LONGEST_TITLE = 72
_PHRASE_WORDS = range(4, 23)
_SENTENCE = re.compile(r"(?<=[.!?])\s")


def quoted(title: str, language: str) -> str:
    """A title as it stands in a sentence."""
    return f"〈{title}〉" if language == "ko" else f"\u201c{title}\u201d"


def quoted_briefly(item: Item, language: str) -> str:
    """The title of an item of the history, a long one cut where its name ends."""
    title = one_line(item.title_in(language))
    if len(title) > _LONGEST_TITLE:
        cut = re.split(r"\s*[,;|(\[]\s*|\s+[-\u2013:]\s+", title)[0]
        title = cut if 8 <= len(cut) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE].rsplit(' ', 1)[0]}…"
    return quoted(title, language)


def listed(names: Sequence[str], language: str) -> str:
    """Names in a row, with "and" before the last."""
    if len(names) < 2:
        return "".join(names)
    if language == "ko":
        return attach_particles("[과/와] ".join(names)) if len(names) == 2 else ", ".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def period(decade: int | None, language: str) -> str:
    """A decade, "" for none."""
    if decade is None:
        return ""
    return f"{decade}년대" if language == "ko" else f"the {decade}s"


def price_limit(band: int | None, language: str) -> str:
    """What something costs less than, "" where that is not known."""
    if band is None:
        return ""
    return f"{band}달러 미만" if language == "ko" else f"under {band} dollars"


def share(count: int, total: int, words: Words) -> str:
    """So many of the things of a history."""
    if words.language == "ko":
        whole, part = counted(total, words), number_word(count, "ko", counting=True)
        return f"{whole} 모두" if count == total else f"{whole} 가운데 {part} {words.unit}"
    if count == total:
        return f"all {counted(total, words)}" if total > 2 else f"both {words.many}"
    return f"{number_word(count, 'en')} of the {counted(total, words)}"


def series_name(series: str, language: str) -> str:
    """A series as it is spoken of, "" for none."""
    if not series:
        return ""
    return f"{series} 시리즈" if language == "ko" else f"the {series.removeprefix('The ')} series"


def phrase(item: Item, language: str) -> str:
    """The item's `short_description` in quotation marks, where it does not give the title away."""
    text = short_description(item, language)
    given_away = item.title_in(language).casefold() in text.casefold()
    return f"\u201c{text}\u201d" if text and not given_away else ""


def short_description(item: Item, language: str) -> str:
    """The item's own phrase, or the first sentence of its text; "" where that is very short or long."""
    text = item.phrases.get(language, "")
    if not text and item.language == language and item.text:
        text = _SENTENCE.split(item.text.strip(), maxsplit=1)[0]
    words = re.sub(r"[\"\u201c\u201d]", "", text).rstrip(".!?\u2026 ").split()
    return " ".join(words) if len(words) in _PHRASE_WORDS else ""


def term_names(terms: Mapping[str, Term], keys: Iterable[str], language: str) -> list[str]:
    """The names of terms that have one in the language."""
    return [name for key in keys if (name := terms[key].name(language))]


def topic_names(topics: Mapping[str, tuple[str, str]], keys: Iterable[str], language: str) -> list[str]:
    """The names of topics, each once."""
    return list(dict.fromkeys(topics[key][language == "ko"] for key in keys))
