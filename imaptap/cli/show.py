"""`imaptap show`: what was said."""

from collections.abc import Iterator

import click

from imaptap.cli.address import Place, address_argument, find
from imaptap.cli.documents import (
    Document,
    event_document,
    exchange_document,
    line_document,
    print_document,
    recording_document,
    session_document,
    state,
    whole_session,
)
from imaptap.cli.errors import UserError
from imaptap.cli.filtering import filter_option, search
from imaptap.cli.lines import exchange_line
from imaptap.cli.options import db_option, json_option
from imaptap.cli.terminal import Output, day
from imaptap.cli.transcript import Transcript, beginning, ending, happening
from imaptap.reading.script import Script
from imaptap.reading.values import Line
from proxy.imap.transcript import Exchange
from storage import Recording, Session, Store, StoredExchange, open_store
from storage.filter import Node


@click.command(short_help="Show what was said.")
@address_argument
@click.option("--bodies", is_flag=True, help="Show the contents of literals too.")
@filter_option
@db_option
@json_option
def show(address: str, bodies: bool, wanted: Node | None, db: str, as_json: bool) -> None:
    """Show a recording's sessions and exchanges, or the transcript of a session or of one exchange.

    Each level is a number or last; RECORDING may be a name too. What is left out is last.
    """
    with open_store(db, create=False) as store:
        place = find(store, address)
        choice = _Choice(store, place, wanted) if wanted else None
        if as_json:
            print_document(_document(store, place, choice, bodies=bodies))
        else:
            _show(store, place, choice, Output(), bodies=bodies)


class _Choice:
    """The exchanges that --filter has left over."""

    def __init__(self, store: Store, place: Place, wanted: Node) -> None:
        if place.exchange is not None:
            raise UserError(
                "--filter chooses among exchanges, and the address names a single one.",
                f"Leave out the filter, or write {place.recording.name}/{place.exchange.exchange.session}.",
            )
        self._search = search(store, wanted, place.recording)
        self._matches = self._search.matches()

    def sessions(self, all_of_them: Iterator[Session]) -> Iterator[Session]:
        """Those of these sessions in which something matches."""
        return (session for session in all_of_them if session.id in self._matches)

    def exchanges(self, session: Session) -> Iterator[StoredExchange]:
        """What matches in a session."""
        return self._search.exchanges(session, self._matches.get(session.id, ()))


def _sessions(store: Store, recording: Recording, choice: _Choice | None) -> Iterator[Session]:
    found = store.sessions(recording)
    return choice.sessions(found) if choice else found


def _exchanges(store: Store, session: Session, choice: _Choice | None) -> Iterator[StoredExchange]:
    return choice.exchanges(session) if choice else store.exchanges(session)


def _show(store: Store, place: Place, choice: _Choice | None, output: Output, *, bodies: bool) -> None:
    if place.session is None:
        _recording(store, place.recording, choice, output)
        return
    transcript = Transcript(store, place.session, output, bodies=bodies)
    if place.exchange is not None:
        transcript.exchange(place.exchange.exchange)
    elif choice is None:
        transcript.session()
    else:
        transcript.some(stored.exchange for stored in choice.exchanges(place.session))


def _recording(store: Store, recording: Recording, choice: _Choice | None, output: Output) -> None:
    output.say(f"# recording {recording.id} {recording.name}, {day(recording.started)}, {state(recording)}", "bold")
    output.say(f"# {recording.settings}", "dim")
    for event in store.recording_events(recording) if choice is None else ():
        output.say(happening(event))
    for session in _sessions(store, recording, choice):
        output.say()
        for text in beginning(session):
            output.say(text)
        for stored in _exchanges(store, session, choice):
            output.say(exchange_line(session.number, stored.exchange, session.wall))
        output.say(ending(session))


def _document(store: Store, place: Place, choice: _Choice | None, *, bodies: bool) -> Document:
    if place.session is None:
        return _recording_document(store, place.recording, choice)
    if place.exchange is None:
        return whole_session(store, place.session, _exchanges(store, place.session, choice))
    return _exchange_document(store, place.session, place.exchange.exchange, bodies=bodies)


def _recording_document(store: Store, recording: Recording, choice: _Choice | None) -> Document:
    events = (event_document(event, recording.started) for event in store.recording_events(recording))
    sessions = (_session_document(store, each, choice) for each in _sessions(store, recording, choice))
    totals = store.totals(recording)
    return recording_document(recording, totals) | {"events": events, "sessions": sessions}


def _session_document(store: Store, session: Session, choice: _Choice | None) -> Document:
    found = _exchanges(store, session, choice)
    return session_document(session) | {"exchanges": (exchange_document(session, each.exchange) for each in found)}


def _exchange_document(store: Store, session: Session, exchange: Exchange, *, bodies: bool) -> Document:
    return exchange_document(session, exchange) | {"lines": _lines(store, session, exchange, bodies=bodies)}


def _lines(store: Store, session: Session, exchange: Exchange, *, bodies: bool) -> Iterator[Document]:
    for entry in Script(store, session, bodies=bodies).exchange(exchange):
        if isinstance(entry, Line):
            yield line_document(entry, session.wall)
