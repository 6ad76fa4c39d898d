"""Which files under a path are which of a dataset: by what they hold, and by name where that tells nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recsys.domains.archives import Member
from recsys.domains.source import Files, Source
from recsys.domains.tables import key, parse_object

TABLES = (".csv", ".tsv", ".txt")
JSON_LINES = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Role:
    """One file of a dataset: the name that its publisher gives it, and whether a file can be it."""

    usual: str
    fits: Callable[[Source, Member], bool]
    needed: bool = True


def table(usual: str, *columns: str, needed: bool = True) -> Role:
    """CSV whose header has all `columns`; `a|b` is a column of either name."""
    wanted = [[key(name) for name in column.split("|")] for column in columns]

    def fits(source: Source, member: Member) -> bool:
        if not member.name.endswith(TABLES) and "." in member.name:
            return False
        found = source.keys(member)
        return all(any(name in found for name in names) for names in wanted)

    return Role(usual, fits, needed)


def separated(usual: str, pattern: str, separator: str, first: str, least: int) -> Role:
    """Lines of `least` fields or more without a header, in a file whose name matches `pattern`.

    The first field of the first line matches `first`.
    """

    def fits(source: Source, member: Member) -> bool:
        if not re.fullmatch(pattern, member.name):
            return False
        head = source.head(member)
        fields = head[0].split(separator) if head else []
        return len(fields) >= least and re.fullmatch(first, fields[0].strip()) is not None

    return Role(usual, fits)


def find_files(source: Source, roles: Mapping[str, Role]) -> Files | None:
    """A file for each role, or None where one that is needed is missing.

    Files of one folder belong together; folders of samples come last. Only where no folder has all of them,
    they are taken from anywhere.
    """
    if inside := find_in_folders(source, roles):
        return min(
            inside.items(), key=lambda found: ("sample" in found[0].lower(), _depth(found[0]), found[0])
        )[1]
    return _best(_fitting(source, roles), roles)


def find_in_folders(source: Source, roles: Mapping[str, Role]) -> dict[str, Files]:
    """The same for each folder that has all that is needed."""
    fitting = _fitting(source, roles)
    found = {}
    for folder in {member.folder for members in fitting.values() for member in members}:
        inside = {name: [m for m in members if m.folder == folder] for name, members in fitting.items()}
        if files := _best(inside, roles):
            found[folder] = files
    return found


def _fitting(source: Source, roles: Mapping[str, Role]) -> dict[str, list[Member]]:
    return {name: [m for m in source.members if role.fits(source, m)] for name, role in roles.items()}


def _best(fitting: Mapping[str, list[Member]], roles: Mapping[str, Role]) -> Files | None:
    if not all(fitting[name] for name, role in roles.items() if role.needed):
        return None
    return {
        name: (min(members, key=lambda m: (m.name != roles[name].usual.lower(), _depth(m.folder), m.place)),)
        for name, members in fitting.items()
        if members
    }


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0


def json_lines(usual: str, *keys: str) -> Role:
    """JSON Lines whose first object has all `keys`."""
    return Role(usual, lambda source, member: first_object(source, member).keys() >= set(keys))


def first_object(source: Source, member: Member) -> Mapping[str, object]:
    """The first object of a JSON Lines file; empty where it is none."""
    return next((found for line in source.head(member) if (found := parse_object(line))), {})
