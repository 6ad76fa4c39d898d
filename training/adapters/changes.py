"""Adapters renamed and deleted, as long as nothing needs them under their name.

A run that waits or goes on needs the adapter that it starts from; the app needs the one that its default
model names.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock

from recsys.llm.adapters import CARD, Adapter, AdapterCard, AdapterStore, check_adapter_name
from recsys.llm.pool import split_reference
from recsys.settings import Settings
from training.errors import AdapterInUseError, AdapterNameTakenError
from training.runs.folder import write_atomically
from training.runs.store import RunStore


class AdapterManager:
    """The adapters of one home folder, together with what uses them."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.paths.adapters
        self._store = AdapterStore(self._root)
        self._runs = RunStore(settings.paths.runs)
        self._default = split_reference(settings.model)[1]

    def list(self) -> list[Adapter]:
        """All of them, newest first."""
        return self._store.list()

    def user(self, name: str) -> str | None:
        """What needs the adapter called `name`: the default model, or a run; None when nothing does."""
        if name == self._default:
            return "the app's default model"
        runs = (status.run_id for status in self._runs.list() if not status.is_over)
        return next(
            (f"the run {run_id}" for run_id in runs if self._runs.config(run_id).parent == name), None
        )

    def rename(self, name: str, new_name: str) -> AdapterCard:
        """Give an adapter another name, also in the cards of those that were trained on from it.

        At each moment it is there whole, under one name or both. Raises UnknownAdapterError, InputError
        for a name that cannot be one, AdapterNameTakenError and AdapterInUseError.
        """
        check_adapter_name(new_name)
        with self._lock():
            adapter = self._unused(name)
            if (self._root / new_name).exists():
                raise AdapterNameTakenError(name=new_name)
            temporary = Path(tempfile.mkdtemp(dir=self._root, prefix=".renaming-"))
            try:
                shutil.copytree(adapter.folder, temporary, copy_function=_link, dirs_exist_ok=True)
                card = adapter.card.model_copy(update={"name": new_name})
                write_atomically(temporary / CARD, card.model_dump_json(indent=2))
                os.chmod(temporary / CARD, 0o644)  # mkstemp's 0600 would hide it from another user
                os.chmod(temporary, 0o755)
                os.rename(temporary, self._root / new_name)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            for child in self._store.list():
                if child.card.parent == name:
                    renamed = child.card.model_copy(update={"parent": new_name})
                    write_atomically(child.folder / CARD, renamed.model_dump_json(indent=2))
                    os.chmod(child.folder / CARD, 0o644)
            self._remove(adapter)
            return card

    def delete(self, name: str) -> None:
        """Remove an adapter; raises UnknownAdapterError and AdapterInUseError."""
        with self._lock():
            self._remove(self._unused(name))

    def _unused(self, name: str) -> Adapter:
        adapter = self._store.get(name)
        if (user := self.user(name)) is not None:
            raise AdapterInUseError(name=name, user=user)
        return adapter

    def _remove(self, adapter: Adapter) -> None:
        """Under another name first: half an adapter is never listed."""
        leaving = Path(tempfile.mkdtemp(dir=self._root, prefix=".deleting-"))
        os.rename(adapter.folder, leaving / adapter.folder.name)
        shutil.rmtree(leaving, ignore_errors=True)

    def _lock(self) -> FileLock:
        return FileLock(self._root / ".lock")


def _link(source: str, target: str) -> None:
    """A second name for the same file, or a copy where the file system has none. The card is replaced."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
