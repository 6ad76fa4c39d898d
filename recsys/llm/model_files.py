"""The GGUF file behind a model's name: put together, requantised, downloaded or checked as it needs."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import llama_cpp
from filelock import FileLock

from recsys.errors import ModelFileError
from recsys.llm import hub
from recsys.llm.gguf_metadata import silence_llama_cpp
from recsys.llm.registry import ModelSpec

_BLOCK = 1 << 20
_FILE_TYPES = {"Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0}


def model_file(spec: ModelSpec, models_dir: Path) -> Path:
    """The GGUF file of `spec`, made under `models_dir` or downloaded the first time.

    The SHA-256 of an embedded model is compared with the pinned one, and a file that was made here and
    has come to harm is made again. Raises ModelFileError when it still differs, when a package is
    missing or the disk is full, and HubModelError.
    """
    if spec.path is not None:
        return spec.path
    if spec.name.startswith(hub.PREFIX):
        return hub.fetch(spec.name)
    if spec.requantise:
        path = models_dir / f"{spec.name}-{spec.requantise}.gguf"
    elif len(spec.parts) > 1:
        path = models_dir / f"{spec.name}.gguf"
    else:
        return _packaged(spec)
    with FileLock(path.with_suffix(".lock")):
        if not _is_whole(spec, path):
            _make(spec, path)
    return path


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _packaged(spec: ModelSpec) -> Path:
    """The one file that a package has, once it is known to be the right one."""
    path = _part_path(spec.parts[0])
    if (found := file_sha256(path)) != spec.sha256:
        raise ModelFileError(path=path, problem=f"its SHA-256 is {found}, not {spec.sha256}")
    return path


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


def _is_whole(spec: ModelSpec, path: Path) -> bool:
    if not path.is_file():
        return False
    if not spec.requantise:
        return file_sha256(path) == spec.sha256
    # What the requantised file should be is known only from when it was made.
    mark = path.with_suffix(".sha256")
    return mark.is_file() and mark.read_text("utf-8") == _mark(spec, path)


def _mark(spec: ModelSpec, path: Path) -> str:
    return f"{file_sha256(path)} from {spec.sha256}\n"


def _make(spec: ModelSpec, target: Path) -> None:
    """Put together or requantise; the file appears under its name only when whole."""
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        if spec.requantise:
            source = _packaged(spec)
            _requantise(source, temporary, _FILE_TYPES[spec.requantise])
            target.with_suffix(".sha256").write_text(_mark(spec, temporary), "utf-8")
        else:
            _assemble(spec, temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise ModelFileError(path=target, problem=f"it cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _assemble(spec: ModelSpec, target: Path) -> None:
    """Write the parts one behind the other."""
    with target.open("wb") as out:
        for part in spec.parts:
            with _part_path(part).open("rb") as source:
                shutil.copyfileobj(source, out, _BLOCK)
    if (found := file_sha256(target)) != spec.sha256:
        problem = f"its parts give the SHA-256 {found}, not {spec.sha256}"
        raise ModelFileError(path=target, problem=problem)


def _requantise(source: Path, target: Path, file_type: int) -> None:
    silence_llama_cpp()
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = file_type
    parameters.allow_requantize = True
    code = llama_cpp.llama_model_quantize(
        str(source).encode(), str(target).encode(), ctypes.byref(parameters)
    )
    if code != 0:
        problem = f"llama.cpp could not write it from {source.name}; is the disk full?"
        raise ModelFileError(path=target, problem=problem)
