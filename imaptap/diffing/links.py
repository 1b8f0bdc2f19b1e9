"""Which session of a replay repeats which recorded one, and which exchange which: told by its events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from imaptap.diffing.values import Step
from imaptap.reading.replayed import REPLAY_OF
from proxy.imap.transcript import Direction, EventKind
from proxy.replay.values import Fate

if TYPE_CHECKING:
    from proxy.imap.transcript import Event, Span
    from storage import Session, Store

_NUMBER = re.compile(r"\s*(\d+)(?::\s*(.*))?", re.DOTALL)
_FATES = {fate.value for fate in Fate}
_SENT = {Fate.SENT.value, Fate.CUT.value}


def source_session(store: Store, session: Session) -> int | None:
    """The number of the session that this is a replay of; None where it is none. Raises StorageError."""
    for event in store.events(session, EventKind.STEP):
        if event.name == REPLAY_OF:
            return _numbered(event)[0]
    return None


def steps(store: Store, session: Session) -> dict[int, Step]:
    """What became of each recorded exchange, by its number, in the order in which it was tried. Raises StorageError."""
    spans = store.stream_spans(session, Direction.CLIENT)
    span = next(spans, None)
    found: dict[int, Step] = {}
    for event in _in_order(store, session):
        while span is not None and event.offset is not None and span.end <= event.offset:
            span = next(spans, None)
        number, reason = _numbered(event)
        if number is not None:
            # What was sent tells what was changed in it.
            found[number] = Step(number, _exchange(event, span), reason="" if event.name in _SENT else reason)
    return found


def _in_order(store: Store, session: Session) -> list[Event]:
    """Those that were sent by their place in the stream: several may be in flight when they are told of."""
    events = [event for event in store.events(session, EventKind.STEP) if event.name in _FATES]
    events.sort(key=lambda event: -1 if event.offset is None else event.offset)
    return events


def _exchange(event: Event, span: Span | None) -> int | None:
    if event.name not in _SENT or event.offset is None or not event.length:
        return None
    there = span is not None and span.start <= event.offset < span.end
    return span.exchange if span is not None and there else None


def _numbered(event: Event) -> tuple[int | None, str]:
    found = _NUMBER.match(event.text)
    return (int(found[1]), found[2] or "") if found else (None, "")
