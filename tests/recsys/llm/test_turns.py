from __future__ import annotations

import threading
from contextlib import suppress

from recsys.llm.base import Priority
from recsys.llm.turns import Turns


def test_one_at_a_time() -> None:
    turns, inside, most = Turns(), [0], [0]

    def work() -> None:
        for _ in range(50):
            with turns.turn(Priority.INTERACTIVE):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1]
    assert not any(thread.is_alive() for thread in threads)


def test_background_gives_way_to_a_person_and_goes_on() -> None:
    turns, order = Turns(), []

    def person() -> None:
        with turns.turn(Priority.INTERACTIVE):
            order.append("person")

    with turns.turn(Priority.BACKGROUND):
        assert not turns.give_way(Priority.BACKGROUND), "nobody waits"
        thread = threading.Thread(target=person)
        thread.start()
        while not turns.give_way(Priority.BACKGROUND):
            assert order == []
        order.append("background")
    thread.join(30)
    assert order == ["person", "background"]


def test_person_does_not_give_way() -> None:
    turns = Turns()
    done = threading.Event()

    def other(priority: Priority) -> None:
        with turns.turn(priority):
            done.set()

    with turns.turn(Priority.INTERACTIVE):
        threads = [threading.Thread(target=other, args=(p,)) for p in Priority]
        for thread in threads:
            thread.start()
        for _ in range(100):
            assert not turns.give_way(Priority.INTERACTIVE)
        assert not done.is_set()
    for thread in threads:
        thread.join(30)
    assert done.is_set()


def test_turn_is_given_back_after_an_error() -> None:
    turns, had = Turns(), []
    for number in range(2):
        with suppress(ValueError), turns.turn(Priority.BACKGROUND):
            had.append(number)
            raise ValueError
    assert had == [0, 1]
