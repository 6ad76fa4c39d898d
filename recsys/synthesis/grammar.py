"""Text from a context-free grammar in which only what is known is said, and nothing twice.

A grammar is TOML, one file or a folder of them: rule name to a list of alternatives. In an alternative
`{name}` is a value and `<name>` another rule. An alternative can be used when all its values are known
and all its rules have a usable alternative themselves. One of those is drawn, if there are any that tell
nothing that was told before and that have not been used in the text yet. A table named after a domain
holds rules that stand in for the general ones there.

Where both `<who>` and `<who_again>` exist, `<who>` speaks of the person: from the second time on the
rule `who_again` is drawn.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

_PART = re.compile(r"(\{[a-z_]+\}|<[a-z_]+>)")
_PAUSE = re.compile(r"\{[a-z_]+\}|[.,:;]")
_OWN_WORD = re.compile(r"[^\W_]+")
_DRAWS = 3
"""How many texts are drawn at most for one that says nothing twice."""
_CACHED = 512
"""Sets of known values for which the usable alternatives are kept, some 10 KB each."""


class GrammarError(ValueError):
    """A grammar names a rule that it lacks, refers to itself, or has nothing to say."""


@dataclass(frozen=True, slots=True, eq=False)
class _Alternative:
    parts: tuple[str, ...]
    values: frozenset[str]
    rules: tuple[str, ...]
    worded: bool
    """Whether it has words of its own, which would be noticed twice."""


@dataclass
class _Text:
    """One text in the making. `tells` has a bit for each fact that a value tells, `told` those told."""

    known: frozenset[str]
    tells: Mapping[str, int]
    draw: Random
    usable: dict[str, tuple[_Alternative, ...]]
    parts: list[str] = field(default_factory=list)
    told: int = 0
    used: set[_Alternative] = field(default_factory=set)
    person: bool = False
    repeated: int = 0


class Grammar:
    """The rules of one file. Drawing is deterministic in the state of the given generator."""

    def __init__(self, rules: Mapping[str, list[str]]) -> None:
        self._rules = {name: tuple(_parse(text) for text in texts) for name, texts in rules.items()}
        for name in self._rules:
            self._check(name, ())
        self._always: set[str] = set()
        while more := {
            n for n in self._rules.keys() - self._always if any(map(self._is_free, self._rules[n]))
        }:
            self._always |= more
        self._usable: dict[frozenset[str], dict[str, tuple[_Alternative, ...]]] = {}
        self._names = self.values

    @property
    def rules(self) -> frozenset[str]:
        """The names of all rules."""
        return frozenset(self._rules)

    @property
    def values(self) -> frozenset[str]:
        """The names of all values that some alternative mentions."""
        return frozenset(v for group in self._rules.values() for a in group for v in a.values)

    def unreached(self, starts: Collection[str]) -> set[str]:
        """The rules that no text from any of `starts` can come to."""
        reached, waiting = set(), list(starts)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += [rule for a in self._rules[name] for rule in a.rules]
                waiting += [f"{name}_again"] if f"{name}_again" in self._rules else []
        return set(self._rules) - reached

    def pattern(
        self,
        start: str,
        known: Collection[str],
        draw: Random,
        tells: Mapping[str, frozenset[str]] | None = None,
        *,
        otherwise: str = "",
    ) -> str:
        """One text from the rule `start` with `{name}` where values go; `known` are their names.

        `otherwise` is the rule instead where too little is known for `start`. `tells` says which facts a
        value tells. Of a few texts the one that repeats least is taken. Raises GrammarError when no
        alternative can be used.
        """
        names = self._names.intersection(known)
        if len(self._usable) >= _CACHED:
            self._usable.clear()
        usable = self._usable.setdefault(names, {})
        bits = _bits(tells or {})
        best, least = "", 0
        for attempt in range(_DRAWS):
            text = _Text(names, bits, draw, usable)
            rules = (rule for rule in (start, otherwise) if rule in self._rules and self._can_use(rule, text))
            if not (rule := next(rules, "")):
                raise GrammarError(f"nothing can be said for {start!r} with {sorted(known)}")
            self._expand(rule, text)
            found = " ".join("".join(text.parts).split())
            repeated = text.repeated + _repeated_runs(found)
            if attempt == 0 or repeated < least:
                best, least = found, repeated
            if not repeated:
                break
        return best

    def _expand(self, rule: str, text: _Text) -> None:
        if f"{rule}_again" in self._rules:
            rule, text.person = (f"{rule}_again" if text.person else rule), True
        chosen = self._chosen(rule, text)
        text.used.add(chosen)
        for name in chosen.values:
            told = text.tells.get(name, 0)
            text.repeated += (told & text.told).bit_count()
            text.told |= told
        for part in chosen.parts:
            if part[0] == "<":
                self._expand(part[1:-1], text)
            else:
                text.parts.append(part)

    def _chosen(self, rule: str, text: _Text) -> _Alternative:
        usable, draw = self._can_use(rule, text), text.draw
        # Half of the time a sentence that tells something goes before one that does not.
        telling = draw.random() < 0.5
        plain: _Alternative | None = None
        for alternative in _in_drawn_order(usable, draw):
            if self._fresh(alternative, text):
                if not telling or not text.tells.keys().isdisjoint(alternative.values):
                    return alternative
                plain = plain or alternative
        return plain or usable[int(draw.random() * len(usable))]

    def _can_use(self, rule: str, text: _Text) -> tuple[_Alternative, ...]:
        """The alternatives whose values are known and whose rules have such alternatives themselves."""
        found = text.usable.get(rule)
        if found is None:
            found = text.usable[rule] = tuple(
                a
                for a in self._rules[rule]
                if a.values <= text.known
                and all(inner in self._always or self._can_use(inner, text) for inner in a.rules)
            )
        return found

    def _fresh(self, alternative: _Alternative, text: _Text) -> bool:
        """Whether it can be said without telling a fact or using a phrase for the second time."""
        if alternative.worded and alternative in text.used:
            return False
        for name in alternative.values:
            if text.told & text.tells.get(name, 0):
                return False
        for rule in alternative.rules:
            for inner in self._can_use(rule, text):
                if self._fresh(inner, text):
                    break
            else:
                return False
        return True

    def _is_free(self, alternative: _Alternative) -> bool:
        return not alternative.values and self._always.issuperset(alternative.rules)

    def _check(self, name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise GrammarError(f"the rule {name!r} leads back to itself")
        if not self._rules.get(name):
            raise GrammarError(f"there is no rule {name!r}, which {above[-1:]} needs")
        for rule in sorted({r for a in self._rules[name] for r in a.rules}):
            self._check(rule, (*above, name))


@cache
def load_grammar(path: Path, domain: str = "") -> Grammar:
    """The grammar in a TOML file, or in all those of a folder, as it is for a domain.

    Raises GrammarError or tomllib.TOMLDecodeError where it is malformed.
    """
    general: dict[str, list[str]] = {}
    special: dict[str, dict[str, list[str]]] = {}
    for file in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
        for name, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if name in general or name in special:
                raise GrammarError(f"{file.name}: {name!r} stands in another file too")
            if isinstance(entry, dict):
                special[name] = {rule: _texts(texts, file) for rule, texts in entry.items()}
            else:
                general[name] = _texts(entry, file)
    # News of one country are spoken of as news are.
    return Grammar(general | special.get(domain.removeprefix("korean-"), {}) | special.get(domain, {}))


def _texts(entry: object, file: Path) -> list[str]:
    if not isinstance(entry, list) or not all(isinstance(text, str) for text in entry):
        raise GrammarError(f"{file.name}: every key holds a list of texts")
    return entry


def _in_drawn_order(alternatives: Sequence[_Alternative], draw: Random) -> Iterator[_Alternative]:
    """All of them; mostly the first is taken, so the order of the others is drawn only when needed."""
    first = int(draw.random() * len(alternatives))
    yield alternatives[first]
    yield from draw.sample([a for i, a in enumerate(alternatives) if i != first], len(alternatives) - 1)


def _bits(tells: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """For each value the facts that it tells, as bits of a number."""
    places: dict[str, int] = {}
    return {
        name: sum(1 << places.setdefault(fact, len(places)) for fact in facts)
        for name, facts in tells.items()
        if facts
    }


def _repeated_runs(pattern: str) -> int:
    """How many runs of three of the grammar's own words stand in a text more than once."""
    runs = [
        tuple(words[i : i + 3])
        for words in (_OWN_WORD.findall(part) for part in _PAUSE.split(pattern.lower()))
        for i in range(len(words) - 2)
    ]
    return len(runs) - len(set(runs))


def _parse(text: str) -> _Alternative:
    parts = tuple(part for part in _PART.split(text) if part)
    values = frozenset(part[1:-1] for part in parts if part.startswith("{"))
    rules = tuple(dict.fromkeys(part[1:-1] for part in parts if part.startswith("<")))
    worded = any(re.search(r"\w{3,}|[가-힣]{2,}", part) for part in parts if part[0] not in "{<")
    return _Alternative(parts, values, rules, worded)
