"""What the evaluation tab says of a run and its report, as HTML; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from recsys.evaluation.job import Progress
from recsys.evaluation.korean_news import NAME as KOREAN_NEWS
from recsys.evaluation.methods.registry import DEFAULT, METHODS
from recsys.evaluation.report import AnswerResult, Difference, Interval, MethodResult, Report
from recsys.evaluation.verdict import Verdict, default_verdict, verdict
from recsys.i18n import duration, text
from recsys.ui.data.html import domain_name

_ANSWER_SHARES = ("names_item", "exists", "in_history", "own_language", "repeated", "distinct")
_LIST_METRICS = ("coverage", "gini", "intra_list_similarity", "popular_share")
_LEAST_P = 0.0001


def method_name(name: str, language: str) -> str:
    """A method in words; a name that is not known stays as it is."""
    return text(language, f"method_{name.replace('-', '_')}") if name in METHODS else name


def progress_html(name: str, progress: Progress, language: str) -> str:
    """How far an evaluation is: its state, stage, method and time left."""

    def say(key: str, **values: object) -> str:
        return escape(text(language, key, **values))

    facts = []
    if progress.state == "running":
        facts.append(say(f"eval_stage_{progress.stage.replace(' ', '_')}"))
        if progress.method:
            number = progress.finished + 1
            facts[0] = say("eval_at_method", number=number, methods=progress.methods)
            facts.append(escape(method_name(progress.method, language)))
        if progress.total:
            key = "eval_texts_done" if progress.stage == "embedding" else "eval_users_done"
            facts.append(say(key, done=f"{progress.done:,}", total=f"{progress.total:,}"))
        if progress.eta_s is not None:
            facts.append(say("train_eta", eta=duration(progress.eta_s, language)))
    elif progress.state == "stopped":
        facts.append(say("eval_stopped_info"))
    share = 1.0 if progress.state == "done" else progress.share
    bar = (
        f'<div class="zb-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{100 * share:.0f}"><i style="width:{100 * share:.1f}%"></i></div>'
    )
    spans = "".join(f"<span>{fact}</span>" for fact in facts)
    error = f'<pre class="zs-error">{escape(progress.error)}</pre>' if progress.error else ""
    return (
        f'<div class="zs-run" role="status" data-state="{progress.state}" '
        f'data-done="{progress.finished}-{progress.done}">'
        f'<div><span class="zs-state">{say(f"job_{progress.state}")}</span> · {escape(name)}</div>'
        f'{bar if progress.state == "running" else ""}<div class="zs-facts">{spans}</div>{error}</div>'
    )


def verdict_html(report: Report, language: str) -> str:
    """What the report says, in sentences that need no statistics."""

    def say(key: str, **values: object) -> str:
        return f"<p>{escape(text(language, key, **values))}</p>"

    facts = [
        domain_name(report.dataset, language),
        text(language, "eval_people", count=f"{report.users:,}"),
        text(language, "eval_items", count=f"{report.items:,}"),
        *([report.model] if report.model else []),
        text(language, "eval_seed_is", seed=report.seed),
    ]
    spans = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    lines = []
    own = next((one for one in report.methods if one.method == DEFAULT), None)
    if own is None:
        best = max(report.methods, key=lambda one: one.ndcg_10)
        lines.append(say("eval_without_default", best=method_name(best.method, language)))
    else:
        low, high = own.intervals["hr@10"]
        rates = {"hits": own.hr_10, "low": low, "high": high, "chance": _chance(report)}
        key = "eval_hits_topic" if report.dataset == KOREAN_NEWS else "eval_hits"
        lines.append(say(key, **{name: _percent(rate) for name, rate in rates.items()}))
        lines += [
            say(key, methods=names)
            for key, names in _said(default_verdict(report, zero_shot=True), "eval_zero", language)
        ]
        others = default_verdict(report, zero_shot=False)
        lines += [say(key, methods=names) for key, names in _said(others, "eval_learnt", language)]
    notes = "".join(f"<li>{escape(note)}</li>" for note in (report.protocol, *report.notes))
    return (
        f'<div class="zs-run zs-verdict"><div class="zs-facts">{spans}</div>{"".join(lines)}'
        f"<ul>{notes}</ul></div>"
    )


def results_html(report: Report, language: str) -> str:
    """Every method with its ranking metrics, the best first, and how `default` compares with it."""
    heads = ["method", "ndcg", "hr1", "hr5", "hr10", "hr50", "mrr", "median", "minus", "p", "holm"]
    rows = []
    for one in sorted(report.methods, key=lambda method: -method.ndcg_10):
        against = one.against_default
        numbers = [
            _with_interval(one.ndcg_10, one.intervals["ndcg@10"], 4),
            *(f"{value:.3f}" for value in (one.hr_1, one.hr_5, one.hr_10, one.hr_50)),
            f"{one.mrr:.4f}",
            f"{one.median_rank:,.0f}",
            *(_difference_cells(against) if against else ("–", "–", "–")),
        ]
        rows.append([_method_cell(one, language), *map(escape, numbers)])
    note = f'<p class="zs-note">{escape(text(language, "eval_star"))}</p>'
    return _table([text(language, f"eval_col_{head}") for head in heads], rows) + note


def lists_html(report: Report, language: str) -> str:
    """What the lists themselves are like, and the rankings among few candidates."""
    heads = [text(language, "eval_col_method"), *(text(language, f"eval_col_{key}") for key in _LIST_METRICS)]
    rows = []
    for one in report.methods:
        values = [getattr(one, key) for key in _LIST_METRICS]
        cells = [
            "–" if value is None else _with_interval(value, one.intervals[key], 3)
            for key, value in zip(_LIST_METRICS, values, strict=True)
        ]
        rows.append([_method_cell(one, language), *map(escape, cells)])
    parts = [_heading("eval_lists", language), _table(heads, rows)]
    for protocol in dict.fromkeys(p for one in report.methods for p in one.sampled):
        few = [(one, one.sampled[protocol]) for one in report.methods if protocol in one.sampled]
        rows = [
            [_method_cell(one, language), str(s.candidates)]
            + [f"{value:.3f}" for value in (s.hr_1, s.hr_5, s.ndcg_10, s.mrr)]
            for one, s in sorted(few, key=lambda pair: -pair[1].ndcg_10)
        ]
        title = escape(text(language, "eval_sampled", protocol=protocol))
        columns = ("method", "candidates", "hr1", "hr5", "ndcg", "mrr")
        heads = [text(language, f"eval_col_{key}") for key in columns]
        parts.append(f'<h3 class="zs-heading">{title}</h3>' + _table(heads, rows))
    parts.append(f'<p class="zs-note">{escape(text(language, "eval_sampled_note"))}</p>')
    return "".join(parts)


def answers_html(report: Report, language: str) -> str:
    """What the model wrote before anything was retrieved, and what each method costs for a user."""
    parts = []
    written = next((one.answers for one in report.methods if one.answers), None)
    if written:
        parts += [_heading("eval_answers", language), _answers_table(written, language)]
    heads = [text(language, f"eval_col_{key}") for key in ("method", "ms50", "ms95", "written", "scored")]
    rows = [
        [
            _method_cell(one, language),
            f"{one.cost.ms_p50:,.1f}",
            f"{one.cost.ms_p95:,.1f}",
            f"{one.cost.written_tokens:,.0f}",
            f"{one.cost.scored_tokens:,.0f}",
        ]
        for one in sorted(report.methods, key=lambda method: method.cost.ms_p50)
    ]
    return "".join([*parts, _heading("eval_costs", language), _table(heads, rows)])


def comparison_html(first: str, second: str, found: Mapping[str, Difference], language: str) -> str:
    """Two reports: a sentence of what is better, and the numbers."""

    def say(key: str, **values: object) -> str:
        return f"<p>{escape(text(language, key, **values))}</p>"

    said = [
        say(key, methods=names, first=first, second=second)
        for key, names in _said(verdict(found), "eval_pair", language)
    ]
    heads = [text(language, f"eval_col_{key}") for key in ("method", "first_minus", "p", "holm")]
    rows = [
        [escape(method_name(name, language)), *map(escape, _difference_cells(one))]
        for name, one in found.items()
    ]
    return f'<div class="zs-run zs-verdict">{"".join(said)}</div>' + _table(heads, rows)


def reports_html(reports: Iterable[tuple[str, Report]], language: str) -> str:
    """All saved reports, the newest first, with what they are of and how `default` did."""
    heads = [
        text(language, f"eval_col_{key}")
        for key in ("report", "dataset", "users", "items", "model", "methods", "default", "created")
    ]
    rows = []
    for name, report in reports:
        own = next((one for one in report.methods if one.method == DEFAULT), None)
        cells = [
            name,
            domain_name(report.dataset, language),
            f"{report.users:,}",
            f"{report.items:,}",
            report.model or "–",
            str(len(report.methods)),
            _with_interval(own.ndcg_10, own.intervals["ndcg@10"], 4) if own else "–",
            f"{report.created:%Y-%m-%d %H:%M} UTC",
        ]
        rows.append([escape(cell) for cell in cells])
    return _table(heads, rows)


def _chance(report: Report) -> float:
    """The hit rate of random order: as measured, or what it would be with one target."""
    drawn = next((one.hr_10 for one in report.methods if one.method == "random"), 0.0)
    return drawn or min(10 / max(report.items, 1), 1.0)


def _said(found: Verdict, prefix: str, language: str) -> list[tuple[str, str]]:
    """The text key and the methods' names of each part of a verdict that has any."""
    parts = [(key, getattr(found, key)) for key in ("better", "worse", "unsure", "level")]
    return [
        (f"{prefix}_{key}", ", ".join(method_name(name, language) for name in names))
        for key, names in parts
        if names
    ]


def _answers_table(found: AnswerResult, language: str) -> str:
    rows = [[escape(text(language, "eval_answers_count")), f"{found.answers:,}"]]
    rows += [
        [escape(text(language, f"eval_answers_{key}")), _percent(getattr(found, key))]
        for key in _ANSWER_SHARES
    ]
    rows.append([escape(text(language, "eval_answers_words")), f"{found.words:.1f}"])
    return _table([text(language, "eval_col_measure"), text(language, "eval_col_value")], rows)


def _method_cell(one: MethodResult, language: str) -> str:
    star = "" if one.zero_shot else " *"
    own = ' class="zs-own"' if one.method == DEFAULT else ""
    return (
        f"<span{own}>{escape(method_name(one.method, language))}{star}</span>"
        f"<code>{escape(one.method)}</code>"
    )


def _difference_cells(found: Difference) -> tuple[str, str, str]:
    low, high = found.interval
    return (
        f"{found.difference:+.4f} [{low:+.4f}, {high:+.4f}]",
        _p(found.p),
        _p(found.p_holm),
    )


def _p(value: float) -> str:
    return f"≤ {_LEAST_P}" if value <= _LEAST_P else f"{value:.4f}"


def _with_interval(value: float, found: Interval, digits: int) -> str:
    low, high = found
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if share >= 0.001 or share == 0 else f"{100 * share:.2f}%"


def _heading(key: str, language: str) -> str:
    return f'<h3 class="zs-heading">{escape(text(language, key))}</h3>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Heads are escaped here, cells are HTML already; it scrolls by itself where the page is narrow."""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="zs-scroll" tabindex="0"><table class="zs-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
