from __future__ import annotations

from recsys.catalog import Item
from recsys.retrieval.highlight import about, mark_passages
from recsys.retrieval.words import located


def marked(passage: str, **texts: str) -> list[tuple[str, str]]:
    marks = mark_passages([passage], texts)[0]  # type: ignore[arg-type]
    return [(passage[m.start : m.end], m.source) for m in marks]


def test_words_of_query_answer_and_history_are_told_apart() -> None:
    passage = "A lone gunslinger rides across the frontier for revenge."
    found = marked(
        passage, query="Gunslinger", answer="a tale of revenge", history="frontier justice, revenge"
    )
    assert found == [("gunslinger", "query"), ("frontier", "history"), ("revenge", "answer")]


def test_plurals_match_and_function_words_do_not() -> None:
    assert marked("Gods and a city", query="the cities of that god") == [("city", "query")]
    assert marked("They have been there with them", query="they have been there with them") == []


def test_korean_is_compared_by_morpheme_whatever_the_particle() -> None:
    assert ("복수", "query") in marked("🤠 그는 복수를 위해 길을 떠난다.", query="복수와 우정")


def test_places_are_those_of_the_text_after_emoji_and_letters_that_grow() -> None:
    for text in ("👩‍🚀 우주로 가는 기차", "İstanbul nights in İzmir", "ﬁnal fantasy"):
        assert all(text[start:end].strip() for _, start, end in located(text))
    text = "👩‍🚀👩‍🚀 우주로 가는 기차"
    assert [text[a:b] for word, a, b in located(text) if word == "기차"] == ["기차"]


def test_a_word_of_most_passages_tells_nothing() -> None:
    passages = [f"A film about thing{n}" for n in range(6)]
    marks = mark_passages(passages, {"query": "film thing3"})
    assert [len(of) for of in marks] == [0, 0, 0, 1, 0, 0]


def test_marks_do_not_overlap_and_nothing_is_marked_without_words() -> None:
    marks = mark_passages(["one two tiger tiger"], {"query": "tiger"})[0]
    assert [(m.start, m.end) for m in marks] == [(8, 13), (14, 19)]
    assert mark_passages(["words"], {}) == [()]
    assert mark_passages([], {"query": "words"}) == []


def test_a_history_counts_by_titles_phrases_and_attributes() -> None:
    item = Item(
        id="a", title="Heat", titles={"ko": "히트"}, phrases={"en": "two men"}, text="never read",
        attributes={"genres": ["crime"], "year": 1995},
    )  # fmt: skip
    assert about([item]).split("\n") == ["Heat", "히트", "two men", "crime", "1995"]
