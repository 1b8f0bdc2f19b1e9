"""What a replay says of itself: what it is a replay of. The events are those of kind `step`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.transcript import Event, EventKind

if TYPE_CHECKING:
    from storage import Recording, Store

REPLAY_OF = "replay of"
_NO_NUMBER = "-"


class ReplayOf(NamedTuple):
    """The recording that was replayed, by its number and its name at that time, and to which URL.

    A cassette has no number, and is called as a recording is that is read from it.
    """

    id: int | None
    name: str
    url: str

    def __str__(self) -> str:
        return self.name if self.id is None else f"{self.id} {self.name}"

    def is_of(self, recording: Recording) -> bool:
        """Whether it is this recording that was replayed.

        Not by its number alone: where it was read from a cassette, or copied beside one, it has another one.
        """
        return recording.name == self.name and self.id in {None, recording.id}


def replay_event(source: ReplayOf) -> Event:
    """The event that says so. No URL, number or name of a recording makes it ambiguous: URLs hold no blanks."""
    number = _NO_NUMBER if source.id is None else source.id
    return Event(None, 0, EventKind.STEP, REPLAY_OF, f"{number} {source.name} {source.url}")


def replay_of(store: Store, recording: Recording) -> ReplayOf | None:
    """What this recording is a replay of; None for none."""
    for event in store.recording_events(recording, EventKind.STEP):
        if event.name == REPLAY_OF:
            number, _, rest = event.text.partition(" ")
            name, _, url = rest.rpartition(" ")
            return ReplayOf(None if number == _NO_NUMBER else int(number), name, url)
    return None
