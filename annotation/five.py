"""Five candidates for one prompt: one batch from each model, and again only for the places that failed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from annotation.flaws import flaws, repetition
from annotation.records import CANDIDATES, CandidateRecord, PromptRecord
from annotation.sentences import whole_sentences
from annotation.writers import Writer
from recsys.llm.base import Completion, Priority, Request


class Five:
    """The candidates of one prompt while they are written.

    Seeds follow each other from the prompt's own, so that they can be drawn again: place i of the
    first batches has seed + i, and each later round begins five seeds further on.
    """

    def __init__(
        self, prompt: PromptRecord, writers: Sequence[Writer], priority: Priority, cancel: threading.Event
    ) -> None:
        self._prompt = prompt
        self._writers = writers
        self._of = [number for number, writer in enumerate(writers) for _ in range(writer.count)]
        self._priority = priority
        self._cancel = cancel
        self._fitted: dict[int, Request] = {}
        self._made: list[CandidateRecord | None] = [None] * CANDIDATES
        self._scores = [0.0] * CANDIDATES

    def write(self, resamples: int) -> list[CandidateRecord] | None:
        """The five, after at most `resamples` further rounds; None when it was cancelled.

        Rounds end early when nothing is wrong any more, or when one has helped no candidate. What is
        still wrong is in `marks`. Raises what the backend raises, PromptTooLongError among it.
        """
        if not self._sample(range(CANDIDATES), 0):
            return None
        for round_ in range(1, resamples + 1):
            bad = [place for place, record in enumerate(self._records()) if record.marks]
            before = sum(len(record.marks) for record in self._records())
            if not bad:
                break
            if not self._sample(bad, round_):
                return None
            if sum(len(record.marks) for record in self._records()) >= before:
                break
        return self._records()

    def _records(self) -> list[CandidateRecord]:
        return [record for record in self._made if record is not None]

    def _sample(self, places: Sequence[int], round_: int) -> bool:
        """Write these places, one batch a writer; False when it was cancelled."""
        done = 0
        for number in dict.fromkeys(self._of[place] for place in places):
            writer = self._writers[number]
            mine = [place for place in places if self._of[place] == number]
            seed = self._prompt.sampling_seed + CANDIDATES * round_ + done
            request = self._request(number, len(mine), seed)
            answers = writer.backend.complete(request)
            if len(answers) < len(mine) or any(answer.finish == "cancelled" for answer in answers):
                return False
            for place, answer in zip(mine, answers, strict=True):
                self._take(place, answer, writer, request, round_ + 1)
            done += len(mine)
        return True

    def _request(self, number: int, count: int, seed: int) -> Request:
        writer = self._writers[number]
        if number not in self._fitted:
            self._fitted[number] = writer.backend.fit(
                Request(
                    self._prompt.to_prompt(),
                    writer.sampling,
                    writer.count,
                    writer.adapter,
                    priority=self._priority,
                    cancel=self._cancel,
                )
            )
        return replace(self._fitted[number], n=count, sampling=writer.sampling.with_seed(seed))

    def _take(self, place: int, answer: Completion, writer: Writer, request: Request, attempt: int) -> None:
        """Put the answer into its place, unless what was there before has fewer flaws."""
        assert answer.finish != "cancelled"
        text, finish = answer.text.strip(), answer.finish
        if finish == "length" and (whole := whole_sentences(text)):
            text, finish = whole, "stop"
        made = CandidateRecord(
            text=text,
            model=writer.backend.name,
            adapter=writer.adapter,
            seed=answer.seed,
            sampling=request.sampling.with_seed(answer.seed).model_dump_json(),
            tokens=answer.tokens,
            finish=finish,
            left_out=request.prompt.left_out,
            attempts=attempt,
        )
        old, old_score = self._made[place], self._scores[place]
        self._made[place] = made
        self._scores[place] = repetition(made.text, made.tokens, writer.backend)
        self._mark()
        new = self._made[place]
        if old is not None and new is not None and len(new.marks) > len(old.marks):
            self._made[place], self._scores[place] = replace(old, attempts=attempt), old_score
            self._mark()

    def _mark(self) -> None:
        present = [place for place, record in enumerate(self._made) if record is not None]
        records = [record for record in self._made if record is not None]
        marks = flaws(records, [self._scores[place] for place in present])
        for place, record, found in zip(present, records, marks, strict=True):
            self._made[place] = replace(record, marks=found)
