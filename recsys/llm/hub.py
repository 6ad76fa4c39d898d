"""GGUF files from the Hugging Face hub: `hf:org/name`, or `hf:org/name:QUANT` for one of several.

Files lie in the hub's own cache (`HF_HOME`), shared with other programs; what is there is used
without a network. `HF_TOKEN` and `HF_ENDPOINT` mean what they mean elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

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
_TIMEOUT = 10.0
"""Seconds without a word from the hub until the cache is used instead."""


def parse_name(name: str) -> tuple[str, str | None]:
    """(repository, quantisation or None) of an `hf:` name; raises UnknownModelError."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise UnknownModelError(name=name, known="hf:org/name, hf:org/name:Q4_K_M")
    return match[1], match[2]


def fetch(name: str, *, endpoint: str | None = None, cache: Path | None = None) -> Path:
    """The GGUF file that `name` stands for, downloaded the first time; of a split one, its first part.

    Raises UnknownModelError for a name of another form, and HubModelError when the repository does not
    exist or is closed to us, has no such GGUF file, or cannot be reached and is not in the cache.
    """
    repository, quantisation = parse_name(name)
    try:
        info = HfApi(endpoint=endpoint).model_info(repository, timeout=_TIMEOUT)
        files = [sibling.rfilename for sibling in info.siblings or ()]
        chosen = choose(files, quantisation)
        if not chosen:
            raise HubModelError(name=name, problem=_nothing(files, quantisation))
        folder = snapshot_download(
            repository, allow_patterns=list(chosen), endpoint=endpoint, cache_dir=cache
        )
    except GatedRepoError as error:
        raise HubModelError(name=name, problem="its licence must be accepted first") from error
    except RepositoryNotFoundError as error:
        problem = "there is no such repository, or it needs a token"
        raise HubModelError(name=name, problem=problem) from error
    except HFValidationError as error:
        raise HubModelError(name=name, problem=_line(error)) from error
    except _UNREACHABLE as error:
        if path := _cached(repository, quantisation, cache):
            return path
        problem = f"the hub cannot be reached, and it is not in the cache ({_line(error)})"
        raise HubModelError(name=name, problem=problem) from error
    return Path(folder, chosen[0])


def cached(name: str) -> Path | None:
    """The file that `name` stands for where an earlier fetch left it, without asking the hub."""
    repository, quantisation = parse_name(name)
    return _cached(repository, quantisation, None)


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


def _cached(repository: str, quantisation: str | None, cache: Path | None) -> Path | None:
    """What an earlier fetch left in the cache, where all its parts are there."""
    folder = Path(cache or HF_HUB_CACHE, repo_folder_name(repo_id=repository, repo_type="model"))
    try:
        folder = folder / "snapshots" / (folder / "refs" / "main").read_text().strip()
    except OSError:
        return None
    chosen = choose((path.relative_to(folder).as_posix() for path in folder.rglob("*.gguf")), quantisation)
    if not chosen:
        return None
    split = _SPLIT.search(chosen[0])
    whole = len(chosen) == int(split[2]) if split else True
    return folder / chosen[0] if whole else None


def _nothing(files: Iterable[str], quantisation: str | None) -> str:
    found = ", ".join(f for f in files if f.endswith(".gguf"))
    if not found:
        return "the repository has no GGUF file (those that have one are mostly called …-GGUF)"
    return f"no GGUF file is called {quantisation}; there are {found}"


def _line(error: Exception) -> str:
    """The first line of an error's text: the rest of the hub's is advice for programmers."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
