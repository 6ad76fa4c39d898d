"""What a target has in common with a history: values for a grammar, with titles for which they hold.

`genres` comes with `g_one`, `g_pair` and `g_trio`, `maker` with `m_one`, and so on, so that a sentence which
names both is true. The same genres are `liked` where a good part of the history has them, else `hint`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from recsys.catalog import Item
from recsys.synthesis import glossary
from recsys.synthesis.about import About, about
from recsys.synthesis.facts import Facts, add_feel, genre_facts, topic_facts
from recsys.synthesis.saying import (
    listed,
    period,
    price_limit,
    quoted_briefly,
    series_name,
    share,
    term_names,
    topic_names,
)
from recsys.synthesis.words import Words, counted, number_word

_TITLES = frozenset(
    [
        *(f"{kind}_{size}" for kind in "gmpswdc" for size in ("one", "pair", "trio")),
        *("one", "pair", "trio", "last", "kin_last"),
    ]
)
"""Values that name items of the history."""
_OFTEN = 4
"""One in so many items of a history makes a liking."""


@dataclass(frozen=True)
class _History:
    """What is compared: the history's items and titles by place, the target, and where values go."""

    items: Sequence[About]
    titles: Sequence[str]
    target: About
    words: Words
    draw: Random
    facts: Facts

    @property
    def language(self) -> str:
        return self.words.language

    def titles_where(self, holds: Callable[[About], bool]) -> list[str]:
        return [title for title, item in zip(self.titles, self.items, strict=True) if holds(item)]

    def add_titles(self, prefix: str, holders: Sequence[str]) -> None:
        """Some of the titles for which a value holds: one, and two and three others if there are."""
        some = self.draw.sample(holders, min(4, len(holders)))
        self.facts.add(f"{prefix}_one", some[-1])
        self.facts.add(f"{prefix}_pair", listed(some[:2], self.language) if len(some) > 1 else "")
        self.facts.add(f"{prefix}_trio", listed(some[:3], self.language) if len(some) > 2 else "")

    def add_named(self, name: str, kind: str, shown: Mapping[str, str], own: Sequence[set[str]]) -> None:
        """The first value (by folded name) of the target that an item has too, `own` being the items'."""
        for key, text in shown.items():
            holders = [title for title, keys in zip(self.titles, own, strict=True) if key in keys]
            if text and holders:
                self.facts.add(name, text, [f"{name}:{key}"])
                self.add_titles(kind, holders)
                if len(holders) > 1:
                    self.facts.add(f"{kind}_share", share(len(holders), len(self.titles), self.words))
                return


def shared_facts(history: Sequence[Item], target: Item, words: Words, draw: Random) -> Facts:
    """What the target has in common with items of the history, and the titles of those items.

    A genre, maker, series, topic or place is shared when one item has it too, a decade when two have it,
    a format or price when most do. `near` is there when any of the first five is shared, `far` when the
    target's and the history's genres are known and differ.
    """
    facts, language = Facts(), words.language
    wanted, known = about(target), [about(item) for item in history]
    titles = [quoted_briefly(item, language) for item in history]
    compared = _History(known, titles, wanted, words, draw, facts)
    _add_genres(compared)
    compared.add_named("maker", "m", wanted.makers, [set(item.makers) for item in known])
    places = {key: glossary.place_name(name, language) for key, name in wanted.places.items()}
    compared.add_named("place", "p", places, [set(item.places) for item in known])
    series = {wanted.series: series_name(wanted.series, language)}
    compared.add_named(
        "series", "s", series, [{k.series or i.title} for k, i in zip(known, history, strict=True)]
    )
    _add_topics(compared)
    _add_circumstances(compared)
    if facts.values.keys() & {"genres", "maker", "series", "topics", "place"}:
        facts.add("near", "near")
    elif any(not term.broad for term in wanted.terms.values()) and any(item.terms for item in known):
        facts.add("far", "far")
    _add_history(compared)
    facts.hide(target.title_in(language), kept=_TITLES)
    for name in _TITLES & facts.values.keys():
        named = [f"title:{title}" for title in titles if title in facts.values[name]]
        facts.tells[name] = facts.tells[name].union(named)
    return facts


def _add_genres(compared: _History) -> None:
    facts, known, words = compared.facts, compared.items, compared.words
    named = {key: term for key, term in compared.target.terms.items() if term.name(words.language)}
    named = {key: term for key, term in named.items() if not term.broad} or named
    hits = {key: sum(key in item.terms for item in known) for key in named}
    order = sorted(
        (key for key in named if hits[key]), key=lambda key: -hits[key] * (0.5 + compared.draw.random())
    )
    if not order:
        return
    chosen, holders = order[:1], [i for i, item in enumerate(known) if order[0] in item.terms]
    for key in order[1:]:
        both = [i for i in holders if key in known[i].terms]
        if len(chosen) < 3 and len(both) > 1 and compared.draw.random() < 0.5:
            chosen, holders = [*chosen, key], both
    genres, told = listed(term_names(named, chosen, words.language), words.language), genre_facts(*chosen)
    thing = named[chosen[0]].thing(words.language, words.noun)
    often = len(holders) > 1 and len(holders) * _OFTEN >= len(known)
    facts.add("genres", genres, told)
    facts.add("liked" if often else "hint", genres, told)
    facts.add("s_thing", thing, genre_facts(chosen[0]))
    compared.add_titles("g", [compared.titles[i] for i in holders])
    if len(holders) > 1:
        facts.add("share", share(len(holders), len(known), words))
    if often:
        facts.add("s_liked", thing, genre_facts(chosen[0]))
        add_feel(facts, "", named, chosen[:1], words.language, compared.draw)
    if known[-1].terms.keys() >= set(chosen):
        facts.add("last_genres", genres, told)


def _add_topics(compared: _History) -> None:
    wanted, language = compared.target.topics, compared.language
    shared = [(i, [key for key in wanted if key in item.topics]) for i, item in enumerate(compared.items)]
    shared = [(i, keys) for i, keys in shared if keys]
    if shared:
        i, keys = compared.draw.choice(shared)
        names = topic_names(wanted, keys[:2], language)
        compared.facts.add("topics", listed(names, language), topic_facts(*keys[:2]))
        compared.facts.add("w_one", compared.titles[i])


def _add_circumstances(compared: _History) -> None:
    """Time, price and format."""
    facts, wanted, language = compared.facts, compared.target, compared.language
    most = len(compared.items) / 2
    same = compared.titles_where(lambda item: item.decade == wanted.decade is not None)
    if len(same) > 1:
        facts.add("period", period(wanted.decade, language), ["time"])
        facts.add("d_pair", listed(compared.draw.sample(same, 2), language))
    same = compared.titles_where(lambda item: item.price == wanted.price is not None)
    if len(same) > most:
        facts.add("price", price_limit(wanted.price, language), ["price"])
        facts.add("c_one", compared.draw.choice(same))
    for key, term in wanted.formats.items():
        if sum(key in item.formats for item in compared.items) > most:
            facts.add("kind_of", term.name(language), [f"format:{key}"])


def _add_history(compared: _History) -> None:
    """The history as such: some titles, the nearest to the target first, the last one, and what most is."""
    facts, known, language = compared.facts, compared.items, compared.language
    before = range(max(1, len(known) - 1))
    order = sorted(before, key=lambda i: (-_overlap(known[i], compared.target), -i))
    titles = [compared.titles[i] for i in order]
    facts.add("one", titles[0])
    facts.add("pair", listed(titles[:2], language) if len(titles) > 1 else "")
    facts.add("trio", listed(titles[:3], language) if len(titles) > 2 else "")
    facts.add("last", compared.titles[-1])
    if any(key in known[-1].terms and not term.broad for key, term in compared.target.terms.items()):
        facts.add("kin_last", compared.titles[-1])
    facts.add("n", number_word(len(known), language, counting=True))
    facts.add("n_many", counted(len(known), compared.words))
    every = {key: term for item in known for key, term in item.terms.items() if not term.broad}
    counts = Counter(key for item in known for key in item.terms if key in every)
    most = [key for key, count in counts.most_common(2) if count > 1 and count * 2 >= len(known)]
    facts.add("mostly", listed(term_names(every, most, language), language), genre_facts(*most))


def _overlap(a: About, b: About) -> float:
    same_maker = 3.0 * bool(a.makers.keys() & b.makers.keys())
    narrow = sum(not a.terms[key].broad for key in a.terms.keys() & b.terms.keys())
    return same_maker + narrow + 0.5 * (a.decade == b.decade is not None)
