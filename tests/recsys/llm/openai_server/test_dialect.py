from __future__ import annotations

import pytest

from recsys.llm.base import Sampling
from recsys.llm.openai_server.dialect import Call, Dialect
from recsys.llm.openai_server.failures import TooLongError
from recsys.prompts.formats import Cues, Example, Prompt, PromptFormat

PROMPT = Prompt(
    system="Be brief.",
    before="Seen:",
    history=("- Dune",),
    examples=(Example("ask", "This person reads."),),
    cues=Cues(lead="This person"),
)


def _call(style: str = "chat", n: int = 1, **sampling: object) -> Call:
    return Call("m", PROMPT, PromptFormat(style=style), Sampling(**sampling), n)  # type: ignore[arg-type]


def test_chat_model_gets_messages_and_all_settings() -> None:
    sent = Dialect().arguments(_call(n=3, seed=5, stop=("END",), top_k=7), stream=True)
    assert [turn["role"] for turn in sent["messages"]] == ["system", "user"]
    assert (sent["n"], sent["seed"], sent["stop"]) == (3, 5, ["END"])
    assert sent["extra_body"]["top_k"] == 7
    assert sent["extra_body"]["chat_template_kwargs"] == {"enable_thinking": False}


def test_base_model_gets_the_rendered_prompt_with_its_lead() -> None:
    sent = Dialect().arguments(_call("few-shot"), stream=False)
    assert "messages" not in sent
    assert sent["prompt"].endswith("### Answer\nThis person")
    assert "This person reads." in sent["prompt"]
    assert sent["stop"] == ["\n"]
    assert "This person reads." not in Dialect().arguments(_call("plain"), stream=False)["prompt"]


def test_reduced_dialect_sends_less() -> None:
    sent = Dialect(extras=False, system=False).arguments(_call(), stream=True)
    assert not {"extra_body", "stream_options", "n"} & sent.keys()
    assert [turn["role"] for turn in sent["messages"]] == ["user"]
    assert sent["messages"][0]["content"] == "Be brief.\n\nSeen:\n- Dune"


def test_measuring_sends_no_stop_strings() -> None:
    sent = Dialect().arguments(_call("few-shot", ignore_eos=True, stop=("x",)), stream=True)
    assert "stop" not in sent
    assert sent["extra_body"]["ignore_eos"] is True


def test_halves_of_surrogate_pairs_can_be_sent() -> None:
    call = Call("m", Prompt("a\ud800", "b"), PromptFormat(style="chat"), Sampling())
    assert Dialect().arguments(call, stream=True)["messages"][0]["content"] == "a?"


def test_answer_by_itself_has_its_own_seed() -> None:
    alone = _call(n=3, seed=2**32 - 1).alone(1)
    assert (alone.n, alone.sampling.seed) == (1, 0)


@pytest.mark.parametrize(
    ("message", "n", "expected"),
    [
        ("Unrecognized request argument supplied: top_k", 5, Dialect(extras=False)),
        ("Extra inputs are not permitted", 5, Dialect(extras=False)),
        ("Only one completion choice is allowed", 5, Dialect(choices=False)),
        ("System role not supported", 5, Dialect(system=False)),
        ("bad request", 1, Dialect(extras=False)),
    ],
)
def test_refusal_takes_back_what_it_names(message: str, n: int, expected: Dialect) -> None:
    assert Dialect().after(message, n) == expected


@pytest.mark.parametrize("n", [1, 5])
def test_refusals_come_to_an_end(n: int) -> None:
    dialect: Dialect | None = Dialect()
    seen = []
    while dialect is not None:
        seen.append(dialect)
        dialect = dialect.after("system role and all else refused", n)
    assert len(seen) == len(set(seen)) <= 4


@pytest.mark.parametrize(
    ("message", "tokens", "limit"),
    [
        (
            "This model's maximum context length is 1024 tokens. However, you requested 1536 tokens "
            "(1531 in the messages, 5 in the completion).",
            1531,
            1024,
        ),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 96. This model's maximum context length "
            "is 4096 tokens and your request has 4090 input tokens (96 > 4096 - 4090).",
            4090,
            4096,
        ),
        ("the request exceeds the available context size (512 tokens) {'n_prompt_tokens': 700}", 700, 512),
        ("Requested tokens (2100) exceed context window of 2048", 2100, 2048),
        ("prompt is too long", None, None),
    ],
)
def test_length_is_read_from_what_servers_say(message: str, tokens: int | None, limit: int | None) -> None:
    error = TooLongError(message)
    assert (error.tokens, error.limit) == (tokens, limit)
