"""What the processor is fast at. Without torch."""

from __future__ import annotations

from pathlib import Path

_FAST_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # Intel and AMD; the last is Arm's name


def is_fast_at_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether it has instructions for bf16; False where that cannot be told (not Linux)."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return bool(_FAST_FLAGS & set(text.split()))
