"""Servers that refuse, break off, dawdle or talk nonsense, written with the standard library."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from recsys.errors import (
    PromptTooLongError,
    ServedModelError,
    ServerAnswerError,
    ServerBusyError,
    ServerKeyError,
    ServerUnreachableError,
    UnknownAdapterError,
    ZeroshelfError,
)
from recsys.llm.base import Priority, Request, Sampling
from recsys.llm.openai_server.backend import OpenAIBackend
from recsys.prompts.formats import Prompt
from tests.recsys.llm.openai_server.support import DONE, Misbehaving, Reply, chunk

MakeServer = Callable[..., Misbehaving]
MakeBackend = Callable[..., OpenAIBackend]

PROMPT = Prompt("Be brief.", "Films:", tuple(f"- Film number {i}, a long title" for i in range(40)))
SHORT = Sampling(max_tokens=8, seed=7)
WHOLE = (chunk("All "), chunk("is well"), chunk(finish="stop"), DONE)


def _ask(n: int = 1, **changes: Any) -> Request:
    return Request(PROMPT, SHORT, n=n, **changes)


def test_choices_of_one_stream_are_told_apart(make_server: MakeServer, make_backend: MakeBackend) -> None:
    def answer(reply: Reply, number: int) -> None:
        parts = [chunk(f"{word} {i}", index=i) for word in ("a", " b") for i in (1, 0, 2)]
        ends = [chunk(index=i, finish=reason) for i, reason in ((2, "length"), (0, "stop"), (1, "abort"))]
        reply.stream(*parts, *ends, DONE)

    server = make_server(answer)
    answers = make_backend(server.url).complete(_ask(3))
    assert [(a.text, a.finish, a.seed) for a in answers] == [
        ("a 0 b 0", "stop", 7),
        ("a 1 b 1", "stop", 8),
        ("a 2 b 2", "length", 9),
    ]
    assert [body["n"] for body in server.asked] == [3]


def test_ignored_n_is_made_up_for_with_requests_of_their_own(
    make_server: MakeServer, make_backend: MakeBackend
) -> None:
    server = make_server(lambda r, _: r.stream(chunk(f"seed {r.body['seed']}"), chunk(finish="stop"), DONE))
    backend = make_backend(server.url)
    for _ in range(2):
        assert [a.text for a in backend.complete(_ask(3))] == ["seed 7", "seed 8", "seed 9"]
    assert [body.get("n") for body in server.asked] == [3, *[None] * 5], "the second time it is known"


def test_refused_n_is_made_up_for(make_server: MakeServer, make_backend: MakeBackend) -> None:
    def answer(reply: Reply, number: int) -> None:
        if reply.body.get("n"):
            reply.error(400, "Only one completion choice is allowed")
        else:
            reply.stream(chunk(f"seed {reply.body['seed']}"), chunk(finish="stop"), DONE)

    backend = make_backend(make_server(answer).url)
    texts = ["", ""]
    for delta in backend.stream(_ask(2)):
        texts[delta.index] += delta.text
    assert texts == ["seed 7", "seed 8"]


def test_unknown_settings_and_roles_are_left_out(make_server: MakeServer, make_backend: MakeBackend) -> None:
    def answer(reply: Reply, number: int) -> None:
        if "top_k" in reply.body:
            reply.error(422, "Extra inputs are not permitted")
        elif reply.body["messages"][0]["role"] == "system":
            reply.error(400, "System role not supported")
        else:
            reply.stream(*WHOLE)

    server = make_server(answer)
    backend = make_backend(server.url)
    assert backend.complete(_ask())[0].text == "All is well"
    assert backend.complete(_ask())[0].text == "All is well"
    assert len(server.asked) == 4, "what was learnt is kept"
    assert server.asked[-1]["messages"][0]["content"].startswith("Be brief.\n\nFilms:")


def test_what_no_change_helps_is_said(make_server: MakeServer, make_backend: MakeBackend) -> None:
    server = make_server(lambda r, _: r.error(400, "the moon is full"))
    with pytest.raises(ServerAnswerError, match="status 400, the moon is full"):
        make_backend(server.url).complete(_ask(2))
    assert len(server.asked) <= 5


def test_busy_server_is_asked_again_after_the_time_it_names(
    make_server: MakeServer, make_backend: MakeBackend
) -> None:
    def answer(reply: Reply, number: int) -> None:
        if number == 0:
            reply.error(429, "slow down", Retry_After="0.01")
        else:
            reply.stream(*WHOLE)

    server = make_server(answer)
    assert make_backend(server.url).complete(_ask())[0].text == "All is well"
    assert len(server.asked) == 2


def test_server_that_stays_busy_is_given_up(make_server: MakeServer, make_backend: MakeBackend) -> None:
    server = make_server(lambda r, _: r.error(429, "quota\nused up", Retry_After="0.01"))
    with pytest.raises(ServerBusyError, match="quota used up"):
        make_backend(server.url).complete(_ask())
    assert len(server.asked) == 3


def test_stream_that_is_cut_is_asked_again_where_nobody_has_seen_it(
    make_server: MakeServer, make_backend: MakeBackend
) -> None:
    def answer(reply: Reply, number: int) -> None:
        reply.stream(*(WHOLE if number else WHOLE[:2]))

    server = make_server(answer)
    assert make_backend(server.url).complete(_ask())[0].text == "All is well"
    cut = make_server(lambda r, _: r.stream(*WHOLE[:2]))
    seen = []
    with pytest.raises(ServerAnswerError, match="broke off"):
        seen.extend(make_backend(cut.url).stream(_ask()))
    assert "".join(d.text for d in seen) == "All is well"
    assert len(cut.asked) == 1, "what somebody has read is not written a second time"
    with pytest.raises(ServerAnswerError, match="broke off"):
        make_backend(cut.url).complete(_ask())
    assert len(cut.asked) == 4


@pytest.mark.parametrize(
    "answer",
    [
        lambda r, _: r.raw(200, b"<html>a proxy's page</html>", "text/html"),
        lambda r, _: r.raw(200, b"not json", "application/json"),
        lambda r, _: r.json(200, []),
        lambda r, _: r.json(200, {"choices": [{"index": 5}]}),
        lambda r, _: r.stream("data: {broken\n\n"),
        lambda r, _: r.stream("data: [1, 2]\n\n"),
        lambda r, _: r.stream(chunk("text", index=9)),
        lambda r, _: r.stream('data: {"choices": [{"index": 0, "delta": {"content": 5}}]}\n\n'),
        lambda r, _: r.stream('data: {"error": {"message": "out of memory"}}\n\n'),
        lambda r, _: r.error(500, "inside"),
    ],
)
def test_nonsense_is_an_error_of_the_project(
    make_server: MakeServer, make_backend: MakeBackend, answer: Callable[[Reply, int], object]
) -> None:
    backend = make_backend(make_server(answer, models=[{"id": "m"}]).url)
    with pytest.raises(ServerAnswerError) as caught:
        backend.complete(_ask(2))
    assert "\n" not in str(caught.value)
    with pytest.raises(ServerAnswerError):
        list(backend.stream(_ask()))


def test_server_that_cannot_stream_is_asked_for_the_whole(
    make_server: MakeServer, make_backend: MakeBackend
) -> None:
    message = {
        "index": 0,
        "message": {"role": "assistant", "content": "All is well"},
        "finish_reason": "stop",
    }
    server = make_server(lambda r, _: r.json(200, {"choices": [message], "usage": {"completion_tokens": 3}}))
    answer = make_backend(server.url).complete(_ask())[0]
    assert (answer.text, answer.tokens, answer.finish) == ("All is well", 3, "stop")
    assert [body["stream"] for body in server.asked] == [True, False]


def test_slow_server_is_given_up_after_the_set_time(
    make_server: MakeServer, make_backend: MakeBackend
) -> None:
    over = threading.Event()
    server = make_server(lambda r, _: over.wait(30))
    try:
        with pytest.raises(ServerUnreachableError, match="ZEROSHELF_OPENAI_TIMEOUT_S") as caught:
            make_backend(server.url, timeout_s=0.1).complete(_ask())
        assert "nothing came for 0.1 s" in str(caught.value)
    finally:
        over.set()


def test_no_server_at_all_is_explained(make_backend: MakeBackend) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    backend = make_backend(url)
    for use in (backend.fit, backend.complete, lambda r: list(backend.stream(r))):
        with pytest.raises(ServerUnreachableError, match=url):
            use(_ask())


def test_unknown_model_and_wrong_address_are_told_apart(
    make_server: MakeServer, make_backend: MakeBackend
) -> None:
    def missing(reply: Reply, number: int) -> None:
        reply.error(404, "The model does not exist", "model_not_found")

    listed = make_server(missing, models=[{"id": "first"}, {"id": "second"}])
    with pytest.raises(ServedModelError, match="first, second"):
        make_backend(listed.url).complete(_ask())
    with pytest.raises(ServerAnswerError, match="no such address"):
        make_backend(make_server(missing).url).complete(_ask())


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_is_not_repeated(
    make_server: MakeServer, make_backend: MakeBackend, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.delenv("ZEROSHELF_OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-abc")
    server = make_server(lambda r, _: r.error(status, "Incorrect API key provided: sk-abc"))
    with pytest.raises(ServerKeyError) as caught:
        make_backend(server.url).complete(_ask())
    assert "sk-abc" not in str(caught.value)
    assert server.keys == ["Bearer sk-abc"]


def _limited(limit: int) -> Callable[[Reply, int], None]:
    """A model whose tokens are the words of the prompt."""

    def answer(reply: Reply, number: int) -> None:
        words = sum(len(turn["content"].split()) for turn in reply.body["messages"])
        wanted = reply.body["max_tokens"]
        if words + wanted > limit:
            told = f"This model's maximum context length is {limit} tokens. However, you requested "
            told += f"{words + wanted} tokens ({words} in the messages, {wanted} in the completion)."
            reply.error(400, told, "context_length_exceeded")
        else:
            reply.stream(chunk(f"{words} words"), chunk(finish="stop"), DONE)

    return answer


def test_history_is_shortened_by_what_the_server_says(
    make_server: MakeServer, make_backend: MakeBackend
) -> None:
    server = make_server(_limited(100), models=[{"id": "m", "max_model_len": 100}])
    backend = make_backend(server.url)
    fitted = backend.fit(_ask())
    kept = len(fitted.prompt.history)
    assert 0 < fitted.prompt.left_out == 40 - kept
    assert [a.text for a in backend.complete(fitted)] == [f"{3 + 7 * kept} words"]
    assert 3 + 7 * (kept + 1) + SHORT.max_tokens > 100, "no more is left out than must be"
    asked = len(server.asked)
    assert backend.complete(_ask())[0].text == f"{3 + 7 * kept} words"
    assert asked <= 10


def test_known_context_saves_asking(make_server: MakeServer, make_backend: MakeBackend) -> None:
    server = make_server(_limited(4000), models=[{"id": "m", "max_model_len": 4000}])
    backend = make_backend(server.url, context_tokens=512)
    assert backend.fit(_ask()).prompt == PROMPT
    assert server.asked == []


def test_prompt_that_never_fits_is_refused(make_server: MakeServer, make_backend: MakeBackend) -> None:
    for answer in (_limited(9), lambda r, _: r.error(413, "prompt is too long")):
        backend = make_backend(make_server(answer).url, context_tokens=64)
        for use in (backend.fit, backend.complete, lambda r: list(backend.stream(r))):  # noqa: B023
            with pytest.raises(PromptTooLongError, match="Even without history"):
                use(_ask())


def test_lora_of_the_server_is_an_adapter(make_server: MakeServer, make_backend: MakeBackend) -> None:
    models = [{"id": "m"}, {"id": "tuned", "parent": "m"}, {"id": "for-others", "parent": "x"}]
    server = make_server(lambda r, _: r.stream(chunk(r.body["model"]), chunk(finish="stop"), DONE), models)
    backend = make_backend(server.url)
    assert backend.adapters() == ()
    assert backend.complete(_ask())[0].text == "m"
    assert backend.complete(_ask(adapter="tuned"))[0].text == "tuned"
    assert backend.adapters() == ("tuned",)
    models.append({"id": "newer", "parent": "m"})
    assert backend.complete(_ask(adapter="newer"))[0].text == "newer"
    for name in ("for-others", "m", "nothing"):
        with pytest.raises(UnknownAdapterError, match="tuned, newer"):
            backend.complete(_ask(adapter=name))


def test_closing_the_stream_ends_the_servers_work(make_server: MakeServer, make_backend: MakeBackend) -> None:
    sent: list[int] = []
    over = threading.Event()

    def answer(reply: Reply, number: int) -> None:
        sent.append(reply.stream(*[chunk("word ")] * 2000, pause_s=0.005))
        over.set()

    backend = make_backend(make_server(answer).url)
    stream = backend.stream(Request(PROMPT, Sampling(max_tokens=2000)))
    next(stream)
    stream.close()
    assert over.wait(9)
    assert sent[0] < 2000


def test_setting_cancel_ends_a_silent_server_too(make_server: MakeServer, make_backend: MakeBackend) -> None:
    begun, over = threading.Event(), threading.Event()

    def answer(reply: Reply, number: int) -> None:
        begun.set()
        over.wait(60)

    backend = make_backend(make_server(answer).url, timeout_s=60.0)
    requests = [_ask() for _ in range(3)]
    threading.Thread(target=lambda: begun.wait(30) and [r.cancel.set() for r in requests]).start()
    answers = backend.complete_many(requests)
    assert [(a.text, a.finish) for a in answers] == [("", "cancelled")] * 3
    assert not over.is_set(), "the answer came although the server never gave one"
    over.set()


def test_overlong_answer_is_ended_here(make_server: MakeServer, make_backend: MakeBackend) -> None:
    sent: list[int] = []
    over = threading.Event()

    def answer(reply: Reply, number: int) -> None:
        sent.append(reply.stream(*[chunk("w ")] * 500, pause_s=0.002))
        over.set()

    answer_ = make_backend(make_server(answer).url).complete(_ask())[0]
    assert (answer_.tokens, answer_.finish) == (8, "length")
    assert over.wait(9)
    assert sent[0] < 500


def test_stop_string_counts_where_the_server_ignores_it(
    make_server: MakeServer, make_backend: MakeBackend
) -> None:
    server = make_server(lambda r, _: r.stream(chunk("One. "), chunk("EN"), chunk("D Two."), *WHOLE))
    request = Request(PROMPT, SHORT.model_copy(update={"stop": ("END",)}))
    answer = make_backend(server.url).complete(request)[0]
    assert (answer.text, answer.finish) == ("One.", "stop")
    assert server.asked[0]["stop"] == ["END"]


def test_many_requests_are_bounded_and_people_do_not_queue(
    make_server: MakeServer, make_backend: MakeBackend
) -> None:
    changed = threading.Condition()
    inside: list[int] = [0, 0]
    free = threading.Event()

    def answer(reply: Reply, number: int) -> None:
        background = reply.body["max_tokens"] == 3
        if background:
            with changed:
                inside[0] += 1
                inside[1] = max(inside)
                changed.notify_all()
            free.wait(30)
            with changed:
                inside[0] -= 1
        reply.stream(chunk(f"seed {reply.body['seed']}"), chunk(finish="stop"), DONE)

    backend = make_backend(make_server(answer).url, requests=2, timeout_s=40.0)
    work = [Request(PROMPT, Sampling(max_tokens=3, seed=i), priority=Priority.BACKGROUND) for i in range(6)]
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.extend(backend.complete_many(work)))
    thread.start()
    with changed:
        assert changed.wait_for(lambda: inside[0] == 2, 30)
    assert backend.complete(_ask())[0].text == "seed 7", "a person is answered while two are being written"
    free.set()
    thread.join()
    assert [a.text for a in done] == [f"seed {i}" for i in range(6)]
    assert inside[1] == 2


def test_one_failure_among_many_is_told_and_ends_the_others(
    make_server: MakeServer, make_backend: MakeBackend
) -> None:
    over = threading.Event()

    def answer(reply: Reply, number: int) -> None:
        if reply.body["seed"] == 3:
            reply.error(418, "a teapot")
        else:
            over.wait(30)

    backend = make_backend(make_server(answer).url, timeout_s=40.0)
    with pytest.raises(ZeroshelfError, match="a teapot"):
        backend.complete_many([Request(PROMPT, Sampling(max_tokens=3, seed=i)) for i in range(5)])
    assert not over.is_set()
    over.set()


def test_only_the_prompt_travels(make_server: MakeServer, make_backend: MakeBackend) -> None:
    server = make_server(lambda r, _: r.stream(*WHOLE))
    wicked = Prompt("Be brief.", "See http://evil.example/v1#model", ("- openai:http://evil.example/v1#x",))
    assert make_backend(server.url).complete(Request(wicked, SHORT))[0].text == "All is well"
    (body,) = server.asked
    assert body["model"] == "m"
    assert body["path"] == "/v1/chat/completions"
    assert "evil.example" in json.dumps(body["messages"])
