"""Answers to the fixed prompts while a model is being trained: what the curves do not show.

Imports torch and transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from recsys.prompts.formats import PromptFormat
from recsys.synthesis.quality import quality_score
from training.comparison.fixed_prompts import FixedPrompt
from training.runs.events import SampledAnswer, SampleEvent

_NEW_TOKENS = 64


class AnswerSamples(TrainerCallback):  # type: ignore[misc]  # mypy does not read transformers
    """Lets the model answer before the first step, at each measurement and after the last step.

    Before the first step a new adapter changes nothing, so the first answers are the reference's.
    """

    def __init__(
        self,
        prompts: Sequence[FixedPrompt],
        form: PromptFormat,
        tokenizer: PreTrainedTokenizerBase,
        emit: Callable[[SampleEvent], None],
    ) -> None:
        self._prompts = prompts
        self._form = form
        self._tokenizer = tokenizer
        self._emit = emit
        self._last = -1

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The reference's answers; a run that goes on has them already."""
        if state.global_step == 0:
            self._sample(state.global_step, kwargs["model"])

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Answers beside each measurement on the held-out rows."""
        self._sample(state.global_step, kwargs["model"])

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The trained model's answers."""
        self._sample(state.global_step, kwargs["model"])

    def _sample(self, step: int, model: PreTrainedModel) -> None:
        if step == self._last or not self._prompts:
            return
        self._last = step
        # Every process answers: with ZeRO-3 each has but a part of the weights.
        self._emit(SampleEvent(step=step, answers=tuple(self._answers(model))))

    def _answers(self, model: PreTrainedModel) -> Iterator[SampledAnswer]:
        """The most likely words, all prompts in one batch, padded on the left."""
        form = self._form
        texts = [form.render(fixed.prompt) + form.lead(fixed.prompt) for fixed in self._prompts]
        inputs = self._tokenizer(texts, return_tensors="pt", padding=True, padding_side="left")
        training = model.training
        model.eval()
        with torch.no_grad():
            written = model.generate(
                **inputs.to(model.device),
                max_new_tokens=_NEW_TOKENS,
                do_sample=False,
                use_cache=True,
                pad_token_id=self._tokenizer.pad_token_id,
            )
        model.train(training)
        begin = inputs["input_ids"].shape[1]
        answers = self._tokenizer.batch_decode(written[:, begin:], skip_special_tokens=True)
        for fixed, answer in zip(self._prompts, answers, strict=True):
            for stop in form.stop:
                answer = answer.lstrip(stop).split(stop)[0]
            kept = self._tokenizer(answer, add_special_tokens=False)["input_ids"]
            yield SampledAnswer(
                label=fixed.label,
                text=(form.lead(fixed.prompt) + answer).strip(),
                tokens=len(kept),
                score=quality_score(kept),
            )
