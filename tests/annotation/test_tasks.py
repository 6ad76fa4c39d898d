from __future__ import annotations

from collections import Counter

import pytest

from annotation.records import PromptRecord
from annotation.tasks import demo_prompts
from recsys.catalog import Item
from recsys.demos import DOMAINS, Demo, DemoHistory, DemoQuery, load_demos


def _demo(domain: str, items: int = 12) -> Demo:
    names = [f"{domain}-{n}" for n in range(items)]
    made = {n: Item(id=n, title=n.title(), domain=domain, phrases={"en": "a thing"}) for n in names}
    histories = tuple(DemoHistory(id=f"{domain}-h{n}", name={}, items=names[n : n + 4]) for n in range(6))
    queries = tuple(
        DemoQuery(id=f"{domain}-q{n}", language="ko" if n % 2 else "en", text=f"{domain} wish {n}")
        for n in range(12)
    )
    return Demo(domain, made, histories, queries)


@pytest.fixture(scope="module")
def prompts() -> list[PromptRecord]:
    return demo_prompts({domain: _demo(domain) for domain in DOMAINS})


def test_there_are_enough_and_no_two_alike(prompts: list[PromptRecord]) -> None:
    assert len(prompts) >= 200
    assert len({p.key for p in prompts}) == len(prompts)


def test_every_kind_has_its_share(prompts: list[PromptRecord]) -> None:
    kinds = Counter((p.situation, p.form, p.language, p.cross_domain) for p in prompts)
    assert len(kinds) == 16
    assert min(kinds.values()) >= 5
    assert {p.target_domain for p in prompts} == set(DOMAINS)
    assert {p.source_domain for p in prompts} == {*DOMAINS, ""}


def test_any_two_dozen_in_a_row_are_mixed(prompts: list[PromptRecord]) -> None:
    for start in range(0, len(prompts) - 24, 8):
        window = prompts[start : start + 24]
        for kind in ("situation", "form", "language", "cross_domain"):
            assert len({getattr(p, kind) for p in window}) == 2, (start, kind)
        assert len({p.target_domain for p in window}) >= 5


def test_the_same_seed_gives_the_same_prompts(prompts: list[PromptRecord]) -> None:
    demos = {domain: _demo(domain) for domain in DOMAINS}
    assert demo_prompts(demos, seed=0) == prompts
    assert demo_prompts(demos, seed=1) != prompts


def test_options_are_new_items_of_the_target(prompts: list[PromptRecord]) -> None:
    listwise = [p for p in prompts if p.form == "listwise"]
    assert {len(p.options) for p in listwise} == {4, 5}
    for prompt in listwise:
        assert all(option.startswith(f"{prompt.target_domain}-") for option in prompt.options)
        assert not set(prompt.options) & set(prompt.history_items)
        assert all(option.title() in prompt.ask for option in prompt.options)
    assert all(p.options == () for p in prompts if p.form == "direct")


def test_an_active_prompt_asks_the_query_in_its_language(prompts: list[PromptRecord]) -> None:
    for prompt in prompts:
        if prompt.situation == "active":
            assert prompt.query in prompt.ask
            assert prompt.language == ("ko" if int(prompt.query.split()[-1]) % 2 else "en")
        else:
            assert prompt.history
            assert not prompt.query


def test_a_prompt_knows_the_text_that_the_model_reads(prompts: list[PromptRecord]) -> None:
    prompt = next(p for p in prompts if p.situation == "passive")
    assert prompt.instruction == prompt.to_prompt().instruction
    assert len(prompt.history) == len(prompt.history_items)


def test_one_small_domain_is_enough() -> None:
    made = demo_prompts({"films": _demo("films", items=9)})
    assert made
    assert not any(p.cross_domain for p in made)
    assert {p.form for p in demo_prompts({"films": _demo("films", items=4)}) if p.history} == {"direct"}


def test_the_demo_data_that_ships_gives_at_least_200() -> None:
    try:
        demos = load_demos()
    except FileNotFoundError:
        pytest.skip("the demo data is not complete")
    assert len(demo_prompts(demos)) >= 200
