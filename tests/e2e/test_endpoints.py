"""The HTTP contract, driven by gradio_client against the running app."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(900)]

HISTORY = ["Red Dead Redemption 2", "The Witcher 3: Wild Hunt"]


@pytest.fixture(scope="module")
def client(app) -> Client:
    client = Client(app.url, verbose=False)
    wait_for(lambda: all(c["embedder"] for c in client.predict(api_name="/catalogs")), "indexing")
    wait_for(lambda: client.predict(api_name="/models")[0]["ready"], "the model")
    return client


def wait_for(done, what: str, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"{what} took too long"
        time.sleep(0.5)


def test_models_and_catalogs(client: Client) -> None:
    first = client.predict(api_name="/models")[0]
    assert first == {
        "name": "smollm2-135m-instruct",
        "backend": "llama.cpp",
        "languages": ["en"],
        "adapter": None,
        "ready": True,
    }
    catalogs = client.predict(api_name="/catalogs")
    assert len(catalogs) == 9
    assert all(c["items"] >= 40 and c["chunks"] >= c["items"] for c in catalogs)


def test_recommend_gives_real_items_of_the_other_domain(client: Client) -> None:
    found = client.predict("films", HISTORY, "", "", 5, api_name="/recommend")
    assert set(found) >= {"answer", "items", "timings_ms"}
    assert len(found["items"]) == 5
    for item in found["items"]:
        assert set(item) == {"id", "title", "domain", "score", "chunk"}
        assert item["domain"] == "films"
    assert all(-1 <= item["score"] <= 1 for item in found["items"])
    timings = found["timings_ms"]
    assert timings["total"] == pytest.approx(
        timings["generate"] + timings["embed"] + timings["search"], abs=0.5
    )


def test_recommend_says_why(client: Client) -> None:
    found = client.predict("films", HISTORY, "a lone rider", "", 3, api_name="/recommend")
    assert found["model"] == "smollm2-135m-instruct"
    assert found["ranked_by"] == "search"
    assert "Red Dead Redemption 2" in found["prompt"]
    assert found["recommendation"]
    assert [why["id"] for why in found["why"]] == [item["id"] for item in found["items"]]
    near = found["why"][0]["near"]
    assert {reason["kind"] for reason in near} == {"history", "query", "answer"}
    assert [r["score"] for r in near] == sorted((r["score"] for r in near), reverse=True)
    for mention in found["mentions"]:
        assert found["answer"][mention["start"] : mention["end"]] == mention["name"]


def test_retrieval_alone_beside_an_answer(client: Client) -> None:
    found = client.predict("films", HISTORY, "", "none", 3, api_name="/recommend")
    assert (found["answer"], found["prompt"], found["timings_ms"]["generate"]) == ("", "", 0)
    assert len(found["items"]) == 3


def test_suggestions_likes_passages_and_the_map(client: Client) -> None:
    journey = client.predict("journey", 5, api_name="/suggest")[0]
    assert (journey["catalog"], journey["id"], journey["domain"]) == ("games", "journey", "games")
    like = client.predict("games", "games", "journey", 4, api_name="/more_like")
    assert len(like["items"]) == 4
    assert "journey" not in [item["id"] for item in like["items"]]
    with pytest.raises(AppError, match="no item"):
        client.predict("games", "games", "nothing", 4, api_name="/more_like")
    passages = client.predict("films", "a bounty hunter", 30, api_name="/search_chunks")["chunks"]
    assert len(passages) == 30
    assert len({item["id"] for item in passages}) < 30  # several of one item
    found = client.predict("films", ["Journey"], "slow", "none", 3, api_name="/recommend")
    drawn = client.predict("films", found["recommendation"], api_name="/map_catalog")
    kinds = [point["kind"] for point in drawn["points"]]
    assert (kinds.count("result"), kinds.count("history"), kinds.count("query")) == (3, 1, 1)
    assert drawn["items"] == 44
    with pytest.raises(AppError, match="not known here any more"):
        client.predict("films", "invented", api_name="/map_catalog")
    with pytest.raises(AppError, match="not known here any more"):
        client.predict("invented", "heat", 1, api_name="/rate")


def test_retrieve_without_a_model(client: Client) -> None:
    found = client.predict("films", "an ageing gunslinger in the old west", 3, api_name="/retrieve")
    assert len(found["items"]) == 3
    assert found["timings_ms"]["generate"] == 0


def test_history_items_are_not_recommended(client: Client) -> None:
    history = ["True Grit", "Unforgiven"]
    found = client.predict("films", history, "", "", 40, api_name="/recommend")
    assert not set(history) & {item["title"] for item in found["items"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("films", [], "", "", 5), "nothing to go on"),
        (("films", [], "x" * 100_000, "", 5), "100,000 characters"),
        (("films", HISTORY, "", "gpt-99", 5), "no model called 'gpt-99'"),
        (("films", HISTORY, "", "smollm2-135m-instruct+nope", 5), "no adapter called 'nope'"),
        (("films", HISTORY, "", "/etc/passwd.gguf", 5), "no model called"),
        (("stamps", HISTORY, "", "", 5), "no catalogue called 'stamps'"),
        (("films", HISTORY, "", "", 0), "between 1 and 100"),
    ],
)
def test_bad_requests_are_explained(client: Client, arguments, message: str) -> None:
    with pytest.raises(AppError) as error:
        client.predict(*arguments, api_name="/recommend")
    assert message in str(error.value).replace("&#x27;", "'")


def test_a_catalogue_of_ones_own(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "teas.csv"
    file.write_text(
        "id,title,text\n1,Sencha,A grassy green tea from Japan.\n"
        '2,Assam,"A malty black tea, strong enough for milk."\n'
    )
    added = client.predict("teas", "tea", handle_file(str(file)), api_name="/add_catalog")
    assert added == {"items": 2, "chunks": 2}
    found = client.predict("teas", "black tea with milk", 2, api_name="/retrieve")
    assert [item["title"] for item in found["items"]] == ["Assam", "Sencha"]

    file.write_text("id,name\n1,Sencha\n")
    with pytest.raises(AppError, match="no column title, text"):
        client.predict("other", "tea", handle_file(str(file)), api_name="/add_catalog")


def test_training_without_pairs_is_explained(client: Client) -> None:
    assert client.predict("best-worst", api_name="/pairs") == [] or pytest.skip("judged before")
    with pytest.raises(AppError, match="at least 2 usable preference pairs; there are 0"):
        client.predict("dpo", {"model": "smollm2-135m-instruct"}, api_name="/start_training")


def test_judgements_become_pairs_and_a_run_is_started_once(client: Client) -> None:
    for number in range(2):
        task = client.predict("http-annotator", api_name="/next_task")
        ids = [candidate["id"] for candidate in task["candidates"]]
        assert len(set(ids)) == 5
        again = client.predict("http-annotator", api_name="/next_task")
        assert again == task  # an open task stays the same, in the same order
        with pytest.raises(AppError, match=r"same|different"):
            client.predict(task["task_id"], "http-annotator", ids[0], ids[0], api_name="/judge")
        judged = client.predict(task["task_id"], "http-annotator", ids[3], ids[1], api_name="/judge")
        assert judged["done"] == number + 1
        assert judged["total"] > 100
    rows = client.predict("best-worst", api_name="/pairs")
    assert {"prompt", "chosen", "rejected"} <= set(rows[0])
    assert [message["role"] for message in rows[0]["prompt"]] == ["system", "user"]
    assert len(client.predict("all", api_name="/pairs")) > len(rows)

    config = {"model": "smollm2-135m-instruct", "max_steps": 1, "batch_size": 1}
    config |= {"strategy": "all", "request_id": "once"}
    run = client.predict("dpo", config, api_name="/start_training")["run_id"]
    assert client.predict("dpo", config, api_name="/start_training")["run_id"] == run
    foretold = client.predict("dpo", config, api_name="/preflight")
    assert foretold["fits"], foretold["problems"]
    assert foretold["steps"] == 1
    second = client.predict("dpo", {**config, "request_id": "other"}, api_name="/start_training")["run_id"]
    assert client.predict(second, api_name="/run")["state"] == "queued"
    assert client.predict(second, True, api_name="/stop_training") == {"state": "stopped"}
    assert client.predict(run, False, api_name="/stop_training")["state"] in {"stopping", "stopped"}
    over = {"stopped", "finished"}
    wait_for(lambda: client.predict(run, api_name="/run")["state"] in over, "stopping")
    status = client.predict(run, api_name="/run")
    assert set(status) == {"state", "step", "steps", "eta_s", "metrics", "adapter", "error"}
    assert status["adapter"] is None
    listed = client.predict(api_name="/runs")
    assert [known["run_id"] for known in listed[:2]] == [second, run]
    assert set(status) < set(listed[0])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model": "gpt-99"}, "no model called"),
        ({"model": "/etc/hosts.gguf"}, "no model called"),
        ({"model": "hf:org/name"}, "no model called"),
        ({"beta": -1}, "beta"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"name": "../../etc"}, "cannot name an adapter"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_bad_training_settings_are_explained(client: Client, config, message: str) -> None:
    with pytest.raises(AppError) as error:
        client.predict("dpo", config, api_name="/start_training")
    assert message in str(error.value)


@pytest.mark.parametrize("run_id", ["../../etc", "dpo-20200101-000000-0000", ""])
def test_unknown_runs_are_explained(client: Client, run_id: str) -> None:
    with pytest.raises(AppError, match="no training run"):
        client.predict(run_id, api_name="/run")
    with pytest.raises(AppError, match="no training run"):
        client.predict(run_id, api_name="/resume_training")


def test_the_tools_are_offered_over_mcp(app) -> None:
    import urllib.request

    with urllib.request.urlopen(f"{app.url}/gradio_api/mcp/schema", timeout=30) as answer:
        tools = {tool["name"] for tool in json.load(answer)}
    wanted = ("models", "catalogs", "recommend", "retrieve", "next_task", "judge", "pairs", "run")
    assert all(any(tool.endswith(name) for tool in tools) for name in wanted), tools
