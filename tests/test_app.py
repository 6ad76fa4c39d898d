"""The command line of `app.py`: options, and errors with exit codes instead of tracebacks."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.llm.model_files import model_file
from recsys.llm.registry import load_spec

PROJECT = Path(__file__).resolve().parents[1]


def run_app(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "app.py", *options]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)


def test_help_lists_the_options() -> None:
    shown = run_app("--help").stdout
    for option in ("--host", "--port", "--model", "--home", "--language", "--auth-file"):
        assert option in shown


def test_a_port_in_use_is_explained(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_app("--port", str(port), "--home", str(tmp_path))
    assert done.returncode == 7
    assert f"Port {port} on 127.0.0.1 is already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_model_is_explained(tmp_path: Path) -> None:
    done = run_app("--model", "gpt-99", "--home", str(tmp_path), "--port", str(_free_port()))
    assert done.returncode == 2
    assert "There is no model called 'gpt-99'" in done.stderr
    assert "gemma-3-270m" in done.stderr


def test_a_server_name_of_another_form_is_explained(tmp_path: Path) -> None:
    done = run_app("--model", "openai:localhost#m", "--home", str(tmp_path), "--port", str(_free_port()))
    assert done.returncode == 2
    assert "openai:http://host:port/v1#model-name" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.model
def test_a_gguf_that_is_cut_short_is_explained(tmp_path: Path) -> None:
    whole = model_file(load_spec("smollm2-135m-instruct"), tmp_path)
    cut = tmp_path / "cut.gguf"
    with whole.open("rb") as source:
        cut.write_bytes(source.read(1 << 20))
    done = run_app("--model", str(cut), "--home", str(tmp_path / "home"), "--port", str(_free_port()))
    assert done.returncode == 3
    assert "cut short" in done.stderr
    assert "Traceback" not in done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
