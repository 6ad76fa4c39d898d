"""Adapters that come with the app: put among the others at the first start, and used by default.

assets/adapters/NAME/     PEFT files, adapter.gguf, card.json, NOTICE
adapters/.shipped         the names that were put there once; one that was deleted stays away
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from recsys.demos import ASSETS
from recsys.llm.adapters import AdapterStore

SHIPPED = ASSETS / "adapters"
_MARK = ".shipped"


def install_shipped(root: Path, shipped: Path = SHIPPED) -> list[str]:
    """Copy what was never copied to `root` before; returns its names. A name in use is left alone."""
    mark = root / _MARK
    known = mark.read_text(encoding="utf-8").split() if mark.exists() else []
    new = [adapter.card.name for adapter in AdapterStore(shipped).list() if adapter.card.name not in known]
    for name in new:
        if (root / name).exists():
            continue
        temporary = Path(tempfile.mkdtemp(dir=root, prefix=f".{name}-"))
        try:
            shutil.copytree(shipped / name, temporary / name)
            (temporary / name).rename(root / name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    if new:
        mark.write_text("\n".join([*known, *new]) + "\n", encoding="utf-8")
    return new


def shipped_adapter(store: AdapterStore, base_model: str, shipped: Path = SHIPPED) -> str | None:
    """The name of the shipped adapter of `base_model`, where it is still among the others."""
    names = {adapter.card.name for adapter in AdapterStore(shipped).list(base_model)}
    return next((a.card.name for a in store.list(base_model) if a.card.name in names), None)
