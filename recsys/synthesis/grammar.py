"""Text from a context-free grammar in which only what is known is said.

A grammar is a TOML file: rule name to a list of alternatives. In an alternative `{name}` is a value and
`<name>` another rule. An alternative can be used when all its values are known and all its rules have
a usable alternative themselves; one of those is drawn.
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


class GrammarError(ValueError):
    """A grammar names a rule that it lacks, refers to itself, or has nothing to say."""


@dataclass(frozen=True, slots=True)
class _Alternative:
    parts: tuple[str, ...]
    values: frozenset[str]
    rules: frozenset[str]


class Grammar:
    """The rules of one file. Drawing is deterministic in the state of the given generator."""

    def __init__(self, rules: Mapping[str, list[str]]) -> None:
        self._rules = {name: tuple(_parse(text) for text in texts) for name, texts in rules.items()}
        for name in self._rules:
            self._check(name, ())
        self._usable: dict[frozenset[str], dict[str, tuple[_Alternative, ...]]] = {}

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
        if not usable.get(start):
            raise GrammarError(f"nothing can be said for {start!r} with {sorted(known)}")
        out: list[str] = []
        self._expand(start, usable, draw, out)
        # Values go in last, so that braces and brackets in a title stay what they are.
        return _tidy("".join(out), values)

    def _expand(
        self, rule: str, usable: Mapping[str, tuple[_Alternative, ...]], draw: Random, out: list[str]
    ) -> None:
        choices = usable[rule]
        for part in choices[int(draw.random() * len(choices))].parts:
            if part.startswith("<"):
                self._expand(part[1:-1], usable, draw, out)
            else:
                out.append(part)

    def _prune(self, known: frozenset[str]) -> dict[str, tuple[_Alternative, ...]]:
        usable: dict[str, tuple[_Alternative, ...]] = {}

        def visit(name: str) -> tuple[_Alternative, ...]:
            if name not in usable:
                usable[name] = tuple(
                    a for a in self._rules[name] if a.values <= known and all(visit(r) for r in a.rules)
                )
            return usable[name]

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
