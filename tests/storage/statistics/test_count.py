"""Statistics of what is stored, in SQLite and PostgreSQL: the right rows, in the right order, however many."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from proxy.imap.transcript import (
    Certainty,
    Direction,
    Ending,
    Layer,
    LiteralPart,
    Origin,
    Piece,
    Record,
    SessionClosed,
    Span,
)
from storage import Writer, tables
from storage.filter import Search, parse
from storage.statistics import Durations, Fetched, Repeats, Statistics, statistics
from storage.statistics.values import Division
from tests.storage.scenes import begun, eventually, exchange, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage import Recording, Store

C, S = Direction.CLIENT, Direction.SERVER
LETTER = b"Nothing but a line of a letter.\r\n" * 200
OTHER = LETTER.replace(b"Nothing", b"Another")


class Told:
    """One session, its bytes put together by hand."""

    def __init__(self, number: int = 1) -> None:
        self.number = number
        self.ends = [0, 0]
        self.exchanges = 0

    def say(self, side: Direction, at: int, whose: int | None, *parts: bytes) -> Iterator[Record]:
        """A unit; parts of 4096 bytes and more are literals, cut into pieces of a megabyte."""
        start = self.ends[side]
        for part in parts:
            literal = LiteralPart(self.ends[side], len(part)) if len(part) >= 4096 else None
            for first in range(0, len(part), 1 << 20):
                data = part[first : first + (1 << 20)]
                yield Piece(self.number, side, self.ends[side], at, Layer.TLS, data, (), literal)
                self.ends[side] += len(data)
        yield Span(self.number, whose, side, start, self.ends[side], at, at, 1, Certainty.SURE)

    def ask(
        self, started: int, sent: int, ended: int, command: str, arguments: str = "", *letters: bytes,
        origin: Origin = Origin.CLIENT,
    ) -> Iterator[Record]:  # fmt: skip
        """A command in two reads where it began before it was sent whole, and its answer with these letters."""
        self.exchanges = number = self.exchanges + 1
        before = list(self.ends)
        if sent > started:
            yield from self.say(C, started, number, b"a")
        yield from self.say(C, sent, number, f"a {command} {arguments}\r\n".encode())
        for letter in letters:
            yield from self.say(S, ended, number, b"* 1 FETCH (BODY[] {%d}\r\n" % len(letter), letter, b")\r\n")
        yield from self.say(S, ended, number, b"a OK done\r\n")
        sizes = [end - start for start, end in zip(before, self.ends, strict=True)]
        yield exchange(
            number, self.number, command=command, arguments=arguments, origin=origin, started=started, ended=ended,
            client_bytes=sizes[0], server_bytes=sizes[1], responses=(), marks=(),
        )  # fmt: skip

    def closed(self, at: int) -> SessionClosed:
        return SessionClosed(self.number, at, Ending.CLIENT, "gone", *self.ends)


def written(store: Store, *sessions: list[Record], name: str = "x", max_literal: int | None = None) -> Recording:
    writer = Writer(store, name, max_literal=max_literal)
    for session in sessions:
        writer.put(*session)
    writer.close()
    assert not writer.failed
    return store.recording(name)


def counted(store: Store, recording: Recording, *, by_session: bool = False, wanted: str = "") -> Statistics:
    chosen = Search(store, parse(wanted), recording).matches() if wanted else None
    return statistics(store, store.sessions(recording), chosen, by_session=by_session)


def letters(number: int = 1) -> list[Record]:
    """A session in which two letters are taken, one of them twice, and one that is not a FETCH."""
    told = Told(number)
    return [
        opened(number),
        *told.say(S, 5, None, b"* OK hello\r\n"),
        *told.ask(10, 12, 20, "FETCH", "1 BODY[]", LETTER),
        *told.ask(30, 30, 45, "FETCH", "2:3 BODY[]", OTHER, LETTER),
        *told.ask(50, 50, 52, "STATUS", "A"),
        *told.ask(60, 60, 63, "STATUS", "A"),
        *told.say(S, 70, None, b"* 3 EXISTS\r\n"),
        *told.ask(80, 80, 84, "STATUS", "A"),
        told.closed(100),
    ]


@pytest.mark.parametrize("max_literal", [None, 5000])
def test_a_session(store: Store, max_literal: int | None) -> None:
    """The same, whether letters are kept or known by their hash alone."""
    assert len(LETTER) > 5000
    counts = counted(store, written(store, letters(), max_literal=max_literal))
    everything, summary = counts.summary.all, counts.summary
    assert everything.fetched == Fetched(1, 0, len(LETTER))
    assert everything.repeats == Repeats(1, 3), "there was news before the third"
    assert everything.latency == Durations(5, 34, 4, 15, 15, 15, exact=True)  # 2 3 4 10 15
    assert summary.division == Division(opening=10, server=8 + 15 + 2 + 3 + 4, sending=2, client=56)
    assert (summary.division.total, summary.pipelining.most) == (100, 1)


def test_a_letter_of_several_segments(store: Store) -> None:
    """Segments of equal bytes do not make equal letters."""
    long, longer = b"x" * (1 << 20) + b"end" * 2000, b"x" * (1 << 20) + b"another" * 2000
    told = Told()
    fetches = [(10, long), (20, longer), (30, long)]
    asked = [record for at, letter in fetches for record in told.ask(at, at, at + 5, "FETCH", "1 BODY[]", letter)]
    counts = counted(store, written(store, [opened(), *asked, told.closed(40)]))
    assert counts.summary.all.fetched == Fetched(1, 0, len(long))


def test_the_same_letter_in_another_session_is_another_matter(store: Store) -> None:
    counts = counted(store, written(store, letters(1), letters(2)), by_session=True)
    assert [each.all.fetched for each in counts.sessions] == [Fetched(1, 0, len(LETTER))] * 2
    assert counts.summary.all.fetched == Fetched(2, 0, 2 * len(LETTER))


def test_sessions_without_exchanges_count_too(store: Store) -> None:
    silent = [opened(2), SessionClosed(2, 30, Ending.CLIENT, "gone", 0, 0)]
    counts = counted(store, written(store, letters(1), silent, letters(3)), by_session=True)
    assert [(each.session and each.session.number, each.all.count) for each in counts.sessions] == [
        (1, 5),
        (2, 0),
        (3, 5),
    ]
    assert counts.summary.division.opening == 10 + 30 + 10
    assert counts.summary.sessions == 3


def test_sessions_that_were_written_in_another_order(store: Store) -> None:
    """As several workers do."""
    counts = counted(store, written(store, letters(3), letters(1), letters(2)), by_session=True)
    assert [(each.session and each.session.number, each.all.count) for each in counts.sessions] == [
        (1, 5), (2, 5), (3, 5),
    ]  # fmt: skip


def is_there(store: Store, recording: Recording, number: int) -> bool:
    return store.totals(recording).sessions == number


def test_nothing_but_the_recording_that_was_asked_for(store: Store) -> None:
    """Two recorders at a time: ids of their sessions alternate."""
    writers = [Writer(store, name) for name in ("a", "b")]
    for number in (1, 2, 3):
        for writer in writers:
            writer.put(*letters(number))
            eventually(functools.partial(is_there, store, writer.recording, number))
    for writer in writers:
        writer.close()
    for name in ("a", "b"):
        assert counted(store, store.recording(name)).summary.all.count == 15


def test_commands_of_imaptap_are_not_counted(store: Store) -> None:
    told = Told()
    session = [opened(), *told.ask(10, 10, 20, "STARTTLS", origin=Origin.PROXY), *told.ask(30, 30, 40, "NOOP")]
    counts = counted(store, written(store, [*session, told.closed(50)]))
    assert [each.command for each in counts.commands] == ["NOOP"]
    assert counts.summary.division == Division(opening=30, server=10, client=10)


def test_a_filter_chooses(store: Store) -> None:
    recording = written(store, letters(1), letters(2), name="filtered")
    counts = counted(store, recording, wanted="cmd:STATUS session:2", by_session=True)
    assert [each.session and each.session.number for each in counts.sessions] == [2]
    assert (counts.summary.all.count, counts.summary.all.repeats) == (3, Repeats(1, 3))
    assert counts.summary.division == Division(opening=50, server=9, client=41)


def test_open_ones_are_unfinished(store: Store) -> None:
    writer = Writer(store, "live")
    told = Told()
    writer.put(opened(), *told.ask(10, 10, 20, "NOOP"), *told.say(C, 33, 2, b"a NOOP\r\n"), begun(2, started=30))
    eventually(lambda: store.totals(writer.recording).exchanges == 2)
    counts = counted(store, store.recording("live"))
    assert (counts.summary.all.count, counts.summary.all.unfinished) == (2, 1)
    assert counts.summary.division == Division(opening=10, server=10, sending=3, client=10)
    writer.close()
    ended = counted(store, store.recording("live"))
    assert (ended.summary.all.count, ended.summary.all.unfinished) == (2, 1)


def test_more_than_a_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages end within sessions and between them; nothing is lost, and nothing counted twice."""
    sessions = [letters(number) for number in range(1, 8)]
    recording = written(store, *sessions)
    whole = counted(store, recording, by_session=True)
    assert whole.summary.all.count == 35
    for page, some in ((1, 1), (2, 3), (5, 2), (7, 7), (35, 200)):
        monkeypatch.setattr("storage.statistics.count._PAGE", page)
        monkeypatch.setattr("storage.statistics.count._SESSIONS", some)
        assert counted(store, recording, by_session=True) == whole


def test_letters_that_did_not_come_whole_are_none(store: Store) -> None:
    """Two letters of which only the first segment came, which was the same: nobody knows whether they were."""
    told, segment = Told(), b"x" * (1 << 20)
    records: list[Record] = [opened()]
    for number in (1, 2):
        start = told.ends[S]
        told.ends[S] += len(segment)
        records.append(Piece(1, S, start, number, Layer.TLS, segment, (), LiteralPart(start, 2 * len(segment))))
        records.append(Span(1, number, S, start, told.ends[S], number, number, 1, Certainty.SURE))
        records.append(exchange(number, command="FETCH", arguments="1 BODY[]", server_bytes=len(segment)))
    recording = written(store, [*records, told.closed(9000)])
    with store.reading() as connection:
        bodies = connection.execute(select(tables.piece.c.body_id)).scalars().all()
    assert len(bodies) == 2
    assert bodies[0] == bodies[1] is not None
    assert counted(store, recording).summary.all.fetched == Fetched()
