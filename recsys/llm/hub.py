"""Models from the Hugging Face hub: `hf:org/name`, or `hf:org/name:QUANT` for one of several GGUF files.

Files lie in the hub's own cache (`HF_HOME`), shared with other programs; what is there is used
without a network. `HF_TOKEN` and `HF_ENDPOINT` mean what they mean elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name

from recsys.errors import HubModelError, UnknownModelError

PREFIX = "hf:"

_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)(?::([\w.-]+))?", re.ASCII)
_SPLIT = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_PREFERRED = ("q4_k_m", "q4_k_s", "q4_k_xl", "q4_0", "q5_k_m", "q6_k", "q8_0", "bf16", "f16")
"""Quantisations, the first that a repository has is taken: 4 bits cost little quality."""

_UNREACHABLE = (HfHubHTTPError, httpx2.HTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError)

DENSE, DENSE_INDEX = "model.safetensors", "model.safetensors.index.json"
_BESIDE = (".json", ".jinja", ".model", "merges.txt", "vocab.txt")
"""How the files end that belong to safetensors: configuration, tokenizer, chat template."""

_EMBEDDER = ("*.json", "*.txt", "*.model", "*.safetensors")

_TIMEOUT = 10.0
"""Seconds without a word from the hub until the cache is used instead."""


def parse_name(name: str) -> tuple[str, str | None]:
    """(repository, quantisation or None) of an `hf:` name; raises UnknownModelError."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise UnknownModelError(name=name, known="hf:org/name, hf:org/name:Q4_K_M")
    return match[1], match[2]


def fetch(name: str, *, dense: bool = False, endpoint: str | None = None, cache: Path | None = None) -> Path:
    """The GGUF file that `name` stands for, downloaded the first time; of a split one, its first part.

    With `dense`, a repository without a GGUF file gives the folder of its safetensors files instead.
    Raises UnknownModelError for a name of another form, and HubModelError when the repository does not
    exist or is closed to us, has no such file, or cannot be reached and is not in the cache.
    """
    repository, quantisation = parse_name(name)
    dense = dense and quantisation is None
    try:
        with _told(name):
            info = HfApi(endpoint=endpoint).model_info(repository, timeout=_TIMEOUT)
            files = [sibling.rfilename for sibling in info.siblings or ()]
            chosen = choose(files, quantisation) or (choose_dense(files) if dense else ())
            if not chosen:
                raise HubModelError(name=name, problem=_nothing(files, quantisation, dense))
            folder = snapshot_download(
                repository, allow_patterns=list(chosen), endpoint=endpoint, cache_dir=cache
            )
    except _UnreachableError as error:
        if path := cached(name, dense=dense, cache=cache):
            return path
        raise HubModelError(**error.details) from error
    return Path(folder, chosen[0]) if chosen[0].endswith(".gguf") else Path(folder)


def fetch_embedder(name: str, *, endpoint: str | None = None, cache: Path | None = None) -> Path:
    """The folder of a sentence-transformers model, downloaded the first time: its settings, tokenizer and
    safetensors, neither pickled weights nor Python files. Raises UnknownModelError and HubModelError.
    """
    repository, _ = parse_name(name)
    where: dict[str, Any] = {"allow_patterns": list(_EMBEDDER), "ignore_patterns": ["onnx/*", "openvino/*"]}
    try:
        with _told(name):
            info = HfApi(endpoint=endpoint).model_info(repository, timeout=_TIMEOUT)
            files = [sibling.rfilename for sibling in info.siblings or ()]
            if not any(file.endswith(".safetensors") for file in files):
                raise HubModelError(name=name, problem="the repository has no safetensors files")
            return Path(snapshot_download(repository, endpoint=endpoint, cache_dir=cache, **where))
    except _UnreachableError as error:
        try:
            return Path(snapshot_download(repository, cache_dir=cache, local_files_only=True, **where))
        except LocalEntryNotFoundError:
            raise HubModelError(**error.details) from error


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What the hub's client raises as HubModelError, of a kind of its own where the hub is out of reach."""
    try:
        yield
    except GatedRepoError as error:
        raise HubModelError(name=name, problem="its licence must be accepted first") from error
    except RepositoryNotFoundError as error:
        problem = "there is no such repository, or it needs a token"
        raise HubModelError(name=name, problem=problem) from error
    except HFValidationError as error:
        raise HubModelError(name=name, problem=_line(error)) from error
    except _UNREACHABLE as error:
        problem = f"the hub cannot be reached, and it is not in the cache ({_line(error)})"
        raise _UnreachableError(name=name, problem=problem) from error


class _UnreachableError(HubModelError):
    """The cache may have it."""


def choose(files: Iterable[str], quantisation: str | None) -> tuple[str, ...]:
    """The file to load among a repository's, with the other parts where it is split; () for none."""
    models = sorted(f for f in files if f.endswith(".gguf") and "mmproj" not in f and "imatrix" not in f)
    wanted = [quantisation.lower()] if quantisation else [*_PREFERRED, ""]
    for quant in wanted:
        for file in models:
            if quant in file.rsplit("/", 1)[-1].lower():
                if not _SPLIT.search(file):
                    return (file,)
                stem = _SPLIT.sub("", file)
                return tuple(f for f in models if _SPLIT.sub("", f) == stem)
    return ()


def choose_dense(files: Iterable[str]) -> tuple[str, ...]:
    """The files of a repository that transformers loads its safetensors from; () where it has none.

    Neither pickled weights nor Python files are among them.
    """
    top = [file for file in files if "/" not in file]
    if not is_dense(top):
        return ()
    weights = (file for file in top if re.fullmatch(r"model(-\d{5}-of-\d{5})?\.safetensors", file))
    # With an adapter's configuration beside it, transformers would load the adapter's base instead.
    beside = (file for file in top if file.endswith(_BESIDE) and file != "adapter_config.json")
    return (*weights, *beside)


def is_dense(files: Collection[str]) -> bool:
    """Whether a folder with these files holds a model that transformers can load from safetensors."""
    return "config.json" in files and any(f in files for f in (DENSE, DENSE_INDEX))


def cached(name: str, *, dense: bool = False, cache: Path | None = None) -> Path | None:
    """What an earlier `fetch` left in the cache, where all its parts are there."""
    repository, quantisation = parse_name(name)
    folder = Path(cache or HF_HUB_CACHE, repo_folder_name(repo_id=repository, repo_type="model"))
    try:
        folder = folder / "snapshots" / (folder / "refs" / "main").read_text().strip()
    except OSError:
        return None
    chosen = choose((path.relative_to(folder).as_posix() for path in folder.rglob("*.gguf")), quantisation)
    if not chosen:
        return folder if dense and quantisation is None and is_whole(folder) else None
    split = _SPLIT.search(chosen[0])
    whole = len(chosen) == int(split[2]) if split else True
    return folder / chosen[0] if whole else None


def is_whole(folder: Path) -> bool:
    """Whether all safetensors files of a folder are there, where they are several by their index."""
    files = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if not is_dense(files) or DENSE in files:
        return is_dense(files)
    try:
        parts = json.loads((folder / DENSE_INDEX).read_bytes())["weight_map"].values()
        return files.issuperset(parts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _nothing(files: Iterable[str], quantisation: str | None, dense: bool) -> str:
    found = ", ".join(f for f in files if f.endswith(".gguf"))
    if found:
        return f"no GGUF file is called {quantisation}; there are {found}"
    if dense:
        return f"the repository has neither a GGUF file nor config.json with {DENSE}"
    return "the repository has no GGUF file (those that have one are mostly called …-GGUF)"


def _line(error: Exception) -> str:
    """The first line of an error's text: the rest of the hub's is advice for programmers."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
