"""`hf:` names, against a small hub of our own on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recsys.errors import HubModelError, UnknownModelError
from recsys.llm.hub import cached, choose, fetch, fetch_embedder, is_whole, parse_name

_SHA = "0123456789abcdef0123456789abcdef01234567"


class _Hub(BaseHTTPRequestHandler):
    """The three answers of a hub that a download needs; `repositories` maps names to their files."""

    def __init__(self, repositories: dict[str, dict[str, bytes]], *args: object) -> None:
        self._repositories = repositories
        super().__init__(*args)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.path.split("?")[0].strip("/")
        repository = "/".join(path.removeprefix("api/models/").split("/")[:2])
        files = self._repositories.get(repository)
        if files is None:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body=body)
        elif repository == "org/closed":
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo"}, body=body)
        elif "/tree/" in path:
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                for name, content in files.items()
            ]
            self._send(200, json.dumps(tree).encode(), {"Content-Type": "application/json"}, body=body)
        elif path.startswith("api/models/"):
            info = {"id": repository, "sha": _SHA, "siblings": [{"rfilename": name} for name in files]}
            self._send(200, json.dumps(info).encode(), {"Content-Type": "application/json"}, body=body)
        else:
            content = files[path.split("/resolve/")[1].split("/", 1)[1]]
            headers = {"X-Repo-Commit": _SHA, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
            self._send(200, content, headers, body=body)

    def _send(self, status: int, content: bytes, headers: dict[str, str], *, body: bool) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def repositories() -> dict[str, dict[str, bytes]]:
    return {
        "org/one": {"README.md": b"#", "one-Q8_0.gguf": b"eight", "one-Q4_K_M.gguf": b"four"},
        "org/split": {f"big/m-Q4_K_M-0000{n}-of-00002.gguf": b"part %d" % n for n in (1, 2)},
        "org/dense": {
            "config.json": b"{}",
            "model.safetensors": b"dense",
            "tokenizer.json": b"{}",
            "adapter_config.json": b"{}",
            "chat_template.jinja": b"x",
            "pytorch_model.bin": b"pickle",
            "modeling_own.py": b"code",
            "onnx/model.safetensors": b"another",
        },
        "org/shards": {
            "config.json": b"{}",
            "model.safetensors.index.json": json.dumps(
                {"weight_map": {f"layer{n}": f"model-0000{n}-of-00002.safetensors" for n in (1, 2)}}
            ).encode(),
            **{f"model-0000{n}-of-00002.safetensors": b"part" for n in (1, 2)},
        },
        "org/pickle": {"config.json": b"{}", "pytorch_model.bin": b"pickle"},
        "org/embedder": {
            "modules.json": b"[]",
            "config.json": b"{}",
            "model.safetensors": b"dense",
            "1_Pooling/config.json": b"{}",
            "onnx/model.json": b"{}",
            "pytorch_model.bin": b"pickle",
            "own.py": b"code",
        },
        "org/closed": {},
    }


@pytest.fixture
def server(repositories: dict[str, dict[str, bytes]]) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Hub, repositories)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def endpoint(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_name_has_a_repository_and_perhaps_a_quantisation() -> None:
    assert parse_name("hf:org/name") == ("org/name", None)
    assert parse_name("hf:org/name.v2-GGUF:Q4_K_M") == ("org/name.v2-GGUF", "Q4_K_M")


@pytest.mark.parametrize(
    "name", ["hf:", "hf:name", "hf:a/b/c", "hf:a/b:", "hf:a b/c", "hf:가/나", "org/name", "hf:a/b+tuned"]
)
def test_name_of_another_form_is_unknown(name: str) -> None:
    with pytest.raises(UnknownModelError, match="hf:org/name"):
        parse_name(name)


@pytest.mark.parametrize(
    ("files", "quantisation", "chosen"),
    [
        (["a-Q8_0.gguf", "a-Q4_K_M.gguf", "a-F16.gguf"], None, ("a-Q4_K_M.gguf",)),
        (["a-Q8_0.gguf", "a-Q4_K_M.gguf"], "q8_0", ("a-Q8_0.gguf",)),
        (["a-Q8_0.gguf"], "Q4_K_M", ()),
        (["odd.gguf"], None, ("odd.gguf",)),
        (["mmproj-a-Q4_K_M.gguf", "a.imatrix.gguf", "a-Q8_0.gguf"], None, ("a-Q8_0.gguf",)),
        (["Q4_K_M/a-Q8_0.gguf", "b/a-Q4_0.gguf"], None, ("b/a-Q4_0.gguf",)),
        (
            ["a-Q4_K_M-00002-of-00002.gguf", "a-Q4_K_M-00001-of-00002.gguf", "a-Q8_0.gguf"],
            None,
            ("a-Q4_K_M-00001-of-00002.gguf", "a-Q4_K_M-00002-of-00002.gguf"),
        ),
        (["model.safetensors", "README.md"], None, ()),
        ([], None, ()),
    ],
)
def test_file_of_a_repository(files: list[str], quantisation: str | None, chosen: tuple[str, ...]) -> None:
    assert choose(files, quantisation) == chosen


def test_fetch_downloads_the_chosen_file_alone(endpoint: str, tmp_path: Path) -> None:
    path = fetch("hf:org/one", endpoint=endpoint, cache=tmp_path)
    assert (path.name, path.read_bytes()) == ("one-Q4_K_M.gguf", b"four")
    assert [p.name for p in path.parent.iterdir()] == ["one-Q4_K_M.gguf"]
    assert fetch("hf:org/one:Q8_0", endpoint=endpoint, cache=tmp_path).read_bytes() == b"eight"


def test_fetch_brings_all_parts_of_a_split_file(endpoint: str, tmp_path: Path) -> None:
    path = fetch("hf:org/split", endpoint=endpoint, cache=tmp_path)
    assert path.read_bytes() == b"part 1"
    assert len(list(path.parent.iterdir())) == 2


def test_what_was_fetched_is_used_without_the_hub(
    server: ThreadingHTTPServer, endpoint: str, tmp_path: Path
) -> None:
    path = fetch("hf:org/one", endpoint=endpoint, cache=tmp_path)
    server.shutdown()
    server.server_close()
    assert fetch("hf:org/one", endpoint=endpoint, cache=tmp_path) == path
    with pytest.raises(HubModelError, match="cannot be reached"):
        fetch("hf:org/one:Q8_0", endpoint=endpoint, cache=tmp_path)


def test_dense_repository_gives_a_folder_without_code_and_pickles(endpoint: str, tmp_path: Path) -> None:
    folder = fetch("hf:org/dense", dense=True, endpoint=endpoint, cache=tmp_path)
    found = {path.name for path in folder.iterdir()}
    assert found == {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"}
    assert fetch("hf:org/one", dense=True, endpoint=endpoint, cache=tmp_path).suffix == ".gguf"
    for name in ("hf:org/pickle", "hf:org/dense:Q8_0"):
        with pytest.raises(HubModelError):
            fetch(name, dense=True, endpoint=endpoint, cache=tmp_path)


def test_dense_repository_in_parts_is_whole_with_all_of_them(
    server: ThreadingHTTPServer, endpoint: str, tmp_path: Path
) -> None:
    folder = fetch("hf:org/shards", dense=True, endpoint=endpoint, cache=tmp_path)
    assert len([p for p in folder.iterdir() if p.suffix == ".safetensors"]) == 2
    server.shutdown()
    server.server_close()
    assert fetch("hf:org/shards", dense=True, endpoint=endpoint, cache=tmp_path) == folder
    assert cached("hf:org/shards", cache=tmp_path) is None, "it has no GGUF file"
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(HubModelError, match="cannot be reached"):
        fetch("hf:org/shards", dense=True, endpoint=endpoint, cache=tmp_path)


@pytest.mark.parametrize("index", [b"", b"{", b"[]", b'{"weight_map": 3}', b'{"weight_map": {"a": "gone"}}'])
def test_damaged_index_is_not_whole(tmp_path: Path, index: bytes) -> None:
    (tmp_path / "config.json").write_bytes(b"{}")
    assert not is_whole(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_bytes(index)
    assert not is_whole(tmp_path)
    assert not is_whole(tmp_path / "gone")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("hf:org/nothing", "no such repository"),
        ("hf:org/closed", "licence"),
        ("hf:org/dense", "no GGUF file"),
        ("hf:org/one:Q2_K", "called Q2_K; there are one-Q8_0.gguf, one-Q4_K_M.gguf"),
        ("hf:org/..", "cannot start or end with"),
    ],
)
def test_what_cannot_be_fetched_says_why(endpoint: str, tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(HubModelError, match=problem) as caught:
        fetch(name, endpoint=endpoint, cache=tmp_path)
    assert "HF_TOKEN" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.hub
@pytest.mark.skipif(os.environ.get("ZEROSHELF_TEST_HUB") != "1", reason="ZEROSHELF_TEST_HUB is not 1")
def test_fetch_from_the_real_hub(tmp_path: Path) -> None:
    """Needs the Hugging Face hub and 100 MB of download."""
    path = fetch("hf:bartowski/SmolLM2-135M-Instruct-GGUF", cache=tmp_path)
    assert path.name == "SmolLM2-135M-Instruct-Q4_K_M.gguf"
    assert path.read_bytes()[:4] == b"GGUF"


def test_embedder_is_fetched_without_pickles_and_code_and_found_again_offline(
    server: ThreadingHTTPServer, endpoint: str, tmp_path: Path
) -> None:
    folder = fetch_embedder("hf:org/embedder", endpoint=endpoint, cache=tmp_path)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {"modules.json", "config.json", "model.safetensors", "1_Pooling/config.json"}
    server.shutdown()
    server.server_close()
    assert fetch_embedder("hf:org/embedder", endpoint=endpoint, cache=tmp_path) == folder
    with pytest.raises(HubModelError, match="cannot be reached"):
        fetch_embedder("hf:org/one", endpoint=endpoint, cache=tmp_path)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("hf:org/pickle", "no safetensors"),
        ("hf:org/nothing", "no such repository"),
        ("hf:org/closed", "licence"),
    ],
)
def test_embedder_that_cannot_be_had(endpoint: str, tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(HubModelError, match=problem):
        fetch_embedder(name, endpoint=endpoint, cache=tmp_path)
