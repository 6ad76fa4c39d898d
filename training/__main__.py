"""Training from the command line.

    python -m training sft --data train.parquet --model gemma-3-270m --out my-adapter
    python -m training dpo --pairs pairs.jsonl --model smollm2-135m-instruct --out my-adapter
    python -m training dpo --from-store --parent my-adapter
    python -m training export my-adapter --form merged --out my-model
    python -m training runs
    python -m training show RUN
    python -m training stop RUN --save
    python -m training resume RUN
    python -m training adapters list

A run goes on by itself, in a process of its own; this command only follows it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, cast, get_args

import typer

from recsys.errors import InputError, ZeroshelfError
from recsys.llm.adapters import AdapterStore
from recsys.llm.model_files import model_file
from recsys.llm.registry import load_spec
from recsys.settings import Settings
from training import adapters_cli
from training.adapters.export import ExportForm, export_adapter
from training.comparison.blind import BlindStore
from training.config import DpoConfig, SftConfig, TrainingConfig, config_class, parse_config
from training.errors import OutputExistsError
from training.follow import exit_if_failed, follow, summary
from training.machine.devices import find_device
from training.machine.model_size import model_size
from training.methods import Rows
from training.options import with_config_options
from training.runs.store import RunStore
from training.suggestions import preset_values, presets, suggest, suggested_values

app = typer.Typer(
    help="Train adapters on instructions and preferences, each run in a process of its own.",
    no_args_is_help=True,
    add_completion=False,
)

app.add_typer(adapters_cli.app, name="adapters")


Home = Annotated[
    Path | None, typer.Option(help="The data folder (default: ZEROSHELF_HOME, or the user's own).")
]
Run = Annotated[str, typer.Argument(help="The run's id, as `runs` shows it.")]


Preset = Annotated[
    str | None, typer.Option(help=f"Settings to begin with, one of {', '.join(presets())}; options go over.")
]
Out = Annotated[Path | None, typer.Option(help="Copy the adapter to this new folder.")]


@app.command()
@with_config_options(SftConfig)
def sft(
    data: Annotated[Path, typer.Option(help="Instruction rows as JSON Lines or Parquet.")],
    preset: Preset = None,
    out: Out = None,
    home: Home = None,
    **values: object,
) -> None:
    """Train an adapter with SFT on instruction rows: the model learns to write their answers.

    Ctrl-C asks the run to stop and save; a second Ctrl-C leaves it running by itself.
    """
    _run(parse_config(preset_values(preset, "sft") | values, "sft"), lambda settings: data, out, home)


@app.command()
@with_config_options(DpoConfig)
def dpo(
    pairs: Annotated[Path | None, typer.Option(help="Preference rows as JSON Lines or Parquet.")] = None,
    from_store: Annotated[bool, typer.Option("--from-store", help="Take the judgements made here.")] = False,
    strategy: Annotated[str, typer.Option(help="With --from-store: best-worst or all.")] = "best-worst",
    votes: Annotated[
        bool, typer.Option("--votes", help="With --from-store: the votes of blind comparisons too.")
    ] = False,
    preset: Preset = None,
    out: Out = None,
    home: Home = None,
    **values: object,
) -> None:
    """Train an adapter with DPO on preference pairs.

    Ctrl-C asks the run to stop and save; a second Ctrl-C leaves it running by itself.
    """
    config = parse_config(preset_values(preset, "dpo") | values, "dpo")
    if (pairs is not None) == from_store:
        raise InputError(reason="Give the pairs either with --pairs FILE or with --from-store.")
    _run(
        config,
        lambda settings: pairs if pairs is not None else _from_store(settings, strategy, votes),
        out,
        home,
    )


def _run(
    config: TrainingConfig, data: Callable[[Settings], Path | Rows], out: Path | None, home: Path | None
) -> None:
    """Start a run, follow it to its end, and copy the adapter."""
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputExistsError(path=out)
    settings = _settings(home)
    store = RunStore(settings.paths.runs)
    run_id = store.start(config, data(settings))
    typer.echo(f"run {run_id}; files in {store.folder(run_id).path}")
    status = follow(store, run_id)
    if out is not None and status.adapter is not None:
        shutil.copytree(settings.paths.adapters / status.adapter, out, dirs_exist_ok=True)
        typer.echo(f"adapter copied to {out}")
    exit_if_failed(status)


@app.command()
def runs(home: Home = None) -> None:
    """List the runs, newest first."""
    statuses = RunStore(_settings(home).paths.runs).list()
    for status in statuses:
        typer.echo(summary(status))
    if not statuses:
        typer.echo("No runs yet. Start one with `python -m training dpo --from-store`.")


@app.command()
def show(
    run: Run, lines: Annotated[int, typer.Option(help="Lines of the log.")] = 10, home: Home = None
) -> None:
    """Show a run's state, its latest numbers and the end of its log."""
    store = RunStore(_settings(home).paths.runs)
    status = store.get(run)
    typer.echo(summary(status))
    for text in (status.reason, status.error):
        if text:
            typer.echo(text)
    for key, value in status.metrics.items():
        typer.echo(f"  {key:<20} {value:.5g}")
    typer.echo(store.log_tail(run, lines))


@app.command()
def stop(
    run: Run,
    save: Annotated[bool, typer.Option("--save/--cancel", help="Keep what was learnt, or not.")] = True,
    home: Home = None,
) -> None:
    """Ask a run to stop after its current step."""
    typer.echo(summary(RunStore(_settings(home).paths.runs).stop(run, save=save)))


@app.command()
def resume(run: Run, home: Home = None) -> None:
    """Let a run that was stopped, failed or interrupted go on from its last checkpoint, and follow it."""
    store = RunStore(_settings(home).paths.runs)
    offset = store.events(run)[1]
    typer.echo(summary(store.resume(run)))
    exit_if_failed(follow(store, run, offset))


@app.command()
def suggestions(
    model: Annotated[str, typer.Option(help="The base model.")] = "gemma-3-270m",
    kind: Annotated[str, typer.Option(help="sft or dpo.")] = "sft",
    home: Home = None,
) -> None:
    """Show which settings suit a model's size and this machine better than the defaults, and why."""
    method = config_class(kind).kind
    parameters = model_size(model_file(load_spec(model), _settings(home).paths.models)).parameters
    device = find_device()
    typer.echo(f"{model}: {parameters / 1e9:.2f} billion weights; {device.kind}, {device.memory >> 30} GiB")
    rules = suggest(method, parameters, device)
    for rule in rules:
        typer.echo(f"  {rule.why.en} {rule.values}")
    chosen = suggested_values(method, rules)
    typer.echo(f"  settings: {chosen or 'the defaults'}")


@app.command()
def export(
    adapter: Annotated[str, typer.Argument(help="The adapter's name.")],
    out: Annotated[Path, typer.Option(help="The new folder to write to.")],
    form: Annotated[
        str, typer.Option(help="peft (safetensors), gguf (LoRA for llama.cpp) or merged (dense weights).")
    ] = "peft",
    home: Home = None,
) -> None:
    """Write an adapter for other programs."""
    paths = _settings(home).paths
    if form not in get_args(ExportForm):
        raise InputError(reason=f"--form is one of {', '.join(get_args(ExportForm))}, not {form!r}.")
    found = AdapterStore(paths.adapters).get(adapter)
    typer.echo(f"written to {export_adapter(found, cast(ExportForm, form), out, paths.models)}")


def _settings(home: Path | None) -> Settings:
    return Settings() if home is None else Settings(home=home)


def _from_store(settings: Settings, strategy: str, votes: bool) -> Rows:
    from annotation.pairs import pairs_from_store

    found = pairs_from_store(settings.paths.annotations, cast(Literal["best-worst", "all"], strategy))
    judged = [pair.to_row() for pair in found]
    return [*judged, *(BlindStore(settings.paths.comparisons).pairs() if votes else ())]


def main() -> None:
    """Run the command line; what went wrong goes to stderr, its kind into the exit code."""
    try:
        app()
    except ZeroshelfError as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
