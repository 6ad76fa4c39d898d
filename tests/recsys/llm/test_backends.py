from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recsys.errors import ModelFileError, ServerNameError, UnknownModelError
from recsys.llm import hub
from recsys.llm.adapters import AdapterStore
from recsys.llm.backends import describe, open_backend, split_typed
from recsys.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
SERVER = "openai:http://localhost:8000/v1#m"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a model."""
    folder = tmp_path / "a+b model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes(b"{}")
    return folder


def test_name_decides_the_backend(folder: Path, smollm_file: Path) -> None:
    kinds = {
        "gemma-3-270m": "llama.cpp",
        str(smollm_file): "llama.cpp",
        str(folder): "transformers",
        "hf:org/name": "transformers",
        "hf:org/name-GGUF": "llama.cpp",
        "hf:org/name:Q8_0": "llama.cpp",
        SERVER: "openai",
    }
    assert {name: describe(name).kind for name in kinds} == kinds
    assert describe("smollm2-135m-instruct").languages == ("en",)


def test_cache_decides_where_it_knows(monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> None:
    found = {"hf:org/name": tmp_path / "x.gguf", "hf:org/name-GGUF": folder}
    monkeypatch.setattr(hub, "cached", lambda name, dense: found[name])
    assert describe("hf:org/name").kind == "llama.cpp"
    assert describe("hf:org/name-GGUF").kind == "transformers"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("gpt-5", UnknownModelError),
        ("", UnknownModelError),
        ("hf:name", UnknownModelError),
        ("\ud800", UnknownModelError),
        ("a\0b", UnknownModelError),
        ("openai:http://host/v1", ServerNameError),
        ("gone.gguf", ModelFileError),
        (str(ROOT), ModelFileError),
    ],
)
def test_other_names_are_refused(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        describe(name)


def test_folder_without_a_model_says_what_is_missing(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"config\.json, or not all of its model\.safetensors"):
        describe(str(folder))


def test_typed_reference_is_split_at_an_adapters_name(folder: Path) -> None:
    for model in ("gemma-3-270m", str(folder), SERVER, "hf:org/name"):
        assert split_typed(model) == (model, None)
        assert split_typed(f"{model}+tuned.v1") == (model, "tuned.v1")
    assert split_typed("gpt-5+tuned") == ("gpt-5+tuned", None)
    assert split_typed(f"{SERVER}+Not A Name") == (f"{SERVER}+Not A Name", None)


def test_damaged_folder_is_an_error_of_the_project(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError):
        open_backend(str(folder), Settings(home=tmp_path), AdapterStore(tmp_path))


def test_server_is_not_contacted_before_it_is_asked(tmp_path: Path) -> None:
    opened = open_backend("openai:http://127.0.0.1:1/v1#m", Settings(home=tmp_path), AdapterStore(tmp_path))
    assert (opened.kind, opened.backend.name) == ("openai", "openai:http://127.0.0.1:1/v1#m")
    opened.backend.close()


def test_libraries_of_a_backend_wait_until_it_is_chosen(folder: Path) -> None:
    script = f"""
import sys
from recsys.llm.backends import describe
from recsys.llm.pool import ModelPool
for name in ("gemma-3-270m", {str(folder)!r}, {SERVER!r}):
    describe(name)
print(*(name for name in ("torch", "transformers", "peft", "openai") if name in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == ""
