"""Alarms, tables and answers of the Train tab as HTML; every text is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from recsys.i18n import text
from training.comparison.alarms import alarms
from training.comparison.answers import AnswerPair
from training.comparison.blind import Bout, WinRate
from training.config import TrainingConfig
from training.runs.events import Event, SampledAnswer, SampleEvent
from training.runs.status import RunStatus


def alarms_html(events: Sequence[Event], language: str) -> str:
    """One box an alarm."""
    boxes = (text(language, alarm.key, **alarm.values) for alarm in alarms(events))
    return "".join(
        f'<div class="zs-notice zs-error zs-alarm" role="alert">{escape(box)}</div>' for box in boxes
    )


def legend_html(colours: Mapping[str, str]) -> str:
    """The name of each series beside its colour."""
    parts = (
        f'<span><i style="background:{escape(colour)}"></i>{escape(name)}</span>'
        for name, colour in colours.items()
    )
    return f'<div class="zs-legend">{"".join(parts)}</div>'


def differences_html(configs: Mapping[str, TrainingConfig], language: str) -> str:
    """The settings in which runs differ, one column a run; nothing for one run alone."""
    if len(configs) < 2:
        return ""
    values = {name: config.model_dump() for name, config in configs.items()}
    fields = dict.fromkeys(field for one in values.values() for field in one if field != "name")
    rows = []
    for field in fields:
        shown = [str(one.get(field, "–")) for one in values.values()]
        if len(set(shown)) > 1:
            label = _field_name(field, language)
            rows.append([label, *shown])
    head = [text(language, "train_setting"), *configs]
    title = f'<h3 class="zs-heading">{escape(text(language, "train_differences"))}</h3>'
    return title + _table(head, rows)


def runs_html(runs: Sequence[RunStatus], language: str) -> str:
    """All runs, newest first, with where they stand."""
    keys = ("run", "state", "steps", "loss", "adapter", "created")
    head = [text(language, f"col_{key}") for key in keys]
    rows = [
        [
            f"{run.name} ({run.kind.upper()})",
            text(language, f"state_{run.state}"),
            f"{run.step} / {run.steps}" if run.steps else "–",
            f"{run.metrics['loss']:.3f}" if "loss" in run.metrics else "–",
            run.adapter or "–",
            f"{run.created:%Y-%m-%d %H:%M}",
        ]
        for run in runs
    ]
    return _table(head, rows) if rows else ""


def samples_html(events: Sequence[Event], language: str) -> str:
    """What the model answered while it was trained: first and last side by side, the others folded."""
    samples = [event for event in events if isinstance(event, SampleEvent) and event.answers]
    if not samples:
        return ""
    sections = []
    for place, first in enumerate(samples[0].answers):
        at = [(sample.step, sample.answers[place]) for sample in samples]
        ends = "".join(_sampled(step, answer, language) for step, answer in dict([at[0], at[-1]]).items())
        between = "".join(_sampled(step, answer, language) for step, answer in at[1:-1])
        fold = escape(text(language, "samples_between", count=len(at) - 2))
        more = f'<details><summary>{fold}</summary><div class="zs-pair">{between}</div></details>'
        sections.append(
            f'<section class="zs-bout"><h3 class="zs-heading">{escape(first.label)}</h3>'
            f'<div class="zs-pair">{ends}</div>{more if between else ""}</section>'
        )
    title = f'<h3 class="zs-heading">{escape(text(language, "samples_title"))}</h3>'
    return title + "".join(sections)


def answers_html(pairs: Sequence[AnswerPair], before: str, after: str, language: str) -> str:
    """Each fixed prompt with the two answers side by side."""
    heads = text(language, "answers_before", model=before), text(language, "answers_after", model=after)
    return "".join(_pair(pair, heads) for pair in pairs)


def bout_html(bout: Bout, language: str, *, revealed: bool) -> str:
    """Two answers to one prompt; the names are shown once a vote was given."""
    asked = f'<div class="zb-prompt"><pre>{escape(bout.prompt.instruction)}</pre></div>'
    lang = escape(bout.prompt.language)
    sides = "".join(
        f'<article class="zb-candidate" lang="{lang}"><p>{escape(answer)}</p></article>'
        for answer in (bout.left_text, bout.right_text)
    )
    said = text(language, "blind_shown", left=bout.left_model, right=bout.right_model) if revealed else ""
    note = f'<p class="zs-note" role="status">{escape(said)}</p>'
    return f'<div class="zs-bout">{asked}<div class="zs-pair">{sides}</div>{note}</div>'


def rates_html(rate: WinRate, same_length: WinRate, language: str) -> str:
    """The votes between two models, and those between answers of one length."""
    if rate.rate is None or rate.low is None or rate.high is None:
        return f"<p>{escape(text(language, 'blind_none'))}</p>"
    shown = text(
        language,
        "blind_rate",
        model=rate.model,
        other=rate.other,
        wins=rate.wins,
        losses=rate.losses,
        ties=rate.ties,
        rate=f"{rate.rate:.2f}",
        low=f"{rate.low:.2f}",
        high=f"{rate.high:.2f}",
    )
    lines = [shown]
    if same_length.rate is not None:
        lines.append(
            text(language, "blind_rate_length", rate=f"{same_length.rate:.2f}", votes=same_length.votes)
        )
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _sampled(step: int, answer: SampledAnswer, language: str) -> str:
    head = escape(text(language, "answers_step", step=step))
    return (
        f'<article class="zb-candidate"><span class="zb-number">{head}</span>'
        f"<p>{escape(answer.text)}</p></article>"
    )


def _pair(pair: AnswerPair, heads: tuple[str, str]) -> str:
    sides = "".join(
        f'<article class="zb-candidate" lang="{escape(pair.prompt.prompt.language)}">'
        f'<span class="zb-number">{escape(head)}</span><p>{escape(answer)}</p></article>'
        for head, answer in zip(heads, (pair.before, pair.after), strict=True)
    )
    return (
        f'<section class="zs-bout"><h3 class="zs-heading">{escape(pair.prompt.label)}</h3>'
        f'<div class="zs-pair">{sides}</div></section>'
    )


def _field_name(field: str, language: str) -> str:
    special = {"model": "train_base", "parent": "train_parent"}
    return text(language, special.get(field, f"field_{field}"))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="zs-table"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
