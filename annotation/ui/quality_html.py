"""The quality report as HTML: each measure with what it means, and a bar for each of its parts."""

from __future__ import annotations

from html import escape

from annotation.quality.measure import Measure
from annotation.quality.report import QualityReport, measure_text
from annotation.selection import Selection
from recsys.i18n import text


def report_html(report: QualityReport, language: str) -> str:
    """The whole report; names in it are annotators' and models', so everything is escaped."""
    counts = {name: getattr(report, name) for name in ("judgements", "prompts", "annotators")}
    summary = escape(text(language, "quality_summary", **counts))
    measures = "".join(_measure_html(measure, language) for measure in report.measures)
    return f'<p class="zq-summary">{summary}</p><div class="zq-measures">{measures}</div>'


def excluded_html(selection: Selection, language: str) -> str:
    """How many rows an export has, and how many judgements give none, by reason."""
    rows = escape(text(language, "annotate_exported", count=len(selection.pairs)))
    reasons = "".join(
        f"<li>{escape(text(language, 'annotate_excluded_' + reason.replace(' ', '_')))}: {count:,}</li>"
        for reason, count in selection.reasons().items()
    )
    return f'<div role="status"><p>{rows}</p><ul class="zq-excluded">{reasons}</ul></div>'


def _measure_html(measure: Measure, language: str) -> str:
    said = measure_text(measure, language)
    bars = zip(said.parts, _widths(measure), strict=True)
    parts = "".join(
        f'<li>{escape(part)}<span class="zs-cellbar"><i style="width:{width:.1f}%"></i></span></li>'
        for part, width in bars
    )
    few = " is-few" if measure.too_few or measure.value is None else ""
    return (
        f'<section class="zq-measure{few}"><h3>{escape(said.name)}</h3><p class="zq-value">'
        f'{escape(said.value)}</p><p class="zq-means">{escape(said.means)}</p>'
        f"{f'<ul>{parts}</ul>' if parts else ''}</section>"
    )


def _widths(measure: Measure) -> list[float]:
    """Percent of the bar's length: shares as they are, scores from −1 to 1, all else against the largest."""
    values = [part.value or 0.0 for part in measure.parts]
    if measure.unit in ("share", "p", "alpha"):
        most = 1.0
    elif measure.unit == "score":
        return [
            50 * (1 + value) if part.value is not None else 0.0
            for part, value in zip(measure.parts, values, strict=True)
        ]
    else:
        most = max(values, default=1.0) or 1.0
    return [100 * min(max(value / most, 0.0), 1.0) for value in values]
