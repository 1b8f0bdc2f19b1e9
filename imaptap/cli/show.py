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
from imaptap.cli.lines import exchange_line
from imaptap.cli.options import db_option, json_option
from imaptap.cli.terminal import Output, day
from imaptap.cli.transcript import Transcript, beginning, ending, happening
from imaptap.reading.script import Script
from imaptap.reading.values import Line
from proxy.imap.transcript import Exchange
from storage import Recording, Session, Store, open_store


@click.command(short_help="Show what was said.")
@address_argument
@click.option("--bodies", is_flag=True, help="Show the contents of literals too.")
@db_option
@json_option
def show(address: str, bodies: bool, db: str, as_json: bool) -> None:
    """Show a recording's sessions and exchanges, or the transcript of a session or of one exchange.

    Each level is a number or last; RECORDING may be a name too. What is left out is last.
    """
    with open_store(db, create=False) as store:
        place = find(store, address)
        if as_json:
            print_document(_document(store, place, bodies=bodies))
        else:
            _show(store, place, Output(), bodies=bodies)


def _show(store: Store, place: Place, output: Output, *, bodies: bool) -> None:
    if place.session is None:
        _recording(store, place.recording, output)
        return
    transcript = Transcript(store, place.session, output, bodies=bodies)
    if place.exchange is None:
        transcript.session()
    else:
        transcript.exchange(place.exchange.exchange)


def _recording(store: Store, recording: Recording, output: Output) -> None:
    output.say(f"# recording {recording.id} {recording.name}, {day(recording.started)}, {state(recording)}", "bold")
    output.say(f"# {recording.settings}", "dim")
    for event in store.recording_events(recording):
        output.say(happening(event))
    for session in store.sessions(recording):
        output.say()
        for text in beginning(session):
            output.say(text)
        for stored in store.exchanges(session):
            output.say(exchange_line(session.number, stored.exchange, session.wall))
        output.say(ending(session))


def _document(store: Store, place: Place, *, bodies: bool) -> Document:
    if place.session is None:
        return _recording_document(store, place.recording)
    if place.exchange is None:
        return whole_session(store, place.session)
    return _exchange_document(store, place.session, place.exchange.exchange, bodies=bodies)


def _recording_document(store: Store, recording: Recording) -> Document:
    events = (event_document(event, recording.started) for event in store.recording_events(recording))
    sessions = (_session_document(store, session) for session in store.sessions(recording))
    totals = store.totals(recording)
    return recording_document(recording, totals) | {"events": events, "sessions": sessions}


def _session_document(store: Store, session: Session) -> Document:
    exchanges = (exchange_document(session, stored.exchange) for stored in store.exchanges(session))
    return session_document(session) | {"exchanges": exchanges}


def _exchange_document(store: Store, session: Session, exchange: Exchange, *, bodies: bool) -> Document:
    return exchange_document(session, exchange) | {"lines": _lines(store, session, exchange, bodies=bodies)}


def _lines(store: Store, session: Session, exchange: Exchange, *, bodies: bool) -> Iterator[Document]:
    for entry in Script(store, session, bodies=bodies).exchange(exchange):
        if isinstance(entry, Line):
            yield line_document(entry, session.wall)
