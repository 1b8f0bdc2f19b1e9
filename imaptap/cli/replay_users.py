"""Who logs in at the target for each recorded user, and with what. No password stands on the command line."""

from __future__ import annotations

import shlex
import subprocess
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from imaptap.cli.errors import UserError
from imaptap.cli.passwords import ask_password, read_password_file
from proxy.replay.login import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CLONE = "{n}"
"""Stands in a user's name for the number of the clone."""
USER = "{user}"
"""Stands in a command for the target's user."""
_SECRETS = ("password-file", "password-command", "token-command")
_KEYS = {"recorded", "user", *_SECRETS}
_FORM = 'Write, for each user: [[user]], recorded = "OLD", user = "NEW", password-file = "PATH".'


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a password or a token comes from: at most one of the three; none: somebody is asked."""

    password_file: Path | None = None
    password_command: str | None = None
    token_command: str | None = None

    def credentials(self, user: str, url: str) -> Credentials:
        """Those of this user of the target. Raises UserError and CertificateError."""
        if self.token_command is not None:
            return Credentials(user, token=_output(self.token_command, user, "token"))
        if self.password_command is not None:
            return Credentials(user, _output(self.password_command, user, "password"))
        if self.password_file is not None:
            password = read_password_file(self.password_file)
            if not password:
                raise UserError(f"The password file {self.password_file} is empty.", "The password is its first line.")
            return Credentials(user, password)
        return Credentials(user, ask_password(f"Password of {user} at {url}", "--password-file or --password-command"))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of --users: the recorded user and the target's."""

    recorded: str
    user: str
    secret: Secret


@dataclass
class Users:
    """Everybody who may log in. `user` is --user: for all whom no row names."""

    url: str
    user: str | None
    secret: Secret
    rows: tuple[Row, ...] = ()
    _prepared: set[tuple[str | None, int]] = field(default_factory=set[tuple[str | None, int]])
    _known: dict[tuple[str, Secret], Credentials] = field(default_factory=dict[tuple[str, Secret], Credentials])

    def prepare(self, recorded: Iterable[str | None], clones: int) -> None:
        """Ask for everything that these recorded users will need (None: one whose name was masked), before it begins.

        Raises UserError where that is not known of one.
        """
        for name in dict.fromkeys(recorded):
            for clone in range(1, clones + 1):
                self._prepared.add((name, clone))
                if self.of(name, clone) is None:
                    raise UserError(
                        "The recording does not tell who logged in: AUTHENTICATE hides it.",
                        "Say who shall log in at the target with --user.",
                    )

    def known(self, recorded: str | None, clone: int) -> Credentials | None:
        """The same as `of`, of those who were prepared; nobody is asked any more while a replay runs."""
        return self.of(recorded, clone) if (recorded, clone) in self._prepared else None

    def of(self, recorded: str | None, clone: int) -> Credentials | None:
        """Who logs in for this recorded user in this clone; None where that cannot be told."""
        rows = [row for row in self.rows if row.recorded == recorded]
        if len(rows) > 1 and CLONE not in rows[0].user:
            if clone > len(rows):
                raise UserError(
                    f"--clones needs a row for {recorded} for each clone, and --users has {len(rows)}.",
                    f"Write more rows, or one with {CLONE} in its user.",
                )
            return self._credentials(rows[clone - 1].user, rows[clone - 1].secret)
        if rows:
            return self._credentials(rows[0].user.replace(CLONE, str(clone)), rows[0].secret)
        name = self.user or recorded
        return None if name is None else self._credentials(name.replace(CLONE, str(clone)), self.secret)

    def _credentials(self, user: str, secret: Secret) -> Credentials:
        if not _sendable(user):
            raise UserError(
                f"The user {user!r} has characters in it that no login can carry.",
                "Write the name in UTF-8, without control characters.",
            )
        key = (user, secret)
        if key not in self._known:
            self._known[key] = secret.credentials(user, self.url)
        return self._known[key]


def _sendable(user: str) -> bool:
    """Whether it is UTF-8 (RFC 4616 section 2), and has none of the characters that end or part things in SASL."""
    return not any(letter < " " or letter == "\x7f" or "\ud800" <= letter <= "\udfff" for letter in user)


def read_users(path: Path) -> tuple[Row, ...]:
    """The rows of a --users file (TOML). Raises UserError."""
    try:
        document = tomllib.loads(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"The file {path} cannot be read: {(error.strerror or str(error)).lower()}.", _FORM) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"The file {path} is no TOML: {error}.", _FORM) from error
    rows = document.get("user")
    if not isinstance(rows, list) or len(document) != 1:
        raise UserError(f"The file {path} has something else in it than [[user]].", _FORM)
    return tuple(_row(path, number, row) for number, row in enumerate(cast("list[object]", rows), 1))


def _row(path: Path, number: int, row: object) -> Row:
    values: Mapping[str, object] = cast("Mapping[str, object]", row) if isinstance(row, dict) else {}
    texts = {key: value for key, value in values.items() if isinstance(value, str)}
    unknown = sorted(set(values) - _KEYS) or sorted(set(values) - set(texts))
    if unknown or not texts.get("recorded") or not texts.get("user"):
        what = f"what is {unknown[0]!r}?" if unknown else "it needs recorded and user."
        raise UserError(f"In {path}, user {number}: {what}", _FORM)
    given = [key for key in _SECRETS if key in texts]
    if len(given) > 1:
        raise UserError(f"In {path}, user {number} has both {given[0]} and {given[1]}.", "Keep one of them.")
    file = texts.get("password-file")
    secret = Secret(Path(file) if file else None, texts.get("password-command"), texts.get("token-command"))
    return Row(texts["recorded"], texts["user"], secret)


def _output(command: str, user: str, what: str) -> bytes:
    """The first line that a command prints. Its errors go to the terminal; what it prints is quoted nowhere."""
    try:
        words = [word.replace(USER, user) for word in shlex.split(command)]
        done = subprocess.run(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"The {what} command cannot be run: {reason.lower()}.", "It is run without a shell.") from error
    lines = done.stdout.splitlines()
    if done.returncode or not lines or not lines[0]:
        came = f"ended with {done.returncode}" if done.returncode else "printed nothing"
        raise UserError(
            f"The {what} command for {user} {came}.", f"Run it yourself to see why: its first line is the {what}."
        )
    return lines[0]
