"""How a client logs in: LOGIN and AUTHENTICATE as lines of the connection, with whoever it is that came in."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar.sasl import Authenticate
from proxy.imap.grammar.sasl import Login as LoginCommand
from proxy.replay.serving.logins import client_first
from proxy.replay.serving.values import Say

if TYPE_CHECKING:
    from collections.abc import Generator

    from proxy.imap.grammar import Command
    from proxy.replay.serving.logins import Conversation, Door, Login
    from proxy.replay.serving.values import Act


class Entered(NamedTuple):
    """Who is let in, by which mechanism (or the command LOGIN), and the tag of the command that has to be answered."""

    tag: bytes
    login: Login
    mechanism: str


class Entrance:
    """One connection's. What it is told gives what is to be done, and who came in."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._under_way: tuple[bytes, str, Conversation] | None = None

    @property
    def waits(self) -> bool:
        """Whether the client's next line belongs to a login."""
        return self._under_way is not None

    def begin(self, tag: bytes, command: Command | None) -> Generator[Act, None, Entered | None]:
        """A login; None is one that cannot be read."""
        body = command.body if command else None
        if isinstance(body, LoginCommand) and isinstance(body.user, bytes) and isinstance(body.password, bytes):
            return (yield from _decided(Entered(tag, self._door.login(body.user, body.password), "LOGIN")))
        if isinstance(body, Authenticate) and (login := self._door.begin(body.mechanism.decode())):
            self._under_way = tag, body.mechanism.decode(), login
            challenge = next(login)
            if body.initial is not None and client_first(body.mechanism.decode()):
                return (yield from self.hear(body.initial))
            yield Say(_challenge(challenge))
        else:
            yield Say(tag + b" NO [CANNOT] imaptap: this way to log in cannot be served\r\n")
        return None

    def hear(self, line: bytes) -> Generator[Act, None, Entered | None]:
        """The client's answer to what it was asked last."""
        if self._under_way is None:
            return None
        tag, mechanism, login = self._under_way
        try:
            challenge = login.send(b"" if line == b"=" else base64.b64decode(line, validate=True))
        except StopIteration as ended:
            self._under_way = None
            return (yield from _decided(Entered(tag, ended.value, mechanism)))
        except binascii.Error:
            self._under_way = None
            yield Say(tag + b" BAD imaptap: cancelled, or no base64\r\n")
        else:
            yield Say(_challenge(challenge))
        return None


def _decided(entered: Entered) -> Generator[Act, None, Entered | None]:
    if entered.login.accepted:
        return entered
    yield Say(entered.tag + b" NO [AUTHENTICATIONFAILED] imaptap: not the user and password of --user\r\n")
    return None


def _challenge(data: bytes) -> bytes:
    return b"+ " + base64.b64encode(data) + b"\r\n"
