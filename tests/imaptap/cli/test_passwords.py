"""Passwords of keys: a file, the environment, the terminal; never the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
import pytest

from certs.errors import CertificateError
from imaptap.cli import passwords
from imaptap.cli.errors import UserError
from imaptap.cli.passwords import Kind, Passwords, Source, read_password_file, read_source
from tests.certs.making import ec_key, make

if TYPE_CHECKING:
    from pathlib import Path

OPTION = click.Option(["--ca-key-password"])
CONTEXT = click.Context(click.Command("x"))
VARIABLE = "TEST_KEY_PASSWORD"
PROMPT = Source(Kind.PROMPT)


def ask(source: Source | None = None) -> Passwords:
    return Passwords("--ca-key-password", VARIABLE, source)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the variable nor a terminal."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(passwords, "_at_a_terminal", lambda: False)


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    return make("locked", ec_key()).write(tmp_path, "locked", password=b"sesame")[1]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.touch(0o600)
    return file


def test_places() -> None:
    for text, source in {
        "file:/a/b": Source(Kind.FILE, "/a/b"),
        "file:C:odd": Source(Kind.FILE, "C:odd"),
        "env:NAME": Source(Kind.ENV, "NAME"),
        "prompt": PROMPT,
    }.items():
        assert read_source(CONTEXT, OPTION, text) == source
    assert read_source(CONTEXT, OPTION, None) is None


@pytest.mark.parametrize(
    "text", ["hunter2", "pass:hunter2", "file:", "env:", "prompt:hunter2", "", "FILE:hunter2", "fd:3"]
)
def test_a_password_in_its_place_is_refused_and_not_repeated(text: str) -> None:
    """Whoever typed it has told everybody, and hears so."""
    with pytest.raises(UserError) as caught:
        read_source(CONTEXT, OPTION, text)
    assert "--ca-key-password does not say where the password is" in caught.value.message
    assert "file:PATH, env:NAME or prompt" in caught.value.hint
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_key_without_a_lock_needs_no_password(tmp_path: Path) -> None:
    """Nor does one that is not there: whoever opens it says so."""
    _, key = make("free", ec_key()).write(tmp_path, "free")
    assert ask(PROMPT).of(key) is None
    assert ask(PROMPT).of(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"sesame", b"sesame"),
        (b"sesame\n", b"sesame"),
        (b"sesame\r\nsecond line\n", b"sesame"),
        (b" se same \n", b" se same "),
        (b"na\xc3\xafve\xff", b"na\xc3\xafve\xff"),
        (b"x" * 1023 + b"\r\n", b"x" * 1023),
    ],
)
def test_a_file(locked: Path, secret: Path, content: bytes, password: bytes) -> None:
    """Its first line, byte for byte."""
    secret.write_bytes(content)
    assert ask(Source(Kind.FILE, str(secret))).of(locked) == password


def test_files_that_hold_none(locked: Path, secret: Path, tmp_path: Path) -> None:
    source = Source(Kind.FILE, str(secret))
    for content, words in (
        (b"\nsecond", f"from {secret} is empty"),
        (b"x" * 1024, "longer than the 1023 bytes"),
        (b"x" * 2000 + b"\n", "longer than the 1023 bytes"),
    ):
        secret.write_bytes(content)
        with pytest.raises(UserError, match=words):
            ask(source).of(locked)
    secret.chmod(0o644)
    with pytest.raises(CertificateError, match=r"password file .* is open to other users"):
        ask(source).of(locked)
    with pytest.raises(CertificateError, match="cannot be read: no such file"):
        ask(Source(Kind.FILE, str(tmp_path / "missing"))).of(locked)
    with pytest.raises(UserError, match="cannot be read: is a directory"):
        ask(Source(Kind.FILE, str(tmp_path))).of(locked)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\nsecond"])
def test_a_long_line_is_whole_or_refused(secret: Path, end: bytes) -> None:
    """A password for a server may be longer than one for a key."""
    longest = b"x" * (64 * 1024)
    secret.write_bytes(longest + end)
    assert read_password_file(secret) == longest
    secret.write_bytes(longest + b"y" + end)
    with pytest.raises(UserError, match=f"first line of the password file {secret} is longer than 65536 bytes"):
        read_password_file(secret)


def test_a_pipe_is_a_file(locked: Path) -> None:
    """`--ca-key-password file:/dev/fd/3`, or what the shell makes of <(pass show imaptap)."""
    end, other = os.pipe()
    os.write(other, b"sesame\n")
    os.close(other)
    try:
        assert ask(Source(Kind.FILE, f"/dev/fd/{end}")).of(locked) == b"sesame"
    finally:
        os.close(end)


def test_the_environment(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of one's own, or the one that is looked for anyway; an empty one is as good as none."""
    monkeypatch.setenv("MINE", "sesame")
    assert ask(Source(Kind.ENV, "MINE")).of(locked) == b"sesame"
    with pytest.raises(UserError, match="no environment variable OTHER"):
        ask(Source(Kind.ENV, "OTHER")).of(locked)
    monkeypatch.setenv(VARIABLE, "naïve")
    assert ask().of(locked) == "naïve".encode()
    assert ask().for_new(locked) == "naïve".encode()
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(UserError, match="locked with a password") as caught:
        ask().of(locked)
    assert caught.value.hint == f"Give it with --ca-key-password file:PATH, or in ${VARIABLE}."


def test_nobody_to_ask(locked: Path) -> None:
    """Without a terminal a question would wait for ever."""
    with pytest.raises(UserError, match="no terminal to ask"):
        ask(PROMPT).of(locked)
    with pytest.raises(UserError, match="no terminal to ask"):
        ask(PROMPT).for_new(locked)


def test_a_new_key_is_locked_only_if_somebody_says_so(locked: Path) -> None:
    assert ask().for_new(locked) is None
