from __future__ import annotations

import pytest

from recsys.retrieval.answer_text import answer_part, named_title, named_titles, without_reasoning


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("This person likes ruins. The Green Knight fits: a young man rides alone.", "The Green Knight"),
        ("This person likes regret. Blue by Joni Mitchell fits, since it looks back.", "Blue"),
        ('They like noise. "Heat" and then "Mad Max" would do.', "Mad Max"),
        ("<think>Maybe Alien fits.</think> They like ruins. Dune answers it best.", "Dune"),
        ("이 사람은 고독한 이야기를 좋아한다. 《그린 나이트》가 어울린다.", "그린 나이트"),
        ("이 사람은 고독한 이야기를 좋아한다. 그린 나이트가 잘 맞는다.", "그린 나이트"),
        ("This person likes slow and sombre stories", ""),
        ("", ""),
    ],
)
def test_named_title(answer: str, title: str) -> None:
    assert named_title(answer) == title


def test_reasoning_is_cut_off() -> None:
    answer = "<think>Let me see.</think>This person likes ruins. They will want a dark film. Dune fits."
    assert without_reasoning(answer) == "They will want a dark film. Dune fits."
    assert without_reasoning("Only one sentence.") == "Only one sentence."
    assert without_reasoning("<think>never ends") == ""


def test_parts_of_an_answer() -> None:
    answer = ' <think>Hm.</think>This person likes ruins. They will like "Dune". '
    assert answer_part(answer, "whole") == answer.strip()
    assert answer_part(answer, "conclusion") == 'They will like "Dune".'
    assert answer_part(answer, "named") == "Dune"
    assert answer_part("They like ruins", "named") == ""


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        ('They like noise. "Heat" and then “Mad Max” would do, or **Dune**.', ["Heat", "Mad Max", "Dune"]),
        (
            "The Green Knight fits: a man rides. Blue by Joni Mitchell suits them too.",
            ["The Green Knight", "Blue"],
        ),
        ("<think>“Alien”</think> “Dune” is it.", ["Dune"]),
        ("그들은 ‘조용한 날’과 《그린 나이트》를 좋아할 것이다.", ["조용한 날", "그린 나이트"]),
        (
            'They say "so much for that" and "a long sentence of more than ten words in one pair of marks".',
            [],
        ),
        ("2 * 3 * 4, snake_case_words and a*b*c", []),
    ],
)
def test_every_named_title(answer: str, titles: list[str]) -> None:
    found = named_titles(answer)
    assert [one.name for one in found] == titles
    assert all(answer[one.start : one.end] == one.name for one in found)


def test_a_description_that_fits_is_not_surely_a_name() -> None:
    [one] = named_titles("They like ruins. A dark fantasy fits best.")
    assert not one.sure
    assert named_titles("They like ruins. The Green Knight fits best.")[0].sure
