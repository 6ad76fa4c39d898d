"""What an adapter is called when nobody chose a name."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path


def default_adapter_name(model: str, kind: str, now: datetime) -> str:
    """`smollm2-135m-instruct-dpo-1123-2215`: model, kind, and the time in this machine's zone."""
    stem = Path(model).name.removesuffix(".gguf").lower()
    clean = re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:48] or "model"
    return f"{clean}-{kind}-{now.astimezone():%m%d-%H%M}"
