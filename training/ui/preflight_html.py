"""What a run would do and need, as HTML; every text is escaped."""

from __future__ import annotations

from html import escape

from recsys.i18n import duration, error_text, text
from training.machine.memory import readable
from training.preflight import Preflight


def preflight_html(found: Preflight, language: str) -> str:
    """Rows, what is left out and why, steps, memory, disk and time; and what keeps it from fitting."""

    def say(key: str, **values: object) -> str:
        return escape(text(language, key, **values))

    facts = [
        say("preflight_rows", rows=f"{found.rows:,}", held_out=f"{found.held_out:,}"),
        say("preflight_steps", steps=f"{found.steps:,}", longest=f"{found.longest:,}"),
        say(
            "preflight_gpu" if found.on_gpu else "preflight_memory",
            needed=readable(found.memory_needed),
            free=readable(found.memory_free),
        ),
        say("preflight_disk", needed=readable(found.disk_needed), free=readable(found.disk_free)),
    ]
    facts.append(
        say("preflight_time", time=duration(found.duration_s, language))
        if found.duration_s is not None
        else say("preflight_time_unknown")
    )
    lost = [f"{count:,} × {reason}" for reason, count in found.dropped.items()]
    if found.truncated:
        lost.append(text(language, "preflight_truncated", count=f"{found.truncated:,}"))
    items = "".join(f"<li>{escape(line)}</li>" for line in lost)
    dropped = f"<p>{say('preflight_dropped')}</p><ul>{items}</ul>" if lost else ""
    problems = "".join(
        f'<div class="zs-notice zs-error" role="alert">{escape(error_text(problem, language))}</div>'
        for problem in found.problems
    )
    state = say("preflight_fits" if found.fits else "preflight_does_not_fit")
    spans = "".join(f"<span>{fact}</span>" for fact in facts)
    return (
        f'<div class="zs-run" role="status" data-fits="{str(found.fits).lower()}">'
        f'<div class="zs-state">{state}</div><div class="zs-facts">{spans}</div>{dropped}{problems}</div>'
    )
