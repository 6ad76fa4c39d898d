"""Numbers, times and titles as they are written in the files of datasets."""

from __future__ import annotations

import html
import math
import re
from datetime import UTC, datetime

from recsys.catalog import MAX_TITLE_CHARS

_LAST_TIME = 7_258_118_400  # the year 2200
_MILLISECONDS = 1e11  # as seconds, the year 5138; as milliseconds, 1973
_DAYS = (19_000_101, 22_001_231)
_ARTICLE = re.compile(
    r"^(?P<title>.+), (?P<article>The|A|An|L['’]|La|Le|Les|Un|Une|Una|Uno|Il|Lo|Gli|I|El|Los|Las|O|Os|"
    r"Das|Der|Die|Ein|Eine|De|Het|Den|Det|En|Ett|Et)$"
)
_MOJIBAKE = re.compile(r"[ÂÃ][\x80-\xbf]|â€")


def number(value: object) -> float:
    """A finite number, also one in a text; raises ValueError for anything else."""
    if type(value) in (str, int, float):
        found = _float(value)
        if math.isfinite(found):
            return found
    raise ValueError(f"{value!r} is not a finite number")


def unix_time(value: object) -> int | None:
    """Whole seconds since 1970, or None for what is no time: nothing, 0, less, or after the year 2200.

    Takes seconds, milli-, micro- and nanoseconds, which their size tells apart from 1973 on; days written
    as 20190731; and dates as `iso_time` does.
    """
    if isinstance(value, str):
        try:
            seconds = float(value)
        except ValueError:
            return iso_time(value)
    elif type(value) in (int, float):
        seconds = _float(value)
    else:
        return None
    if not 0 < seconds < 1e20:
        return None
    while seconds >= _MILLISECONDS:
        seconds /= 1000
    if _DAYS[0] <= seconds <= _DAYS[1]:
        return iso_time(str(int(seconds)))
    return int(seconds) or None if seconds < _LAST_TIME else None


def iso_time(text: str) -> int | None:
    """The Unix time of `2019-07-31` or `2019-07-31 18:45:04.5+09:00`; UTC without a zone; else None."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = moment.timestamp()
    return int(seconds) if 0 < seconds < _LAST_TIME else None


def unmove_article(title: str) -> str:
    """`Matrix, The` as `The Matrix`."""
    match = _ARTICLE.match(title.strip())
    if match is None:
        return title.strip()
    space = "" if match["article"][-1] in "'’" else " "
    return f"{match['article']}{space}{match['title']}"


def clean(text: str) -> str:
    """Text without HTML entities, control characters and runs of blanks."""
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def clean_title(text: str) -> str:
    """A title that an Item takes."""
    return clean(text)[:MAX_TITLE_CHARS].rstrip()


def without_tags(text: str) -> str:
    """Text without HTML tags and comments."""
    return re.sub(r"<[^<>]{1,300}>", " ", text) if "<" in text else text


def is_mojibake(text: str) -> bool:
    """Whether UTF-8 seems to have been read as Latin-1 or Windows-1252 before the file was written."""
    return not text.isascii() and _MOJIBAKE.search(text) is not None


def _float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # text or a number
    except OverflowError:  # an integer of hundreds of digits
        return math.inf
