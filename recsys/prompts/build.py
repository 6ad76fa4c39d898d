"""From a history or a query to a prompt, in the person's language."""

from __future__ import annotations

import re
from collections.abc import Sequence

from recsys.catalog import History, Item
from recsys.prompts.formats import Prompt
from recsys.prompts.templates import Form, LanguageTemplates, Situation, load_templates

_MAX_LINE_CHARS = 240
_MARKS = re.compile(r"#{2,}")
_CONTROL = re.compile(r"<(?=[|/\w])")


def build_prompt(
    history: History,
    *,
    target: str,
    language: str,
    candidates: Sequence[Item] = (),
) -> Prompt:
    """The prompt that asks what comes next in the domain `target`.

    A query makes it active, otherwise it is passive; candidates make it listwise, otherwise it is
    direct. `language` ("en" or "ko") is that of the instruction, and so of the answer.
    """
    templates = load_templates(language)
    situation: Situation = "active" if history.query else "passive"
    form: Form = "listwise" if candidates else "direct"
    domains = {item.domain for item in history.items}
    source = domains.pop() if len(domains) == 1 else ""
    mixed = not source
    lines = tuple("- " + item_line(item, templates, show_domain=mixed) for item in history.items)
    numbered = tuple(f"{number}. {item_line(item, templates)}" for number, item in enumerate(candidates, 1))
    return Prompt(
        system=templates.situation(situation).system,
        before=templates.heading(situation, source) if lines else "",
        history=lines,
        after=templates.task(situation, form, target, one_line(history.query), numbered),
        cues=templates.cues,
        examples=templates.worked_examples(situation, form),
        language=language,
    )


def language_of(text: str) -> str:
    """ "ko" when at least a fifth of the letters are Hangul, otherwise "en"."""
    letters = [c for c in text if c.isalpha()]
    hangul = sum("가" <= c <= "힣" or "ㄱ" <= c <= "ㅣ" for c in letters)
    return "ko" if letters and hangul * 5 >= len(letters) else "en"


def item_line(item: Item, templates: LanguageTemplates, *, show_domain: bool = False) -> str:
    """Title and what the item is about: small models know few titles."""
    title = item.title_in(templates.language)
    phrase = item.phrases.get(templates.language) or _attributes(item)
    details = [templates.wording(item.domain).one] if show_domain and item.domain else []
    details += [phrase] if phrase else []
    line = f"{title} ({'; '.join(details)})" if details else title
    return one_line(line)


def _attributes(item: Item) -> str:
    values: list[str] = []
    for value in item.attributes.values():
        values += value[:3] if isinstance(value, list) else [str(value)]
    return ", ".join(values[:6])


def harmless(text: str) -> str:
    """One line without what could end the prompt's own structure.

    White space is folded, the marks of the few-shot form are shortened, and a chat template's control
    tokens (`<|im_end|>`, `<eos>`) are broken up, so that a tokenizer reads them as plain letters.
    """
    return " ".join(_CONTROL.sub("< ", _MARKS.sub("#", text)).split())


def one_line(text: str) -> str:
    """`harmless` text, cut to a length that leaves room for others."""
    folded = harmless(text)
    return folded if len(folded) <= _MAX_LINE_CHARS else folded[: _MAX_LINE_CHARS - 1] + "…"
