"""A config's fields as options of the command line, and a config as the command that gives it."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from training.config import TrainingConfig, changed_values

DATA_OPTION = {"sft": "--data", "dpo": "--pairs"}
"""Where each method's rows are given."""


def with_config_options(config: type[TrainingConfig]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator that replaces a command's `**values` by one option for each field of `config`.

    All but switches take text, which the config itself checks, so that a wrong value gets the same
    message here as in the form and over HTTP. A field that is not given is not in `values`.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        names = {parameter.name for parameter in own}

        def with_options(**given: Any) -> None:
            mine = {name: value for name, value in given.items() if name in names}
            values = {name: value for name, value in given.items() if name not in names and value is not None}
            command(**mine, **values)

        options = [_option(name, config) for name in config.model_fields]
        parameters = [*(p.replace(kind=p.KEYWORD_ONLY) for p in own), *options]
        with_options.__doc__ = command.__doc__
        with_options.__name__ = command.__name__
        with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {p.name: p.annotation for p in parameters}
        return with_options

    return decorate


def command_line(config: TrainingConfig, data: Path, out: Path | None = None) -> str:
    """The command that starts the same run on another machine, quoted for a POSIX shell.

    Settings that have their default value are left out; `data` must be copied there.
    """
    words = ["python", "-m", "training", config.kind, DATA_OPTION[config.kind], str(data)]
    if out is not None:
        words += ["--out", str(out)]
    for name, value in changed_values(config).items():
        words += [_flag(name, value)] if isinstance(value, bool) else [_name(name), str(value)]
    return shlex.join(words)


def _option(name: str, config: type[TrainingConfig]) -> inspect.Parameter:
    field = config.model_fields[name]
    switch = field.annotation is bool
    flags = (f"{_name(name)}/{_flag(name, False)}",) if switch else (_name(name),)
    shown = "" if field.default is None else f" [default: {field.default}]"
    choices = ", ".join(map(str, get_args(field.annotation))) if _is_literal(field.annotation) else ""
    text = f"{field.description}{f' One of {choices}.' if choices else ''}{'' if switch else shown}"
    kind: Any = bool | None if switch else str | None
    annotation = Annotated[kind, typer.Option(*flags, help=text, show_default=False)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _is_literal(annotation: Any) -> bool:
    return bool(get_args(annotation)) and all(isinstance(choice, str) for choice in get_args(annotation))


def _name(field: str) -> str:
    return "--" + field.replace("_", "-")


def _flag(field: str, on: bool) -> str:
    return _name(field) if on else "--no-" + field.replace("_", "-")
