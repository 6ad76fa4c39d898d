"""Text from a context-free grammar in which only what is known is said.

A grammar is a TOML file: rule name to a list of alternatives. In an alternative `{name}` is a value and
`<name>` another rule. An alternative can be used when all its values are known and all its rules have
a usable alternative themselves. One of those is drawn, mostly one that says something: a value that
is not in every text anyway.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from recsys.prompts.josa import attach_particles

_PART = re.compile(r"(\{[a-z_]+\}|<[a-z_]+>)")
_SENTENCE = re.compile(r"(?:^|(?<=[.!?]\s)|(?<=[.!?][\"\u201d]\s))([a-z])")
_ARTICLE = re.compile(
    r"\b([Aa]) (?=[\"\u201c'\u2018]?(?!(?:one|once|uni(?!n|m)|use|usu|eur|u[bks])\w*)[aeiouAEIOU])"
)


_ALWAYS = frozenset({"one", "many", "done", "next", "n", "options", "query", "target", "last"})
"""Values that every text of a kind has; they alone make no alternative informative."""
_INFORMED = 0.85
"""How often an informative alternative is drawn where there are both kinds."""


class GrammarError(ValueError):
    """A grammar names a rule that it lacks, refers to itself, or has nothing to say."""


@dataclass(frozen=True, slots=True)
class _Alternative:
    parts: tuple[str, ...]
    values: frozenset[str]
    rules: frozenset[str]


_Usable = dict[str, tuple[tuple[_Alternative, ...], tuple[_Alternative, ...]]]


class Grammar:
    """The rules of one file. Drawing is deterministic in the state of the given generator."""

    def __init__(self, rules: Mapping[str, list[str]]) -> None:
        self._rules = {name: tuple(_parse(text) for text in texts) for name, texts in rules.items()}
        for name in self._rules:
            self._check(name, ())
        self._usable: dict[frozenset[str], _Usable] = {}

    @property
    def values(self) -> frozenset[str]:
        """The names of all values that some alternative mentions."""
        return frozenset(v for group in self._rules.values() for a in group for v in a.values)

    def write(self, start: str, values: Mapping[str, str], draw: Random) -> str:
        """One text from the rule `start`. Raises GrammarError when no alternative can be used."""
        known = frozenset(name for name, value in values.items() if value) & self.values
        usable = self._usable.get(known)
        if usable is None:
            usable = self._usable[known] = self._prune(known)
        if not any(usable.get(start, ())):
            raise GrammarError(f"nothing can be said for {start!r} with {sorted(known)}")
        out: list[str] = []
        self._expand(start, usable, values, draw, out, set())
        # Values go in last, so that braces and brackets in a title stay what they are.
        return _tidy("".join(out), values)

    def _expand(
        self,
        rule: str,
        usable: _Usable,
        values: Mapping[str, str],
        draw: Random,
        out: list[str],
        said: set[str],
    ) -> None:
        chosen = _chosen(*usable[rule], values, draw, said)
        said.update(values[name] for name in chosen.values - _ALWAYS)
        for part in chosen.parts:
            if part.startswith("<"):
                self._expand(part[1:-1], usable, values, draw, out, said)
            else:
                out.append(part)

    def _prune(self, known: frozenset[str]) -> _Usable:
        """For each rule its usable alternatives: those that can say something of the item, and others."""
        usable: dict[str, tuple[tuple[_Alternative, ...], tuple[_Alternative, ...]]] = {}
        tells: dict[str, bool] = {}

        def visit(name: str) -> bool:
            if name not in usable:
                fit = [a for a in self._rules[name] if a.values <= known and all(map(visit, a.rules))]
                telling = [a for a in fit if a.values - _ALWAYS or any(tells[r] for r in a.rules)]
                plain = [a for a in fit if a not in telling]
                usable[name] = tuple(telling), tuple(plain)
                tells[name] = bool(telling)
            return any(usable[name])

        for name in self._rules:
            visit(name)
        return usable

    def _check(self, name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise GrammarError(f"the rule {name!r} leads back to itself")
        if not self._rules.get(name):
            raise GrammarError(f"there is no rule {name!r}, which {above[-1:]} needs")
        for rule in sorted({r for a in self._rules[name] for r in a.rules}):
            self._check(rule, (*above, name))


@cache
def load_grammar(path: Path) -> Grammar:
    """The grammar in a TOML file; raises GrammarError or tomllib.TOMLDecodeError where it is malformed."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    if not all(isinstance(texts, list) and all(isinstance(t, str) for t in texts) for texts in data.values()):
        raise GrammarError(f"{path.name}: every key holds a list of texts")
    return Grammar(data)


def _chosen(
    telling: tuple[_Alternative, ...],
    plain: tuple[_Alternative, ...],
    values: Mapping[str, str],
    draw: Random,
    said: set[str],
) -> _Alternative:
    """Mostly an alternative that says something, and something that has not been said yet."""
    fresh = [a for a in telling if said.isdisjoint(values[name] for name in a.values - _ALWAYS)]
    among = fresh or (() if plain else telling)
    choices = among if among and (not plain or draw.random() < _INFORMED) else plain
    return choices[int(draw.random() * len(choices))]


def _parse(text: str) -> _Alternative:
    parts = tuple(part for part in _PART.split(text) if part)
    values = frozenset(part[1:-1] for part in parts if part.startswith("{"))
    rules = frozenset(part[1:-1] for part in parts if part.startswith("<"))
    return _Alternative(parts, values, rules)


def _tidy(pattern: str, values: Mapping[str, str]) -> str:
    """Values in place, particles and articles chosen, sentences begun with a capital, single blanks."""
    text = re.sub(r"\{([a-z_]+)\}", lambda m: values[m[1]], pattern)
    text = " ".join(text.split())
    if "[" in text:
        text = attach_particles(text)
    text = _ARTICLE.sub(r"\1n ", text)
    return _SENTENCE.sub(lambda m: m[1].upper(), text)
