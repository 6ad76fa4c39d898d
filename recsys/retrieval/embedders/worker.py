"""A sentence-transformers model in a process of its own, so that the app's process has no torch.

Started by `recsys.retrieval.embedders.transformers` as `python -m recsys.retrieval.embedders.worker`. Each
message is its length in four bytes and JSON; vectors follow as float32. It ends when its input does.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
from pathlib import Path
from typing import IO, Any

_HASHED = (".json", ".safetensors", ".txt", ".model")


def read_message(stream: IO[bytes]) -> dict[str, Any] | None:
    """The next message; None at the end."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    (size,) = struct.unpack("<I", head)
    body = stream.read(size)
    return json.loads(body) if len(body) == size else None


def write_message(stream: IO[bytes], message: dict[str, Any], data: bytes = b"") -> None:
    """One message, and what follows it."""
    body = json.dumps(message).encode()
    stream.write(struct.pack("<I", len(body)) + body + data)
    stream.flush()


def serve(asked: IO[bytes], told: IO[bytes]) -> None:
    """Load the model that the first message names and embed until there are no more messages."""
    first = read_message(asked)
    if first is None:
        return
    try:
        model, hello = _load(first)
    except Exception as error:  # whatever the library raises is told to the app
        write_message(told, {"error": f"{type(error).__name__}: {error}"})
        return
    write_message(told, hello)
    prompts = {"query": hello["query"], "passage": hello["passage"]}
    while (message := read_message(asked)) is not None:
        embed = model.encode_query if message["kind"] == "query" else model.encode_document
        try:
            found = embed(
                message["texts"],
                prompt=prompts[message["kind"]],
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_numpy=True,
            ).astype("<f4")
        except Exception as error:
            write_message(told, {"error": f"{type(error).__name__}: {error}"})
            continue
        write_message(told, {"rows": found.shape[0], "columns": found.shape[1]}, found.tobytes())


def _load(wanted: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(wanted["threads"])
    folder = Path(wanted["folder"])
    model = SentenceTransformer(
        str(folder),
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )
    own = model.prompts
    passage = next((own[key] for key in ("document", "passage", "corpus") if own.get(key)), None)
    prompts = {
        "query": _first(wanted["query"], own.get("query") or None, wanted["usual_query"]),
        "passage": _first(wanted["passage"], passage, wanted["usual_passage"]),
    }
    dimension = model.get_embedding_dimension() or len(model.encode("dimension"))
    digest = _digest(folder)
    digest.update(json.dumps([prompts, model.max_seq_length]).encode())
    tokenizer = getattr(model.tokenizer, "backend_tokenizer", None)
    hello = {
        "dimension": int(dimension),
        "digest": digest.hexdigest()[:12],
        "tokenizer": tokenizer.to_str() if tokenizer is not None else "",
        **prompts,
    }
    return model, hello


def _first(*values: str | None) -> str:
    return next((value for value in values if value is not None), "")


def _digest(folder: Path) -> Any:
    """Of everything that decides the vectors."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in _HASHED):
        with path.open("rb") as file:
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest


if __name__ == "__main__":
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the messages
    serve(sys.stdin.buffer, told)
