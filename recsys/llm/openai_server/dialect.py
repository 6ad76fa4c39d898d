"""What a server takes beyond the common protocol, learnt from what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from recsys.llm.base import Sampling
from recsys.prompts.formats import Prompt, PromptFormat

_EXTRAS = ("top_k", "repeat_penalty", "repetition_penalty", "ignore_eos", "stream_options", "template_kwargs")
_NOT_KNOWN = ("unrecognized", "unknown", "unsupported", "not permitted", "extra_forbidden", "unexpected")


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request: `n` answers of `model` to a prompt, the first with the sampling's seed."""

    model: str
    prompt: Prompt
    form: PromptFormat
    sampling: Sampling
    n: int = 1

    def alone(self, index: int) -> Self:
        """The request for answer `index` by itself."""
        seed = self.sampling.seed + index
        return replace(self, sampling=self.sampling.with_seed(seed), n=1)

    @property
    def chat(self) -> bool:
        """Whether it goes to chat completions."""
        return self.form.style == "chat"


@dataclass(frozen=True, slots=True)
class Dialect:
    """`extras`: sampling parameters that OpenAI itself does not have; `choices`: more than one answer a
    request; `system`: messages of that role.
    """

    extras: bool = True
    choices: bool = True
    system: bool = True

    def arguments(self, call: Call, *, stream: bool) -> dict[str, Any]:
        """The keyword arguments of the client's `create`."""
        sampling = call.sampling
        arguments: dict[str, Any] = {
            "model": call.model,
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "stream": stream,
        }
        if call.chat:
            turns = call.prompt.messages() if self.system else call.prompt.messages_without_system()
            arguments["messages"] = [{**turn, "content": _clean(turn["content"])} for turn in turns]
        else:
            arguments["prompt"] = _clean(call.form.render(call.prompt) + call.form.lead(call.prompt))
        stop = [] if sampling.ignore_eos else [*call.form.stop, *sampling.stop]
        if stop:
            arguments["stop"] = stop
        if call.n > 1:
            arguments["n"] = call.n
        if self.extras:
            arguments["extra_body"] = self._extras(call)
            if stream:
                arguments["stream_options"] = {"include_usage": True}
        return arguments

    def after(self, message: str, n: int) -> Dialect | None:
        """What to try once a request for `n` answers was refused with `message`; None: nothing is left."""
        told = message.lower()
        if self.system and "system" in told and "role" in told:
            return replace(self, system=False)
        named = any(word in told for word in (*_EXTRAS, *_NOT_KNOWN))
        if self.extras and (named or n == 1 or not self.choices):
            return replace(self, extras=False)
        if self.choices and n > 1:
            return replace(self, choices=False)
        return None

    def _extras(self, call: Call) -> dict[str, Any]:
        """The same settings under the names of llama.cpp and of vLLM; each ignores the other's."""
        sampling = call.sampling
        extras: dict[str, Any] = {
            "top_k": sampling.top_k,
            "repeat_penalty": sampling.repeat_penalty,
            "repetition_penalty": sampling.repeat_penalty,
        }
        if sampling.ignore_eos:
            extras["ignore_eos"] = True
        if call.chat:
            # The same variable as in `PromptFormat`: models that can think aloud are to answer at once.
            extras["chat_template_kwargs"] = {"enable_thinking": False}
        return extras


def _clean(text: str) -> str:
    """Text that can be sent as UTF-8: halves of a surrogate pair become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")
