"""Who logs in for whom: the rows of --users, --user, and what is said of mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.cli.errors import UserError
from imaptap.cli.replay_users import Secret, Users, read_users

if TYPE_CHECKING:
    from pathlib import Path

ECHO = 'password-command = "echo {user}-secret"'
BOB = f'[[user]]\nrecorded = "bob"\nuser = "robert"\n{ECHO}\n'
LOADS = "".join(f'[[user]]\nrecorded = "bob"\nuser = "load-{name}"\n{ECHO}\n' for name in ("a", "b"))
MANY = f'[[user]]\nrecorded = "bob"\nuser = "load{{n}}"\n{ECHO}\n'


def users(tmp_path: Path, text: str, user: str | None = None) -> Users:
    """Those of a file."""
    file = tmp_path / "users.toml"
    file.write_text(text)
    secret = Secret(password_command="echo other")
    return Users("imaps://x", user, secret, read_users(file) if text else ())


@pytest.mark.parametrize(
    ("text", "user", "recorded", "clone", "expected"),
    [
        ("", None, "bob", 1, ("bob", b"other")),
        ("", "eve", "bob", 1, ("eve", b"other")),
        ("", "eve{n}", "bob", 7, ("eve7", b"other")),
        ("", "eve", None, 1, ("eve", b"other")),
        (BOB, None, "bob", 1, ("robert", b"robert-secret")),
        (BOB, "eve", "bob", 1, ("robert", b"robert-secret")),
        (BOB, "eve", "ann", 1, ("eve", b"other")),
        (BOB, None, "bob", 2, ("robert", b"robert-secret")),
        (LOADS, None, "bob", 2, ("load-b", b"load-b-secret")),
        (MANY, None, "bob", 12, ("load12", b"load12-secret")),
    ],
)
def test_who_logs_in(
    text: str, user: str | None, recorded: str | None, clone: int, expected: tuple[str, bytes], tmp_path: Path
) -> None:
    found = users(tmp_path, text, user).of(recorded, clone)
    assert found
    assert (found.user, found.password) == expected
    assert expected[1].decode() not in repr(found)


def test_nobody_is_known(tmp_path: Path) -> None:
    assert users(tmp_path, "").of(None, 1) is None


def test_more_clones_than_rows(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--users has 2"):
        users(tmp_path, LOADS).of("bob", 3)


def test_everybody_is_asked_for_once_before_it_begins(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $1 >> {log}\necho secret\n")
    program.chmod(0o700)
    asked = Users("imaps://x", None, Secret(password_command=f"{program} {{user}}"))
    asked.prepare(["bob", "eve", "bob"], 2)
    assert log.read_text().split() == ["bob", "eve"]
    known = asked.known("eve", 2)
    assert known
    assert known.user == "eve"
    assert asked.known("ann", 1) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "is no TOML"),
        ("a = 1", "something else in it"),
        ('[[user]]\nrecorded = "bob"\n', "user 1: it needs recorded and user"),
        (BOB + '[[user]]\nrecorded = "x"\nuser = "y"\npassword = "z"\n', "user 2: what is 'password'"),
        ('[[user]]\nrecorded = "bob"\nuser = 3\n', "user 1: what is 'user'"),
        (BOB + 'token-command = "x"\n', "both password-command and token-command"),
    ],
)
def test_mistakes_in_the_file(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        users(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: no such file"):
        read_users(tmp_path / "none")
