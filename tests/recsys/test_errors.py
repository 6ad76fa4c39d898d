from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from string import Formatter

import pytest

import annotation.errors
import recsys.errors
import training.errors
from recsys.errors import (
    AccessError,
    ConflictError,
    DataError,
    InputError,
    NotReadyError,
    ResourceError,
    ZeroshelfError,
)

_MODULES = (recsys.errors, annotation.errors, training.errors)


def _tree(root: type[ZeroshelfError]) -> Iterator[type[ZeroshelfError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def _values(template: str) -> dict[str, object]:
    """A value for every placeholder: a number where the format asks for one."""
    parsed = Formatter().parse(template)
    return {name: 12345 if spec else "x{y}" for _, name, spec, _ in parsed if name}


ERRORS = [error for error in _tree(ZeroshelfError) if error.__module__ in {m.__name__ for m in _MODULES}]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
def test_message_can_be_filled_and_says_its_cause_and_cure(error: type[ZeroshelfError]) -> None:
    message = str(error(**_values(error.cause + error.cure)))
    assert not re.search(r"{(?!y})", message)
    assert message.strip() == message
    if error.cause != "{reason}":
        assert error.cure, "a cause of its own needs a cure"
        assert message.endswith(".")


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
def test_docstring_names_the_details_of_the_templates(error: type[ZeroshelfError]) -> None:
    if error is ZeroshelfError:
        return
    for name in _values(error.cause + error.cure):
        owner = next(c for c in error.__mro__ if "cause" in vars(c) or (c.__doc__ and name in c.__doc__))
        assert owner is ZeroshelfError or name in (owner.__doc__ or ""), name


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (InputError, 2),
        (DataError, 3),
        (ConflictError, 4),
        (NotReadyError, 5),
        (AccessError, 6),
        (ResourceError, 7),
    ],
)
def test_exit_code_is_that_of_the_branch(kind: type[ZeroshelfError], code: int) -> None:
    branch = [error for error in ERRORS if issubclass(error, kind)]
    assert {error.exit_code for error in branch} == {code}


def test_every_error_belongs_to_one_branch() -> None:
    kinds = (InputError, DataError, ConflictError, NotReadyError, AccessError, ResourceError)
    for error in ERRORS:
        if error is not ZeroshelfError:
            assert sum(issubclass(error, kind) for kind in kinds) == 1, error


def test_braces_in_a_detail_are_only_text() -> None:
    assert "{reason}" in str(InputError(reason="a {reason} in braces"))


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
def test_error_of_another_process_arrives_whole(error: type[ZeroshelfError]) -> None:
    sent = error(**_values(error.cause + error.cure))
    come = pickle.loads(pickle.dumps(sent))
    assert (type(come), str(come), come.details) == (error, str(sent), sent.details)
