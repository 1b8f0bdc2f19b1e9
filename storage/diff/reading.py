"""What the alignment needs of a session: read from its exchanges alone, not from what was said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from proxy.imap.transcript import Origin
from storage import tables
from storage.diff.keys import Key, Keys, key
from storage.diff.sessions import FIRST, Opening

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from storage.store import Store
    from storage.values import Recording, Session

_PAGE = 5000
_session, _exchange = tables.session.c, tables.exchange.c
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"|([^ {"]+)')


def session_keys(store: Store, session: Session) -> Keys:
    """The keys of a session's exchanges, but for those that imaptap itself has issued. Raises StorageError."""
    keys = Keys()
    with store.snapshot() as connection:
        rows = connection.execution_options(yield_per=_PAGE).execute(_commands(session))
        for row in rows:
            keys.add(row.number, key(row.command, row.arguments, row.mailbox))
    return keys


def openings(store: Store, recording: Recording, session: Session | None = None) -> list[Opening]:
    """How each session of a recording begins, by number; or only that one. Raises StorageError."""
    mine = _session.recording_id == recording.id
    numbers = select(_session.number).where(mine).order_by(_session.number)
    columns: list[ColumnElement[Any]] = [_session.number, _exchange.command, _exchange.arguments, _exchange.mailbox]
    first = (_exchange.number <= FIRST) & (_exchange.origin != Origin.PROXY.value)
    commands = select(*columns).select_from(tables.session.join(tables.exchange)).where(mine, first)
    if session is not None:
        numbers, commands = (query.where(_session.id == session.id) for query in (numbers, commands))
    with store.snapshot() as connection:
        found: dict[int, list[Key]] = {number: [] for number in connection.execute(numbers).scalars()}
        users: dict[int, str] = {}
        for row in connection.execute(commands.order_by(_session.number, _exchange.number)):
            meant = key(row.command, row.arguments, row.mailbox)
            found[row.number].append(meant)
            if row.command == "LOGIN" and (user := _user(row.arguments)):
                users.setdefault(row.number, user)
    return [Opening(number, users.get(number), tuple(each.meaning for each in keys)) for number, keys in found.items()]


def _user(arguments: str) -> str | None:
    """Who logs in with these arguments of LOGIN; None where the name is a literal."""
    name = _NAME.match(arguments)
    return (name[1] or name[2]) if name else None


def _commands(session: Session) -> Select[Any]:
    mine = _exchange.session_id == session.id, _exchange.origin != Origin.PROXY.value
    columns: list[ColumnElement[Any]] = [_exchange.number, _exchange.command, _exchange.arguments, _exchange.mailbox]
    return select(*columns).where(*mine).order_by(_exchange.number)
