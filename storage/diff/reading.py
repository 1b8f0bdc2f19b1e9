"""What the alignment needs of a session: read from its exchanges alone, not from what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from proxy.imap.transcript import Origin
from storage import tables
from storage.diff.keys import Keys, key
from storage.diff.sessions import FIRST, Opening

if TYPE_CHECKING:
    from collections.abc import Container

    from sqlalchemy import Select

    from storage.store import Store
    from storage.values import Session

_PAGE = 5000
_exchange = tables.exchange.c
_LOGINS = ("LOGIN", "AUTHENTICATE")


def session_keys(store: Store, session: Session, without: Container[int] = ()) -> Keys:
    """The keys of a session's exchanges, but for those that imaptap itself has issued and those in `without`.

    Raises StorageError.
    """
    keys = Keys()
    with store.snapshot() as connection:
        rows = connection.execution_options(yield_per=_PAGE).execute(_commands(session))
        for number, command, arguments, mailbox in rows:
            if number not in without:
                keys.add(number, key(command, arguments, mailbox))
    return keys


def opening(store: Store, session: Session) -> Opening:
    """How a session begins. Raises StorageError."""
    with store.reading() as connection:
        rows = connection.execute(_commands(session).limit(FIRST)).all()
    login = next((key(*row[1:]).exact for row in rows if row.command in _LOGINS), None)
    return Opening(session.number, login, tuple(key(*row[1:]).meaning for row in rows))


def _commands(session: Session) -> Select[tuple[int, str, str, str | None]]:
    mine = _exchange.session_id == session.id, _exchange.origin != Origin.PROXY.value
    columns = _exchange.number, _exchange.command, _exchange.arguments, _exchange.mailbox
    return select(*columns).where(*mine).order_by(_exchange.number)
