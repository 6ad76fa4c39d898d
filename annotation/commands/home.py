"""The home folder of a command, and its service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from annotation.service import AnnotationService
from recsys.settings import Settings

Home = Annotated[Path | None, typer.Option(help="Data folder; ZEROSHELF_HOME, or the user's, by default.")]


def settings_of(home: Path | None) -> Settings:
    """The app's settings, over this home folder where one is given."""
    return Settings() if home is None else Settings(home=home)


@contextmanager
def opened(home: Path | None) -> Iterator[AnnotationService]:
    """The service over the home folder's store, without a model."""
    service = AnnotationService.from_settings(settings_of(home))
    try:
        yield service
    finally:
        service.close()
