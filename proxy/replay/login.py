"""Logging in at the target: who, with what, by which mechanism. What was recorded of a login is never sent (M 9.11)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.grammar import Command, cut, joined, write
from proxy.imap.grammar.sasl import Login
from proxy.imap.grammar.status import Status
from proxy.imap.masking import masked
from proxy.imap.transcript import Direction, readable
from proxy.imap.units import Unit
from proxy.imap.vault import Vault
from proxy.live.errors import LiveError
from proxy.replay.flight import Content
from proxy.replay.sasl import SCRAM, TOKEN, Mechanism, OAuth, Plain, SaslError, Scram

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.replay.connection import Connection
    from proxy.replay.flight import Flight

    Begun = Callable[[Flight], None]

LOGIN = "LOGIN"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who logs in, and with what: a password, or an access token. `repr` shows neither."""

    user: str
    password: bytes | None = field(default=None, repr=False)
    token: bytes | None = field(default=None, repr=False)

    def hidden(self, text: str) -> str:
        """What a server says, with echoes of the secret masked: it goes on record as the reason of an end (M 7.5)."""
        vault = Vault()
        for secret in (self.password, self.token):
            if secret:
                vault.learn(secret)
                vault.learn(Plain(self.user, secret).first)
        data = text.encode()
        return masked(data, vault.find(data, words=True)).decode("utf-8", "replace")


class LoginError(LiveError):
    """The target does not let this user in, or there is no way to ask it."""


def choose(capabilities: frozenset[str], credentials: Credentials, url: str) -> str:
    """The mechanism to log in with, or LOGIN for the command. Raises LoginError where the target has none that fits.

    `capabilities` are the target's words, in capitals.
    """
    offered = {word.removeprefix("AUTH=") for word in capabilities if word.startswith("AUTH=")}
    if credentials.token is not None:
        wanted: tuple[str, ...] = TOKEN
        hint = "Leave out --token-command and give a password."
    else:
        wanted = (*(SCRAM if _is_text(credentials.password) else ()), "PLAIN")
        hint = "Where only tokens are taken, use --token-command; where TLS is wanted, an imaps:// or imap:// URL."
    for name in wanted:
        if name in offered:
            return name
    if credentials.token is None and "LOGINDISABLED" not in capabilities:
        return LOGIN
    there = " ".join(sorted(offered)) or "none"
    kind = "passwords" if credentials.token is None else "tokens"
    raise LoginError(f"{url} offers no login with {kind} that imaptap knows (it offers: {there}).", hint)


async def log_in(
    connection: Connection, credentials: Credentials, mechanism: str, tag: bytes, *, initial: bool, begun: Begun
) -> Flight:
    """Log in; the flight tells what came of it. Raises LoginError where the server's part is not as it must be.

    `initial`: the first response may stand in the command itself (SASL-IR, RFC 4959).
    """
    if mechanism == LOGIN:
        return await _login(connection, credentials, tag, begun)
    endpoint = connection.endpoint
    try:
        sasl = _mechanism(mechanism, credentials, endpoint.host, endpoint.port)
        return await _authenticate(connection, sasl, mechanism, tag, initial=initial, begun=begun)
    except SaslError as error:
        raise LoginError(
            f"{endpoint.url} does not log {credentials.user} in with {mechanism}: {error}.",
            "Check user and password; if they are right, the server is not to be trusted.",
        ) from error


def refused(connection: Connection, credentials: Credentials, mechanism: str, flight: Flight) -> LoginError:
    """What to say of a login that was answered NO or BAD, or not at all."""
    url, user = connection.endpoint.url, credentials.user
    if flight.completion is None:
        return LoginError(f"{url} closed the connection while {user} logged in.", "Ask whoever runs it.")
    status = flight.completion.status
    text = credentials.hidden(readable(status.text).strip()) if isinstance(status, Status) else ""
    said = f"{flight.status} {text}".strip()
    what = "token" if credentials.token is not None else "password"
    return LoginError(
        f"{url} refuses the login of {user} with {mechanism}: {said}",
        f"Check the user and the {what}: --user, --password-file or --users say which ones are used.",
    )


def _is_text(password: bytes | None) -> bool:
    """Whether SCRAM can carry it: UTF-8 (RFC 5802 section 5.1)."""
    try:
        (password or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _mechanism(name: str, credentials: Credentials, host: str, port: int) -> Mechanism:
    if name in TOKEN:
        return OAuth(name, credentials.user, credentials.token or b"", host, port)
    password = credentials.password or b""
    return Scram(name, credentials.user, password) if name in SCRAM else Plain(credentials.user, password)


async def _login(connection: Connection, credentials: Credentials, tag: bytes, begun: Begun) -> Flight:
    user, password = credentials.user.encode(), credentials.password or b""
    unit = write(Command(tag, Login(user, password)))
    shown = cut(joined(write(Command(tag, Login(user, b"*" * len(password))))), Direction.CLIENT)
    flight = await connection.send(tag, unit, _contents(unit), shown=shown, begun=begun)
    await flight.over
    return flight


async def _authenticate(
    connection: Connection, sasl: Mechanism, mechanism: str, tag: bytes, *, initial: bool, begun: Begun
) -> Flight:
    line, first = tag + b" AUTHENTICATE " + mechanism.encode(), base64.b64encode(sasl.first)
    said, shown = (line + b" " + first, line + b" " + b"*" * len(first)) if initial else (line, line)
    flight = await connection.send(tag, _line(said), (), shown=_line(shown), begun=begun)
    if not initial:
        if await connection.continuation(flight) is None:
            return flight
        await connection.line(flight, first, sasl=True)
    while (challenge := await connection.continuation(flight)) is not None:
        try:
            answer = sasl.answer(_decoded(challenge.text))
        except SaslError:
            await connection.line(flight, b"*", sasl=True)
            await flight.over
            raise
        await connection.line(flight, base64.b64encode(answer), sasl=True)
    await flight.over
    if flight.status == "OK":
        sasl.check()
    return flight


def _line(text: bytes) -> Unit:
    return cut(text + b"\r\n", Direction.CLIENT)


def _decoded(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text.strip())
    except binascii.Error as error:
        raise SaslError("its challenge is no base64") from error


def _contents(unit: Unit) -> list[Content]:
    return [Content((literal.content or b"",)) for literal in unit.literals]
