"""transformers and PEFT, reduced to what the backend needs. Importing this module imports torch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from safetensors import SafetensorError
from tokenizers.decoders import DecodeStream
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.utils.logging import disable_progress_bar

from recsys.errors import AdapterFileError, ModelFileError, ResourceError
from recsys.llm.adapters import Adapter
from recsys.llm.base import Sampling
from recsys.prompts.formats import Prompt, PromptFormat, Style

_PENALTY_WINDOW = 64
_LOADING = (
    SafetensorError,
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    ImportError,
)
"""What transformers and PEFT raise for files that are not what they should be."""

_log = logging.getLogger(__name__)
logging.getLogger("transformers.integrations.peft").setLevel(logging.ERROR)
"""It warns of each adapter beside the one that it loads; what is missing is looked at here."""


class TorchModel:
    """Weights, tokenizer and adapters. Raises ModelFileError when the folder cannot be loaded.

    Only safetensors are read, and no code of the folder is ever run. On a CUDA device the weights are
    quantised to NF4 unless they are quantised already or `four_bit` is off. All methods but `tokenize`
    are for one thread at a time.
    """

    def __init__(self, folder: Path, *, four_bit: bool) -> None:
        self.folder = folder
        disable_progress_bar()
        safe = {"trust_remote_code": False, "local_files_only": True}
        try:
            config = AutoConfig.from_pretrained(folder, **safe)
            self._tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
            self._model = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=torch.bfloat16,
                device_map="auto",
                use_safetensors=True,
                quantization_config=_quantisation(config) if four_bit else None,
                **safe,
            ).eval()
        except torch.OutOfMemoryError as error:
            raise _no_memory() from error
        except _LOADING as error:
            raise ModelFileError(path=folder, problem=_first_line(error)) from error
        ends = self._model.generation_config.eos_token_id
        self.ends = frozenset([ends] if isinstance(ends, int) else ends or ()) | {
            self._tokenizer.eos_token_id
        }
        pad = self._tokenizer.pad_token_id
        self._pad = pad if pad is not None else next(iter(self.ends - {None}), 0)
        # What a model's authors suggest for sampling must not mix with what is asked for.
        self._model.generation_config = GenerationConfig()
        self._context: int | None = getattr(
            self._model.config.get_text_config(), "max_position_embeddings", None
        )
        self._loaded: dict[str, str] = {}

    def context(self, wanted: int) -> int:
        """Tokens of context: as many as wanted, and no more than the model was made for."""
        return min(wanted, self._context or wanted)

    def form(self, style: Style | None) -> PromptFormat:
        """How the model is asked; without a `style`, through its chat template where it has one."""
        template = self._tokenizer.chat_template
        if isinstance(template, dict):
            template = template.get("default")
        style = style or ("chat" if template else "few-shot")
        if style == "chat" and not template:
            raise ModelFileError(path=self.folder, problem="it has no chat template")
        eos = str(self._tokenizer.eos_token or "")
        form = PromptFormat(style=style, chat_template=template if style == "chat" else None, eos=eos)
        try:
            form.render(Prompt(system="system", before="user"))
        except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as error:
            problem = f"its chat template fails: {_first_line(error)}"
            raise ModelFileError(path=self.folder, problem=problem) from error
        return form

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a whole prompt, with the begin token where the model wants one."""
        clean = text.encode("utf-8", "replace").decode("utf-8")
        ids: list[int] = self._tokenizer(clean)["input_ids"]
        return ids

    def reader(self, prompt: Sequence[int]) -> Callable[[int], str]:
        """From the tokens that follow `prompt`, one after another, to the text that each completes."""
        stream = DecodeStream(ids=list(prompt), skip_special_tokens=True)
        tokenizer = self._tokenizer.backend_tokenizer
        return lambda token: stream.step(tokenizer, token) or ""

    def use_adapter(self, adapter: Adapter | None) -> None:
        """Apply one adapter, or none, from now on. Raises AdapterFileError where it does not fit."""
        if adapter is None:
            if self._loaded:
                self._model.disable_adapters()
            return
        name = adapter.card.name
        if name not in self._loaded:
            self._load(adapter)
        self._model.enable_adapters()
        self._model.set_adapter(self._loaded[name])

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        copies: int,
        sampling: Sampling,
        seeds: Sequence[int],
        max_tokens: int,
        follow: Callable[[Sequence[int]], Sequence[bool]],
    ) -> None:
        """Continue each prompt `copies` times, row by row, until `follow` says that all rows are over.

        `seeds` has one for each row. `follow` is given the newest token of each row and answers which
        rows are over. Raises ResourceError where the memory is not enough.
        """
        width = max(map(len, prompts))
        ids = torch.full((len(prompts), width), self._pad)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        config = GenerationConfig(
            # `_Draw` leaves one token of each row; these settings leave its choice alone.
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            num_return_sequences=copies,
            max_new_tokens=max_tokens,
            pad_token_id=self._pad,
        )
        try:
            self._model.generate(
                input_ids=ids.to(self._model.device),
                attention_mask=mask.to(self._model.device),
                generation_config=config,
                logits_processor=LogitsProcessorList([_Draw(sampling, seeds, width)]),
                stopping_criteria=StoppingCriteriaList([_Follow(follow)]),
            )
        except torch.OutOfMemoryError as error:
            raise _no_memory() from error

    def close(self) -> None:
        """Free the weights."""
        self._model = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _load(self, adapter: Adapter) -> None:
        # PEFT makes the name a key of modules, which must not hold dots.
        key = f"adapter{len(self._loaded)}"
        try:
            found = self._model.load_adapter(str(adapter.folder), adapter_name=key, use_safetensors=True)
            # Tensors of adapters that were there before count as missing too.
            missing = any(f".{key}." in name for name in found.missing_keys)
            if missing or found.unexpected_keys or found.mismatched_keys:
                raise ValueError("its tensors are not those of this model")
        except _LOADING as error:
            self._forget(key)
            raise AdapterFileError(name=adapter.card.name, problem=_first_line(error)) from error
        self._loaded[adapter.card.name] = key

    def _forget(self, key: str) -> None:
        """Take out what a failed load has left in the model."""
        try:
            self._model.delete_adapter(key)
        except (ValueError, AttributeError):
            _log.debug("nothing was left of %s", key)


class _Draw(LogitsProcessor):  # type: ignore[misc]
    """Leaves the one token of each row that is drawn with the row's own seed.

    The chain is that of the llama.cpp backend: top-k, repetition penalty over the last 64 tokens of the
    answer, top-p, temperature, draw. The draw adds Gumbel noise to the logits and takes the largest
    (Gumbel 1954; Maddison et al. 2014, arXiv 1411.0030), so a row does not depend on the others.
    """

    def __init__(self, sampling: Sampling, seeds: Sequence[int], prompt_tokens: int) -> None:
        self._sampling = sampling
        self._prompt_tokens = prompt_tokens
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """`input_ids` (rows, tokens so far), `scores` and result (rows, vocabulary)."""
        sampling = self._sampling
        logits, tokens = scores.float().topk(min(sampling.top_k, scores.shape[-1]), dim=-1)
        recent = input_ids[:, max(self._prompt_tokens, input_ids.shape[1] - _PENALTY_WINDOW) :]
        seen = (tokens[:, :, None] == recent[:, None, :]).any(dim=-1)
        penalised = torch.where(
            logits > 0, logits / sampling.repeat_penalty, logits * sampling.repeat_penalty
        )
        logits, order = torch.where(seen, penalised, logits).sort(dim=-1, descending=True)
        tokens = tokens.gather(-1, order)
        if sampling.temperature > 0:
            shares = logits.softmax(dim=-1)
            before = shares.cumsum(dim=-1) - shares
            logits = logits.masked_fill(before >= sampling.top_p, -torch.inf) / sampling.temperature
            logits = logits + self._noise(logits.shape[-1]).to(logits.device)
        chosen = tokens.gather(-1, logits.argmax(dim=-1, keepdim=True))
        return torch.full_like(scores, -torch.inf).scatter_(-1, chosen, 0.0)

    def _noise(self, size: int) -> torch.Tensor:
        """Gumbel noise of each row's generator, on the CPU: a seed is the same on every device."""
        drawn = torch.stack([torch.rand(size, generator=generator) for generator in self._generators])
        return -(-drawn.clamp_min(1e-20).log()).log()


class _Follow(StoppingCriteria):  # type: ignore[misc]
    """Hands the newest tokens on and ends the rows that are over."""

    def __init__(self, follow: Callable[[Sequence[int]], Sequence[bool]]) -> None:
        self._follow = follow

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: Any) -> torch.Tensor:
        """Which rows are over, as booleans of shape (rows,)."""
        over = self._follow(input_ids[:, -1].tolist())
        return torch.tensor(over, device=input_ids.device)


def _quantisation(config: Any) -> BitsAndBytesConfig | None:
    if not torch.cuda.is_available() or getattr(config, "quantization_config", None) is not None:
        return None
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _no_memory() -> ResourceError:
    return ResourceError(
        reason="The device's memory is not enough for this model. Choose a smaller one, lower "
        "ZEROSHELF_CONTEXT_TOKENS, or leave ZEROSHELF_FOUR_BIT on."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
