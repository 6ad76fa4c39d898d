"""What the tests of catalogues share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from recsys.catalog import Item
from recsys.demos import Demo
from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.hyde import hyde_vector

ROOT = Path(__file__).resolve().parents[3]
CSV = "id,title,text\n1,Alien,A crew and a creature in space.\n2,Coco,A boy sings among the dead.\n"

MakeItems = Callable[..., list[Item]]
Open = Callable[..., Catalogs]


def small(demo: Demo) -> Demo:
    items = list(demo.items.values())[:10]
    return replace(demo, items={i.id: i.model_copy(update={"text": i.text.split(".")[0]}) for i in items})


def csv_file(folder: Path, content: str = CSV) -> Path:
    path = folder / "upload.csv"
    path.write_text(content, encoding="utf-8")
    return path


def found_titles(catalogs: Catalogs, name: str, query: str, k: int = 3) -> list[str]:
    vector = hyde_vector(catalogs.index, catalogs.embedder, target=name, query=query)
    return [item.title for item, _ in catalogs.search(name, vector, k)]


def run_python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
