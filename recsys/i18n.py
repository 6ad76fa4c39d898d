"""The interface's texts in English and Korean, from `assets/i18n/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from recsys.demos import ASSETS, LANGUAGES
from recsys.errors import ZeroshelfError


@cache
def texts(language: str) -> Mapping[str, str]:
    """All texts of one language by key."""
    data = json.loads((ASSETS / "i18n" / f"{language}.json").read_text(encoding="utf-8"))
    return {str(key): str(value) for key, value in data.items()}


def text(language: str, key: str, **values: object) -> str:
    """One text, with `values` filled in."""
    return texts(language)[key].format(**values)


def duration(seconds: float, language: str) -> str:
    """A stretch of time in its largest fitting unit."""
    if seconds < 90:
        return text(language, "time_seconds", n=round(seconds))
    if seconds < 5400:
        return text(language, "time_minutes", n=round(seconds / 60))
    return text(language, "time_hours", n=round(seconds / 3600, 1))


def accepted_language(header: str | None, default: str = "en") -> str:
    """The first of an Accept-Language header's languages that the interface has."""
    for part in (header or "").split(","):
        code = part.split(";")[0].strip().lower().split("-")[0]
        if code in LANGUAGES:
            return code
    return default


def error_text(error: ZeroshelfError, language: str) -> str:
    """An error's cause and cure in `language`; English where there is no translation."""
    key = f"error_{type(error).__name__}"
    known = texts(language)
    if language == "en" or f"{key}_cause" not in known:
        return str(error)
    return error.message(known[f"{key}_cause"], known.get(f"{key}_cure", ""))
