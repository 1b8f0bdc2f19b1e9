"""`imaptap show`: what was said, and what it meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from rich.text import Text

from imaptap.cli.address import Place, address_argument, find
from imaptap.cli.cassettes import opened
from imaptap.cli.choice import Choice
from imaptap.cli.documents import print_document, state
from imaptap.cli.errors import UserError, escaped
from imaptap.cli.filtering import filter_option
from imaptap.cli.kinds import longest
from imaptap.cli.lines import exchange_line
from imaptap.cli.options import db_option, json_option
from imaptap.cli.overview import overview_line
from imaptap.cli.pager import pager_option, show_lines
from imaptap.cli.shown import document, state_place
from imaptap.cli.state import state_lines
from imaptap.cli.terminal import Output, day
from imaptap.cli.transcript import Look, Transcript, beginning, ending, happening
from imaptap.meaning.session import Meanings
from imaptap.reading.understood import state_at
from proxy.imap.transcript import Exchange
from storage import Recording, Session, Store

if TYPE_CHECKING:
    from storage.filter import Node


@click.command(short_help="Show what was said.")
@address_argument
@click.option("--raw", is_flag=True, help="The wire alone: all lines, no meanings.")
@click.option("--bodies", is_flag=True, help="Show the contents of literals too.")
@click.option("--structure", is_flag=True, help="Details in a session too: body structures as trees, a line a mailbox.")
@click.option("--state-at", "moment", metavar="EXCHANGE", help="Show what the session had become after this exchange.")
@filter_option
@pager_option
@db_option
@json_option
def show(
    address: str, raw: bool, bodies: bool, structure: bool, moment: str | None, wanted: Node | None, pager: bool,
    db: str, as_json: bool,
) -> None:  # fmt: skip
    """Show a recording's sessions and exchanges, or the transcript of a session or of one exchange.

    Each level is a number or last; RECORDING may be a name too. What is left out is last.
    """
    with opened(db, address) as (store, there):
        place = find(store, there)
        if moment is not None:
            place = state_place(store, place, moment)
        choice = Choice(store, place, wanted)
        if as_json:
            print_document(document(store, place, choice, raw=raw, bodies=bodies, state_only=moment is not None))
            return
        output = Output()
        look = _look(place, choice, output, raw=raw, bodies=bodies, details=structure or place.exchange is not None)
        lines = _state(store, place) if moment is not None else _lines(store, place, choice, look)
        show_lines(output, lines, pager=pager)


def _look(place: Place, choice: Choice, output: Output, *, raw: bool, bodies: bool, details: bool) -> Look:
    """Bars, and lines that fit, are for people who look: a pipe gets all of the text."""
    if raw or not output.is_terminal:
        return Look(raw, bodies, details)
    width = None if bodies or place.exchange is not None else output.width
    return Look(raw, bodies, details, longest(_in_view(place, choice)), width)


def _in_view(place: Place, choice: Choice) -> Iterator[Exchange]:
    if place.exchange is not None:
        return
    for session in choice.sessions(place.recording) if place.session is None else (place.session,):
        for stored in choice.exchanges(session):
            yield stored.exchange


def _state(store: Store, place: Place) -> Iterator[Text]:
    if place.session is None or place.exchange is None:
        raise UserError("--state-at asks for a moment of one session.", "Write RECORDING/SESSION --state-at EXCHANGE.")
    exchange = place.exchange.exchange
    yield from state_lines(state_at(store, place.session, exchange), place.session, exchange.number)


def _lines(store: Store, place: Place, choice: Choice, look: Look) -> Iterator[Text]:
    if place.session is None:
        return _recording(store, place.recording, choice, look)
    transcript = Transcript(store, place.session, look)
    if place.exchange is not None:
        return transcript.exchange(place.exchange.exchange)
    if choice.filtered:
        return transcript.some(stored.exchange for stored in choice.exchanges(place.session))
    return transcript.session()


def _recording(store: Store, recording: Recording, choice: Choice, look: Look) -> Iterator[Text]:
    yield Text(_named(recording), "bold")
    if recording.settings:  # a cassette that was written by hand has none
        yield Text(escaped(f"# {recording.settings}"), "dim")
    for event in () if choice.filtered else store.recording_events(recording):
        yield happening(event)
    for session in choice.sessions(recording):
        yield Text()
        yield from beginning(session)
        yield from _exchanges(store, session, choice, look)
        yield ending(session)


def _exchanges(store: Store, session: Session, choice: Choice, look: Look) -> Iterator[Text]:
    meanings = None if look.raw else Meanings(store, session)
    for stored in choice.exchanges(session):
        exchange = stored.exchange
        if meanings is None:
            yield exchange_line(session.number, exchange, session.wall)
        else:
            meaning = meanings.of(exchange)
            yield overview_line(exchange, meaning, session.wall, full=look.full, width=look.width)


def _named(recording: Recording) -> str:
    return escaped(f"# recording {recording.id} {recording.name}, {day(recording.started)}, {state(recording)}")
