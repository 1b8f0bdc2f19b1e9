"""The check: silent about whatever a recorder leaves behind, loud about everything that was tampered with."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from proxy.imap.conversation import Conversation
from proxy.imap.transcript import Direction, Ending, Event, EventKind, Record
from storage import Check, Store, Writer
from storage.batch import Sorter
from storage.bodies import SEGMENT
from storage.check.gaps import Gaps
from storage.engine import PAGE_SIZE, WRITING
from storage.ledger import Ledger
from storage.recording import begin_recording, end_recording
from storage.sharing import alone
from tests.proxy.imap.playing import Said, Turn, at_random
from tests.proxy.imap.scripts import everything, load
from tests.storage.scenes import C, S, Wire, begun, eventually, exchange, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = random.Random(1).randbytes(SEGMENT + 50_000)  # noqa: S311 - no secret


def said(number: int = 1) -> list[Record]:
    """A session of two exchanges, the second with a letter of two segments; its records agree with each other."""
    client, server = Wire(number, C), Wire(number, S)
    first = [client.say(b"a1 NOOP\r\n"), client.span(0, 1), server.say(b"a1 OK\r\n"), server.span(0, 1)]
    ask = client.say(b"a2 FETCH 1 BODY[]\r\n")
    head = server.say(b"* 1 FETCH (BODY[] {%d}\r\n" % len(BODY))
    letter = server.literal(BODY)
    tail = server.say(b")\r\na2 OK\r\n")
    counts = {"client_bytes": len(client.stream) - 9, "server_bytes": len(server.stream) - 7}
    return [
        opened(number),
        *first,
        exchange(1, number, client_bytes=9, server_bytes=7),
        *(ask, client.span(9, 2), head, *letter, tail, server.span(7, 2)),
        exchange(2, number, **counts),
        Event(number, 9, EventKind.NOTICE, "by the way"),
        server.closed(len(client.stream)),
    ]


def recorded(store: Store, *records: Record) -> Writer:
    writer = Writer(store, "checked")
    for record in records:
        writer.put(record)
    writer.close()
    return writer


def found(store: Store, *names: str) -> list[tuple[str, str]]:
    """Kind and words of all that is wrong in these recordings; in all of them and the database for none."""
    only = [store.recording(name) for name in names] or None
    return [(str(finding.flaw), finding.text) for finding in Check(store, only).findings()]


def test_a_whole_recording_is_clean_and_counted(store: Store) -> None:
    recorded(store, *said(), *said(2))
    look = Check(store)
    assert list(look.findings()) == []
    assert ([each.name for each in look.recordings], look.sessions, look.bodies) == (["checked"], 2, 2)


def test_an_empty_database_is_clean(store: Store) -> None:
    assert found(store) == []


DAMAGES = {
    "a piece that vanished": ("DELETE FROM piece WHERE direction = 0 AND offset = 0", "stream 9 bytes are missing"),
    "the last piece": ("DELETE FROM piece WHERE direction = 1 AND offset > 1000000 AND data > 0", "stream but only"),
    "a stream longer than its session": ("UPDATE session SET client_bytes = 9", "stream but 28 are there"),
    "pieces one upon the other": ("UPDATE piece SET offset = 8 WHERE direction = 0 AND offset = 9", "stream overlaps"),
    "bytes that are fewer than said": ("UPDATE piece SET data = zeroblob(3) WHERE offset = 0", "stream but 3 are"),
    "bytes and a body": ("UPDATE piece SET data = zeroblob(9) WHERE body_id > 0", "stream both bytes and a body"),
    "neither bytes nor a body": ("UPDATE piece SET data = NULL WHERE offset = 0", "stream neither bytes nor a body"),
    "a body of another length": ("UPDATE piece SET body_id = 3 - body_id WHERE body_id > 0", "stream its body has"),
    "half a segment": ("UPDATE piece SET literal_start = literal_start - 1 WHERE body_id = 1", "stream in its literal"),
    "a piece outside its literal": ("UPDATE piece SET literal_length = 9 WHERE body_id = 2", "stream in its literal"),
    "chunks that do not add up": ("UPDATE piece SET chunks = zeroblob(24) WHERE body_id = 1", "stream do not add up"),
    "chunks that are none": ("UPDATE piece SET chunks = zeroblob(7) WHERE body_id = 1", "stream do not add up"),
    "a layer nobody knows": ("UPDATE piece SET layer = 9 WHERE offset = 0", "stream layer 9"),
    "other bytes in a body": ("UPDATE extent SET data = zeroblob(length(data))", "body other bytes than its hash"),
    "a body behind the end of its extent": ("UPDATE body SET offset = 1048576 WHERE id = 2", "body are not there"),
    "a body at the wrong place": ("UPDATE body SET length = 5, offset = 1 WHERE id = 2", "body other bytes"),
    "a body of a lost extent": ("DELETE FROM extent", "orphan name a extent that is not there (extent_id)"),
    "an extent of nobody": ("INSERT INTO extent VALUES (9, x'00')", "orphan in extent hold no body"),
    "a body that is too long": ("UPDATE body SET length = 1048577 WHERE id = 1", "body which no body has"),
    "a body longer than it says": ("UPDATE body SET length = 7 WHERE id = 2", "body other bytes than its hash"),
    "an encoding of the future": ("UPDATE body SET encoding = 'zstd' WHERE id = 1", "body encoded as 'zstd'"),
    "a body of nobody": ("INSERT INTO body VALUES (9, x'00', 1, 'identity', 1, 0)", "orphan of no piece"),
    "a piece of a lost body": ("DELETE FROM body WHERE id = 1", "orphan name a body that is not there (body_id)"),
    "rows of a lost session": ("DELETE FROM session", "orphan name a session that is not there (session_id)"),
    "a session of no recording": ("UPDATE session SET recording_id = 7", "orphan name a recording"),
    "an event of a lost session": ("UPDATE event SET session_id = 7", "orphan in event name a session"),
    "an event of another recording": (
        "INSERT INTO recording VALUES (7, 'x', 1, 1, 1, '', 1, '', ''); UPDATE event SET recording_id = 7",
        "orphan in event name a session of another recording",
    ),
    "an exchange that vanished": ("DELETE FROM exchange WHERE number = 1", "exchange follows exchange 0"),
    "an exchange still open": ("UPDATE exchange SET outcome = 'open'", "exchange still open"),
    "an outcome nobody knows": ("UPDATE exchange SET outcome = 'fine'", "exchange outcome"),
    "ended before it began": ("UPDATE exchange SET ended = 5", "exchange ended before"),
    "marks that are no JSON": ("UPDATE exchange SET marks = '[x'", "exchange marks are not as"),
    "responses that are no object": ("UPDATE exchange SET responses = '[]'", "exchange marks are not as"),
    "a count that is not the spans'": ("UPDATE exchange SET server_bytes = 8 WHERE number = 1", "exchange 8 bytes of"),
    "a span that vanished": ("DELETE FROM span WHERE exchange = 1", "exchange its spans have 0"),
    "a span beyond the stream": ("UPDATE span SET \"end\" = 99 WHERE direction = 0", "span not inside the stream"),
    "a span that ends before it begins": ("UPDATE span SET \"end\" = -1", "span not inside the stream"),
    "spans one upon the other": ("UPDATE span SET start = 5 WHERE start = 9", "span overlaps the one before it by 4"),
    "a span of no exchange": ("UPDATE span SET exchange = 5 WHERE exchange = 1", "span exchange 5, which is not there"),
    "a span of nothing": ("UPDATE span SET units = 0", "span cannot be"),
    "a direction nobody knows": ("UPDATE span SET direction = 2 WHERE direction = 0", "span has direction 2"),
    "a session without an ending": ("UPDATE session SET ending = NULL", "session no ending"),
    "an ending nobody knows": ("UPDATE session SET ending = 'gone'", "session none that imaptap knows"),
    "an ending without its reason": ("UPDATE session SET reason = NULL", "session reason"),
    "text for a number": ("UPDATE piece SET length = 'nine' WHERE offset = 0", "session kind that cannot be there"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found(sqlite: Store, tmp_path: Path, damage: str) -> None:
    recorded(sqlite, *said())
    statements, expected = DAMAGES[damage]
    flaw, _, words = expected.partition(" ")
    with closing(sqlite3.connect(tmp_path / "recordings.db")) as database:
        database.executescript(statements)
    assert any(kind == flaw and words in said_ for kind, said_ in found(sqlite)), found(sqlite)


def test_damage_is_found_in_postgresql_too(store: Store) -> None:
    if store.engine.dialect.name != "postgresql":
        return
    recorded(store, *said())
    with store.engine.connect().execution_options(**WRITING) as connection, connection.begin():
        connection.execute(text("SET session_replication_role = replica"))  # foreign keys look away
        connection.execute(text("UPDATE extent SET data = 'x' WHERE octet_length(data) < 100000"))
        connection.execute(text("DELETE FROM session"))
    assert {flaw for flaw, _ in found(store)} == {"body", "orphan"}


@pytest.mark.parametrize("first", [1, 20], ids=["everywhere", "in the bodies"])
def test_pages_that_were_overwritten_are_found(sqlite: Store, tmp_path: Path, first: int) -> None:
    recorded(sqlite, *said())
    sqlite.close()
    file = tmp_path / "recordings.db"
    with file.open("r+b") as database:
        for page in range(first, file.stat().st_size // PAGE_SIZE, 7):
            database.seek(page * PAGE_SIZE)
            database.write(os.urandom(PAGE_SIZE))
    findings = found(sqlite)
    assert "database" in {flaw for flaw, _ in findings}, findings
    assert len(findings) < 300


def test_one_recording_can_be_checked_alone(sqlite: Store, tmp_path: Path) -> None:
    recorded(sqlite, *said())
    Writer(sqlite, "other").close()
    with closing(sqlite3.connect(tmp_path / "recordings.db")) as database:
        database.executescript("UPDATE session SET client_bytes = 9; UPDATE extent SET data = x'00'")
    assert {flaw for flaw, _ in found(sqlite, "checked")} == {"stream", "body"}
    assert found(sqlite, "other") == []


def test_a_hole_that_is_told_is_no_finding(store: Store) -> None:
    """Neither bytes nor exchanges nor the ends of spans are missed where a gap event says that they were lost."""
    wire = Wire()
    before = wire.say(b"* OK\r\n")
    lost = wire.say(b"* 1 EXISTS\r\n")
    after = [wire.say(b"a3 OK\r\n"), wire.span(0, 2), exchange(3, client_bytes=0, server_bytes=4)]
    gap = Event(1, 5, EventKind.GAP, "not recorded", "", S, lost.offset, len(lost.data))
    recorded(store, opened(), before, gap, *after, wire.closed())
    assert found(store) == []


def test_a_hole_at_the_end_that_is_told_is_no_finding(store: Store) -> None:
    wire = Wire()
    before, lost = wire.say(b"* OK\r\n"), wire.say(b"* BYE\r\n")
    gap = Event(1, 5, EventKind.GAP, "not recorded", "", S, lost.offset, len(lost.data))
    recorded(store, opened(), before, gap, wire.span(0, None), wire.closed())
    assert found(store) == []


def test_what_is_being_recorded_is_no_finding(store: Store) -> None:
    """Open sessions and exchanges while their recorder lives, and after it has died unseen."""
    writer = Writer(store, "alive")
    writer.put(opened(), Wire().say(b"* OK"), begun())
    eventually(lambda: store.totals(writer.recording).exchanges)
    assert found(store) == []
    writer.close()


def records_of(turns: list[Turn], dice: random.Random) -> Iterator[list[Record]]:
    """What a conversation tells after each chunk, with ticks between, and at its end."""
    conversation, at = Conversation(1), 0
    for turn in turns:
        if not isinstance(turn, Said):
            conversation.secured()
            continue
        for chunk in at_random(dice.randrange(99))(turn.data):
            at += 1
            conversation.receive(turn.direction, chunk, at, turn.layer)
            if dice.random() < 0.2:
                conversation.tick()
            yield conversation.take()
    conversation.close(at + 1, Ending.CLIENT, "")
    yield conversation.take()


@pytest.mark.parametrize("killed", [False, True])
def test_whatever_was_said_and_wherever_it_was_cut_is_clean(sqlite: Store, killed: bool) -> None:
    """Every script, written a group at a time, to its end or to any group of it."""
    for number, path in enumerate(everything()):
        dice = random.Random(number)  # noqa: S311 - no secret
        groups = list(records_of(load(path).turns, dice))
        recording = begin_recording(sqlite, path.stem, version="", settings="")
        sharing = alone()
        ledger, sorter = Ledger(sqlite.engine, recording.id, sharing.turn), Sorter(sharing.event_numbers)
        ledger.write(sorter.sort([opened()], 0, flush_before=-1))
        for moment, group in enumerate(groups[: dice.randrange(len(groups))] if killed else groups):
            ledger.write(sorter.sort(group, moment, flush_before=moment - 3))
        assert found(sqlite, path.stem) == [], path.stem
        end_recording(sqlite, recording)
        assert found(sqlite, path.stem) == [], f"{path.stem}, after its end"


def test_gaps() -> None:
    gaps = Gaps([(30, 40), (5, 10), (10, 20), (12, 15)])
    assert gaps.end == 40
    for start, end, covered in ((5, 20, True), (6, 7, True), (4, 6, False), (19, 31, False), (30, 41, False)):
        assert gaps.cover(start, end) is covered
    assert gaps.cover(3, 3)
    assert Gaps([]).end == 0
    assert not Gaps([]).cover(0, 1)


def test_findings_say_where(sqlite: Store, tmp_path: Path) -> None:
    recorded(sqlite, *said())
    with closing(sqlite3.connect(tmp_path / "recordings.db")) as database:
        database.executescript("DELETE FROM piece WHERE direction = 0; DELETE FROM exchange WHERE number = 1")
    stream, numbering, *_ = Check(sqlite).findings()
    assert (stream.session, stream.direction, stream.offset, stream.exchange) == (1, Direction.CLIENT, 0, None)
    assert (numbering.session, numbering.exchange, numbering.offset) == (1, 2, None)
