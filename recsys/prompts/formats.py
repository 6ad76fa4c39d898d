"""A prompt, and the text in which a given model reads it.

The same rendering serves generation and training, so a tuned model meets in use what it met in
training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Literal, NoReturn

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

Style = Literal["few-shot", "plain", "chat"]
"""How a model is asked: worked examples first (base models), the bare format (models tuned on it),
or the model's own chat template."""


@dataclass(frozen=True, slots=True)
class Example:
    """One worked example for a base model."""

    instruction: str
    response: str


@dataclass(frozen=True, slots=True)
class Cues:
    """The marks around request and answer for models without a chat template.

    `lead` is how every answer begins; a base model that is given these words keeps to the form.
    """

    request: str = "### Request"
    answer: str = "### Answer"
    lead: str = ""


@dataclass(frozen=True)
class Prompt:
    """[system message, instruction] with the history as separate lines, so that it can be shortened.

    `left_out` counts the oldest history lines that were dropped to fit the model's context. The worked
    `examples` are shown to base models, with `always_examples` to chat models too, as earlier turns.
    """

    system: str
    before: str
    history: tuple[str, ...] = ()
    after: str = ""
    examples: tuple[Example, ...] = ()
    cues: Cues = Cues()
    language: str = "en"
    left_out: int = 0
    always_examples: bool = False

    @property
    def instruction(self) -> str:
        """The instruction as a person would read it."""
        return "\n".join(part for part in (self.before, *self.history, self.after) if part)

    def messages(self) -> list[dict[str, str]]:
        """The prompt as the turns of a chat: system, examples where they are always shown, user."""
        turns = [{"role": "system", "content": self.system}]
        for example in self.examples if self.always_examples else ():
            turns.append({"role": "user", "content": example.instruction})
            turns.append({"role": "assistant", "content": example.response})
        return [*turns, {"role": "user", "content": self.instruction}]

    def messages_without_system(self) -> list[dict[str, str]]:
        """The same turns for a model that knows no system role: its text begins the first turn."""
        system, first, *rest = self.messages()
        return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]

    def without_oldest(self, count: int = 1) -> Prompt:
        """The prompt with its `count` oldest history lines dropped."""
        return replace(self, history=self.history[count:], left_out=self.left_out + count)


@dataclass(frozen=True)
class PromptFormat:
    """How one model wants its prompts: the style, and for `chat` the template in the model's file."""

    style: Style
    chat_template: str | None = None
    eos: str = ""

    @property
    def stop(self) -> tuple[str, ...]:
        """Strings that end an answer, besides the model's own end token: it is one paragraph."""
        return () if self.style == "chat" else ("\n",)

    def lead(self, prompt: Prompt) -> str:
        """The words with which every answer to `prompt` begins; they are part of the answer."""
        return prompt.cues.lead if self.style == "few-shot" else ""

    def render(self, prompt: Prompt) -> str:
        """The text that the model continues with its answer, without the begin token and the lead."""
        if self.style == "chat":
            return self._chat(prompt)
        cues = prompt.cues
        examples = prompt.examples if self.style == "few-shot" else ()
        turns = [f"{cues.request}\n{e.instruction}\n\n{cues.answer}\n{e.response}" for e in examples]
        turns.append(f"{cues.request}\n{prompt.instruction}\n\n{cues.answer}\n")
        return "\n\n".join([prompt.system, *turns])

    def _chat(self, prompt: Prompt) -> str:
        try:
            return self._from_template(prompt.messages())
        except TemplateError:
            # Some templates know no system role, and say so by an error.
            return self._from_template(prompt.messages_without_system())

    def _from_template(self, messages: list[dict[str, str]]) -> str:
        return _compiled(self.chat_template or "").render(
            messages=messages,
            add_generation_prompt=True,
            enable_thinking=False,
            bos_token="",
            eos_token=self.eos,
        )


@lru_cache(maxsize=8)
def _compiled(template: str) -> Template:
    """The template with what the chat templates of published models use, as in transformers."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(template)


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)
