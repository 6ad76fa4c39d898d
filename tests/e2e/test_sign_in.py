"""With an accounts file: nobody comes in without a password, and roles are checked on the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from recsys.access import Role, save_account

pytestmark = [pytest.mark.slow, pytest.mark.model, pytest.mark.timeout(600)]


def test_roles_and_names_are_the_servers(tmp_path: Path, start_app) -> None:
    accounts = tmp_path / "accounts.json"
    save_account(accounts, "mina", "correct horse", (Role.ANNOTATOR,))
    save_account(accounts, "resh", "battery staple", (Role.RESEARCHER,))
    home = tmp_path / "home"
    home.mkdir()
    with start_app(home, "--auth-file", str(accounts)) as app:
        with pytest.raises(ValueError, match="Could not login"):
            Client(app.url, auth=("mina", "wrong horse"), verbose=False)
        annotator = Client(app.url, auth=("mina", "correct horse"), verbose=False)
        researcher = Client(app.url, auth=("resh", "battery staple"), verbose=False)

        assert researcher.predict("best-worst", api_name="/pairs") == []
        with pytest.raises(AppError, match="role researcher"):
            annotator.predict("best-worst", api_name="/pairs")
        with pytest.raises(AppError, match="role researcher"):
            annotator.predict("dpo", {}, api_name="/start_training")
        with pytest.raises(AppError, match="role annotator"):
            researcher.predict("mina", api_name="/next_task")

        task = annotator.predict("somebody-else", api_name="/next_task")
        ids = [candidate["id"] for candidate in task["candidates"]]
        annotator.predict(task["task_id"], "somebody-else", ids[0], ids[1], api_name="/judge")
    from annotation.store import AnnotationStore

    with AnnotationStore(home / "annotations.db") as store:
        assert store.judgements.counts().judged == {"mina": 1}
