"""Logins as a server sees them: SASL mechanisms as generators of challenges, which get the client's answers.

What was recorded of a login is masked, so none of it is played: any password is taken, or the one that is demanded.
RFC 4616 (PLAIN), RFC 2195 (CRAM-MD5), RFC 5802 and 7677 (SCRAM, by the library scramp), RFC 7628 (OAUTHBEARER).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from proxy.replay.login import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Conversation = Generator[bytes, bytes, "Login"]

SCRAM = ("SCRAM-SHA-1", "SCRAM-SHA-256")
_CHALLENGE = b"<1.1@imaptap.invalid>"
_REFUSED = b'{"status":"invalid_token"}'


@dataclass(frozen=True, slots=True)
class Login:
    """Who wants to come in, and whether that is allowed. `credentials` are there where they were given or are known."""

    user: str
    accepted: bool
    credentials: Credentials | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Door:
    """Who is let in: this user, or anybody for None; with this password or token, or any."""

    user: str | None = None
    password: bytes | None = field(default=None, repr=False)

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Those that can be served. SCRAM makes the server prove that it knows the password, so it has to."""
        return (*_MECHANISMS, *(SCRAM if self.password is not None else ()))

    @property
    def demands(self) -> bool:
        """Whether not everybody is let in."""
        return self.user is not None or self.password is not None

    def login(self, user: bytes, password: bytes) -> Login:
        """A login with a password in clear."""
        name = user.decode("utf-8", "replace")
        return Login(name, self._lets_in(user, password), Credentials(name, password))

    def token(self, user: bytes, token: bytes) -> Login:
        """A login with an access token."""
        name = user.decode("utf-8", "replace")
        return Login(name, bool(token) and self._lets_in(user, token), Credentials(name, token=token))

    def proven(self, user: bytes, *, right: bool) -> Login:
        """A login by one who has not said the password, but, where one is demanded, has shown to know it: `right`."""
        name = user.decode("utf-8", "replace")
        known = None if self.password is None else Credentials(name, self.password)
        return Login(name, right and self._knows(user), known)

    def begin(self, mechanism: str) -> Conversation | None:
        """The mechanism's conversation; None for those that are not served."""
        if mechanism in SCRAM and self.password is not None:
            return _scram(self, mechanism, self.password)
        make = _MECHANISMS.get(mechanism)
        return make(self) if make else None

    def _lets_in(self, user: bytes, secret: bytes) -> bool:
        return self._knows(user) and self.password in {None, secret}

    def _knows(self, user: bytes) -> bool:
        return self.user is None or self.user.encode() == user


def shows(mechanism: str) -> bool:
    """Whether who logs in by this mechanism says the password, or the token."""
    return mechanism not in {"CRAM-MD5", *SCRAM}


def client_first(mechanism: str) -> bool:
    """Whether the client may say something before it is asked (SASL-IR, RFC 4959)."""
    return mechanism != "CRAM-MD5"


def _plain(door: Door) -> Conversation:
    said = (yield b"").split(b"\0")
    if len(said) != 3:
        return Login("", accepted=False)
    login = door.login(said[1], said[2])
    # Who comes in as somebody else would be himself where these are said again.
    return login if said[0] in {b"", said[1]} else replace(login, credentials=None)


def _login(door: Door) -> Conversation:
    user = yield b"Username:"
    return door.login(user, (yield b"Password:"))


def _cram(door: Door) -> Conversation:
    user, _, digest = (yield _CHALLENGE).rpartition(b" ")
    right = door.password is None or hmac.compare_digest(
        hmac.new(door.password, _CHALLENGE, "md5").hexdigest().encode(), digest
    )
    return door.proven(user, right=right)


def _bearer(door: Door) -> Conversation:
    """XOAUTH2 and OAUTHBEARER: `user=` or the name in the GS2 header, and a token."""
    user, token = b"", b""
    for part in (yield b"").split(b"\x01"):
        if part.startswith(b"user="):
            user = part.removeprefix(b"user=")
        elif part.startswith(b"n,a="):
            user = part.removeprefix(b"n,a=").rstrip(b",").replace(b"=2C", b",").replace(b"=3D", b"=")
        elif part.lower().startswith(b"auth=bearer "):
            token = part[len(b"auth=bearer ") :]
    login = door.token(user, token)
    if not login.accepted:
        yield _REFUSED
    return login


def _scram(door: Door, mechanism: str, password: bytes) -> Conversation:
    from scramp import ScramException, ScramMechanism  # noqa: PLC0415 - only where a client wants it

    names: list[str] = []
    made = ScramMechanism(mechanism)

    def known(name: str) -> tuple[bytes, bytes, bytes, int]:
        names.append(name)
        salt, stored, key, count = made.make_auth_info(password.decode())  # which SASLprep may not allow
        return salt, stored, key, count

    server = made.make_server(known)
    try:
        server.set_client_first((yield b"").decode())
        server.set_client_final((yield server.get_server_first().encode()).decode())
        yield server.get_server_final().encode()
    except (ScramException, UnicodeDecodeError):
        return Login(names[-1] if names else "", accepted=False)
    return door.proven(names[-1].encode(), right=True)


_MECHANISMS: dict[str, Callable[[Door], Conversation]] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "CRAM-MD5": _cram,
    "XOAUTH2": _bearer,
    "OAUTHBEARER": _bearer,
}
