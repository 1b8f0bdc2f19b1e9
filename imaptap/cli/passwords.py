"""Passwords of keys: from a file, the environment or the terminal, never from the command line, which all can read.

(/proc/PID/cmdline is open to every user, and the shell remembers what was typed.)
"""

from __future__ import annotations

import enum
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from certs.locking import is_locked
from certs.privacy import need_private
from imaptap.cli.errors import INTERRUPTED, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

_FORMS = "Write file:PATH, env:NAME or prompt."
_LONGEST = 1023
"""OpenSSL takes no longer ones (PEM_BUFSIZE)."""
_LINE_MOST = 64 * 1024
"""What is longer is another file that was named by mistake; a token in place of a password may have some kilobytes."""


class Kind(enum.Enum):
    """Where a password comes from."""

    FILE = "file"
    ENV = "env"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a password comes from; `place` is a path, the name of a variable, or nothing."""

    kind: Kind
    place: str = ""


def read_source(_context: click.Context, option: click.Parameter, text: str | None) -> Source | None:
    """Read `file:PATH`, `env:NAME` or `prompt`, as in OpenSSL's -passin: what click calls for an option.

    Raises UserError, which does not repeat the text: it may be a password.
    """
    if text is None:
        return None
    word, _, place = text.partition(":")
    kind = {kind.value: kind for kind in Kind}.get(word)
    if kind is None or bool(place) is (kind is Kind.PROMPT):
        raise UserError(
            f"{max(option.opts, key=len)} does not say where the password is. If it was the password itself, other "
            "users and the shell's history have it now.",
            f"{_FORMS} Change a password that was typed here.",
        )
    return Source(kind, place)


def password_option(option: str, variable: str, explained: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that says where a password comes from; without it `variable` may hold the password."""
    help_text = f"{explained}: file:PATH, env:NAME or prompt.  [default: ${variable}, else a locked key is asked about]"
    return click.option(option, callback=read_source, metavar="SOURCE", help=help_text)


@dataclass(frozen=True, slots=True)
class Passwords:
    """How to come by the passwords of one kind of key: what `option` said, else the environment, else the terminal."""

    option: str
    variable: str
    source: Source | None = None

    def of(self, key: Path) -> bytes | None:
        """The password that the file `key` is locked with; None where it is not, or is not there.

        Raises UserError (nobody to ask, nothing there) and CertificateError (open to others).
        """
        if not key.is_file() or not is_locked(key):
            return None
        if (source := self._said()) is not None:
            return self._read(source, f"Password of {key}", confirm=False)
        if not _at_a_terminal():
            raise UserError(
                f"The key in {key} is locked with a password.",
                f"Give it with {self.option} file:PATH, or in ${self.variable}.",
            )
        return self._read(Source(Kind.PROMPT), f"Password of {key}", confirm=False)

    def for_new(self, key: Path) -> bytes | None:
        """The password for a key that is about to be made; None where none is wanted, since nothing names one."""
        source = self._said()
        return None if source is None else self._read(source, f"New password for {key}", confirm=True)

    def _said(self) -> Source | None:
        return self.source or (Source(Kind.ENV, self.variable) if os.environ.get(self.variable) else None)

    def _read(self, source: Source, question: str, *, confirm: bool) -> bytes:
        if source.kind is Kind.PROMPT:
            password = ask_password(question, "file:PATH or env:NAME", confirm=confirm)
        else:
            password = (
                read_password_file(Path(source.place)) if source.kind is Kind.FILE else _from_variable(source.place)
            )
        if not password:
            raise UserError(f"The password from {self._named(source)} is empty.", "Give one that is not.")
        if len(password) > _LONGEST:
            raise UserError(
                f"The password from {self._named(source)} is longer than the {_LONGEST} bytes that keys take.",
                "Give a shorter one.",
            )
        return password

    def _named(self, source: Source) -> str:
        return {Kind.FILE: source.place, Kind.ENV: f"${source.place}", Kind.PROMPT: "the terminal"}[source.kind]


def read_password_file(path: Path) -> bytes:
    """Its first line, as OpenSSL's -passin takes it; a file must be private, what comes out of a pipe is.

    Raises UserError and CertificateError.
    """
    path = path.expanduser()
    need_private(path, "password file")
    try:
        with path.open("rb") as file:
            line = file.readline(_LINE_MOST + 2).rstrip(b"\r\n")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"The password file {path} cannot be read: {reason}.", "Name another one.") from error
    if len(line) > _LINE_MOST:
        raise UserError(
            f"The first line of the password file {path} is longer than {_LINE_MOST} bytes.",
            "Write the password alone on its first line.",
        )
    return line


def _from_variable(name: str) -> bytes:
    if name not in os.environ:
        raise UserError(
            f"There is no environment variable {name} to take the password from.", "Set it, or name another."
        )
    return os.fsencode(os.environ[name])


def ask_password(question: str, otherwise: str, *, confirm: bool = False) -> bytes:
    """Ask for it on the terminal; `otherwise` is how it could be given instead. Raises UserError."""
    if not _at_a_terminal():
        raise UserError("There is no terminal to ask for the password on.", f"Give it with {otherwise} instead.")
    try:
        answer: str = click.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True)
    except click.Abort as error:
        raise UserError("No password was given.", "Nothing was done.", INTERRUPTED) from error
    return answer.encode("utf-8", "surrogateescape")


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
