from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from training.gguf_reader import QuickReader, read_once


@pytest.mark.model
def test_the_quick_reader_finds_what_the_packages_own_finds(base_gguf: Path) -> None:
    quick, own = QuickReader(base_gguf), gguf.GGUFReader(base_gguf)
    assert quick.fields.keys() == own.fields.keys()
    for name, field in own.fields.items():
        assert quick.fields[name].types == field.types
        assert quick.fields[name].data == field.data
        parts = zip(quick.fields[name].parts, field.parts, strict=True)
        assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in parts)
    for a, b in zip(quick.tensors, own.tensors, strict=True):
        assert (a.name, a.tensor_type, a.data.dtype) == (b.name, b.tensor_type, b.data.dtype)
        assert np.array_equal(a.data, b.data)


def test_a_file_of_the_other_byte_order_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "swapped.gguf"
    writer = gguf.GGUFWriter(file, "llama", endianess=gguf.GGUFEndian.BIG)
    writer.add_uint32("answer", 42)
    writer.add_array("words", ["one", "둘", ""])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    fields = QuickReader(file).fields
    assert fields["answer"].contents() == 42
    assert fields["words"].contents() == ["one", "둘", ""]


@pytest.mark.parametrize("kept", [2, 30, 4000])
def test_a_file_that_is_cut_short_is_an_error(base_gguf: Path, tmp_path: Path, kept: int) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(base_gguf.read_bytes()[:kept])
    with pytest.raises((ValueError, IndexError)):
        QuickReader(cut)


def test_within_read_once_there_is_one_reader_of_a_file(base_gguf: Path) -> None:
    before = gguf.GGUFReader
    with read_once():
        assert gguf.GGUFReader(base_gguf) is gguf.GGUFReader(base_gguf)
    assert gguf.GGUFReader is before
