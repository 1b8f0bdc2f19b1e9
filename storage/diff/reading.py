"""What the alignment needs of a session: read from its exchanges alone, not from what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from proxy.imap.transcript import Origin
from storage import tables
from storage.diff.keys import Key, Keys, key
from storage.diff.sessions import FIRST, Opening

if TYPE_CHECKING:
    from collections.abc import Container

    from sqlalchemy import Select

    from storage.store import Store
    from storage.values import Recording, Session

_PAGE = 5000
_session, _exchange = tables.session.c, tables.exchange.c
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


def openings(store: Store, recording: Recording, session: Session | None = None) -> list[Opening]:
    """How each session of a recording begins, by number; or only that one. Raises StorageError."""
    mine = _session.recording_id == recording.id
    numbers = select(_session.number).where(mine).order_by(_session.number)
    columns = _session.number, _exchange.command, _exchange.arguments, _exchange.mailbox
    first = (_exchange.number <= FIRST) & (_exchange.origin != Origin.PROXY.value)
    commands = select(*columns).select_from(tables.session.join(tables.exchange)).where(mine, first)
    if session is not None:
        numbers, commands = (query.where(_session.id == session.id) for query in (numbers, commands))
    with store.snapshot() as connection:
        found: dict[int, list[Key]] = {number: [] for number in connection.execute(numbers).scalars()}
        logins: dict[int, int] = {}
        for number, command, *said in connection.execute(commands.order_by(_session.number, _exchange.number)):
            meant = key(command, *said)
            found[number].append(meant)
            if command in _LOGINS:
                logins.setdefault(number, meant.exact)
    return [Opening(number, logins.get(number), tuple(each.meaning for each in keys)) for number, keys in found.items()]


def _commands(session: Session) -> Select[tuple[int, str, str, str | None]]:
    mine = _exchange.session_id == session.id, _exchange.origin != Origin.PROXY.value
    columns = _exchange.number, _exchange.command, _exchange.arguments, _exchange.mailbox
    return select(*columns).where(*mine).order_by(_exchange.number)
