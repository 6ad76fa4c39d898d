"""`python -m recsys`: recommend, export ratings, inspect datasets, write instruction data, make accounts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from recsys.access import Role, save_account
from recsys.demos import DOMAINS, check_demo
from recsys.domains.inspect import inspect
from recsys.domains.positive import parse_positive
from recsys.domains.registry import DATASETS, description, open_dataset
from recsys.errors import ZeroshelfError
from recsys.retrieval.commands import app as catalogs
from recsys.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False)
datasets = typer.Typer(no_args_is_help=True, help="Public datasets in their native layouts.")
app.add_typer(datasets, name="datasets")
app.add_typer(catalogs, name="catalogs")
feedback = typer.Typer(no_args_is_help=True, help="Thumbs of the playground.")
app.add_typer(feedback, name="feedback")

EngineName = Literal["local", "ray"]
SplitName = Literal["auto", "time", "last"]
Home = Annotated[Path | None, typer.Option(help="Data folder; default as in the app.")]


@app.command()
def recommend(
    catalog: Annotated[str, typer.Option(help="Catalogue to recommend from.")],
    history: Annotated[list[str] | None, typer.Option(help="A title; again for each, oldest first.")] = None,
    query: Annotated[str, typer.Option(help="What is wanted.")] = "",
    model: Annotated[str, typer.Option(help="A model, or model+adapter.")] = "",
    k: Annotated[int, typer.Option(help="How many items.")] = 10,
    language: Annotated[str, typer.Option(help="Of the answer: auto, en or ko.")] = "auto",
    retrieval: Annotated[str, typer.Option(help="Settings as JSON: docs/retrieval.md.")] = "{}",
    home: Home = None,
) -> None:
    """Print the answer as it is written, then the items. The app must not be running on this home."""
    from recsys.llm.pool import ModelPool
    from recsys.recommend import Recommender
    from recsys.retrieval.catalogs import Catalogs
    from recsys.retrieval.settings import settings_from_json

    switches = settings_from_json(retrieval)
    settings = Settings(home=home) if home else Settings()
    known = Catalogs.from_settings(settings)
    pool = ModelPool(settings)
    try:
        known.prepare_demos()
        known.wait()
        shown = 0
        for result in Recommender(pool, known).recommend(
            catalog,
            history=history or [],
            query=query,
            model=model,
            k=k,
            language=language,
            settings=switches,
        ):
            print(result.answer[shown:], end="", flush=True)
            shown = max(shown, len(result.answer))
        print("\n")
        for rank, found in enumerate(result.items, 1):
            print(f"{rank:3}. {found.item.title}  ({found.score:.3f})")
    finally:
        pool.close()
        known.close()


@feedback.command("export")
def export_feedback(
    out: Annotated[Path, typer.Option(help="JSON Lines file to write: TRL preference rows.")],
    home: Home = None,
) -> None:
    """Write what people liked over what they disliked. The app may be running meanwhile."""
    from recsys.feedback.pairs import write_preferences
    from recsys.feedback.store import FeedbackStore

    settings = Settings(home=home) if home else Settings()
    count = write_preferences(FeedbackStore(settings.paths.feedback), out)
    print(f"{count} preference pairs in {out}")


@app.command()
def check_assets(domains: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Check the shape of the demo catalogues, histories and queries."""
    problems = {domain: check_demo(domain) for domain in domains or DOMAINS}
    for domain, found in problems.items():
        print(f"{domain}: {'as it should be' if not found else ''}")
        for problem in found:
            print(f"  {problem}")
    if any(problems.values()):
        raise typer.Exit(3)


@app.command()
def account(
    name: str,
    file: Annotated[Path, typer.Option(help="The accounts file that --auth-file of the app names.")],
    role: Annotated[list[Role], typer.Option(help="annotator, researcher; again for both.")],
    password: Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True)],
) -> None:
    """Add or replace an account; the file keeps an Argon2 hash of the password."""
    save_account(file, name, password, tuple(role))


@datasets.command("list")
def list_datasets(as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False) -> None:
    """The datasets that can be read, their editions, and what counts as positive."""
    if as_json:
        print(json.dumps([description(name).model_dump(mode="json") for name in DATASETS]))
        return
    for name, dataset in DATASETS.items():
        editions = ", ".join(edition.name for edition in dataset.editions)
        print(f"{name}: {dataset.domain}; editions {editions}; positive: {dataset.positive}")


@datasets.command("inspect")
def inspect_dataset(
    name: Annotated[str, typer.Argument(help="As `datasets list` names it.")],
    path: Annotated[Path, typer.Argument(help="A folder, an archive or a file.")],
    positive: Annotated[
        str, typer.Option(help="What counts as positive instead, like 'rating>=3.5' or 'rating>=8, watch'.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Read a dataset once and say what is in it and what was dropped."""
    rule = parse_positive(positive) if positive else None
    try:
        found = inspect(open_dataset(name, path, rule))
    except KeyboardInterrupt:
        print("Stopped before the end; nothing was counted.", file=sys.stderr)
        raise typer.Exit(130) from None
    if as_json:
        print(found.model_dump_json())
        return
    for key, value in found.model_dump(exclude={"dropped", "notes"}).items():
        print(f"{key.replace('_', ' '):14} {value if value is not None else 'none'}")
    for reason, count in found.dropped.items():
        print(f"dropped        {count} ({reason})")
    for note in found.notes:
        print(f"note           {note}")


@app.command()
def synthesize(
    config: Annotated[Path, typer.Option(help="A TOML or JSON file; see docs/data.md.")],
    out: Annotated[Path, typer.Option(help="Folder for the rows; a job that stopped goes on there.")],
    engine: Annotated[EngineName, typer.Option(help="local, or ray (needs requirements-ray.txt).")] = "local",
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster; without it, a local one.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a processor.")] = 0,
    home: Home = None,
) -> None:
    """Write instruction data from real interactions. Ctrl-C stops it; the same command goes on."""
    from recsys.synthesis.cli import run_in_terminal

    settings = Settings(home=home) if home else Settings()
    raise typer.Exit(run_in_terminal(config, out, settings, engine=engine, address=address, workers=workers))


@app.command()
def evaluate(
    dataset: Annotated[str, typer.Option(help="As `datasets list` names it, or korean-news.")],
    path: Annotated[Path, typer.Option(help="Where it lies: a folder, a zip or a file.")],
    methods: Annotated[str, typer.Option(help="Names with commas; all without a model when left out.")] = "",
    users: Annotated[int, typer.Option(min=1, max=100_000, help="People to test at most.")] = 500,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Draws users, candidates and resamples.")
    ] = 0,
    split: Annotated[
        SplitName, typer.Option(help="time, last positive, or time where there is one.")
    ] = "auto",
    history: Annotated[
        int, typer.Option(min=1, max=10, help="Items of a history that methods see, the last ones.")
    ] = 10,
    model: Annotated[str, typer.Option(help="For hyde and likelihood: a model, or model+adapter.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON on the last line.")] = False,
    home: Home = None,
) -> None:
    """Measure methods on people whose next positive is known, over the whole catalogue: docs/results.md."""
    from recsys.evaluation.cli import run_evaluation
    from recsys.evaluation.request import EvaluationRequest

    request = EvaluationRequest(
        dataset=dataset,
        path=path,
        methods=tuple(name.strip() for name in methods.split(",") if name.strip()),
        users=users,
        seed=seed,
        split=split,
        history=history,
        model=model,
    )
    run_evaluation(request, Settings(home=home) if home else Settings(), as_json=as_json)


@app.command(hidden=True)
def evaluate_job(folder: Path, home: Home = None) -> None:
    """Run the evaluation that the app has put into a folder."""
    from recsys.evaluation.job import run_job

    raise typer.Exit(run_job(folder, Settings(home=home) if home else Settings()))


@app.command()
def reports(home: Home = None) -> None:
    """List the saved evaluations."""
    from recsys.evaluation.cli import list_reports

    list_reports(Settings(home=home) if home else Settings())


@app.command()
def compare(first: str, second: str, home: Home = None) -> None:
    """The difference of two saved evaluations of the same users, with paired tests."""
    from recsys.evaluation.cli import print_comparison

    print_comparison(Settings(home=home) if home else Settings(), first, second)


def main() -> None:
    """Run the command line; errors of the project become a message and an exit code."""
    try:
        app()
    except ZeroshelfError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
