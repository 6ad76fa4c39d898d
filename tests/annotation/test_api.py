"""The endpoints of this package over HTTP, without a model."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from annotation.store import AnnotationStore


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, fill, serving) -> Iterator[Client]:
    path = tmp_path_factory.mktemp("api") / "annotations.db"
    with AnnotationStore(path) as store:
        fill(store)
    with serving(path) as (url, _):
        client = Client(url, verbose=False)
        yield client
        client.close()


def test_a_session_over_http(client: Client) -> None:
    task = client.predict("ann", api_name="/next_task")
    ids = [candidate["id"] for candidate in task["candidates"]]
    judged = client.predict(task["task_id"], "ann", ids[0], ids[4], api_name="/judge")
    assert (judged["done"], judged["total"]) == (1, 6)

    second = client.predict("ann", api_name="/next_task")
    client.predict(second["task_id"], "ann", "", api_name="/skip")
    again = client.predict("ann", api_name="/undo")
    assert again == second
    flagged = client.predict(second["task_id"], "ann", "broken text", api_name="/flag")
    assert flagged["done"] == 1
    with pytest.raises(AppError, match="A flag needs a reason"):
        client.predict(second["task_id"], "ann", " ", api_name="/flag")
    rows = client.predict("all", api_name="/pairs")
    assert {row["task_id"] for row in rows} == {task["task_id"]}


def test_the_lead_sees_quality_and_provenance(client: Client) -> None:
    task = client.predict("bob", api_name="/next_task")
    ids = [candidate["id"] for candidate in task["candidates"]]
    client.predict(task["task_id"], "bob", ids[0], ids[4], api_name="/judge")

    report = client.predict(api_name="/quality_report")
    assert report["annotators"] >= 1
    alpha = next(m for m in report["measures"] if m["key"] == "alpha_best")
    assert alpha["value"] is None
    assert "too few" in alpha["text"]

    with open(client.predict(api_name="/export_judgements"), encoding="utf-8-sig", newline="") as file:
        row = list(csv.DictReader(file))[-1]
    assert (row["annotator"], row["best_displayed"], row["worst_displayed"]) == ("bob", "1", "5")
    assert row["best_model"] == "fake"
