"""What can go wrong with training, hung into the tree of `recsys.errors`.

    InputError
    ├── TrainingConfigError       a value of the form or the command line cannot be used
    ├── RowsFileError             a line of the data cannot be read
    │   ├── PairsFileError        ... of preference pairs
    │   └── InstructionFileError  ... of instruction rows
    ├── NotEnoughPairsError       too few pairs are left to train on
    ├── NotEnoughRowsError        too few instruction rows are left to train on
    ├── UnknownRunError           no run has that id
    └── OutputExistsError         the folder to write to already holds something
    DataError
    ├── BaseConversionError       the GGUF base cannot be turned into weights for training
    ├── AdapterConversionError    the trained adapter cannot be written as GGUF
    └── TrainingDivergedError     the loss is no longer a number
    ConflictError
    └── RunInProgressError        another run is alive

Each carries a cause and a cure, as there.
"""

from __future__ import annotations

from recsys.errors import ConflictError, DataError, InputError


class TrainingConfigError(InputError):
    """Details: `problems`, one phrase a field."""

    cause = "These training settings cannot be used: {problems}."
    cure = "Correct them and start again."


class RowsFileError(InputError):
    """Details: `source`, `line` (from 1), `problem`."""

    cause = "{source}, line {line}: {problem}."
    cure = "Give a JSON Lines or Parquet file."


class PairsFileError(RowsFileError):
    """Details: `source`, `line` (from 1), `problem`."""

    cure = (
        "Each line must be a JSON object with prompt, chosen and rejected as lists of messages, "
        "as `python -m annotation export` writes them."
    )


class NotEnoughPairsError(InputError):
    """Details: `found`, `needed`, `dropped` (a phrase, or an empty string)."""

    cause = "Training needs at least {needed} usable preference pairs; there are {found}{dropped}."
    cure = "Judge more prompts in the Annotate tab and start again."


class InstructionFileError(RowsFileError):
    """Details: `source`, `line` (from 1), `problem`."""

    cure = (
        "Each row must have messages (system, user, assistant), as `python -m recsys synthesize` writes "
        "them, or TRL's prompt and completion."
    )


class NotEnoughRowsError(InputError):
    """Details: `found`, `needed`, `dropped` (a phrase, or an empty string)."""

    cause = "Training needs at least {needed} usable instruction rows; there are {found}{dropped}."
    cure = "Make more with `python -m recsys synthesize`, or raise max_length, and start again."


class UnknownRunError(InputError):
    """Details: `run_id`."""

    cause = "There is no training run called {run_id!r}."
    cure = "`python -m training runs` lists them."


class OutputExistsError(InputError):
    """Details: `path`."""

    cause = "{path} already exists and is not empty."
    cure = "Give a folder that does not exist yet with --out."


class BaseConversionError(DataError):
    """Details: `path`, `problem`."""

    cause = "The weights of {path} cannot be prepared for training: {problem}."
    cure = "Choose another base model, or free disk space and memory and start again."


class AdapterConversionError(DataError):
    """Details: `problem`."""

    cause = "The trained adapter cannot be written as GGUF: {problem}."
    cure = "Its PEFT files are kept in the run's folder; choose a base model of a supported architecture."


class TrainingDivergedError(DataError):
    """Details: `step`, `learning_rate`."""

    cause = "At step {step} the loss stopped being a number (learning rate {learning_rate:g})."
    cure = "Lower the learning rate, or raise beta, and start again."


class RunInProgressError(ConflictError):
    """Details: `run_id`."""

    cause = "The training run {run_id} is still going."
    cure = "Wait until it ends, or stop it first."
