from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from recsys.llm.registry import known_models
from recsys.settings import Settings, usable_cpus


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ZEROSHELF_")]:
        monkeypatch.delenv(name)


def test_defaults_are_local_and_the_first_known_model() -> None:
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.port == 7860
    assert settings.model == next(iter(known_models())) == "gemma-3-270m"
    assert settings.language == "auto"
    assert settings.auth_file is None
    assert settings.threads == usable_cpus() >= 1
    assert settings.home.name == "zeroshelf"


def test_environment_goes_over_defaults_and_arguments_over_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZEROSHELF_HOME", str(tmp_path))
    monkeypatch.setenv("ZEROSHELF_PORT", "9000")
    monkeypatch.setenv("ZEROSHELF_CONTEXT_TOKENS", "1024")
    assert (Settings().home, Settings().port, Settings().context_tokens) == (tmp_path, 9000, 1024)
    assert Settings(port=9001).port == 9001


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PORT", "http"),
        ("LANGUAGE", "fr"),
        ("CONTEXT_TOKENS", "16"),
        ("THREADS", "0"),
        ("MAX_ANSWER_TOKENS", "0"),
    ],
)
def test_bad_environment_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ZEROSHELF_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_paths_lie_under_home_and_are_made_when_asked_for(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    paths = Settings(home=home).paths
    assert not home.exists()
    folders = [paths.models, paths.adapters, paths.runs, paths.index]
    assert len(set(folders)) == 4
    assert all(folder.is_dir() and folder.parent == home for folder in folders)
    assert paths.annotations.parent == home


def test_home_may_begin_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(home=Path("~/data")).paths.home == tmp_path / "data"
