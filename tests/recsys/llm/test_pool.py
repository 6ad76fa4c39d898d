from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recsys.errors import (
    AdapterFileError,
    ModelFileError,
    NotReadyError,
    UnknownAdapterError,
    UnknownModelError,
    ZeroshelfError,
)
from recsys.llm.base import Request, Sampling
from recsys.llm.pool import ModelPool, split_reference
from recsys.prompts.formats import Prompt
from recsys.settings import Settings

MakeAdapter = Callable[..., Path]
MakePool = Callable[..., ModelPool]

SMALL = "smollm2-135m-instruct"


@pytest.fixture
def make_pool(tmp_path: Path) -> Iterator[MakePool]:
    pools: list[ModelPool] = []

    def make(model: str | Path = SMALL) -> ModelPool:
        settings = Settings(home=tmp_path / "home", model=str(model), context_tokens=512)
        pools.append(ModelPool(settings))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def copies(tmp_path: Path, smollm_file: Path) -> list[str]:
    """The small model under three names of the user's own."""
    paths = [tmp_path / f"own{n}.gguf" for n in range(3)]
    for path in paths:
        path.symlink_to(smollm_file)
    return [str(path) for path in paths]


@pytest.mark.parametrize(
    ("reference", "parts"),
    [("a", ("a", None)), ("a+b", ("a", "b")), ("a+", ("a", "")), ("", ("", None)), ("a+b+c", ("a", "b+c"))],
)
def test_split_reference(reference: str, parts: tuple[str, str | None]) -> None:
    assert split_reference(reference) == parts


@pytest.mark.model
def test_resolve_gives_the_model_and_the_adapter(make_pool: MakePool, make_adapter: MakeAdapter) -> None:
    pool = make_pool()
    make_adapter(pool.settings.paths.adapters, "tuned")
    backend, adapter = pool.resolve("")
    assert (backend.name, adapter) == (SMALL, None)
    assert pool.resolve(SMALL) == (backend, None)
    assert pool.resolve(f"{SMALL}+tuned") == (backend, "tuned")


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("gpt-5", UnknownModelError),
        ("+tuned", UnknownModelError),
        ("gpt-5+tuned", UnknownModelError),
        ("hf:org/name", UnknownModelError),
        (f"{SMALL}+nothing", UnknownAdapterError),
        (f"{SMALL}+", UnknownAdapterError),
        (f"{SMALL}+../../etc", UnknownAdapterError),
        (f"{SMALL}+for-gemma", UnknownAdapterError),
        (f"{SMALL}+no-file", AdapterFileError),
        ("../model.gguf", UnknownModelError),
        ("/etc/passwd", UnknownModelError),
        ("\ud800", UnknownModelError),
    ],
)
def test_resolve_refuses_before_anything_is_loaded(
    make_pool: MakePool, make_adapter: MakeAdapter, reference: str, error: type[ZeroshelfError]
) -> None:
    pool = make_pool()
    make_adapter(pool.settings.paths.adapters, "for-gemma", base="gemma-3-270m", content=b"x")
    make_adapter(pool.settings.paths.adapters, "no-file", content=None)
    with pytest.raises(error):
        pool.resolve(reference)
    assert not any(info.ready for info in pool.list())


def test_path_from_outside_is_refused_even_where_it_exists(make_pool: MakePool, copies: list[str]) -> None:
    with pytest.raises(UnknownModelError) as caught:
        make_pool().resolve(copies[0])
    assert copies[0] not in str(caught.value.details["known"])


@pytest.mark.model
def test_path_of_the_settings_can_be_named(make_pool: MakePool, copies: list[str]) -> None:
    pool = make_pool(copies[0])
    assert pool.resolve("")[0] is pool.resolve(copies[0])[0]


@pytest.mark.model
@pytest.mark.parametrize("folder", ["c++", "with space", "모델"])
def test_path_of_the_settings_may_hold_any_character(
    make_pool: MakePool, make_adapter: MakeAdapter, tmp_path: Path, smollm_file: Path, folder: str
) -> None:
    path = tmp_path / folder / "a+b.gguf"
    path.parent.mkdir()
    path.symlink_to(smollm_file)
    pool = make_pool(path)
    make_adapter(pool.settings.paths.adapters, "tuned", base=str(path))
    backend, adapter = pool.resolve("")
    assert (backend.name, adapter) == (str(path), None)
    assert pool.resolve(f"{path}+tuned") == (backend, "tuned")


def test_list_has_the_default_first_and_adapters_behind_their_base(
    make_pool: MakePool, make_adapter: MakeAdapter
) -> None:
    pool = make_pool()
    make_adapter(pool.settings.paths.adapters, "tuned", content=b"x")
    make_adapter(pool.settings.paths.adapters, "korean", base="gemma-3-270m", content=b"x")
    assert [(m.name, m.adapter, m.languages) for m in pool.list()] == [
        (SMALL, None, ("en",)),
        (f"{SMALL}+tuned", "tuned", ("en",)),
        ("gemma-3-270m", None, ("en", "ko")),
        ("gemma-3-270m+demo-plain", "demo-plain", ("en", "ko")),  # comes with the app
        ("gemma-3-270m+korean", "korean", ("en", "ko")),
    ]
    assert not any(m.ready or m.error for m in pool.list())


def test_list_says_why_a_model_cannot_be_used(make_pool: MakePool, tmp_path: Path) -> None:
    first = make_pool(tmp_path / "gone.gguf").list()[0]
    assert first.error is not None
    assert "no such file" in first.error
    assert not first.ready


@pytest.mark.model
def test_at_most_two_models_are_resident(make_pool: MakePool, copies: list[str]) -> None:
    pool = make_pool(copies[0])
    first, second = pool.get(copies[0]), pool.get(copies[1])
    assert pool.get(copies[0]) is first, "now the second is the one that was not used for longest"
    pool.get(copies[2])
    assert [pool.ready(name) for name in copies] == [True, False, True]
    prompt = Prompt("Be brief.", "Say hello.")
    with pytest.raises(NotReadyError):
        second.complete(Request(prompt, Sampling(max_tokens=2)))
    assert first.complete(Request(prompt, Sampling(max_tokens=2)))[0].tokens >= 1
    assert pool.get(copies[1]) is not second


@pytest.mark.model
def test_several_threads_load_a_model_once(make_pool: MakePool) -> None:
    pool = make_pool()
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: pool.get(SMALL), range(4)))
    assert len({id(backend) for backend in found}) == 1


@pytest.mark.model
def test_preload_makes_the_default_model_ready(make_pool: MakePool) -> None:
    pool = make_pool()
    with pytest.raises(NotReadyError, match=SMALL):
        pool.get(SMALL, wait=False)
    pool.preload()
    _wait_for_loading()
    assert pool.ready(SMALL)
    assert pool.error(SMALL) is None
    assert pool.get(SMALL, wait=False).name == SMALL
    assert pool.list()[0].ready


@pytest.mark.model
def test_failed_preload_is_told_instead_of_waited_for(
    make_pool: MakePool, tmp_path: Path, smollm_file: Path
) -> None:
    path = tmp_path / "half.gguf"
    with smollm_file.open("rb") as file:
        path.write_bytes(file.read(smollm_file.stat().st_size // 2))
    pool = make_pool(path)
    pool.preload()
    _wait_for_loading()
    assert isinstance(pool.error(str(path)), ModelFileError)
    with pytest.raises(ModelFileError, match="cut short"):
        pool.get(str(path), wait=False)
    assert "cut short" in (pool.list()[0].error or "")
    path.unlink()
    path.symlink_to(smollm_file)
    assert pool.get(str(path)).name == str(path), "a repaired file is loaded at the next try"
    assert pool.error(str(path)) is None


def _wait_for_loading() -> None:
    deadline = time.monotonic() + 120
    while any(t.name == "load-model" for t in threading.enumerate()):
        assert time.monotonic() < deadline, "the model was not loaded"
        time.sleep(0.01)


def test_only_models_with_a_file_can_be_trained(make_pool: MakePool, copies: list[str]) -> None:
    assert make_pool("openai:http://localhost:1/v1#m").trainable() == ("gemma-3-270m", SMALL)
    assert make_pool(copies[0]).trainable()[0] == copies[0]


def test_list_names_the_backend_of_a_server(make_pool: MakePool) -> None:
    name = "openai:http://localhost:1/v1#m"
    first = make_pool(name).list()[0]
    assert (first.name, first.backend, first.ready) == (name, "openai", False)


@pytest.mark.model
def test_typed_reference_may_name_any_model(
    make_pool: MakePool, make_adapter: MakeAdapter, copies: list[str]
) -> None:
    pool = make_pool()
    make_adapter(pool.settings.paths.adapters, "tuned", base=copies[0])
    with pytest.raises(UnknownModelError):
        pool.resolve(f"{copies[0]}+tuned")
    backend, adapter = pool.resolve(f"{copies[0]}+tuned", typed=True)
    assert (backend.name, adapter) == (copies[0], "tuned")
    with pytest.raises(UnknownAdapterError):
        pool.resolve(f"{copies[0]}+other", typed=True)
    with pytest.raises(UnknownModelError):
        pool.resolve("gpt-5+tuned", typed=True)


def test_default_model_keeps_its_plus_signs_when_typed(make_pool: MakePool) -> None:
    name = "openai:http://localhost:1/v1#a+b"
    pool = make_pool(name)
    for reference in ("", name):
        backend, adapter = pool.resolve(reference, typed=True)
        assert (backend.name, adapter) == (name, None)
    assert pool.resolve(f"{name}+tuned", typed=True) == (backend, "tuned")


def test_reference_is_checked_without_loading(make_pool: MakePool, copies: list[str]) -> None:
    pool = make_pool()
    for reference in ("", SMALL, f"{SMALL}+any", "gemma-3-270m"):
        pool.check_reference(reference)
    for reference in (copies[0], "openai:http://localhost:1/v1#m", "hf:org/name", "gpt-5"):
        with pytest.raises(UnknownModelError):
            pool.check_reference(reference)
