"""What `imaptap show --json` prints, and the place that `--state-at` means."""

from collections.abc import Iterator

from imaptap.cli.address import Place, find
from imaptap.cli.choice import Choice
from imaptap.cli.documents import (
    Document,
    event_document,
    exchange_document,
    line_document,
    recording_document,
    session_document,
    whole_session,
)
from imaptap.cli.errors import UserError
from imaptap.cli.state import state_document
from imaptap.meaning.session import Meanings
from imaptap.meaning.values import Meaning
from imaptap.reading.script import Script
from imaptap.reading.understood import state_at
from imaptap.reading.values import Line
from proxy.imap.transcript import Exchange
from storage import Recording, Session, Store


def state_place(store: Store, place: Place, moment: str) -> Place:
    """The exchange of a session that `--state-at` names. Raises UserError where the address is not a session's."""
    if place.session is None or place.exchange is not None:
        raise UserError(
            "--state-at asks for a moment of one session, and the address does not name a session.",
            f"Write `imaptap show {place.recording.name}/last --state-at {moment}`, or the session's number.",
        )
    return find(store, f"{place.recording.id}/{place.session.number}/{moment}")


def document(store: Store, place: Place, choice: Choice, *, raw: bool, bodies: bool, state_only: bool) -> Document:
    """The document for an address. With `raw`, nothing that has to be read by the grammar."""
    if place.session is None:
        return _recording(store, place.recording, choice, raw=raw)
    meanings = None if raw else Meanings(store, place.session, deep=place.exchange is not None)
    if place.exchange is None:
        return whole_session(store, place.session, _exchanges(choice, place.session, meanings))
    exchange = place.exchange.exchange
    if state_only:
        state = state_document(state_at(store, place.session, exchange), place.session)
        number = place.session.number
        return {"recording": place.recording.id, "session": number, "exchange": exchange.number, "state": state}
    shown = _exchange(place.session, exchange, meanings)
    if not raw:
        shown["state"] = state_document(state_at(store, place.session, exchange), place.session)
    return shown | {"lines": _lines(store, place.session, exchange, bodies=bodies)}


def meaning_document(meaning: Meaning) -> Document:
    """What an exchange means."""
    return {"summary": meaning.summary, "details": list(meaning.details), "quirks": list(meaning.quirks)}


def _recording(store: Store, recording: Recording, choice: Choice, *, raw: bool) -> Document:
    events = (event_document(event, recording.started) for event in store.recording_events(recording))
    sessions = (_session(store, session, choice, raw=raw) for session in choice.sessions(recording))
    return recording_document(recording, store.totals(recording)) | {"events": events, "sessions": sessions}


def _session(store: Store, session: Session, choice: Choice, *, raw: bool) -> Document:
    meanings = None if raw else Meanings(store, session)
    return session_document(session) | {"exchanges": _exchanges(choice, session, meanings)}


def _exchanges(choice: Choice, session: Session, meanings: Meanings | None) -> Iterator[Document]:
    return (_exchange(session, stored.exchange, meanings) for stored in choice.exchanges(session))


def _exchange(session: Session, exchange: Exchange, meanings: Meanings | None) -> Document:
    shown = exchange_document(session, exchange)
    if meanings is not None:
        shown["meaning"] = meaning_document(meanings.of(exchange))
    return shown


def _lines(store: Store, session: Session, exchange: Exchange, *, bodies: bool) -> Iterator[Document]:
    for entry in Script(store, session, bodies=bodies).exchange(exchange):
        if isinstance(entry, Line):
            yield line_document(entry, session.wall)
