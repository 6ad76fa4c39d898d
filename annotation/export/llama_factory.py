"""LLaMA-Factory's ranking format: a folder to give as `dataset_dir`.

Alpaca format with `"ranking": true`, as in LLaMA-Factory's data/README: `instruction`, `input`,
`chosen`, `rejected`, and `system` by its column.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from annotation.errors import ExportFileError
from annotation.files import whole_file
from annotation.preference import PreferencePair

DATASET = "zeroshelf_preference"
"""The name to give as `dataset`."""

_COLUMNS = {
    "prompt": "instruction",
    "query": "input",
    "system": "system",
    "chosen": "chosen",
    "rejected": "rejected",
}


def write_llama_factory(pairs: Sequence[PreferencePair], folder: Path) -> int:
    """Write `zeroshelf_preference.json` and its entry in `dataset_info.json`; return the rows' number.

    Other entries of a `dataset_info.json` that is there already are kept. Raises ExportFileError.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ExportFileError(file=folder, problem=error.strerror or str(error)) from error
    rows = [
        {
            "instruction": pair.instruction,
            "input": "",
            "system": pair.system,
            "chosen": pair.chosen,
            "rejected": pair.rejected,
        }
        for pair in pairs
    ]
    known = _known(folder / "dataset_info.json")
    entry = {"file_name": f"{DATASET}.json", "ranking": True, "columns": _COLUMNS}
    _write(folder / f"{DATASET}.json", rows)
    _write(folder / "dataset_info.json", known | {DATASET: entry})
    return len(rows)


def _known(file: Path) -> dict[str, object]:
    if not file.exists():
        return {}
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportFileError(file=file, problem="what is there is not JSON") from error
    if not isinstance(known, dict):
        raise ExportFileError(file=file, problem="what is there is not a JSON object")
    return known


def _write(file: Path, content: object) -> None:
    with whole_file(file) as part:
        part.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
