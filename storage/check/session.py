"""One session: that it ended once, and that its streams, exchanges and spans agree with each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from proxy.imap.transcript import Direction, Ending
from storage.check.exchanges import count_flaws, exchange_flaws, span_flaws
from storage.check.finding import Finding, Flaw
from storage.check.gaps import Gaps, gaps_of
from storage.check.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Row

    from storage.values import Recording

_ENDINGS: Final = {str(ending.value) for ending in Ending}


@dataclass(frozen=True, slots=True)
class Scope:
    """A session that is being checked: `row` is its own, `holed` whether it says that it lacks something."""

    connection: Connection
    recording: Recording
    row: Row[Any]
    holed: bool
    gaps: dict[Direction, Gaps]

    @property
    def over(self) -> bool:
        """Whether the session has ended and says so."""
        return self.row.ending is not None

    @property
    def whole(self) -> bool:
        """Whether it came to its own end and lacks nothing: what is cut may have lost its last spans."""
        return self.over and not self.holed and self.row.ending != Ending.CUT.value


def session_findings(connection: Connection, recording: Recording, row: Row[Any]) -> Iterator[Finding]:
    """All that is wrong with the session of which `row` has all columns. The connection sees one moment only."""
    scope = Scope(connection, recording, row, *gaps_of(connection, row.id))
    about = Finding(Flaw.SESSION, "", recording, row.number)
    yield from (replace(about, text=text) for text in _own(scope))
    ends: dict[Direction, int] = {}
    for direction, total in zip(Direction, (row.client_bytes, row.server_bytes), strict=True):
        stream = Stream(connection, row.id, direction, scope.gaps[direction])
        for offset, text in stream.flaws(total if scope.over else None):
            yield replace(about, flaw=Flaw.STREAM, text=text, direction=direction, offset=offset)
        ends[direction] = stream.end
    yield from _exchanges(scope, about)
    for direction, offset, text in span_flaws(connection, row.id, ends, holed=scope.holed):
        yield replace(about, flaw=Flaw.SPAN, text=text, direction=direction, offset=offset)


def _exchanges(scope: Scope, about: Finding) -> Iterator[Finding]:
    found = (
        exchange_flaws(scope.connection, scope.row.id, over=scope.over, holed=scope.holed),
        count_flaws(scope.connection, scope.row.id, whole=scope.whole),
    )
    for flaws in found:
        for number, text in flaws:
            yield replace(about, flaw=Flaw.EXCHANGE, text=text, exchange=number)


def _own(scope: Scope) -> Iterator[str]:
    row, ended = scope.row, scope.recording.ended is not None
    if row.ending is None and ended:
        yield "it has no ending, though its recording has ended"
    if row.ending is not None and row.ending not in _ENDINGS:
        yield "its ending is none that imaptap knows"
    if scope.over and None in {row.at_end, row.reason, row.client_bytes, row.server_bytes}:
        yield "it has ended, but its reason, its time or its byte counts are missing"
