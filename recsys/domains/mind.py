"""MIND: news articles and what was clicked among what was shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from recsys.catalog import Interaction, Item
from recsys.domains.base import Dataset, Edition, clean, clean_title


class Mind(Dataset):
    """Articles with category and abstract. A user's history has no times, a click that of its impression."""

    name = "mind"
    domain = "news"
    positive = "clicked"
    editions = (Edition("MIND", {"news": r"news\.tsv", "behaviors": r"behaviors\.tsv"}),)

    def items(self) -> Iterator[Item]:
        """Articles; category and subcategory are attributes."""
        seen: set[str] = set()
        for line in self.source.lines(self.files["news"]):
            fields = line.split("\t")
            if len(fields) < 5 or not fields[0]:
                self.dropped["article row that cannot be read"] += 1
            elif not (title := clean_title(fields[3])):
                self.dropped["item without title"] += 1
            elif fields[0] in seen:
                self.dropped["item twice"] += 1
            else:
                seen.add(fields[0])
                topics = {"category": fields[1], "subcategory": fields[2]}
                yield Item(
                    id=fields[0][:200],
                    title=title,
                    text=clean(fields[4]),
                    domain=self.domain,
                    attributes={name: value for name, value in topics.items() if value},
                    url=fields[5] if len(fields) > 5 and fields[5].startswith("https://") else None,
                )

    def interactions(self) -> Iterator[Interaction]:
        """Each user's history once, without times, then the clicks of the impressions."""
        return self._once(self._clicks())

    def is_positive(self, interaction: Interaction) -> bool:
        """See `positive`."""
        return interaction.signal == "click"

    def _clicks(self) -> Iterator[Interaction]:
        known: set[str] = set()
        for line in self.source.lines(self.files["behaviors"]):
            fields = line.split("\t")
            if len(fields) < 5 or not fields[1]:
                self.dropped["impression row that cannot be read"] += 1
                continue
            _, user, when, history, shown = fields[:5]
            if user not in known:  # a user's history is the same in all of their impressions
                known.add(user)
                for item in history.split():
                    yield Interaction(user, item, "click")
            time = _seconds(when)
            if time is None:
                self.dropped["impression without a time"] += 1
                continue
            for entry in shown.split():
                item, _, clicked = entry.rpartition("-")
                if not item:
                    self.dropped["shown article without a label (test split)"] += 1
                elif clicked == "1":
                    yield Interaction(user, item, "click", 1.0, time)


def _seconds(when: str) -> int | None:
    try:
        return int(datetime.strptime(when, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None
