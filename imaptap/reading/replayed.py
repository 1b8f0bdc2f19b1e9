"""What a replay says of itself: what it is a replay of. The events are those of kind `step`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.transcript import Event, EventKind

if TYPE_CHECKING:
    from storage import Recording, Store

REPLAY_OF = "replay of"


class ReplayOf(NamedTuple):
    """The recording that was replayed, by its number and its name at that time, and to which URL."""

    id: int
    name: str
    url: str


def replay_event(source: Recording, url: str) -> Event:
    """The event that says so. No URL, number or name of a recording makes it ambiguous: URLs hold no blanks."""
    return Event(None, 0, EventKind.STEP, REPLAY_OF, f"{source.id} {source.name} {url}")


def replay_of(store: Store, recording: Recording) -> ReplayOf | None:
    """What this recording is a replay of; None for none."""
    for event in store.recording_events(recording, EventKind.STEP):
        if event.name == REPLAY_OF:
            number, _, rest = event.text.partition(" ")
            name, _, url = rest.rpartition(" ")
            return ReplayOf(int(number), name, url)
    return None
