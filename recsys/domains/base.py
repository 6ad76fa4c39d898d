"""What every dataset offers: its items, its interactions, and an account of what was dropped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import ValidationError

from recsys.catalog import Attribute, Interaction, Item
from recsys.domains.account import Account
from recsys.domains.archives import Member
from recsys.domains.distinct import once, once_each
from recsys.domains.layouts import Role, find_files
from recsys.domains.positive import PositiveRule
from recsys.domains.source import Files, Source
from recsys.domains.tables import Row, rows
from recsys.domains.text import blocks
from recsys.domains.values import clean, clean_title, is_mojibake

MAX_ID_CHARS = 200
_UNREAD = 6


@dataclass(frozen=True)
class Edition:
    """One layout of a dataset: its files by what they are for, and its own rule of what is positive, if any.

    `expects` says in words what has to be there; by default that is the files' usual names.
    """

    name: str
    roles: Mapping[str, Role] = field(default_factory=dict)
    expects: str = ""
    rule: PositiveRule | None = None

    def expected(self) -> str:
        """What has to be there, in words."""
        return self.expects or ", ".join(role.usual for role in self.roles.values() if role.needed)


class Dataset(ABC):
    """One dataset that lies under a path. `items` and `interactions` can be read any number of times."""

    name: ClassVar[str]
    domain: str
    positive: ClassVar[str]
    """What counts as liking an item, in words; `rule`, or the edition's, says it in terms of `signals`."""
    rule: ClassVar[PositiveRule]
    signals: ClassVar[tuple[str, ...]] = ("rating",)
    """The signals that its interactions can have; none: any."""
    editions: ClassVar[tuple[Edition, ...]]

    def __init__(
        self, source: Source, edition: Edition, files: Files, positive: PositiveRule | None = None
    ) -> None:
        if positive:
            positive.check(self.name, self.signals)
        self.source = source
        self.edition = edition.name
        self.files = files
        self.positive_rule = positive or edition.rule or self.rule
        self.positive_words = str(positive) if positive else self.positive
        self._accounts: dict[str, Account] = {"files": Account(notes=list(source.notes))}
        self._tell_what_is_not_read()

    @classmethod
    def recognise(cls, source: Source) -> tuple[Edition, Files] | None:
        """The edition that is there and its files, or None."""
        for edition in cls.editions:
            if files := find_files(source, edition.roles):
                return edition, files
        return None

    @classmethod
    def expected(cls) -> str:
        """What has to be there, in words."""
        return "; or ".join(f"{edition.expected()} ({edition.name})" for edition in cls.editions)

    def items(self) -> Iterator[Item]:
        """Every item once, in the order of the files; those without a title are left out and counted."""
        account = self._accounts["items"] = Account()
        return once_each(self._items(account), account)

    def interactions(self) -> Iterator[Interaction]:
        """Every interaction that can be used, in the order of the files; exact repeats are counted."""
        account = self._accounts["interactions"] = Account()
        return once(self._interactions(account), account)

    def is_positive(self, interaction: Interaction) -> bool:
        """Whether the user liked the item."""
        return self.positive_rule.holds(interaction)

    @property
    def dropped(self) -> Counter[str]:
        """Rows that were left out, by reason, in the latest reading of the items and of the interactions."""
        return sum((account.dropped for account in self._accounts.values()), Counter[str]())

    @property
    def notes(self) -> list[str]:
        """What else there is to say: files not read or damaged, and what was read otherwise than it is."""
        remarks = (remark for account in self._accounts.values() for remark in account.remarks())
        return list(dict.fromkeys(remarks))

    @abstractmethod
    def _items(self, account: Account) -> Iterator[Item]:
        """The items, possibly repeated; what cannot be used is counted in `account`."""

    @abstractmethod
    def _interactions(self, account: Account) -> Iterator[Interaction]:
        """The interactions, possibly repeated; what cannot be used is counted in `account`."""

    def _item(
        self,
        account: Account,
        identity: str,
        title: str,
        *,
        text: str = "",
        attributes: Mapping[str, Attribute] | None = None,
        url: str | None = None,
        language: str = "en",
        domain: str = "",
        titles: Mapping[str, str] | None = None,
        phrases: Mapping[str, str] | None = None,
    ) -> Item | None:
        """The item of one row, its title and text cleaned; None and counted where it cannot be one."""
        cleaned = clean_title(title)
        if not cleaned:
            account.dropped["item without title"] += 1
            return None
        if is_mojibake(cleaned):
            account.altered["titles look like UTF-8 that was read as Latin-1; they are left as they are"] += 1
        try:
            return Item(
                id=identity,
                title=cleaned,
                text=clean(text),
                domain=domain or self.domain,
                attributes=dict(attributes or {}),
                url=url,
                language=language,
                titles=dict(titles or {}),
                phrases=dict(phrases or {}),
            )
        except ValidationError as error:
            field = ".".join(str(part) for part in error.errors()[0]["loc"][:1])
            account.dropped[f"item whose {field} cannot be used"] += 1
            return None

    def file(self, role: str) -> Member:
        """The file for `role`, the first where there are several."""
        return self.files[role][0]

    def table(
        self, role: str, account: Account, *, escape: str | None = None, native: str = "UTF-8"
    ) -> Iterator[Row | None]:
        """The rows of a CSV file, its header first; see `rows` and `blocks`."""
        member = self.file(role)
        text = blocks(member, account, native=native)
        return rows(text, delimiter=self.source.delimiter(member), escape=escape)

    def _tell_what_is_not_read(self) -> None:
        read = {member.place for members in self.files.values() for member in members}
        others = [member.place for member in self.source.members if member.place not in read]
        if others:
            more = len(others) - _UNREAD
            names = ", ".join(others[:_UNREAD]) + (f" and {more} more" if more > 0 else "")
            self._accounts["files"].note(f"not read: {names}")
