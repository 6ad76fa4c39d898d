"""What can go wrong while annotating; the tree of `recsys.errors` goes on here.

    InputError
    ├── AnnotatorNameError, UnknownLanguageError, UnknownStrategyError
    ├── UnknownTaskError, UnknownCandidateError, SameCandidateError
    ├── ReasonTooLongError, FlagReasonError, PolicyError
    └── ExportFileError, PromptsFileError, BackupFileError
    DataError
    └── StoreFileError
        └── NewerStoreError
    ConflictError
    ├── TaskNotShownError, LanguageNotWrittenError, SamplingFailedError
    └── NoPairsError
    NotReadyError
    └── TaskNotReadyError, StoreBusyError

Details are given by keyword; each class says which.
"""

from __future__ import annotations

from recsys.errors import ConflictError, DataError, InputError, NotReadyError


class AnnotatorNameError(InputError):
    """Details: `limit`, in characters."""

    cause = "This name cannot be used for an annotator."
    cure = "Use 1 to {limit} characters that can be seen, without line breaks."


class UnknownLanguageError(InputError):
    """Details: `language`, `known`."""

    cause = "There are no prompts in the language {language!r}."
    cure = "Use one of {known}, or none for all of them."


class UnknownStrategyError(InputError):
    """Details: `strategy`, `known`."""

    cause = "There is no way of making pairs called {strategy!r}."
    cure = "Use one of {known}."


class UnknownTaskError(InputError):
    """Details: `task_id`."""

    cause = "There is no task {task_id!r}."
    cure = "Ask for the next task and use its id."


class UnknownCandidateError(InputError):
    """Details: `candidate_id`, `task_id`."""

    cause = "Task {task_id!r} has no candidate {candidate_id!r}."
    cure = "Use the ids of the candidates that were shown with the task."


class SameCandidateError(InputError):
    """Best and worst are one and the same."""

    cause = "The same candidate is tagged as best and as worst."
    cure = "Choose two different candidates, or skip the prompt."


class ReasonTooLongError(InputError):
    """Details: `length`, `limit`, in characters."""

    cause = "The reason has {length:,} characters; at most {limit:,} are kept."
    cure = "Shorten it and try again."


class FlagReasonError(InputError):
    """A flag without a reason."""

    cause = "A flag needs a reason."
    cure = "Say in a few words what is wrong with the prompt or its answers."


class PolicyError(InputError):
    """Details: `problem`."""

    cause = "These settings of sampling and assignment cannot be used: {problem}."
    cure = "See `python -m annotation policy --help`."


class ExportFileError(InputError):
    """Details: `file`, `problem`."""

    cause = "{file} cannot be written: {problem}."
    cure = "Choose another file, in a folder that exists and has room."


class PromptsFileError(InputError):
    """Details: `file`, `problem`."""

    cause = "{file} cannot be used as a file of prompts: {problem}."
    cure = "Give JSON Lines (UTF-8) with an instruction, and where there is one a system message, on each."


class BackupFileError(InputError):
    """Details: `file`, `problem`."""

    cause = "{file} cannot be restored: {problem}."
    cure = "Give a file that `python -m annotation backup` wrote; the store is as it was."


class StoreFileError(DataError):
    """Details: `path`, `problem`."""

    cause = "The annotation store {path} cannot be used: {problem}."
    cure = "Check the file, its permissions and the space left on the disk, or choose another --home."


class NewerStoreError(StoreFileError):
    """Details: `path`, `found`, `known` (schema versions)."""

    cause = "The annotation store {path} was written by a newer Zeroshelf (schema {found}, here {known})."
    cure = "Update this one, or choose another --home."


class TaskNotShownError(ConflictError):
    """Details: `task_id`, `annotator`."""

    cause = "Task {task_id!r} was never shown to {annotator!r}, so there is nothing to judge."
    cure = "Ask for the next task first."


class LanguageNotWrittenError(ConflictError):
    """Details: `languages` of the prompts that are left, `written` by the model."""

    cause = "The prompts that are left are in {languages}, and the model writes only {written}."
    cure = "Choose a model that writes it, or annotate in another language."


class SamplingFailedError(ConflictError):
    """Details: `problem`."""

    cause = "The next prompt's candidates could not be sampled. {problem}"
    cure = "It is tried again by itself; if it keeps failing, choose another model or adapter."


class NoPairsError(ConflictError):
    """No effective judgement gives a pair."""

    cause = "There are no preference pairs yet."
    cure = "Tag the best and the worst candidate of some prompts first."


class TaskNotReadyError(NotReadyError):
    """Details: `problem`."""

    cause = "The next prompt's candidates are not ready yet. {problem}"


class StoreBusyError(NotReadyError):
    """Another process held the store's write lock for too long; details: `path`."""

    cause = "The annotation store {path} is busy with another process."
