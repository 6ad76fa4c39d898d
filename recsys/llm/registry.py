"""Which models there are, and how each wants its prompts.

A model is named by one string: the name of an embedded model (`models.toml`), a path to a GGUF file,
or `hf:org/name` for one on the Hugging Face hub. Models without a GGUF file belong to other backends
(`recsys.llm.backends`).
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from recsys.errors import InputError, ModelFileError, UnknownModelError
from recsys.llm import hub
from recsys.llm.gguf_metadata import read_metadata
from recsys.prompts.formats import Prompt, PromptFormat, Style

_KNOWN = Path(__file__).with_name("models.toml")


class ModelSpec(BaseModel):
    """What is known of a model before it is loaded. `parts` is empty for a file of the user's own.

    `style` is None where the file decides: one with a chat template is asked through it.
    `requantise`: the file type it is served in, where that of the file in the package is slow.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    style: Style | None
    languages: tuple[str, ...]
    licence: str = ""
    about: str = ""
    parts: tuple[str, ...] = ()
    sha256: str = ""
    requantise: Literal["Q8_0"] | None = None
    path: Path | None = None


@cache
def known_models() -> dict[str, ModelSpec]:
    """The embedded models by name, the default first."""
    table = tomllib.loads(_KNOWN.read_text(encoding="utf-8"))
    return {name: ModelSpec(name=name, **data) for name, data in table.items()}


def load_spec(name: str) -> ModelSpec:
    """The model called `name`: an embedded one, a path to a `.gguf` file, or one on the hub.

    Raises UnknownModelError for any other name, InputError for a model on a server, and ModelFileError when
    the file is missing.
    """
    known = known_models()
    if name in known:
        return known[name]
    if name.startswith(hub.PREFIX):
        hub.parse_name(name)
        return ModelSpec(name=name, style=None, languages=("en", "ko"), about=name)
    if name.startswith("openai:"):
        raise InputError(
            reason=f"{name} is served elsewhere, and this needs the model's own file. Choose an embedded "
            "model, a path to a .gguf file, or hf:org/name."
        )
    if not name.endswith(".gguf"):
        raise UnknownModelError(name=name, known=", ".join(known))
    path = Path(name).expanduser()
    if not path.is_file():
        raise ModelFileError(path=path, problem="there is no such file")
    read_metadata(path)
    return ModelSpec(name=name, style=None, languages=("en", "ko"), about=path.name, path=path.resolve())


def prompt_format(gguf: Path, style: Style | None) -> PromptFormat:
    """How the model in `gguf` is asked, from the file's metadata; raises ModelFileError.

    Without a `style`, through its chat template where it has one, else with worked examples.
    """
    metadata = read_metadata(gguf)
    if style is None:
        style = "few-shot" if metadata.chat_template is None else "chat"
    if style == "chat" and metadata.chat_template is None:
        raise ModelFileError(path=gguf, problem="it has no chat template")
    format_ = PromptFormat(
        style=style,
        chat_template=metadata.chat_template if style == "chat" else None,
        eos=metadata.eos,
    )
    try:
        format_.render(Prompt(system="system", before="user"))
    except Exception as error:  # a template is a program; it can fail in any way
        raise ModelFileError(path=gguf, problem=f"its chat template fails: {error}") from error
    return format_
