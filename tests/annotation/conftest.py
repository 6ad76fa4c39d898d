"""A store in a folder of its own, and small prompts and candidates to put into it."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from annotation.records import CandidateRecord, PromptRecord
from annotation.store import AnnotationStore

MakePrompt = Callable[..., PromptRecord]
MakeCandidates = Callable[..., list[CandidateRecord]]


def _prompt(number: int = 0, language: str = "en") -> PromptRecord:
    return PromptRecord(
        situation="passive",
        form="direct",
        language=language,
        source_domain="films",
        target_domain="books",
        system="You recommend.",
        heading="The films this person watched:",
        history=(f"- Film {number} (오래된 영화)", "- Another film"),
        ask=f"What next? ({language})",
        history_items=(f"film-{number}", "another"),
        seed=number,
    )


def _candidates(*texts: str, model: str = "fake") -> list[CandidateRecord]:
    texts = texts or ("one", "two", "three", "four", "five")
    return [CandidateRecord(text, model, None, i, "{}", 3, "stop") for i, text in enumerate(texts)]


def _fill(store: AnnotationStore, sampled: int = 4) -> None:
    store.prompts.add(_prompt(n, "ko" if n % 2 else "en") for n in range(sampled + 2))
    for prompt in store.prompts.unsampled(sampled):
        store.prompts.save_candidates(prompt.id, _candidates())


@pytest.fixture(scope="session")
def make_prompt() -> MakePrompt:
    """A prompt by number and language; another number is another prompt."""
    return _prompt


@pytest.fixture(scope="session")
def make_candidates() -> MakeCandidates:
    """Five candidates, with these texts when they are given."""
    return _candidates


@pytest.fixture(scope="session")
def fill() -> Callable[..., None]:
    """Give a store prompts: `sampled` of them (en, ko, en, ...) with candidates, and two without."""
    return _fill


@pytest.fixture(scope="session")
def serving() -> Callable[[Path], AbstractContextManager[tuple[str, subprocess.Popen[bytes]]]]:
    """The endpoints over a store, in a process of their own."""
    spec = importlib.util.spec_from_file_location("serving", Path(__file__).with_name("serving.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.serving


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    """An empty store."""
    with AnnotationStore(tmp_path / "annotations.db") as store:
        yield store


@pytest.fixture
def filled(store: AnnotationStore) -> AnnotationStore:
    """A store with four sampled prompts (en, ko, en, ko) and two that have no candidates."""
    _fill(store)
    return store
