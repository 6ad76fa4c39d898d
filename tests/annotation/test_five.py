"""Candidates are looked at before a person sees them, and only the flawed ones are written again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from annotation.errors import PolicyError
from annotation.five import Five
from annotation.flaws import flaws, repetition
from annotation.policy import CandidateSource, Policy
from annotation.records import CandidateRecord, PromptRecord
from annotation.writers import Writer, choose_writers, one_writer
from recsys.llm.base import Completion, Delta, Priority, Request, Sampling

GOOD = "A quiet story about {}, because the two before it were about that as well."


class Scripted:
    """A model that answers what `write` says for a seed, counted from the prompt's own."""

    languages = ("en",)

    def __init__(self, write: Callable[[int], Completion], name: str = "scripted", base: int = 0) -> None:
        self.name = name
        self.requests: list[Request] = []
        self._write = write
        self._base = base

    def fit(self, request: Request) -> Request:
        return request

    def complete(self, request: Request) -> list[Completion]:
        self.requests.append(request)
        first = request.sampling.seed - self._base
        return [self._write(first + i) for i in range(request.n)]

    def complete_many(self, requests: object) -> list[Completion]:
        raise NotImplementedError

    def stream(self, request: Request) -> Iterator[Delta]:
        raise NotImplementedError

    def close(self) -> None:
        pass


def _good(number: int) -> Completion:
    words = ("gardens", "trains and telegraphs", "a king", "winter in the harbour", "seven sisters", "chess")
    return Completion(GOOD.format(words[number % 6] * (1 + number // 6)), 20, "stop", number)


def _five(prompt: PromptRecord, *writers: Writer, resamples: int = 3) -> list[CandidateRecord]:
    made = Five(prompt, writers, Priority.BACKGROUND, threading.Event()).write(resamples)
    assert made is not None
    return made


def test_good_candidates_are_one_batch(make_prompt) -> None:
    prompt = make_prompt()
    model = Scripted(_good, base=prompt.sampling_seed)
    made = _five(prompt, one_writer(model, None, Sampling()))
    assert [request.n for request in model.requests] == [5]
    assert [(c.attempts, c.marks) for c in made] == [(1, ())] * 5


@pytest.mark.parametrize(
    ("bad", "mark"),
    [
        (Completion("  ", 0, "stop", 0), "empty"),
        (Completion("It goes on and", 96, "length", 0), "cut off"),
        (Completion(" ".join(["the same word"] * 40), 120, "stop", 0), "repeating"),
        (Completion(_good(0).text + "!", 20, "stop", 0), "near duplicate"),
    ],
)
def test_only_the_flawed_one_is_written_again(make_prompt, bad: Completion, mark: str) -> None:
    prompt = make_prompt()
    model = Scripted(lambda n: bad if n == 3 else _good(n), base=prompt.sampling_seed)
    made = _five(prompt, one_writer(model, "dpo-1", Sampling(temperature=0.7)))
    assert [request.n for request in model.requests] == [5, 1]
    assert [c.attempts for c in made] == [1, 1, 1, 2, 1]
    assert all(c.marks == () for c in made)
    again = model.requests[1].sampling
    assert (again.seed, again.temperature) == (prompt.sampling_seed + 5, 0.7)
    assert Sampling.model_validate_json(made[3].sampling).temperature == 0.7
    # And where it is not written again, it is marked.
    assert _five(prompt, one_writer(model, None, Sampling()), resamples=0)[3].marks == (mark,)


def test_what_stays_flawed_is_marked_and_does_not_go_on_for_ever(make_prompt) -> None:
    prompt = make_prompt()
    model = Scripted(
        lambda n: Completion(_good(n).text.rstrip("."), 96, "length", n), base=prompt.sampling_seed
    )
    made = _five(prompt, one_writer(model, None, Sampling()), resamples=9)
    assert [request.n for request in model.requests] == [5, 5]  # the second round helped nobody
    assert all(c.marks == ("cut off",) for c in made)


def test_a_worse_second_try_is_thrown_away(make_prompt) -> None:
    prompt = make_prompt()
    cut = Completion("An answer about harbours that ends in the", 96, "length", 2)
    worse = Completion("", 96, "length", 5)
    model = Scripted(lambda n: {2: cut, 5: worse}.get(n) or _good(n), base=prompt.sampling_seed)
    made = _five(prompt, one_writer(model, None, Sampling()))
    assert (made[2].text, made[2].marks, made[2].attempts) == (cut.text, ("cut off",), 2)


def test_of_two_near_copies_one_is_marked() -> None:
    records = [
        CandidateRecord(t, "m", None, 0, "{}", 9, "stop") for t in ("An old  song.", "an old song", "b")
    ]
    assert flaws(records, [0.0] * 3) == [(), ("near duplicate",), ()]


def test_repetition_by_tokens_and_by_words() -> None:
    class Tokenizes:
        def token_ids(self, text: str) -> list[int]:
            return [1, 2] * 50

    assert repetition("whatever", 100, Tokenizes()) > 15
    assert repetition("again " * 50, 50) > 15
    assert repetition(GOOD, 20) < 15
    assert repetition("", 0) == 0.0


def test_several_models_among_the_five(make_prompt) -> None:
    prompt = make_prompt()
    app, other = Scripted(_good, "app", prompt.sampling_seed), Scripted(_good, "other", prompt.sampling_seed)
    sources = (
        CandidateSource(count=2),
        CandidateSource(count=2, adapter="dpo-1", temperature=0.3),
        CandidateSource(count=1, model="other", top_p=0.5),
    )
    models = {"other": other}.__getitem__
    writers = choose_writers(sources, "en", one_writer(app, None, Sampling()), models)
    made = _five(prompt, *writers)
    assert [(c.model, c.adapter) for c in made] == [
        ("app", None), ("app", None), ("app", "dpo-1"), ("app", "dpo-1"), ("other", None)
    ]  # fmt: skip
    assert len({c.seed for c in made}) == 5
    settings = [Sampling.model_validate_json(c.sampling) for c in made]
    assert [s.temperature for s in settings] == [0.8, 0.8, 0.3, 0.3, 0.8]
    assert settings[4].top_p == 0.5


def test_a_model_that_does_not_write_the_language_leaves_it_to_the_apps(make_prompt) -> None:
    app, other = Scripted(_good, "app"), Scripted(_good, "other")
    sources = (CandidateSource(count=4), CandidateSource(count=1, model="other"))
    writers = choose_writers(sources, "ko", one_writer(app, None, Sampling()), lambda name: other)
    assert [w.backend.name for w in writers] == ["app", "app"]
    with pytest.raises(PolicyError, match="own model"):
        choose_writers(sources, "ko", one_writer(app, None, Sampling()), None)


def test_a_cancelled_batch_gives_nothing(make_prompt) -> None:
    model = Scripted(lambda n: Completion("half", 1, "cancelled", n))
    five = Five(make_prompt(), [one_writer(model, None, Sampling())], Priority.BACKGROUND, threading.Event())
    assert five.write(3) is None


def test_sources_are_five_in_all() -> None:
    with pytest.raises(ValueError, match="4 candidates"):
        Policy(sources=(CandidateSource(count=4),))
