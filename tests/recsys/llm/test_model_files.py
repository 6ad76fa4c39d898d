from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader
from gguf.quants import dequantize

from recsys.errors import ModelFileError
from recsys.llm.gguf_metadata import read_metadata
from recsys.llm.model_files import model_file
from recsys.llm.registry import ModelSpec, load_spec

SMALL = "smollm2-135m-instruct"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An importable package that carries two parts of a file."""
    folder = tmp_path / "site" / "weights_for_test"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (folder / "part0").write_bytes(b"GGUF first ")
    (folder / "part1").write_bytes(b"second")
    monkeypatch.syspath_prepend(str(folder.parent))
    return folder.name


def _spec(*parts: str, content: bytes = b"GGUF first second") -> ModelSpec:
    digest = hashlib.sha256(content).hexdigest()
    return ModelSpec(name="test", style="plain", languages=("en",), parts=parts, sha256=digest)


def test_file_in_one_part_is_used_where_it_lies(tmp_path: Path, package: str) -> None:
    path = model_file(_spec(f"{package}:part1", content=b"second"), tmp_path / "models")
    assert path.read_bytes() == b"second"
    assert path.parent.name == package


def test_another_hash_is_refused(tmp_path: Path) -> None:
    spec = load_spec(SMALL).model_copy(update={"sha256": "0" * 64})
    with pytest.raises(ModelFileError, match="SHA-256"):
        model_file(spec, tmp_path)


def test_parts_are_put_together_once(tmp_path: Path, package: str) -> None:
    spec = _spec(f"{package}:part0", f"{package}:part1")
    path = model_file(spec, tmp_path)
    assert path.read_bytes() == b"GGUF first second"
    written = path.stat().st_mtime_ns
    assert model_file(spec, tmp_path) == path
    assert path.stat().st_mtime_ns == written


def test_wrong_parts_leave_no_file(tmp_path: Path, package: str) -> None:
    models = tmp_path / "models"
    models.mkdir()
    with pytest.raises(ModelFileError, match="SHA-256"):
        model_file(_spec(f"{package}:part1", f"{package}:part0"), models)
    assert not [p for p in models.iterdir() if p.suffix != ".lock"]


def test_assembled_file_that_was_damaged_is_made_again(tmp_path: Path, package: str) -> None:
    spec = _spec(f"{package}:part0", f"{package}:part1")
    model_file(spec, tmp_path).write_bytes(b"GGUF first")
    assert model_file(spec, tmp_path).read_bytes() == b"GGUF first second"


def test_hub_name_is_fetched_when_its_file_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.llm.hub.fetch", lambda name: tmp_path / name[-4:])
    assert model_file(load_spec("hf:org/name:Q8_0"), tmp_path) == tmp_path / "Q8_0"


@pytest.mark.parametrize("count", [1, 2])
def test_missing_package_is_named(tmp_path: Path, count: int) -> None:
    with pytest.raises(ModelFileError, match="no_such_package is not installed"):
        model_file(_spec(*["no_such_package:file"] * count), tmp_path)


@pytest.mark.parametrize("count", [1, 2])
def test_missing_file_in_a_package_is_named(tmp_path: Path, package: str, count: int) -> None:
    with pytest.raises(ModelFileError, match="gone") as caught:
        model_file(_spec(*[f"{package}:gone"] * count), tmp_path)
    assert "written" not in str(caught.value)


def test_small_model_is_requantised_once_and_keeps_its_metadata(tmp_path: Path, smollm_file: Path) -> None:
    path = model_file(load_spec(SMALL), tmp_path)
    types = {tensor.tensor_type.name for tensor in GGUFReader(path).tensors}
    assert types == {"F32", "Q8_0"}
    assert read_metadata(path) == read_metadata(smollm_file)
    written = path.stat().st_mtime_ns
    assert model_file(load_spec(SMALL), tmp_path) == path
    assert path.stat().st_mtime_ns == written
    assert not list(tmp_path.glob("*.part"))


def test_requantised_weights_are_those_of_the_package(tmp_path: Path, smollm_file: Path) -> None:
    def weights(path: Path) -> np.ndarray:
        tensor = next(t for t in GGUFReader(path).tensors if t.name == "blk.7.ffn_up.weight")
        return dequantize(tensor.data, tensor.tensor_type)

    theirs, ours = weights(smollm_file), weights(model_file(load_spec(SMALL), tmp_path))
    largest_of_block = np.abs(theirs).reshape(-1, 32).max(axis=1, keepdims=True)
    error = np.abs(ours - theirs).reshape(-1, 32)
    # Half a step of 127, and the rounding of the step itself to 16 bits.
    assert (error <= largest_of_block / 127 * 0.57).all()


@pytest.mark.parametrize("harm", ["cut", "changed", "mark gone"])
def test_requantised_file_that_was_damaged_is_made_again(tmp_path: Path, harm: str) -> None:
    path = model_file(load_spec(SMALL), tmp_path)
    whole = path.read_bytes()
    if harm == "cut":
        path.write_bytes(whole[:-1000])
    elif harm == "changed":
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    else:
        path.with_suffix(".sha256").unlink()
    assert model_file(load_spec(SMALL), tmp_path).read_bytes() == whole
