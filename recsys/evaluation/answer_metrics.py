"""What a language model wrote, judged before anything is retrieved with it."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.catalog import Item
from recsys.evaluation.report import AnswerResult
from recsys.evaluation.workbench import Workbench
from recsys.prompts.build import language_of
from recsys.retrieval.answer_text import named_title
from recsys.retrieval.titles import TitleMatcher

_N = 4


def measure_answers(bench: Workbench, *, shown: bool) -> AnswerResult | None:
    """The answers that were written for the cases, by a model that was `shown` candidates or by one that
    was not; None where none were."""
    if bench.answering is None or not (written := bench.answering.written(shown=shown)):
        return None
    return answer_result(written, TitleMatcher(bench.data.items))


def answer_result(written: Sequence[tuple[Sequence[Item], str]], matcher: TitleMatcher) -> AnswerResult:
    """The metrics of (history, answer) pairs."""
    names = [named_title(answer) for _, answer in written]
    found = [matcher.match(name) if name else None for name in names]
    had = [
        bool(name) and TitleMatcher(history).match(name) is not None
        for (history, _), name in zip(written, names, strict=True)
    ]
    named = sum(bool(name) for name in names)
    languages = [
        language_of(answer) == language_of(" ".join(item.title for item in history))
        for history, answer in written
    ]
    count = len(written)
    return AnswerResult(
        answers=count,
        names_item=named / count,
        exists=sum(position is not None for position in found) / max(named, 1),
        in_history=sum(had) / count,
        own_language=sum(languages) / count,
        words=sum(len(answer.split()) for _, answer in written) / count,
        repeated=sum(repetition(answer) for _, answer in written) / count,
        distinct=len({answer for _, answer in written}) / count,
    )


def repetition(text: str) -> float:
    """The share of four-word sequences that were in the text before; 0 for a text of fewer words.

    As in Welleck et al., "Neural Text Generation with Unlikelihood Training", ICLR 2020 (seq-rep-4).
    """
    words = text.casefold().split()
    grams = [tuple(words[n : n + _N]) for n in range(len(words) - _N + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
