"""The catalogues and what is in a catalogue file, as HTML; every text is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from recsys.demos import DOMAINS
from recsys.i18n import duration, error_text, text
from recsys.retrieval.catalog_rows import RowProblem
from recsys.retrieval.catalog_view import ShownCatalog

_COLUMNS = ("name", "domain", "items", "chunks", "embedder", "state")
_TOLD = 20


def catalog_name(name: str, language: str) -> str:
    """A demo catalogue or domain in words; any other by its own name."""
    return text(language, f"domain_{name}") if name in DOMAINS else name


def catalogs_html(rows: Sequence[ShownCatalog], language: str) -> str:
    """A table of the catalogues with how far each is."""
    head = "".join(
        f'<th data-col="{key}">{escape(text(language, f"catalogs_col_{key}"))}</th>' for key in _COLUMNS
    )
    body = "".join(_row(row, language) for row in rows)
    return (
        f'<div class="zs-scroll"><table class="zs-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def report_html(
    items: int,
    problems: Sequence[RowProblem],
    bad_rows: int,
    notes: Sequence[str],
    language: str,
    *,
    checked: bool,
) -> str:
    """What was found in a file, or what was stored of it: a row a problem, with what to change."""
    key = "catalogs_checked" if checked else "catalogs_stored"
    said = escape(text(language, key, items=f"{items:,}", bad=f"{bad_rows:,}"))
    lines = "".join(_problem(problem, language) for problem in problems[:_TOLD])
    if (more := bad_rows - min(len(problems), _TOLD)) > 0:
        lines += f"<li>{escape(text(language, 'catalogs_more', count=f'{more:,}'))}</li>"
    lines += "".join(f"<li>{escape(note)}</li>" for note in notes)
    listed = f"<ul>{lines}</ul>" if lines else ""
    state = "bad" if bad_rows else "good"
    return f'<div class="zs-run" role="status" data-report="{state}"><p>{said}</p>{listed}</div>'


def question_html(name: str, items: int, language: str) -> str:
    """Whether a catalogue is really to be deleted."""
    question = text(language, "catalogs_sure", name=name, items=f"{items:,}")
    return f'<div class="zs-notice zs-error" role="alert">{escape(question)}</div>'


def _row(row: ShownCatalog, language: str) -> str:
    name, domain = catalog_name(row.name, language), catalog_name(row.domain, language)
    cells = {"name": name, "domain": domain, "items": f"{row.items:,}", "chunks": f"{row.chunks:,}"}
    shown = "".join(f'<td data-col="{key}">{escape(cell)}</td>' for key, cell in cells.items())
    short = re.split("[/#]", row.embedder)[-1]
    return (
        f'<tr data-catalog="{escape(row.name)}" data-state="{row.state.state}">{shown}'
        f'<td data-col="embedder" title="{escape(row.embedder)}">{escape(short)}</td>'
        f'<td data-col="state">{_state(row, language)}</td></tr>'
    )


def _state(row: ShownCatalog, language: str) -> str:
    state = row.state
    said = escape(text(language, f"catalogs_{state.state}", done=f"{state.done:,}", total=f"{state.total:,}"))
    if state.state == "ready":
        return said
    if state.eta_s is not None:
        said += f" · {escape(text(language, 'train_eta', eta=duration(state.eta_s, language)))}"
    if state.error is not None:
        return f'{said}<br><span class="zs-out">{escape(error_text(state.error, language))}</span>'
    share = 100 * state.done / max(state.total, 1)
    bar = (
        f'<span class="zs-cellbar" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share:.0f}"><i style="width:{share:.1f}%"></i></span>'
    )
    return said + bar


def _problem(problem: RowProblem, language: str) -> str:
    where = text(language, "catalogs_line", line=f"{problem.line:,}")
    column = f" · <code>{escape(problem.column)}</code>" if problem.column else ""
    said = escape(f"{problem.said(language)} {problem.change(language)}")
    return f"<li><b>{escape(where)}</b>{column}: {said}</li>"
