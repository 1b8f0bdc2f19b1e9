"""SASL mechanisms as answers to challenges: PLAIN, SCRAM, XOAUTH2, OAUTHBEARER (RFC 4616, 5802, 7677, 7628).

No base64, no I/O. SCRAM is the library scramp's.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator

SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-1")
TOKEN = ("OAUTHBEARER", "XOAUTH2")


class SaslError(Exception):
    """The server's part is not as it must be; `str()` says what is wrong with it."""


class Mechanism(Protocol):
    """One login."""

    first: bytes
    """What the client says first; all mechanisms of these begin with the client."""

    def answer(self, challenge: bytes) -> bytes:
        """What to say to the server's challenge. Raises SaslError."""
        ...

    def check(self) -> None:
        """The server says OK: raises SaslError where it has not proved itself, but had to."""
        ...


class Plain:
    """PLAIN (RFC 4616)."""

    def __init__(self, user: str, password: bytes) -> None:
        self.first = b"\0" + user.encode() + b"\0" + password

    def answer(self, challenge: bytes) -> bytes:
        """Nothing more is to be said."""
        raise SaslError(f"it asks for more than PLAIN has to say ({len(challenge)} B)")

    def check(self) -> None:
        """It has nothing to prove."""


class Scram:
    """SCRAM-SHA-1 and SCRAM-SHA-256, without channel binding (RFC 5802, RFC 7677)."""

    def __init__(self, name: str, user: str, password: bytes) -> None:
        """Raises SaslError for names and passwords that SCRAM cannot carry."""
        from scramp import ScramClient  # noqa: PLC0415 - only where a server wants it

        self._step = 0
        with _explained():
            self._client = ScramClient([name], user, password.decode())
            self.first = self._client.get_client_first().encode()

    def answer(self, challenge: bytes) -> bytes:
        """The proof, and then nothing."""
        self._step += 1
        with _explained():
            if self._step == 1:
                self._client.set_server_first(challenge.decode())
                return self._client.get_client_final().encode()
            if self._step == 2:
                self._client.set_server_final(challenge.decode())
                return b""
        raise SaslError("it asks for more than SCRAM has to say")

    def check(self) -> None:
        """A server that does not know the password cannot have sent its signature."""
        if self._step < 2:
            raise SaslError("it says OK and has not proved that it knows the password")


class OAuth:
    """XOAUTH2, and OAUTHBEARER (RFC 7628)."""

    def __init__(self, name: str, user: str, token: bytes, host: str, port: int) -> None:
        bearer = b"auth=Bearer " + token
        if name == "XOAUTH2":
            self.first = b"user=" + user.encode() + b"\x01" + bearer + b"\x01\x01"
            self._refused = b""
        else:
            account = user.replace("=", "=3D").replace(",", "=2C").encode()
            self.first = b"n,a=%s,\x01host=%s\x01port=%d\x01%s\x01\x01" % (account, host.encode(), port, bearer)
            self._refused = b"\x01"

    def answer(self, challenge: bytes) -> bytes:
        """A challenge says why the token is refused; the answer has the server end it (RFC 7628 section 3.2.3)."""
        del challenge
        return self._refused

    def check(self) -> None:
        """It has nothing to prove."""


@contextlib.contextmanager
def _explained() -> Generator[None, None, None]:
    """Errors of scramp may quote what they are about: here they say no more than what is wrong."""
    from scramp import ScramException  # noqa: PLC0415

    try:
        yield
    except (ScramException, ValueError) as error:
        raise SaslError("what it answers is no SCRAM, or does not fit this password") from error
