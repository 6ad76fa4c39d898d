from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.access import Access, Role, read_accounts, save_account
from recsys.errors import AccessError, DataError, InputError

PASSWORD = "correct horse 배터리"


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accounts") / "accounts.json"
    save_account(path, "지민", PASSWORD, (Role.ANNOTATOR,))
    save_account(path, "ada", "another password", (Role.ANNOTATOR, Role.RESEARCHER))
    return path


@pytest.fixture
def access(accounts: Path) -> Access:
    return Access.from_file(accounts)


def test_without_a_file_everybody_may_do_everything() -> None:
    access = Access.from_file(None)
    assert not access.sign_in
    access.require(None, Role.RESEARCHER)
    assert access.person(None, "anyone") == "anyone"
    assert not access.check_password("anyone", "anything")


def test_file_holds_argon2_hashes_and_is_its_owners_only(accounts: Path) -> None:
    stored = json.loads(accounts.read_text(encoding="utf-8"))
    assert set(stored) == {"지민", "ada"}
    assert all(account["password"].startswith("$argon2id$") for account in stored.values())
    assert PASSWORD not in accounts.read_text(encoding="utf-8")
    assert accounts.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in accounts.parent.iterdir()] == [accounts.name], "no temporary file is left"


@pytest.mark.parametrize(
    ("name", "password", "right"),
    [
        ("지민", PASSWORD, True),
        ("지민", PASSWORD + " ", False),
        ("지민", "", False),
        ("지민", "another password", False),
        ("nobody", PASSWORD, False),
        ("", "", False),
        ("지민", "\ud800", False),
    ],
)
def test_only_the_right_password_of_a_known_name_is_accepted(
    access: Access, name: str, password: str, right: bool
) -> None:
    assert access.check_password(name, password) is right


def test_roles_are_checked(access: Access) -> None:
    access.require("지민", Role.ANNOTATOR)
    access.require("ada", Role.RESEARCHER)
    for name in ("지민", "nobody", "", None):
        with pytest.raises(AccessError, match="researcher"):
            access.require(name, Role.RESEARCHER)


def test_person_is_the_signed_in_one_whatever_was_sent(access: Access) -> None:
    assert access.sign_in
    assert access.person("ada", "지민") == "ada"
    with pytest.raises(AccessError):
        access.person(None, "ada")


def test_saving_again_replaces_only_that_account(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    save_account(path, " ada ", "first password", (Role.ANNOTATOR,))
    save_account(path, "bob", "bob's password", (Role.ANNOTATOR,))
    save_account(path, "ada", "second password", (Role.RESEARCHER,))
    access = Access.from_file(path)
    assert set(read_accounts(path)) == {"ada", "bob"}
    assert not access.check_password("ada", "first password")
    assert access.check_password("ada", "second password")
    assert access.check_password("bob", "bob's password")


@pytest.mark.parametrize(("name", "password"), [("", "long enough"), ("  ", "long enough"), ("ada", "short")])
def test_useless_account_is_refused_and_nothing_is_written(tmp_path: Path, name: str, password: str) -> None:
    with pytest.raises(InputError, match="at least 8"):
        save_account(tmp_path / "accounts.json", name, password, ())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b'{"ada": {"password": "x"}}',
        b'{"ada": {"password": "x", "roles": ["king"]}}',
        b'{"ada": {"password": "x", "roles": [], "admin": true}}',
        b"\xff\xfe",
    ],
)
def test_malformed_file_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "accounts.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match="malformed"):
        Access.from_file(path)
    with pytest.raises(DataError):
        save_account(path, "ada", "long enough", ())
    assert path.read_bytes() == content


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        Access.from_file(tmp_path / "nothing.json")


def test_hash_that_is_none_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    path.write_text('{"ada": {"password": "plain text", "roles": []}}')
    assert not Access.from_file(path).check_password("ada", "plain text")
