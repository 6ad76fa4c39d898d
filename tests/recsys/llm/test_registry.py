from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from recsys.errors import ModelFileError, UnknownModelError
from recsys.llm.adapters import AdapterStore
from recsys.llm.gguf_metadata import read_metadata
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.model_files import model_file
from recsys.llm.registry import known_models, load_spec, prompt_format

SMALL = "smollm2-135m-instruct"


def test_known_models_are_pinned_and_the_default_is_first() -> None:
    models = known_models()
    assert list(models) == ["gemma-3-270m", SMALL]
    assert all(len(spec.sha256) == 64 and spec.parts and spec.licence for spec in models.values())
    assert models["gemma-3-270m"].languages == ("en", "ko")


def test_hub_name_is_parsed_before_anything_is_fetched() -> None:
    spec = load_spec("hf:org/name:Q8_0")
    assert (spec.style, spec.languages) == (None, ("en", "ko"))
    with pytest.raises(UnknownModelError, match="hf:org/name"):
        load_spec("hf:name")


@pytest.mark.parametrize("name", ["gpt-5", "", "model.bin", "../etc/passwd", "hugging:face"])
def test_unknown_name_is_refused_with_what_is_known(name: str) -> None:
    with pytest.raises(UnknownModelError, match=SMALL):
        load_spec(name)


def test_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such file"):
        load_spec(str(tmp_path / "gone.gguf"))


def test_own_file_with_a_chat_template_is_asked_in_chat(tmp_path: Path, smollm_file: Path) -> None:
    own = tmp_path / "own model.gguf"
    own.symlink_to(smollm_file)
    spec = load_spec(str(own))
    path = model_file(spec, tmp_path)
    assert path == smollm_file.resolve()
    assert prompt_format(path, spec.style).style == "chat"


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04 a zip file", "한글".encode()])
def test_file_that_is_no_gguf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="not a GGUF file"):
        load_spec(str(path))


@pytest.mark.parametrize("size", [4, 24, 1000, 100_000])
def test_file_whose_header_is_cut_is_refused(tmp_path: Path, smollm_file: Path, size: int) -> None:
    path = tmp_path / "cut.gguf"
    with smollm_file.open("rb") as file:
        path.write_bytes(file.read(size))
    with pytest.raises(ModelFileError, match="damaged or cut short"):
        load_spec(str(path))


@pytest.mark.model
def test_file_whose_tensors_are_cut_is_refused(tmp_path: Path, smollm_file: Path) -> None:
    path = tmp_path / "half.gguf"
    with smollm_file.open("rb") as file:
        path.write_bytes(file.read(smollm_file.stat().st_size // 2))
    with pytest.raises(ModelFileError, match="cut short"):
        LlamaCppBackend(load_spec(str(path)), path, AdapterStore(tmp_path))


def test_garbage_behind_the_magic_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "garbage.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 4096)
    with pytest.raises(ModelFileError, match="damaged"):
        load_spec(str(path))


def test_metadata_of_the_small_model(smollm_file: Path) -> None:
    metadata = read_metadata(smollm_file)
    assert metadata.architecture == "llama"
    assert metadata.eos == "<|im_end|>"
    assert metadata.chat_template
    assert "im_start" in metadata.chat_template


def test_prompt_format_takes_the_template_only_for_chat(smollm_file: Path) -> None:
    assert prompt_format(smollm_file, "plain").chat_template is None
    assert prompt_format(smollm_file, "chat").chat_template


@pytest.mark.parametrize("template", ["{{ raise_exception('never') }}", "{% for %}", "{{ 1 / 0 }}"])
def test_chat_template_that_fails_is_refused_at_the_start(
    smollm_file: Path, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    metadata = replace(read_metadata(smollm_file), chat_template=template)
    monkeypatch.setattr("recsys.llm.registry.read_metadata", lambda _: metadata)
    with pytest.raises(ModelFileError, match="its chat template fails"):
        prompt_format(smollm_file, None)


@pytest.mark.model
def test_base_model_has_no_chat_format(pool) -> None:
    path = model_file(load_spec("gemma-3-270m"), pool.settings.paths.models)
    with pytest.raises(ModelFileError, match="no chat template"):
        prompt_format(path, "chat")
