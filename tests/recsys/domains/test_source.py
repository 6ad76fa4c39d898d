"""Files as they lie about: folders, archives, what cannot be read."""

from __future__ import annotations

import gzip
import io
import os
import random
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.domains.account import Account
from recsys.domains.inspect import inspect
from recsys.domains.registry import DATASETS, open_dataset
from recsys.domains.source import Source
from recsys.domains.streams import DamagedError, Unpacked
from recsys.domains.text import lines
from recsys.errors import DatasetFileError, DatasetFormatError, InputError, OtherDatasetError

STEAM = "1,Dota 2,purchase,1.0,0\n"


def steam_rows(count: int) -> bytes:
    draw = random.Random(0)
    return "".join(
        f"{user},Game {user % 97} é{draw.randbytes(4).hex()},purchase,1.0,0\n" for user in range(count)
    ).encode()


@settings(deadline=None)
@given(
    st.binary(max_size=4000), st.integers(1, 30), st.lists(st.integers(1, 3000), min_size=1), st.booleans()
)
def test_gzip_comes_out_as_it_went_in(data: bytes, times: int, sizes: list[int], two: bool) -> None:
    packed = gzip.compress(data * times) + (gzip.compress(b"more") + b"\0\0" if two else b"")
    stream = Unpacked(io.BytesIO(packed))
    out, number = b"", 0
    while part := stream.read(sizes[number % len(sizes)]):
        assert len(part) <= sizes[number % len(sizes)]
        out, number = out + part, number + 1
    assert out == data * times + (b"more" if two else b"")


def read_until_damage(packed: bytes) -> bytes:
    stream, out = Unpacked(io.BytesIO(packed)), b""
    try:
        while part := stream.read(1 << 16):
            out += part
    except DamagedError:
        return out
    pytest.fail("the damage was not noticed")


def test_damaged_gzip_gives_all_that_comes_before() -> None:
    data = random.Random(1).randbytes(200_000)
    packed = gzip.compress(data)
    assert len(read_until_damage(packed[:100_000])) > 99_000
    spoilt = read_until_damage(packed[:100_000] + b"\xff" * 1000 + packed[101_000:])
    assert spoilt[:99_000] == data[:99_000]
    assert read_until_damage(packed[:-4] + b"junk") == data, "only the length at the end is wrong"
    assert read_until_damage(packed + b"junk") == data


def test_gzip_that_was_cut_short_gives_whole_lines_and_says_so(tmp_path: Path) -> None:
    whole = gzip.compress(steam_rows(20_000))
    path = tmp_path / "steam-200k.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    dataset = open_dataset("steam", path)
    found = inspect(dataset)
    assert 5_000 < found.interactions < 15_000
    assert found.dropped == {"row cut off where its file is damaged": 1}, "a piece of a line is no row"
    (note,) = found.notes
    assert note.startswith("steam-200k.csv.gz is damaged or cut short")
    assert note.endswith(f"whole lines read: {found.interactions:,}")
    assert inspect(dataset) == found, "a second reading counts nothing twice"


def test_damaged_entry_of_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "steam.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("steam-200k.csv", steam_rows(20_000))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)
    found = inspect(open_dataset("steam", path))
    assert 9_000 < found.interactions < 20_000
    assert any("damaged" in note and "bytes are lost" in note for note in found.notes)


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetFileError, match="no such file"):
        open_dataset("steam", tmp_path / "gone")
    with pytest.raises(DatasetFileError, match="no files"):
        open_dataset("steam", tmp_path)
    with pytest.raises(DatasetFileError, match="neither a file nor a folder"):
        open_dataset("steam", Path("/dev/null"))
    (tmp_path / "steam.zip").write_bytes(b"PK no zip")
    with pytest.raises(DatasetFileError, match="not a whole zip"):
        open_dataset("steam", tmp_path)
    with pytest.raises(DatasetFileError, match="not a whole zip"):
        open_dataset("steam", tmp_path / "steam.zip")
    with pytest.raises(InputError, match="movielens"):
        open_dataset("netflix", tmp_path)


def test_bad_files_beside_good_ones_are_noted(tmp_path: Path) -> None:
    (tmp_path / "steam-200k.csv").write_text(STEAM)
    (tmp_path / "other.zip").write_bytes(b"PK no zip")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / ".hidden.csv").write_text(STEAM)
    notes = inspect(open_dataset("steam", tmp_path)).notes
    assert any("other.zip cannot be read: it is not a whole zip file" in note for note in notes)
    assert "gone.csv is no file that can be read" in notes
    assert "pipe.csv is no file that can be read" in notes
    assert not any("hidden" in note for note in notes)


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "steam-200k.csv").write_text(STEAM)
    (tmp_path / "data" / "steam").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "round").symlink_to(tmp_path / "data")
    assert [member.place for member in Source(tmp_path / "data").members] == ["steam/steam-200k.csv"]


def test_encrypted_zip_is_told(tmp_path: Path) -> None:
    path = tmp_path / "steam.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("steam-200k.csv", STEAM)
    data = bytearray(path.read_bytes())
    for place in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[place] |= 1
    path.write_bytes(data)
    with pytest.raises(DatasetFormatError, match=r"steam-200k\.csv \(.*encrypted"):
        open_dataset("steam", path)


@contextmanager
def as_nobody(root: Path) -> Iterator[None]:
    """Root may read everything, so become somebody who may not; `root` stays reachable."""
    if os.geteuid() != 0:
        yield
        return
    for folder in (root, *root.parents):
        if folder.stat().st_uid == 0 and folder.name.startswith(("pytest-", "popen-", root.name)):
            folder.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_without_permission(tmp_path: Path) -> None:
    closed, mixed = tmp_path / "closed", tmp_path / "mixed"
    for folder in (closed, mixed, mixed / "inner"):
        folder.mkdir()
    (closed / "steam-200k.csv").write_text(STEAM)
    (mixed / "steam-200k.csv").write_text(STEAM)
    (mixed / "secret.csv").write_text(STEAM)
    (mixed / "inner" / "more.csv").write_text(STEAM)
    for path in (closed, mixed / "inner", mixed / "secret.csv"):
        path.chmod(0)
    with as_nobody(tmp_path):
        with pytest.raises(DatasetFileError, match="Permission denied"):
            open_dataset("steam", closed)
        with pytest.raises(DatasetFileError, match="Permission denied"):
            open_dataset("steam", mixed / "secret.csv")
        found = inspect(open_dataset("steam", mixed))
    assert found.interactions == 1
    assert "inner cannot be read: Permission denied" in found.notes
    assert "secret.csv cannot be read: Permission denied" in found.notes


def test_file_that_goes_away_after_it_was_found(tmp_path: Path) -> None:
    path = tmp_path / "steam-200k.csv"
    path.write_text(STEAM)
    dataset = open_dataset("steam", tmp_path)
    path.unlink()
    with pytest.raises(DatasetFileError, match="cannot be read"):
        list(dataset.interactions())


def test_archives_inside_each_other(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        info = tarfile.TarInfo("deep/steam-200k.csv.gz")
        data = gzip.compress(STEAM.encode())
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("some folder/steam.tar.gz", packed.getvalue())
    source = Source(tmp_path)
    assert [member.place for member in source.members] == [
        "all.zip/some folder/steam.tar.gz/deep/steam-200k.csv.gz"
    ]
    assert list(lines(source.members[0], Account())) == [STEAM.strip()]


def test_names_from_archives_can_be_printed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("steam\x1b[31m\n-200k.csv", STEAM)
    (member,) = Source(tmp_path).members
    assert member.place.isprintable()


def packed_yelp(how: str) -> bytes:
    place = b'{"business_id": "b", "name": "Cafe"}\n' * 40
    review = b'{"user_id": "u", "business_id": "b", "stars": 4, "date": "2018-07-07"}\n' * 40
    out = io.BytesIO()
    if how == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("business.json", place)
            archive.writestr("review.json", review)
        return out.getvalue()
    with tarfile.open(fileobj=out, mode="w:gz" if how == "tgz" else "w") as tar:
        for name, data in (("business.json", place), ("review.json", review)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["zip", "tar", "tgz"]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6),
    st.integers(0, 10**6),
)
def test_spoilt_archives_are_read_in_part_or_refused_but_never_crash(
    tmp_path: Path, how: str, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(packed_yelp(how))
    for place, byte in changes:
        data[place % len(data)] = byte
    path = tmp_path / f"yelp.{how}"
    path.write_bytes(data[: max(1, len(data) - cut % (2 * len(data)))])
    with suppress(DatasetFileError, DatasetFormatError):
        inspect(open_dataset("yelp", path))


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("content", ["", "a,b,c\n1,2,3\n", "\x00\x01", "{", "[" * 100_000, '"', "\n\n"])
def test_another_file_is_refused_with_what_was_expected_and_found(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / "steam.csv").write_text(content)
    (tmp_path / "steam.json").write_text(content)
    with pytest.raises(DatasetFormatError, match=r"expected .*found .*steam\.csv") as caught:
        open_dataset(name, tmp_path)
    assert len(str(caught.value)) < 1000


def test_another_dataset_is_named(tmp_path: Path) -> None:
    (tmp_path / "steam-200k.csv").write_text(STEAM)
    with pytest.raises(
        OtherDatasetError, match=r"is not the dataset movielens.*It looks like steam\. Choose"
    ):
        open_dataset("movielens", tmp_path)
