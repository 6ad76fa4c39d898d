"""Which models there are: names to files, and how each model wants its prompts.

A model is named by one string: the name of an embedded model (`models.toml`), a path to a GGUF file,
or `hf:org/name` for one on the Hugging Face hub; `openai:` names belong to a backend of their own.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
import tomllib
from functools import cache
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict

from recsys.errors import ModelFileError, UnknownModelError
from recsys.llm import hub
from recsys.llm.gguf_metadata import read_metadata
from recsys.prompts.formats import PromptFormat, Style

_KNOWN = Path(__file__).with_name("models.toml")
_BLOCK = 1 << 20


class ModelSpec(BaseModel):
    """What is known of a model before it is loaded. `parts` is empty for a file of the user's own.

    `style` is None where the file decides: one with a chat template is asked through it.
    `even_rows`: its kernels on the CPU are at their best with 1, 2, 4 or 8 sequences a step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    style: Style | None
    languages: tuple[str, ...]
    licence: str = ""
    about: str = ""
    parts: tuple[str, ...] = ()
    sha256: str = ""
    even_rows: bool = False
    path: Path | None = None


@cache
def known_models() -> dict[str, ModelSpec]:
    """The embedded models by name, the default first."""
    table = tomllib.loads(_KNOWN.read_text(encoding="utf-8"))
    return {name: ModelSpec(name=name, **data) for name, data in table.items()}


def load_spec(name: str) -> ModelSpec:
    """The model called `name`: an embedded one, a path to a `.gguf` file, or one on the hub.

    Raises UnknownModelError for any other name and ModelFileError when the file is missing.
    """
    known = known_models()
    if name in known:
        return known[name]
    if name.startswith(hub.PREFIX):
        hub.parse_name(name)
        return ModelSpec(name=name, style=None, languages=("en", "ko"), about=name)
    if not name.endswith(".gguf"):
        raise UnknownModelError(name=name, known=", ".join(known))
    path = Path(name).expanduser()
    if not path.is_file():
        raise ModelFileError(path=path, problem="there is no such file")
    read_metadata(path)
    return ModelSpec(name=name, style=None, languages=("en", "ko"), about=path.name, path=path.resolve())


def model_file(spec: ModelSpec, models_dir: Path) -> Path:
    """The GGUF file of `spec`, put together under `models_dir` or downloaded the first time.

    The SHA-256 of an embedded model is compared with the pinned one, and a file that was put together
    and has come to harm is made again. Raises ModelFileError when it still differs, when a package is
    missing or the disk is full, and HubModelError.
    """
    if spec.path is not None:
        return spec.path
    if spec.name.startswith(hub.PREFIX):
        return hub.fetch(spec.name)
    if len(spec.parts) == 1:
        path = _part_path(spec.parts[0])
    else:
        path = models_dir / f"{spec.name}.gguf"
        with FileLock(path.with_suffix(".lock")):
            if not path.is_file() or file_sha256(path) != spec.sha256:
                _assemble(spec, path)
        return path
    if (found := file_sha256(path)) != spec.sha256:
        raise ModelFileError(path=path, problem=f"its SHA-256 is {found}, not {spec.sha256}")
    return path


def prompt_format(gguf: Path, style: Style | None) -> PromptFormat:
    """How the model in `gguf` is asked, from the file's metadata; raises ModelFileError.

    Without a `style`, through its chat template where it has one, else with worked examples.
    """
    metadata = read_metadata(gguf)
    if style is None:
        style = "few-shot" if metadata.chat_template is None else "chat"
    if style == "chat" and metadata.chat_template is None:
        raise ModelFileError(path=gguf, problem="it has no chat template")
    return PromptFormat(
        style=style,
        chat_template=metadata.chat_template if style == "chat" else None,
        eos=metadata.eos,
    )


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _part_path(part: str) -> Path:
    """Where a package keeps one file, found without importing the package."""
    package, file = part.split(":", 1)
    found = importlib.util.find_spec(package)
    if found is None or not found.origin:
        raise ModelFileError(path=file, problem=f"the Python package {package} is not installed")
    path = Path(found.origin).parent / file
    if not path.is_file():
        raise ModelFileError(path=path, problem=f"it is missing from the Python package {package}")
    return path


def _assemble(spec: ModelSpec, target: Path) -> None:
    """Write the parts one behind the other; the file appears under its name only when whole."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            for part in spec.parts:
                with _part_path(part).open("rb") as source:
                    shutil.copyfileobj(source, out, _BLOCK)
        if (found := file_sha256(Path(temporary))) != spec.sha256:
            problem = f"its parts give the SHA-256 {found}, not {spec.sha256}"
            raise ModelFileError(path=target, problem=problem)
        os.replace(temporary, target)
    except OSError as error:
        raise ModelFileError(path=target, problem=f"it cannot be written: {error}") from error
    finally:
        Path(temporary).unlink(missing_ok=True)
