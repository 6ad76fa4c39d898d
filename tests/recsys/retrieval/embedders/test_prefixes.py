from __future__ import annotations

import pytest

from recsys.retrieval.embedders.prefixes import Prefixes, usual_prefixes


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("hf:intfloat/multilingual-e5-base", "query: "),
        ("intfloat/e5-small-v2", "query: "),
        ("intfloat/multilingual-e5-large-instruct", "Instruct: "),
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: "),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence"),
    ],
)
def test_well_known_families_have_their_prefixes(model: str, query: str) -> None:
    assert (usual_prefixes(model).query or "").startswith(query)


@pytest.mark.parametrize("model", ["BAAI/bge-m3", "sbert/all-MiniLM-L6-v2", "me/some-e5x", ""])
def test_others_have_none(model: str) -> None:
    assert usual_prefixes(model) == Prefixes()


def test_what_is_set_goes_before_what_is_usual() -> None:
    usual = Prefixes("query: ", "passage: ")
    assert Prefixes("", None).over(usual) == Prefixes("", "passage: ")
    assert Prefixes().over(usual) == usual
