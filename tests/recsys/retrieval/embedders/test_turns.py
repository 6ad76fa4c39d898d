from __future__ import annotations

import threading

import pytest

from recsys.retrieval.embedders.turns import Turns


def test_person_goes_before_background_work_that_came_earlier() -> None:
    turns, order = Turns(), list[str]()
    arrived = {name: threading.Event() for name in ("background", "person")}

    def background() -> None:
        arrived["background"].set()
        with turns.after():
            order.append("background")

    def person() -> None:
        arrived["person"].set()
        with turns.first():
            order.append("person")

    threads = [threading.Thread(target=target) for target in (background, person)]
    with turns.first():
        for name, thread in zip(arrived, threads, strict=True):
            thread.start()
            assert arrived[name].wait(5)
        while turns.waiting < 1:
            threading.Event().wait(0.001)
    for thread in threads:
        thread.join()
    assert order == ["person", "background"]


def test_turn_ends_with_an_error_too() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="no"), turns.after():
        raise ValueError("no")
    with turns.first(), pytest.raises(ZeroDivisionError):
        _ = 1 / 0
    with turns.after():
        pass


def test_only_one_holds_it() -> None:
    turns, inside, most = Turns(), 0, 0

    def work(number: int) -> None:
        nonlocal inside, most
        for _ in range(50):
            with turns.first() if number % 2 else turns.after():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work, args=[n]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
