"""The dataset card: what is in the files, where it comes from, and under which terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from recsys.domains.histories import Split
from recsys.synthesis.config import SynthesisConfig
from recsys.synthesis.report import Report
from recsys.synthesis.rows import Row

LICENCES: Mapping[str, str] = {
    "mind": "Microsoft Research License Terms (MIND): research, non-commercial",
    "amazon-music": "see the publisher (UCSD, McAuley lab): research",
    "amazon": "see the publisher (UCSD, McAuley lab): research",
    "yelp": "Yelp Dataset Terms of Use: academic, non-commercial",
    "anime": "see the Kaggle page (2016: CC0; 2020: see there)",
    "books": "goodbooks-10k: CC BY-SA 4.0; Book-Crossing: see the publisher",
    "movielens": "GroupLens terms (the dataset's README): non-commercial, redistribution under the same",
    "steam": "see the Kaggle page (ODbL)",
}
_BAR = 40
_SCORE_STEP = 1.0
_TOKEN_STEP = 20


@dataclass
class Tally:
    """Counts of the rows of one split as they pass by."""

    cells: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    positions: Counter[int] = field(default_factory=Counter)
    scores: Counter[int] = field(default_factory=Counter)
    tokens: Counter[int] = field(default_factory=Counter)
    users: set[str] = field(default_factory=set)
    targets: set[tuple[str, str]] = field(default_factory=set)

    def counting(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows themselves; they are counted on the way."""
        for row in rows:
            self.cells[row.situation, row.form, row.language] += 1
            if row.target_position is not None:
                self.positions[row.target_position + 1] += 1
            if row.score is not None:
                self.scores[int(row.score / _SCORE_STEP)] += 1
                self.tokens[int(row.tokens / _TOKEN_STEP)] += 1
            self.users.add(row.user)
            self.targets.add((row.dataset, row.target_id))
            yield row


def card_text(config: SynthesisConfig, report: Report, tallies: Mapping[Split, Tally]) -> str:
    """The card as Markdown with the front matter that dataset hubs read."""
    languages = "\n".join(f"- {language}" for language, w in config.languages.items() if w)
    parts = [
        f"---\nlanguage:\n{languages}\ntask_categories:\n- text-generation\ntags:\n- recommendation\n"
        "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: train.parquet\n"
        "  - split: test\n    path: test.parquet\n---",
        "# Instruction data for generative recommendation",
        "Built by Zeroshelf from real interactions. Each row holds `messages` (system, user, assistant) and "
        "where they come from; users are pseudonyms (64-bit hashes). `preference.jsonl` holds prompts "
        "without answers for preference annotation. No user and no target is in two of the splits; where "
        "a source has times, training targets are older than preference targets, and those than test "
        "targets.",
        _mixture(report),
        _sources(report),
        _texts(config, report),
    ]
    for split, tally in tallies.items():
        parts.append(_split_counts(split, tally))
    train = tallies["train"]
    parts.append(
        "## Quality score of the training rows\n\nln(L) * L / C, L tokens of which C are distinct; "
        f"{config.quality.max_score:g} and above are out.\n\n" + _histogram(train.scores, _SCORE_STEP)
    )
    parts.append("## Tokens of the training responses\n\n" + _histogram(train.tokens, _TOKEN_STEP))
    return "\n\n".join(parts) + "\n"


def _mixture(report: Report) -> str:
    lines = [
        "## Mixture",
        "",
        "| split | dataset | domain | asked | obtained | tried | dropped |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    for o in report.obtained:
        why = ", ".join(f"{count:,} {reason}" for reason, count in o.dropped.items())
        lines.append(
            f"| {o.split} | {o.dataset} | {o.domain} | {o.asked:,} | {o.obtained:,} | {o.written:,} | {why} |"
        )
    for o in report.shortfalls():
        cause = "its histories give no more" if o.written == o.available else "rows were dropped"
        lines += ["", f"{o.split}: {o.dataset} is {o.shortfall:,} rows short: {cause}."]
    return "\n".join(lines)


def _sources(report: Report) -> str:
    lines = ["## Sources", ""]
    for card in report.sources:
        steps = ", ".join(f"{count:,} {step}" for step, count in card.counts.items())
        order = "in the order of their times" if card.timed else "in the order of the file: it has no times"
        lines.append(
            f"- **{card.dataset}** ({card.edition}); positive: {card.positive}; histories {order}. {steps}. "
            f"Terms: {LICENCES.get(card.dataset, 'as given by whoever provided the file')}."
        )
        lines += [
            f"  - {count:,} rows of the files dropped: {reason}" for reason, count in card.dropped.items()
        ]
        lines += [f"  - {note}" for note in card.notes]
    return "\n".join(lines)


def _texts(config: SynthesisConfig, report: Report) -> str:
    model = config.teacher.model or "the default model"
    who = {
        "attributes": "a grammar over the items' own attributes, without a model",
        "plain": "three plain sentences made of the items' own attributes, without a model",
        "model": f"the model {model}",
    }
    return (
        f"## Texts\n\nQueries by {who[config.queries]}; responses by {who[config.responses]}. Scored with "
        f"the tokenizer of {config.tokenizer}. Seed {config.seed}."
    )


def _split_counts(split: Split, tally: Tally) -> str:
    total = sum(tally.cells.values())
    lines = [
        f"## Split {split}: {total:,} rows, {len(tally.users):,} users, {len(tally.targets):,} targets",
        "",
        "| situation | form | language | rows |",
        "|---|---|---|---:|",
    ]
    lines += [f"| {s} | {f} | {lang} | {count:,} |" for (s, f, lang), count in sorted(tally.cells.items())]
    if tally.positions:
        places = ", ".join(f"{place}: {count:,}" for place, count in sorted(tally.positions.items()))
        lines += ["", f"Place of the target among the candidates: {places}."]
    return "\n".join(lines)


def _histogram(counts: Counter[int], step: float) -> str:
    if not counts:
        return "No rows."
    most = max(counts.values())
    lines = [
        f"{b * step:6.0f} to {(b + 1) * step:<6.0f} {'#' * max(1, _BAR * count // most)} {count:,}"
        for b, count in sorted(counts.items())
    ]
    return "```\n" + "\n".join(lines) + "\n```"
