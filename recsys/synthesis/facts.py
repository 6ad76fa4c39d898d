"""What can truthfully be said of a target, and of what it shares with a history: values for a grammar.

A value about the history comes with the titles of items for which it holds: `genres` with `g_one`,
`g_pair` and `g_trio`, `maker` with `m_one`, and so on, so that a sentence which names both is true. The
same genres are `liked` where a good part of the history has them, else `hint`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from recsys.catalog import Item
from recsys.prompts.build import one_line
from recsys.prompts.josa import attach_particles
from recsys.synthesis import glossary
from recsys.synthesis.glossary import Term
from recsys.synthesis.words import Words, counted, number_word

_GENRES = ("genres", "genre", "kinds", "subcategory", "categories", "category", "topic", "section")
_MAKERS = ("authors", "author", "director", "artist", "composer", "brand", "studio", "studios", "developer")
_FORMATS = ("type", "format")
_PLACES = ("city",)
_TITLES = frozenset(f"{kind}_{size}" for kind in "gmpswdc" for size in ("one", "pair", "trio")) | {
    "one",
    "pair",
    "trio",
    "last",
    "kin_last",
}
"""Values that name items of the history."""
_LAST_IS_NARROWEST = frozenset(("shopping", "music"))
"""Where categories are paths, from the department down."""
_LONGEST_TITLE = 72
_OFTEN = 4
"""One in so many items of a history makes a liking."""
_SENTENCE = re.compile(r"(?<=[.!?])\s")
_SERIES = re.compile(r"\((?P<name>[^()]+?),? #\d[\d.\u2013-]*(?:;[^()]*)?\)$")
_NUMBERED = re.compile(r"^(?P<name>.{3,}?)\s+(?:[2-9]|I{2,3}|IV|V|VI{0,3})(?:[:\s-].*)?$")
_PART = re.compile(r"[:,]?\s*(?:Part|Vol\.?|Volume|Episode|Chapter|Season)$")


@dataclass(frozen=True, slots=True)
class About:
    """One item's attributes by kind, by folded name; the narrowest terms come first."""

    terms: dict[str, Term]
    makers: dict[str, str]
    formats: dict[str, Term]
    places: dict[str, str]
    series: str
    year: int | None
    price: int | None
    topics: dict[str, tuple[str, str]]

    @property
    def decade(self) -> int | None:
        """The first year of the decade."""
        return None if self.year is None else self.year // 10 * 10


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


def about(item: Item) -> About:
    """Sort an item's attributes into kinds; what fits none is left out."""
    found = _kept.get(id(item))
    if found is None or found[0] is not item:
        if len(_kept) >= _KEPT:
            _kept.clear()
        found = _kept[id(item)] = item, _about(item)
    return found[1]


_KEPT = 20_000
_kept: dict[int, tuple[Item, About]] = {}
"""What is known of the items met last: each of them stands in many histories."""


def _about(item: Item) -> About:
    year, price = item.attributes.get("year"), item.attributes.get("price")
    found = glossary.terms(item.domain, _strings(item, _GENRES))
    if item.domain in _LAST_IS_NARROWEST:
        found = dict(reversed(found.items()))
    formats = {n: glossary.format_term(item.domain, n) for n in _strings(item, _FORMATS)}
    return About(
        terms=dict(sorted(found.items(), key=lambda entry: entry[1].broad)),
        makers={name.casefold(): name for name in _strings(item, _MAKERS)},
        formats={name: term for name, term in formats.items() if term},
        places={name.casefold(): name for name in _strings(item, _PLACES)},
        series=_series(item.title),
        year=year if isinstance(year, int) and 1000 < year < 2200 else None,
        price=_band(float(price)) if isinstance(price, (int, float)) and price > 0 else None,
        topics=glossary.topics(item.domain, item.text[:400]) if item.text else {},
    )


def target_facts(item: Item, words: Words, draw: Random, query: str = "") -> Facts:
    """The values `t_...`: what the target is, without its title. Genres that `query` names lead."""
    known, language = about(item), words.language
    facts = Facts()
    terms = _drawn_terms(known.terms, item.domain, language, draw)
    asked = [key for key in terms if terms[key].name(language).casefold() in query.casefold()]
    terms = {key: terms[key] for key in [*asked, *terms]}
    with_thing = [key for key in terms if terms[key].thing(language, words.noun)]
    lead = with_thing[:1]
    rest = [key for key in terms if key not in lead][:2]
    for key in lead:
        facts.add("t_thing", terms[key].thing(language, words.noun), _genre(key))
    facts.add(
        "t_main", _listed(_names(terms, (lead or rest)[:1], language), language), _genre(*(lead or rest)[:1])
    )
    facts.add("t_extra", _listed(_names(terms, rest, language), language), _genre(*rest))
    every = (lead + rest)[:3]
    facts.add("t_genres", _listed(_names(terms, every, language), language), _genre(*every))
    _add_feel(facts, "t_", terms, lead or rest, language, draw)
    for key, name in list(known.makers.items())[:1]:
        facts.add("t_maker", name, [f"maker:{key}"])
    for key, term in list(known.formats.items())[:1]:
        facts.add("t_kind_of", term.name(language), [f"format:{key}"])
    for key, name in list(known.places.items())[:1]:
        facts.add("t_place", glossary.place_name(name, language), [f"place:{key}"])
    if not item.title.startswith(known.series):  # that would be the title
        facts.add("t_series", _series_name(known.series, language), [f"series:{known.series}"])
    facts.add("t_period", _period(known.decade, language), ["time"])
    facts.add("t_year", str(known.year or ""), ["time"])
    facts.add("t_price", _price(known.price, language), ["price"])
    said = f"{facts.values.get('t_thing', '')} {facts.values.get('t_genres', '')}".casefold()
    new = [key for key, names in known.topics.items() if not any(name.casefold() in said for name in names)]
    some = draw.sample(new, min(len(new), 2))
    facts.add("t_topics", _listed(_topic_names(known.topics, some, language), language), _topic(*some))
    facts.add("t_phrase", _phrase(item, language), ["phrase"])
    return facts


def shared_facts(history: Sequence[Item], target: Item, words: Words, draw: Random) -> Facts:
    """What the target has in common with items of the history, and the titles of those items.

    A genre, maker, series, topic or place is shared when one item has it too, a decade when two have it,
    a format or price when most do. `near` is there when any of the first five is shared, `far` when the
    target's and the history's genres are known and differ.
    """
    facts, language, domain = Facts(), words.language, target.domain
    wanted, known = about(target), [about(item) for item in history]
    titles = [_quoted(item, language) for item in history]
    _add_genres(facts, wanted, known, titles, words, draw)
    _add_shared(facts, "maker", "m", [(k, n, f"maker:{k}") for k, n in wanted.makers.items()],
                [k.makers for k in known], titles, words, draw)  # fmt: skip
    places = [(k, glossary.place_name(n, language), f"place:{k}") for k, n in wanted.places.items()]
    _add_shared(facts, "place", "p", places, [k.places for k in known], titles, words, draw)
    series = [(wanted.series, _series_name(wanted.series, language), f"series:{wanted.series}")]
    members = [{k.series or item.title: ""} for k, item in zip(known, history, strict=True)]
    _add_shared(facts, "series", "s", series, members, titles, words, draw)
    _add_topics(facts, wanted, known, titles, language, draw)
    same = [t for t, k in zip(titles, known, strict=True) if k.decade == wanted.decade is not None]
    if len(same) > 1:
        facts.add("period", _period(wanted.decade, language), ["time"])
        facts.add("d_pair", _listed(draw.sample(same, 2), language))
    same = [t for t, k in zip(titles, known, strict=True) if k.price == wanted.price is not None]
    if len(same) * 2 > len(known):
        facts.add("price", _price(wanted.price, language), ["price"])
        facts.add("c_one", draw.choice(same))
    for key, term in wanted.formats.items():
        if sum(key in k.formats for k in known) * 2 > len(known):
            facts.add("kind_of", term.name(language), [f"format:{key}"])
    near = facts.values.keys() & {"genres", "maker", "series", "topics", "place"}
    if near:
        facts.add("near", "near")
    elif any(not term.broad for term in wanted.terms.values()) and any(k.terms for k in known):
        facts.add("far", "far")
    before = range(max(1, len(history) - 1))
    order = sorted(before, key=lambda i: (-_overlap(known[i], wanted), -i))
    facts.add("one", titles[order[0]])
    facts.add("pair", _listed([titles[i] for i in order[:2]], language) if len(order) > 1 else "")
    facts.add("trio", _listed([titles[i] for i in order[:3]], language) if len(order) > 2 else "")
    facts.add("last", titles[-1])
    if known[-1].terms.keys() & {key for key, term in wanted.terms.items() if not term.broad}:
        facts.add("kin_last", titles[-1])
    facts.add("n", number_word(len(history), language, counting=True))
    facts.add("n_many", counted(len(history), words))
    _add_profile(facts, known, domain, language, draw)
    for name in _TITLES & facts.values.keys():
        named = [f"title:{title}" for title in titles if title in facts.values[name]]
        facts.tells[name] = facts.tells[name].union(named)
    return facts


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
    return frozenset(_genre(*(key for item in items for key in about(item).terms)))


def _add_genres(
    facts: Facts, wanted: About, known: Sequence[About], titles: list[str], words: Words, draw: Random
) -> None:
    language = words.language
    named = {key: term for key, term in wanted.terms.items() if term.name(language)}
    narrow = {key: term for key, term in named.items() if not term.broad}
    named = narrow or named
    hits = {key: sum(key in k.terms for k in known) for key in named}
    order = sorted((key for key in named if hits[key]), key=lambda key: -hits[key] * (0.5 + draw.random()))
    if not order:
        return
    chosen, holders = order[:1], [i for i, k in enumerate(known) if order[0] in k.terms]
    for key in order[1:]:
        both = [i for i in holders if key in known[i].terms]
        if len(chosen) < 3 and len(both) > 1 and draw.random() < 0.5:
            chosen, holders = [*chosen, key], both
    facts.add("genres", _listed(_names(named, chosen, language), language), _genre(*chosen))
    _add_titles(facts, "g", [titles[i] for i in holders], language, draw)
    if len(holders) > 1:
        facts.add("share", _share(len(holders), len(known), words))
    often = len(holders) > 1 and len(holders) * _OFTEN >= len(known)
    facts.add("liked" if often else "hint", facts.values["genres"], _genre(*chosen))
    thing = named[chosen[0]].thing(language, words.noun)
    facts.add("s_thing", thing, _genre(chosen[0]))
    facts.add("s_liked", thing if often else "", _genre(chosen[0]))
    if often:
        _add_feel(facts, "", named, chosen[:1], language, draw)
    last = [key for key in chosen if key in known[-1].terms]
    if len(last) == len(chosen):
        facts.add("last_genres", facts.values["genres"], _genre(*chosen))


def _add_profile(facts: Facts, known: Sequence[About], domain: str, language: str, draw: Random) -> None:
    """What at least half of the history is, whether or not the target is of it."""
    counts = Counter(key for k in known for key, term in k.terms.items() if not term.broad)
    most = [key for key, count in counts.most_common(2) if count * 2 >= len(known) and count > 1]
    known_terms = {key: term for k in known for key, term in k.terms.items()}
    names = _names(known_terms, most, language)
    facts.add("mostly", _listed(names, language), _genre(*most))


def _add_shared(
    facts: Facts,
    name: str,
    prefix: str,
    wanted: Iterable[tuple[str, str, str]],
    known: Sequence[Mapping[str, str]],
    titles: list[str],
    words: Words,
    draw: Random,
) -> None:
    for key, shown, fact in wanted:
        holders = [title for title, names in zip(titles, known, strict=True) if key in names]
        if key and shown and holders:
            facts.add(name, shown, [fact])
            _add_titles(facts, prefix, holders, words.language, draw)
            if len(holders) > 1:
                facts.add(f"{prefix}_share", _share(len(holders), len(titles), words))
            return


def _add_topics(
    facts: Facts, wanted: About, known: Sequence[About], titles: list[str], language: str, draw: Random
) -> None:
    shared = [(i, [t for t in wanted.topics if t in k.topics]) for i, k in enumerate(known)]
    shared = [(i, found) for i, found in shared if found]
    if shared:
        i, found = draw.choice(shared)
        some = found[:2]
        facts.add("topics", _listed(_topic_names(wanted.topics, some, language), language), _topic(*some))
        facts.add("w_one", titles[i])


def _add_titles(facts: Facts, prefix: str, holders: list[str], language: str, draw: Random) -> None:
    some = draw.sample(holders, min(4, len(holders)))
    facts.add(f"{prefix}_one", some[-1])
    facts.add(f"{prefix}_pair", _listed(some[:2], language) if len(some) > 1 else "")
    facts.add(f"{prefix}_trio", _listed(some[:3], language) if len(some) > 2 else "")


def _add_feel(
    facts: Facts, prefix: str, terms: Mapping[str, Term], keys: Sequence[str], language: str, draw: Random
) -> None:
    for key in keys[:1]:
        if entry := glossary.feel(key, terms[key], language):
            before, mood = draw.choice(entry.before), draw.choice(entry.moods)
            facts.add(f"{prefix}adj", before, [f"before:{before}"])
            facts.add(f"{prefix}mood", mood, [f"mood:{mood}"])


def _drawn_terms(terms: Mapping[str, Term], domain: str, language: str, draw: Random) -> dict[str, Term]:
    """Terms that have a name, three narrow ones if there are; which comes first is drawn among the best."""
    named = [key for key in terms if terms[key].name(language)]
    narrow = [key for key in named if not terms[key].broad]
    ordered = domain in _LAST_IS_NARROWEST or domain in ("books", "news")
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


def _names(terms: Mapping[str, Term], keys: Iterable[str], language: str) -> list[str]:
    return [name for key in keys if (name := terms[key].name(language))]


def _topic_names(topics: Mapping[str, tuple[str, str]], keys: Iterable[str], language: str) -> list[str]:
    return list(dict.fromkeys(topics[key][language == "ko"] for key in keys))


def _genre(*keys: str) -> list[str]:
    return [f"genre:{key}" for key in keys]


def _topic(*keys: str) -> list[str]:
    return [f"topic:{key}" for key in keys]


def _strings(item: Item, keys: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for key in keys:
        value = item.attributes.get(key, [])
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, str) and part and part.casefold() not in ("unknown", "various artists"):
                found.setdefault(part)
    return list(found)


def _series(title: str) -> str:
    """The name of a series that a title tells: in brackets with a number, or before a number at its end."""
    if match := _SERIES.search(title):
        return match["name"].strip()
    match = _NUMBERED.match(title)
    return _PART.sub("", match["name"]).strip() if match else ""


def _series_name(series: str, language: str) -> str:
    if not series:
        return ""
    return f"{series} 시리즈" if language == "ko" else f"the {series.removeprefix('The ')} series"


def _overlap(a: About, b: About) -> float:
    same_maker = 3.0 * bool(a.makers.keys() & b.makers.keys())
    narrow = sum(not a.terms[key].broad for key in a.terms.keys() & b.terms.keys())
    return same_maker + narrow + 0.5 * (a.decade == b.decade is not None)


def quoted(title: str, language: str) -> str:
    """A title as it stands in a sentence."""
    return f"〈{title}〉" if language == "ko" else f"\u201c{title}\u201d"


def _quoted(item: Item, language: str) -> str:
    """The title of an item of the history, a long one cut where its name ends."""
    title = one_line(item.title_in(language))
    if len(title) > _LONGEST_TITLE:
        cut = re.split(r"\s*[,;|(\[]\s*|\s+[-\u2013:]\s+", title)[0]
        title = cut if 8 <= len(cut) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE].rsplit(' ', 1)[0]}…"
    return quoted(title, language)


def _listed(names: Sequence[str], language: str) -> str:
    if len(names) < 2:
        return "".join(names)
    if language == "ko":
        return attach_particles("[과/와] ".join(names)) if len(names) == 2 else ", ".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _period(decade: int | None, language: str) -> str:
    if decade is None:
        return ""
    return f"{decade}년대" if language == "ko" else f"the {decade}s"


def _band(price: float) -> int | None:
    return next((limit for limit in (10, 20, 50, 100, 200, 500) if price < limit), None)


def _price(band: int | None, language: str) -> str:
    if band is None:
        return ""
    return f"{band}달러 미만" if language == "ko" else f"under {band} dollars"


def _share(count: int, total: int, words: Words) -> str:
    if words.language == "ko":
        whole, part = counted(total, words), number_word(count, "ko", counting=True)
        return f"{whole} 모두" if count == total else f"{whole} 가운데 {part} {words.unit}"
    if count == total:
        return f"all {counted(total, words)}" if total > 2 else f"both {words.many}"
    return f"{number_word(count, 'en')} of the {counted(total, words)}"


def _phrase(item: Item, language: str) -> str:
    """The item's own short description, or the first sentence of its text, in quotation marks."""
    text = item.phrases.get(language, "")
    if not text and item.language == language and item.text:
        text = _SENTENCE.split(item.text.strip(), maxsplit=1)[0]
    words = re.sub(r"[\"\u201c\u201d]", "", text).rstrip(".!?\u2026 ").split()
    title = item.title_in(language).casefold()
    if not 4 <= len(words) <= 22 or title in " ".join(words).casefold():
        return ""
    return f"\u201c{' '.join(words)}\u201d"
