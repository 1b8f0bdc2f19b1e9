"""Recording that is made to stop, and what must be told and found when it works again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import EventKind, Outcome
from storage import Check, GapError, Store, Writer
from tests.storage.scenes import S, Wire, begun, eventually, exchange, opened, together

if TYPE_CHECKING:
    from collections.abc import Callable


class Listener:
    """Hears of trouble."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.hints: list[str] = []

    def __call__(self, message: str, hint: str) -> None:
        self.messages.append(message)
        self.hints.append(hint)

    def heard(self, words: str) -> bool:
        return any(words in message for message in self.messages)


def lose_and_find(writer: Writer, listener: Listener, break_: Callable[[], None], mend: Callable[[], None]) -> Wire:
    """A session that is recorded, lost, and recorded again."""
    wire = Wire()
    for record in (opened(), wire.say(b"before "), begun(1)):
        writer.put(record)
    eventually(lambda: writer._queue._done_bytes == writer._queue._put_bytes)
    break_()
    writer.put(wire.say(b"kept "))
    eventually(lambda: listener.heard("UNRECORDED"))
    assert writer.failed
    lost = wire.say(b"lost " * 1000)
    for record in (lost, exchange(1), exchange(2)):
        writer.put(record)
    eventually(lambda: writer._outage is not None and writer._outage.loss.records == 3)
    mend()
    eventually(lambda: listener.heard("works again"))
    for record in (wire.say(b"after"), exchange(3), wire.closed()):
        writer.put(record)
    writer.close()
    return wire


def check(store: Store, writer: Writer, wire: Wire) -> None:
    """The recording has all but what was lost, and says what that was."""
    assert writer.failed
    assert list(Check(store).findings()) == []
    recording = store.recording("last")
    session = next(store.sessions(recording))
    with pytest.raises(GapError) as hole:
        together(store.stream(session, S))
    assert (hole.value.start, hole.value.end) == (12, 5012)
    assert together(store.stream(session, S, 0, 12)) == b"before kept "
    assert together(store.stream(session, S, 5012)) == b"after"
    (gap,) = store.events(session, EventKind.GAP)
    assert (gap.direction, gap.offset, gap.length) == (S, 12, 5000)
    assert "3 records with 5000 bytes" in gap.text
    (whole,) = store.recording_events(recording, EventKind.GAP)
    assert "3 records with 5000 bytes" in whole.text
    outcomes = [stored.exchange.outcome for stored in store.exchanges(session)]
    assert outcomes == [Outcome.INCOMPLETE, Outcome.COMPLETED]
    assert session.server_bytes == len(wire.stream)
