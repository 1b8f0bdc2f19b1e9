"""Recorded sessions as parts that can be played: who logs in, when each step was sent and answered."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from imaptap.reading.dialogues import StoredLiterals, dialogues
from proxy.imap.grammar.sasl import Login
from proxy.imap.transcript import Origin, readable
from proxy.replay.part import Moment, Part
from proxy.replay.plan import LOGINS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from proxy.imap.transcript import Exchange
    from proxy.imap.view.dialogue import Dialogue
    from storage import Session, Store

_KEPT_BYTES = 4 * 1024 * 1024
"""Of what was said in a session; as dialogues it takes some twenty times as much memory."""


def parts(store: Store, sessions: Iterable[Session]) -> list[Part]:
    """All of these. Who logged in by SASL is taken for the user that the others name, where they name only one."""
    found = [part(store, session) for session in sessions]
    named = {each.user for each in found if each.user is not None}
    if len(named) != 1:
        return found
    (user,) = named
    return [replace(each, user=user) if each.logs_in else each for each in found]


def part(store: Store, session: Session) -> Part:
    """One session. Its commands are read when they are played."""
    exchanges = (stored.exchange for stored in store.exchanges(session))
    # What imaptap itself has asked is no client's step.
    mine = [each for each in exchanges if each.origin is not Origin.PROXY]
    moments = tuple(_moment(each, session.wall) for each in mine)
    login = next((each for each in mine if each.command in LOGINS and each.status == "OK"), None)
    last = max((moment.ended or moment.started for moment in moments), default=session.wall)
    return Part(
        session.number,
        session.wall,
        last if session.at_end is None else session.wall + session.at_end,
        _user(store, session, login),
        login is not None,
        any(each.command == "STARTTLS" and each.status == "OK" for each in mine),
        moments,
        _Kept(
            functools.partial(dialogues, store, session), sum(each.client_bytes + each.server_bytes for each in mine)
        ),
        StoredLiterals(store, session),
    )


class _Kept:
    """A session's dialogues, which are kept when they have been read once, unless they are too many."""

    def __init__(self, read: Callable[[], Iterator[Dialogue]], size: int) -> None:
        """`size` is how many bytes were said."""
        self._read, self._keeps = read, size <= _KEPT_BYTES
        self._known: list[Dialogue] | None = None

    def __call__(self) -> Iterable[Dialogue]:
        """All of them, from the first one on."""
        if self._known is None and self._keeps:
            self._known = list(self._read())
        return self._known if self._known is not None else self._read()


def _moment(exchange: Exchange, wall: int) -> Moment:
    ended = None if exchange.ended is None else wall + exchange.ended
    return Moment(exchange.number, exchange.command, wall + exchange.started, ended)


def _user(store: Store, session: Session, login: Exchange | None) -> str | None:
    """The name in LOGIN; those in SASL are masked."""
    if login is None or login.command != "LOGIN":
        return None
    for dialogue in dialogues(store, session):
        if dialogue.exchange.number >= login.number:
            body = dialogue.command.body if dialogue.command else None
            user = body.user if isinstance(body, Login) else None
            return readable(user) if isinstance(user, bytes) else None
    return None
