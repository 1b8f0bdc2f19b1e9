"""Literals longer than asked for: hashed as they pass, never stored, and every reader told so."""

from __future__ import annotations

import hashlib
import itertools
import os
import sqlite3
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.imap.transcript import Direction, Ending, EventKind, Layer, LiteralPart, Outcome, Piece, Record
from storage import Check, GapError, LeftOutError, Store, Writer, left_out
from storage.batch import Batch, Sorter
from storage.chunks import pack_chunks
from storage.ledger import Ledger
from storage.recording import begin_recording, end_recording
from storage.sharing import alone
from tests.storage.losing import Listener
from tests.storage.scenes import C, S, Wire, begun, eventually, exchange, opened, rewrite, together

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from storage import Session
    from storage.left_out import LeftOut

CAP = 10_000
HEAD, TAIL = b"* 1 FETCH (BODY[] {%d}\r\n", b")\r\n"
LONG = os.urandom(3_000_000)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def record(store: Store, records: Iterable[Record], cap: int = CAP) -> Session:
    writer = Writer(store, max_literal=cap)
    for each in records:
        writer.put(each)
    writer.close()
    assert not writer.failed
    return next(store.sessions(store.recording(str(writer.recording.id))))


def told(store: Store, session: Session, direction: Direction = S) -> list[tuple[int, int, str | None]]:
    """Offset, length and what is known of each piece's bytes: their hash, if they were not kept."""
    return [(p.offset, p.length, p.left_out) for p in store.pieces(session, direction)]


def letter(wire: Wire, data: bytes, chunk: int = 16384) -> list[Record]:
    """A letter in a FETCH, one exchange."""
    start = len(wire.stream)
    said: list[Record] = [wire.say(HEAD % len(data)), *wire.literal(data, chunk), wire.say(TAIL), wire.span(start)]
    return [*said, exchange(client_bytes=0, server_bytes=len(wire.stream) - start)]


def test_place_length_and_hash_are_kept_and_no_byte_of_it(store: Store) -> None:
    wire, other = Wire(), Wire(direction=C)
    said = [*letter(wire, LONG), *other.literal(LONG[:CAP]), *other.literal(LONG[: CAP + 1], 100)]
    session = record(store, [opened(), *said, wire.closed(len(other.stream))])
    start = len(HEAD % len(LONG))
    assert told(store, session) == [
        (0, start, None),
        (start, len(LONG), sha(LONG)),
        (start + len(LONG), len(TAIL), None),
    ]
    assert told(store, session, C) == [(0, CAP, None), (CAP, CAP + 1, sha(LONG[: CAP + 1]))]
    _, piece, _ = store.pieces(session, S)
    assert (piece.data, piece.blake3, piece.literal) == (None, None, LiteralPart(start, len(LONG)))
    assert (session.server_bytes, session.client_bytes) == (len(wire.stream), len(other.stream))
    look = Check(store)
    assert list(look.findings()) == []
    assert (look.left_out, look.bodies) == (2, 1)


def test_the_file_is_small(sqlite: Store, tmp_path: Path) -> None:
    record(sqlite, [opened(), *letter(Wire(), LONG)])
    sqlite.close()
    content = (tmp_path / "recordings.db").read_bytes()
    assert len(content) < len(LONG) // 2
    assert not any(LONG[first : first + 16] in content for first in range(0, len(LONG), 16384))


def test_without_a_limit_everything_is_kept(sqlite: Store) -> None:
    wire = Wire()
    writer = Writer(sqlite)
    writer.put(opened(), *letter(wire, LONG))
    writer.close()
    session = next(sqlite.sessions(writer.recording))
    assert together(sqlite.stream(session, S)) == bytes(wire.stream)
    assert {known for _, _, known in told(sqlite, session)} == {None}


pieces = st.lists(st.integers(1, 9000), max_size=20)


@given(pieces, st.lists(st.booleans(), min_size=40, max_size=40), st.integers(0, 2), st.booleans())
@settings(deadline=None)
def test_any_chunks_in_any_batches_give_the_same_rows(
    cuts: list[int], ends: list[bool], more: int, joined: bool
) -> None:
    """Where chunks, pieces and batches end makes no difference to what is known of a literal in the end."""
    data = LONG[: CAP + 1 + 5000 * more]
    sorter, wire = Sorter(itertools.count(1), CAP), Wire()
    said = [wire.say(b"a"), *_cut(wire, data, cuts), wire.say(b"b")]
    if joined:
        said = [said[0], *_joined(said[1:-1]), said[-1]]
    batches, waiting = list[Batch](), list[Record]()
    for piece, ending in zip(said, ends, strict=False):
        waiting.append(piece)
        if ending:
            batches.append(sorter.sort(waiting, 0.0, flush_before=0.0))
            waiting = []
    batches.append(sorter.sort([*waiting, *said[len(ends) :], wire.closed()], 0.0, flush_before=0.0))
    grown = [each for batch in batches for each in batch.left_out]
    rows = {(each.start, each.length, each.literal, each.sha256.hex()) for each in grown[-1:]}
    assert rows == {(1, len(data), LiteralPart(1, len(data)), sha(data))}
    assert {each.start for each in grown} == {1}
    assert [each.length for each in grown] == list(itertools.accumulate(each.fresh for each in grown))
    assert all(sha(data[: each.length]) == each.sha256.hex() for each in grown)
    assert all(sum(length for length, _ in each.chunks) == each.length for each in grown)
    assert [bytes(piece.data) for batch in batches for piece in batch.pieces] == [b"a", b"b"]
    assert not [segment for batch in batches for segment in batch.segments]


def _cut(wire: Wire, data: bytes, cuts: list[int]) -> list[Piece]:
    literal = LiteralPart(len(wire.stream), len(data))
    ends = [*itertools.takewhile(lambda end: end < len(data), itertools.accumulate(cuts)), len(data)]
    return [wire.say(data[start:end], literal) for start, end in itertools.pairwise([0, *ends])]


def _joined(said: list[Piece]) -> list[Piece]:
    """As one piece of many chunks, which a view holds."""
    data = b"".join(piece.data for piece in said)
    return [said[0]._replace(data=memoryview(data), chunks=tuple((len(piece.data), piece.at) for piece in said))]


def test_the_times_of_the_first_and_the_last_chunk_are_kept(sqlite: Store) -> None:
    wire = Wire()
    session = record(sqlite, [opened(), *wire.literal(LONG[:50_000], 20_000)])
    (piece,) = sqlite.pieces(session, S)
    assert (piece.at, piece.chunks) == (10, ((20_000, 10), (30_000, 30)))


def test_a_literal_of_many_gigabytes_has_chunks_that_fit(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left_out, "_CHUNK_MAX", 9000)
    wire = Wire()
    session = record(sqlite, [opened(), *wire.literal(LONG[:30_000], 5000), wire.closed()])
    (piece,) = sqlite.pieces(session, S)
    assert piece.chunks == ((5000, 10), (9000, 60), (9000, 60), (7000, 60))
    assert list(Check(sqlite).findings()) == []
    monkeypatch.undo()
    assert pack_chunks(((1, 5), (left_out._CHUNK_MAX, 6)), 5)


@pytest.mark.parametrize("ends", [True, False], ids=["ended", "cut"])
def test_what_is_torn_off_leaves_the_hash_of_what_had_come(store: Store, ends: bool) -> None:
    """While it comes, too: readers see it grow, and a recorder that is killed leaves it as it stands."""
    wire, writer = Wire(), Writer(store, "torn", max_literal=CAP)
    head, said = wire.say(HEAD % len(LONG)), wire.literal(LONG, 40_000)[:3]
    writer.put(opened(), begun(1, client_bytes=0, started=5), head)
    start, came = len(head.data), 0
    for piece in said:
        writer.put(piece)
        came += len(piece.data)
        grown = (start, came, sha(LONG[:came]))
        eventually(lambda grown=grown: any(told(store, s)[-1:] == [grown] for s in store.sessions(writer.recording)))
    if ends:
        cut = exchange(1, outcome=Outcome.INCOMPLETE, client_bytes=0, server_bytes=start + came)
        span = wire.span(0)._replace(end=start + came)
        writer.put(span, cut, wire.closed()._replace(server_bytes=start + came, ending=Ending.FAILED))
    writer.close()
    session = next(store.sessions(store.recording("torn")))
    assert told(store, session)[1:] == [grown]
    assert session.server_bytes == start + came
    assert ends or session.at_end == said[-1].at, "the time of the last chunk is known"
    (stored,) = store.exchanges(session)
    assert (stored.exchange.outcome, stored.exchange.server_bytes) == (Outcome.INCOMPLETE, start + came)
    assert list(Check(store).findings()) == []


def test_the_stream_stops_there_and_goes_on_behind_it(store: Store) -> None:
    wire = Wire()
    session = record(store, [opened(), *letter(wire, LONG), rewrite(0, HEAD % len(LONG), b"* no\r\n"), wire.closed()])
    start = len(HEAD % len(LONG))
    end = start + len(LONG)
    for stream, before in (
        (store.stream(session, S), HEAD % len(LONG)),
        (store.stream_as_sent(session, S), b"* no\r\n"),
    ):
        found: list[bytes] = []
        with pytest.raises(LeftOutError, match=f"Bytes {start} to {end} .* not kept") as error:
            found.extend(stream)
        assert together(found) == before
    assert isinstance(error.value, GapError)
    assert together(store.stream(session, S, error.value.end or 0)) == TAIL
    with pytest.raises(LeftOutError, match=f"Bytes {start + 5} to {end - 5} "):
        together(store.stream(session, S, start + 5, end - 5))


def test_removing_leaves_nothing(sqlite: Store) -> None:
    session = record(sqlite, [opened(), *letter(Wire(), LONG)])
    assert sqlite.remove(session.recording).bodies == 0
    assert list(Check(sqlite).findings()) == []
    assert sqlite.recordings() == []


def test_a_kept_and_a_left_out_copy_of_one_letter_live_side_by_side(sqlite: Store) -> None:
    start = len(HEAD % len(LONG))
    one = record(sqlite, [opened(), *letter(Wire(), LONG)], cap=len(LONG))
    other = record(sqlite, [opened(), *letter(Wire(), LONG)])
    assert sha(together(sqlite.stream(one, S, start, start + len(LONG)))) == told(sqlite, other)[1][2]
    sqlite.remove(other.recording)
    assert list(Check(sqlite).findings()) == []


def test_a_literal_of_any_length_needs_little_memory_and_little_room(sqlite: Store, tmp_path: Path) -> None:
    block = bytes(65536)
    length = 1024 * len(block)
    writer = Writer(sqlite, queue_bytes=4 * 2**20, max_literal=CAP)
    writer.put(opened())
    tracemalloc.start()
    for offset in range(0, length, len(block)):
        writer.put(Piece(1, S, offset, offset, Layer.TLS, bytes(block), (), LiteralPart(0, length)))
        eventually(lambda: not writer.full)
    writer.close()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24 * 2**20
    session = next(sqlite.sessions(writer.recording))
    assert told(sqlite, session) == [(0, length, sha(bytes(length)))]
    assert (tmp_path / "recordings.db").stat().st_size < 2_000_000


# --- lost bytes -------------------------------------------------------------------------------------------------------


def sorted_out(records: list[Record]) -> list[LeftOut]:
    return Sorter(itertools.count(1), CAP).sort(records, 0.0, flush_before=0.0).left_out


def test_behind_lost_bytes_the_rest_is_left_out_with_a_hash_of_its_own() -> None:
    wire = Wire()
    said = wire.literal(LONG[:50_000], 10_000)
    del said[2]
    first, second = sorted_out([*said, wire.closed()])
    assert (first.start, first.length, first.sha256.hex()) == (0, 20_000, sha(LONG[:20_000]))
    assert (second.start, second.length, second.sha256.hex()) == (30_000, 20_000, sha(LONG[30_000:50_000]))
    assert first.literal == second.literal == LiteralPart(0, 50_000)


def test_what_follows_something_given_up_is_not_joined_to_it() -> None:
    wire, sorter = Wire(), Sorter(itertools.count(1), CAP)
    before, after = wire.literal(LONG[:20_000], 10_000)
    sorter.sort([before], 0.0, flush_before=0.0)
    assert sorter.give_up() == []
    (rest,) = sorter.sort([after], 0.0, flush_before=0.0).left_out
    assert (rest.start, rest.length, rest.sha256.hex()) == (10_000, 10_000, sha(LONG[10_000:20_000]))


def test_nothing_is_remembered_of_a_session_that_ended_in_the_middle() -> None:
    wire, sorter = Wire(), Sorter(itertools.count(1), CAP)
    said = wire.literal(LONG[:50_000], 10_000)[:2]
    assert [each.length for each in sorter.sort([*said, wire.closed()], 0.0, flush_before=0.0).left_out] == [20_000]
    assert sorter._measurer._runs == {}


def test_two_literals_of_two_sessions_in_one_batch() -> None:
    one, two = Wire(1), Wire(2)
    said = [each for pair in zip(one.literal(LONG[:20_000]), two.literal(LONG[:30_000]), strict=False) for each in pair]
    more = [*one.literal(LONG[:20_000]), one.closed()]
    told_of = [(each.session, each.start, each.length, each.fresh) for each in sorted_out([*said, *more])]
    assert sorted(told_of) == [(1, 0, 20_000, 20_000), (1, 20_000, 20_000, 20_000), (2, 0, 30_000, 30_000)]


@pytest.mark.usefixtures("hurry")
def test_a_batch_that_is_refused_is_a_gap_of_what_was_new_in_it(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Ledger.write

    def choke(self: Ledger, batch: Batch) -> None:
        if any(e.tag == "poison" for e in batch.exchanges.values()):
            raise TypeError("cannot be written")
        write(self, batch)

    monkeypatch.setattr(Ledger, "write", choke)
    listener, wire = Listener(), Wire()
    writer = Writer(sqlite, on_trouble=listener, max_literal=CAP)
    one, two, three = wire.literal(LONG[:30_000], 10_000)
    writer.put(opened(), one)
    eventually(lambda: any(told(sqlite, s) for s in sqlite.sessions(writer.recording)))
    writer.put(two, exchange(1, tag="poison"))
    eventually(lambda: listener.heard("works again; 2 records with 10000 bytes"))
    writer.put(three, wire.closed())
    writer.close()
    session = next(sqlite.sessions(writer.recording))
    hashes = (sha(LONG[:10_000]), sha(LONG[20_000:30_000]))
    assert told(sqlite, session) == [(0, 10_000, hashes[0]), (20_000, 10_000, hashes[1])]
    assert [(gap.offset, gap.length) for gap in sqlite.events(session, EventKind.GAP)] == [(10_000, 10_000)]
    assert list(Check(sqlite).findings()) == []


def test_a_batch_written_twice_is_there_once(store: Store) -> None:
    recording = begin_recording(store, "twice", version="", settings="")
    ledger, wire = Ledger(store.engine, recording.id, alone().turn), Wire()
    sorter = Sorter(itertools.count(1), CAP)
    one, two = wire.literal(LONG[:20_000], 10_000)
    batches = [sorter.sort(records, 0.0, flush_before=0.0) for records in ([opened(), one], [two, wire.closed()])]
    for batch in (batches[0], batches[0], batches[1], batches[1]):
        ledger.write(batch)
    end_recording(store, recording)
    assert told(store, next(store.sessions(recording))) == [(0, 20_000, sha(LONG[:20_000]))]


# --- damage -----------------------------------------------------------------------------------------------------------

DAMAGES = {
    "bytes all the same": ("data = zeroblob(20000)", "was left out, and yet has bytes or a body"),
    "a body all the same": ("body_id = 1", "was left out, and yet has bytes or a body"),
    "half a hash": ("left_out = zeroblob(16)", "has something else than a SHA-256"),
    "of no literal": ("literal_start = NULL", "is of no literal"),
    "longer than its literal": ("length = 20001", "does not lie in its literal"),
    "no hash": ("left_out = NULL", "neither bytes nor a body"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found(sqlite: Store, tmp_path: Path, damage: str) -> None:
    change, words = DAMAGES[damage]
    record(sqlite, [opened(), *letter(Wire(), LONG[:5000]), *letter(Wire(2), LONG[:20_000])])
    with closing(sqlite3.connect(tmp_path / "recordings.db")) as database:
        database.execute(f"UPDATE piece SET {change} WHERE left_out IS NOT NULL")  # noqa: S608
        database.commit()
    assert any(words in finding.text for finding in Check(sqlite).findings())
