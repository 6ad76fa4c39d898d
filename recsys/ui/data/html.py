"""What the data tab says of sources, jobs and rows, as HTML; every text is escaped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from recsys.demos import DOMAINS
from recsys.domains.histories import SPLITS
from recsys.domains.inspect import Inspection
from recsys.domains.registry import DATASETS
from recsys.i18n import duration, text
from recsys.synthesis.job import Progress
from recsys.synthesis.report import Obtained, Report
from recsys.synthesis.rows import Row
from recsys.synthesis.view import Seen

_FACTS = ("users", "items", "interactions", "positives", "with_time", "untitled")


def domain_name(dataset: str, language: str) -> str:
    """A dataset with its domain, in words: `Films (movielens)`."""
    domain = DATASETS[dataset].domain if dataset in DATASETS else dataset
    return f"{text(language, f'domain_{domain}') if domain in DOMAINS else domain} ({dataset})"


def reason_name(reason: str, language: str) -> str:
    """Why a row was dropped, in words."""
    return text(language, f"reason_{(reason or 'kept').replace(' ', '_')}")


def inspections_html(found: Sequence[tuple[str, Inspection]], language: str) -> str:
    """One card a source: its counts, its period, and what was dropped and why."""
    shown = "".join(_inspection(name, one, language) for name, one in found)
    return f'<div class="zs-rows">{shown}</div>'


def progress_html(name: str, progress: Progress, language: str) -> str:
    """A job's state, stage, rows and time left."""

    def say(key: str, **values: object) -> str:
        return escape(text(language, key, **values))

    facts = [say(f"stage_{progress.stage.replace(' ', '_')}")]
    if progress.dataset:
        facts[0] += f" · {escape(domain_name(progress.dataset, language))}"
    share = 0.0
    if progress.rows_read:
        facts.append(say("data_rows_read", rows=f"{progress.rows_read:,}"))
    if progress.rows_total:
        share = progress.rows_done / progress.rows_total
        facts.append(say("data_rows_done", done=f"{progress.rows_done:,}", total=f"{progress.rows_total:,}"))
    if progress.state == "running" and progress.eta_s is not None:
        facts.append(say("train_eta", eta=duration(progress.eta_s, language)))
    error = f'<pre class="zs-error">{escape(progress.error)}</pre>' if progress.error else ""
    spans = "".join(f"<span>{fact}</span>" for fact in facts)
    bar = (
        f'<div class="zb-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{100 * share:.0f}"><i style="width:{100 * share:.1f}%"></i></div>'
    )
    return (
        f'<div class="zs-run" role="status" data-state="{progress.state}" data-rows="{progress.rows_done}">'
        f'<div><span class="zs-state">{say(f"job_{progress.state}")}</span> · {escape(name)}</div>'
        f'{bar}<div class="zs-facts">{spans}</div>{error}</div>'
    )


def mixture_html(report: Report, language: str) -> str:
    """For each split and source what was asked, what was obtained, and why rows were dropped."""
    head = "".join(
        f"<th>{escape(text(language, f'data_col_{key}'))}</th>"
        for key in ("split", "source", "asked", "obtained", "tried", "dropped")
    )
    most = max((max(o.asked, o.obtained) for o in report.obtained), default=1) or 1
    in_order = sorted(report.obtained, key=lambda o: SPLITS.index(o.split))
    rows = "".join(_mixture_row(o, most, language) for o in in_order if o.asked or o.written)
    short = [
        text(language, "data_short", source=domain_name(o.dataset, language), count=f"{o.shortfall:,}")
        for o in report.shortfalls()
        if o.split == "train"
    ]
    notes = "".join(f'<p class="zs-note">{escape(note)}</p>' for note in short)
    return f'<table class="zs-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notes}'


def rows_html(rows: Sequence[Seen], read: Callable[[Row], str], language: str) -> str:
    """Rows as cards: the prompt as `read` renders it for the model, the response, and what became of it."""
    return f'<div class="zs-rows">{"".join(_row(seen, read, language) for seen in rows)}</div>'


def _inspection(name: str, found: Inspection, language: str) -> str:
    facts = [f"<b>{getattr(found, key):,}</b> {escape(text(language, f'data_{key}'))}" for key in _FACTS]
    if found.period:
        facts.append(escape(f"{found.period[0][:10]} – {found.period[1][:10]}"))
    spans = "".join(f"<span>{fact}</span>" for fact in facts)
    lines = [f"{count:,} × {reason}" for reason, count in found.dropped.items()]
    notes = "".join(f"<li>{escape(line)}</li>" for line in (*lines, *found.notes))
    lost = f"<p>{escape(text(language, 'data_dropped'))}</p><ul>{notes}</ul>" if notes else ""
    return (
        f'<div class="zs-run" data-source="{escape(name)}"><div><span class="zs-state">{escape(name)}</span>'
        f" · {escape(domain_name(found.dataset, language))} · {escape(found.edition)}</div>"
        f'<div class="zs-facts">{spans}</div>{lost}</div>'
    )


def _mixture_row(obtained: Obtained, most: int, language: str) -> str:
    why = ", ".join(
        f"{reason_name(reason, language)} {count:,}" for reason, count in obtained.dropped.items()
    )
    wide = 100 * obtained.obtained / most
    bar = f'<span class="zs-cellbar"><i style="width:{wide:.1f}%"></i></span>'
    numbers = "".join(f"<td>{n:,}</td>" for n in (obtained.asked, obtained.obtained, obtained.written))
    return (
        f"<tr><td>{escape(text(language, f'split_{obtained.split}'))}</td>"
        f"<td>{escape(domain_name(obtained.dataset, language))}{bar}</td>{numbers}<td>{escape(why)}</td></tr>"
    )


def _row(seen: Seen, read: Callable[[Row], str], language: str) -> str:
    row = seen.row
    tags = [
        domain_name(row.dataset, language),
        text(language, f"annotate_{row.situation}"),
        text(language, f"annotate_{row.form}"),
    ]
    if row.score is not None:
        tags.append(text(language, "data_row_score", score=f"{row.score:.2f}", tokens=row.tokens))
    shown = "".join(f"<span>{escape(tag)}</span>" for tag in tags)
    fate = escape(reason_name(seen.reason, language))
    verdict = f'<span class="{"zs-out" if seen.reason else "zs-in"}">{fate}</span>'
    return (
        f'<article class="zs-row" lang="{escape(row.language)}">'
        f'<div class="zb-tags">{verdict}{shown}</div>'
        f'<pre tabindex="0">{escape(read(row).strip())}</pre><p>{escape(row.response)}</p></article>'
    )
