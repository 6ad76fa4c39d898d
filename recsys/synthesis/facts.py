"""What can truthfully be said of a target: values for a grammar, and the facts that each of them tells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from recsys.catalog import Item
from recsys.synthesis import glossary
from recsys.synthesis.about import LAST_IS_NARROWEST, about
from recsys.synthesis.glossary import Term
from recsys.synthesis.quality import mentions
from recsys.synthesis.saying import listed, period, phrase, price_limit, series_name, term_names, topic_names
from recsys.synthesis.words import Words


@dataclass
class Facts:
    """Values by name, and for each the facts that it tells (`genre:drama`), so that none is told twice."""

    values: dict[str, str] = field(default_factory=dict)
    tells: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, name: str, value: str, tells: Iterable[str] = ()) -> None:
        """Keep a value, unless it is empty."""
        if value:
            self.values[name] = value
            self.tells[name] = frozenset(tells)

    def hide(self, title: str, kept: Collection[str] = ()) -> None:
        """Leave out the values that give a title away: an album may be called like its band."""
        for name in [n for n, value in self.values.items() if n not in kept and mentions(value, title)]:
            del self.values[name], self.tells[name]


def target_facts(item: Item, words: Words, draw: Random, query: str = "") -> Facts:
    """The values `t_...`: what the target is, without its title. Genres that `query` names lead."""
    known, language = about(item), words.language
    facts = Facts()
    _add_kind(facts, _drawn_terms(known.terms, item.domain, language, draw), words, draw, query)
    for key, name in list(known.makers.items())[:1]:
        facts.add("t_maker", name, [f"maker:{key}"])
    for key, term in list(known.formats.items())[:1]:
        facts.add("t_kind_of", term.name(language), [f"format:{key}"])
    for key, name in list(known.places.items())[:1]:
        facts.add("t_place", glossary.place_name(name, language), [f"place:{key}"])
    if not item.title.startswith(known.series):  # that would be the title
        facts.add("t_series", series_name(known.series, language), [f"series:{known.series}"])
    facts.add("t_period", period(known.decade, language), ["time"])
    facts.add("t_year", str(known.year or ""), ["time"])
    facts.add("t_price", price_limit(known.price, language), ["price"])
    said = f"{facts.values.get('t_thing', '')} {facts.values.get('t_genres', '')}".casefold()
    new = [key for key, names in known.topics.items() if not any(name.casefold() in said for name in names)]
    some = draw.sample(new, min(len(new), 2))
    facts.add("t_topics", listed(topic_names(known.topics, some, language), language), topic_facts(*some))
    facts.add("t_phrase", phrase(item, language), ["phrase"])
    facts.hide(item.title_in(language))
    return facts


def _add_kind(facts: Facts, terms: Mapping[str, Term], words: Words, draw: Random, query: str) -> None:
    """What one such thing is called, its other genres, and what it feels like."""
    language = words.language

    def named(keys: Sequence[str]) -> str:
        return listed(term_names(terms, keys, language), language)

    asked = [key for key in terms if _stands_in(query, terms[key], words)]
    terms = {key: terms[key] for key in [*asked, *terms]}
    lead = [key for key in terms if terms[key].thing(language, words.noun)][:1]
    rest = [key for key in terms if key not in lead][:2]
    main, every = (lead or rest)[:1], (lead + rest)[:3]
    facts.add("t_thing", terms[lead[0]].thing(language, words.noun) if lead else "", genre_facts(*lead))
    facts.add("t_main", named(main), genre_facts(*main))
    facts.add("t_extra", named(rest), genre_facts(*rest))
    facts.add("t_genres", named(every), genre_facts(*every))
    add_feel(facts, "t_", terms, main, language, draw)


def query_facts(target: Facts, query: str, language: str, draw: Random) -> Facts:
    """The target's facts that a query mentions, `q_...` for `t_...`, and what its kind feels like.

    `query`, in quotation marks, tells all of them half of the time: then the answer tells others.
    """
    asked, said = Facts(), query.casefold()
    for name, value in target.values.items():
        if name.startswith("t_") and name != "t_phrase" and value.casefold() in said:
            asked.add(f"q_{name.removeprefix('t_')}", value, target.tells[name])
    if asked.values.keys() & {"q_thing", "q_genres", "q_main"}:
        for name in ("adj", "mood"):
            asked.add(f"feels_{name}", target.values.get(f"t_{name}", ""), target.tells.get(f"t_{name}", ()))
    told = frozenset().union(*asked.tells.values()) if draw.random() < 0.5 else ()
    asked.add("query", f"\u2018{query}\u2019" if language == "ko" else f"\u201c{query}\u201d", told)
    return asked


def genres_of(items: Iterable[Item]) -> frozenset[str]:
    """The genres that any of the items has, as facts."""
    return frozenset(genre_facts(*(key for item in items for key in about(item).terms)))


def genre_facts(*keys: str) -> list[str]:
    """What naming these genres tells."""
    return [f"genre:{key}" for key in keys]


def topic_facts(*keys: str) -> list[str]:
    """What naming these topics tells."""
    return [f"topic:{key}" for key in keys]


def add_feel(
    facts: Facts, prefix: str, terms: Mapping[str, Term], keys: Sequence[str], language: str, draw: Random
) -> None:
    """What things of the first kind feel like: `adj` and `mood`."""
    for key in keys[:1]:
        if entry := glossary.feel(key, terms[key], language):
            before, mood = draw.choice(entry.before), draw.choice(entry.moods)
            facts.add(f"{prefix}adj", before, [f"before:{before}"])
            facts.add(f"{prefix}mood", mood, [f"mood:{mood}"])


def _drawn_terms(terms: Mapping[str, Term], domain: str, language: str, draw: Random) -> dict[str, Term]:
    """Terms that have a name, three narrow ones if there are; which comes first is drawn among the best."""
    named = [key for key in terms if terms[key].name(language)]
    narrow = [key for key in named if not terms[key].broad]
    ordered = domain in LAST_IS_NARROWEST or domain in ("books", "news")
    room = 3 if ordered else len(narrow)
    first = draw.sample(narrow[:room], min(room, len(narrow)))
    order = [*first, *narrow[room:]] or named
    return {key: terms[key] for key in _distinct(order, terms)}


def _distinct(keys: Sequence[str], terms: Mapping[str, Term]) -> list[str]:
    """Without terms whose words another one has already ("fantasy" beside "epic fantasy")."""
    kept: list[str] = []
    for key in keys:
        words = set(terms[key].en.casefold().split()) or {key}
        if not any(w <= words or words <= w for w in (set(terms[k].en.casefold().split()) for k in kept)):
            kept.append(key)
    return kept


def _stands_in(query: str, term: Term, words: Words) -> bool:
    said = (term.name(words.language), term.thing(words.language, words.noun))
    return any(name and name.casefold() in query.casefold() for name in said)
