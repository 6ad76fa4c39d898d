"""Accounts and roles: who may sign in, and what they may do."""

from __future__ import annotations

import os
import secrets
import tempfile
from enum import StrEnum
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from recsys.errors import AccessError, DataError, InputError


class Role(StrEnum):
    """What an account may do, besides using the playground."""

    ANNOTATOR = "annotator"
    RESEARCHER = "researcher"


class Account(BaseModel):
    """One line of the accounts file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password: str
    roles: tuple[Role, ...]


_FILE = TypeAdapter(dict[str, Account])
_hasher = PasswordHasher()
_DECOY = _hasher.hash(secrets.token_hex())


class Access:
    """Who is asking, and may they. Without an accounts file everybody may do everything."""

    def __init__(self, accounts: dict[str, Account] | None = None) -> None:
        self._accounts = accounts

    @classmethod
    def from_file(cls, path: Path | None) -> Access:
        """The accounts in a JSON file: name to Argon2 hash and roles. Raises DataError."""
        return cls(None if path is None else read_accounts(path))

    @property
    def sign_in(self) -> bool:
        """Whether people have to sign in."""
        return self._accounts is not None

    def check_password(self, name: str, password: str) -> bool:
        """Whether the password is right; as slow for an unknown name as for a known one."""
        account = (self._accounts or {}).get(name)
        try:
            right = _hasher.verify(account.password if account else _DECOY, password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
        return right and account is not None

    def require(self, name: str | None, role: Role) -> None:
        """Raise AccessError unless the signed-in `name` has `role`; nothing where nobody signs in."""
        if self._accounts is None:
            return
        account = self._accounts.get(name or "")
        if account is None or role not in account.roles:
            raise AccessError(need=role.value)

    def person(self, signed_in: str | None, claimed: str) -> str:
        """The name under which somebody acts: the signed-in one, whatever else was sent."""
        if self._accounts is None:
            return claimed
        if not signed_in:
            raise AccessError(need="of a signed-in person")
        return signed_in


def read_accounts(path: Path) -> dict[str, Account]:
    """The accounts in `path`; raises DataError with cause and cure."""
    try:
        return _FILE.validate_json(path.read_bytes())
    except OSError as error:
        reason = f"The accounts file {path} cannot be read ({error.strerror})."
        raise DataError(reason=reason) from error
    except ValidationError as error:
        raise DataError(
            reason=f"The accounts file {path} is malformed: {error.errors()[0]['msg']}. "
            "Make one with `python -m recsys account NAME --file FILE`."
        ) from error


def save_account(path: Path, name: str, password: str, roles: tuple[Role, ...]) -> None:
    """Add or replace one account; the file is readable by its owner only."""
    if not name.strip() or len(password) < 8:
        raise InputError(reason="An account needs a name and a password of at least 8 characters.")
    accounts = read_accounts(path) if path.exists() else {}
    accounts[name.strip()] = Account(password=_hasher.hash(password), roles=roles)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(_FILE.dump_json(accounts, indent=2))
    os.replace(temporary, path)
