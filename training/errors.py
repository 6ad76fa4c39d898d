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
    ├── TrainingDivergedError     the loss is no longer a number
    ├── TrainingProcessError      one of a run's several processes failed
    └── UnexpectedTrainingError   a library failed in a way that is not known here
    ConflictError
    ├── NotResumableError         the run cannot go on from a checkpoint
    ├── AdapterInUseError         something still needs the adapter
    └── AdapterNameTakenError     another adapter has that name
    ResourceError
    ├── TrainingMemoryError       memory ran out in the middle of a run
    ├── NotEnoughMemoryError      a run would not fit, and was not started
    │   └── NotEnoughGpuMemoryError   ... on the graphics card
    └── NotEnoughDiskError        its files would not fit, and it was not started

Each carries a cause and a cure, as there.
"""

from __future__ import annotations

from recsys.errors import ConflictError, DataError, InputError, ResourceError


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


class UnexpectedTrainingError(DataError):
    """Details: `problem`."""

    cause = "Training failed: {problem}."
    cure = "The log has the details; resume the run to go on from its last checkpoint."


class TrainingProcessError(DataError):
    """Details: `processes`, `problem` (an error's whole message)."""

    cause = "Training in {processes} processes failed: {problem}"
    cure = "The log has what each of them said; resume the run to go on from its last checkpoint."


class NotResumableError(ConflictError):
    """Details: `run_id`, `state`."""

    cause = "The training run {run_id} is {state}; there is nothing to go on with."
    cure = "Only a run that was stopped, interrupted or failed can be resumed."


class AdapterInUseError(ConflictError):
    """Details: `name`, `user`."""

    cause = "The adapter {name!r} is needed by {user}."
    cure = "Wait for its end or change it first, and try again."


class AdapterNameTakenError(ConflictError):
    """Details: `name`."""

    cause = "There is already an adapter called {name!r}."
    cure = "Choose another name, or delete that one first."


class TrainingMemoryError(ResourceError):
    """Details: `problem`."""

    cause = "Memory ran out during training ({problem})."
    cure = (
        "Start again with a smaller batch_size (and more gradient_accumulation), a shorter max_length or a "
        "smaller model; or close other programs and resume."
    )


class NotEnoughMemoryError(ResourceError):
    """Details: `needed`, `free` (with their units), `fits` (settings that would fit, or a dash)."""

    cause = "This run needs about {needed} of memory; {free} are free."
    cure = "Close other programs, take a smaller model, or settings that fit: {fits}."


class NotEnoughGpuMemoryError(NotEnoughMemoryError):
    """Details: `needed`, `free`, `fits`, as its parent."""

    cause = "This run needs about {needed} of graphics memory; {free} are free."


class NotEnoughDiskError(ResourceError):
    """Details: `needed`, `free` (both with their unit), `path`."""

    cause = "This run needs about {needed} under {path}; {free} are free."
    cure = "Make room there, or choose another folder with --home."
