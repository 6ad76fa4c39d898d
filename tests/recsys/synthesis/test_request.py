"""Jobs as page and API ask for them: names from lists only, and messages that say what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recsys.domains.sources import SourceFolder
from recsys.errors import InputError, UnknownModelError
from recsys.synthesis.request import requested_config


def check(name: str) -> None:
    if name != "gemma-3-270m":
        raise UnknownModelError(name=name, known="gemma-3-270m")


def test_names_become_paths_and_datasets(sources: Path) -> None:
    values = {
        "sources": [{"source": "films", "share": 2}, {"source": "games", "dataset": "steam"}],
        "examples": 5,
    }
    config = requested_config(values, SourceFolder(sources), check)
    assert [(s.dataset, s.path, s.share) for s in config.sources] == [
        ("movielens", sources / "films", 2.0),
        ("steam", sources / "games", None),
    ]
    assert config.examples == 5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "No source is chosen"),
        ({"sources": []}, "No source is chosen"),
        ({"sources": [{"source": "../films"}]}, "There is no source called"),
        ({"sources": [{"source": "films", "path": "/etc"}]}, "sources"),
        ({"sources": [{"source": "films", "dataset": "cheese"}]}, "unknown datasets"),
        ({"sources": [{"source": "films"}, {"source": "films"}]}, "named twice"),
        ({"sources": [{"source": "films"}], "examples": 0}, "examples"),
        ({"sources": [{"source": "films"}], "languages": {}}, "weights"),
        ({"sources": [{"source": "films"}], "tokenizer": "/etc/passwd"}, "There is no model"),
        ({"sources": [{"source": "films"}], "teacher": {"model": "openai:http://10.0.0.1/v1#x"}}, "no model"),
        ({"sources": [{"source": "films"}], "surprise": 1}, "surprise"),
    ],
)
def test_bad_requests_are_explained(sources: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        requested_config(values, SourceFolder(sources), check)


def test_a_source_that_is_nothing_known_is_explained(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    with pytest.raises(InputError, match="no dataset that is known"):
        requested_config({"sources": [{"source": "notes.txt"}]}, SourceFolder(tmp_path), check)
