"""All measures of one store, and their texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from annotation.quality.alpha import alpha
from annotation.quality.gold import gold
from annotation.quality.length import length
from annotation.quality.measure import Measure, Part, Unit
from annotation.quality.pairwise import pairwise
from annotation.quality.position import position
from annotation.quality.repeats import repeats
from annotation.quality.scores import scores
from annotation.quality.throughput import throughput
from annotation.quality.times import times
from annotation.snapshot import Snapshot
from recsys.i18n import text


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The measures, and how many judgements, prompts and annotators they rest on."""

    judgements: int
    prompts: int
    annotators: int
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class MeasureText:
    """A measure in words: its name, its value or why there is none, and what it means."""

    name: str
    value: str
    means: str
    parts: tuple[str, ...]


def quality_report(snapshot: Snapshot) -> QualityReport:
    """Every measure of what was judged so far."""
    ratings = snapshot.ratings()
    return QualityReport(
        judgements=len(ratings),
        prompts=len({prompt.id for prompt, _ in ratings}),
        annotators=len({rating.judgement.annotator for _, rating in ratings}),
        measures=(
            *alpha(snapshot),
            *pairwise(snapshot),
            gold(snapshot),
            repeats(snapshot),
            *position(snapshot),
            *length(snapshot),
            times(snapshot),
            throughput(snapshot),
            scores(snapshot),
        ),
    )


def measure_text(measure: Measure, language: str) -> MeasureText:
    """The measure in English or Korean."""
    return MeasureText(
        name=text(language, f"quality_{measure.key}"),
        value=_value(measure, language),
        means=text(language, f"quality_{measure.key}_means"),
        parts=tuple(_part(part, measure.unit, language) for part in measure.parts),
    )


def report_lines(report: QualityReport, language: str) -> Iterator[str]:
    """The whole report as lines of text."""
    yield text(
        language,
        "quality_summary",
        judgements=report.judgements,
        prompts=report.prompts,
        annotators=report.annotators,
    )
    for measure in report.measures:
        said = measure_text(measure, language)
        yield ""
        yield f"{said.name}: {said.value}"
        yield f"  {said.means}"
        for part in said.parts:
            yield f"  - {part}"


def _value(measure: Measure, language: str) -> str:
    counted = text(language, f"quality_of_{measure.counted}", n=measure.n)
    if measure.too_few:
        return text(language, "quality_too_few", counted=counted, enough=measure.enough)
    if measure.value is not None:
        return f"{_number(measure.value, measure.unit, language)} ({counted})"
    return counted if measure.parts else text(language, "quality_all_the_same", counted=counted)


def _part(part: Part, unit: Unit, language: str) -> str:
    # The parts of a test are the shares that it is about.
    shown = "share" if unit == "p" else unit
    value = text(language, "quality_part_too_few")
    if part.value is not None:
        value = _number(part.value, shown, language)
    return f"{part.name}: {value} (n = {part.n})"


def _number(value: float, unit: Unit | str, language: str) -> str:
    if unit == "share":
        return f"{value:.0%}"
    if unit == "p":
        return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
    if unit == "seconds":
        return text(language, "quality_seconds", n=f"{value:.1f}")
    if unit == "rate":
        return text(language, "quality_rate", n=f"{value:.0f}")
    return f"{value:+.2f}" if unit == "score" else f"{value:.2f}"
