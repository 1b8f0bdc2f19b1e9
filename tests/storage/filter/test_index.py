"""The index: it grows with a recording, forgets what is removed, and is made anew where it is of another version."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, update

from storage import Store, Writer, open_store, tables
from storage.filter import Search, blocks, index, parse, search
from tests.storage.filter.tales import Tale
from tests.storage.scenes import S, Wire, begun, eventually, exchange, opened, record

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.servers.postgresql import PostgreSQL


def count(store: Store, expression: str) -> int:
    return sum(Search(store, parse(expression)).counts().values())


def rows(store: Store, table: str) -> list[Any]:
    with store.reading() as connection:
        return list(connection.exec_driver_sql(f"SELECT * FROM {table}"))  # noqa: S608


def numbers(store: Store, table: str) -> list[int]:
    query = f"SELECT e.number FROM exchange e JOIN {table} f ON f.exchange_id = e.id ORDER BY 1"  # noqa: S608
    with store.reading() as connection:
        return list(connection.exec_driver_sql(query).scalars())


def written(store: Store, statement: str) -> bool:
    with store.reading() as connection:
        return bool(connection.exec_driver_sql(statement).scalar())


def test_it_grows_with_a_recording(store: Store) -> None:
    writer = Writer(store, "live")
    writer.put(opened(), exchange(1), exchange(2, status="NO"), begun(3))
    eventually(lambda: written(store, "SELECT max(number) = 3 FROM exchange"))
    assert count(store, "status:NO") == 1
    assert numbers(store, "filter_pending") == [3]
    assert numbers(store, "filter_row") == [1, 2]
    assert (count(store, "open"), count(store, "status:OK")) == (1, 1)

    writer.put(exchange(3, status="BAD"), exchange(4))
    eventually(lambda: written(store, "SELECT max(number) = 4 FROM exchange WHERE outcome = 'completed'"))
    assert (count(store, "status:BAD"), count(store, "open"), count(store, "status:OK")) == (1, 0, 2)
    assert numbers(store, "filter_pending") == [4], "the last one may be told again"
    writer.put(exchange(4, status="NO"))
    eventually(lambda: written(store, "SELECT status = 'NO' FROM exchange WHERE number = 4"))
    assert count(store, "status:NO") == 2

    writer.close()
    assert (count(store, "status:OK"), count(store, "status:NO"), count(store, "status:BAD")) == (1, 2, 1)
    assert rows(store, "filter_pending") == []
    assert [row.complete for row in rows(store, "filter_state")] == [1]


def test_a_complete_one_is_not_looked_at_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record(store, [opened(), exchange()])
    assert count(store, "cmd:FETCH") == 1
    monkeypatch.setattr(index._Indexer, "run", lambda _: pytest.fail("it is complete"))
    assert count(store, "cmd:FETCH") == 1


def test_in_batches_it_is_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record(store, [each for seed in (1, 2, 3) for each in Tale(seed).records(30)], "one")
    record(store, Tale(4).records(10), "two")
    told = list[tuple[int, int]]()
    monkeypatch.setattr(index, "_ROWS", 7)
    monkeypatch.setattr(index, "_BYTES", 20_000)
    Search(store, parse("open"), progress=lambda done, count: told.append((done, count)))
    assert told[-1] == (10, 10)
    assert (90, 90) in told
    assert len(told) > 13
    in_batches = {table: rows(store, table) for table in ("filter_row", "filter_uid", "filter_date", "filter_state")}
    monkeypatch.undo()
    with store.writing() as connection:
        index.clear(connection)
    assert rows(store, "filter_row") == []
    Search(store, parse("open"))
    for table, there in in_batches.items():
        # Kinds have got other keys.
        assert [_without_kinds(row) for row in rows(store, table)] == [_without_kinds(row) for row in there]


def _without_kinds(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if not name.endswith(("kind_id", "box_id", "flags_id"))}


def test_what_is_removed_leaves_no_word_behind(store: Store, tmp_path: Path) -> None:
    wire = Wire()
    said = [opened(), wire.say(b"* OK hello\r\n"), wire.say(b"* OK xylophone\r\n"), wire.span(12)]
    removed = record(store, [*said, exchange(mailbox="Zanzibar")], "removed").recording
    record(store, [opened(), exchange()], "kept")
    assert (count(store, "text:xylophone"), count(store, "mailbox:zanzibar"), count(store, "cmd:FETCH")) == (1, 1, 2)
    store.remove(removed)
    for table in (
        "filter_row",
        "filter_kind",
        "filter_session",
        "filter_uid",
        "filter_date",
        "filter_pending",
        "filter_state",
    ):
        assert rows(store, table) == [], table
    assert (count(store, "text:xylophone"), count(store, "mailbox:zanzibar"), count(store, "cmd:FETCH")) == (0, 0, 1)
    store.close()
    for file in tmp_path.iterdir():  # none with PostgreSQL
        with closing(sqlite3.connect(file)) as database:
            options = {row[0] for row in database.execute("PRAGMA compile_options")}
        # Where SQLite does not overwrite what it deletes, pieces leave something behind, and only they may.
        if "SECURE_DELETE" in options:
            assert b"xylophone" not in file.read_bytes().lower()
            assert b"zanzibar" not in file.read_bytes().lower()


def test_words_that_are_indexed_while_their_recording_is_removed_go_too(postgresql: PostgreSQL) -> None:
    with open_store(postgresql.new_database(), create=True) as store:
        recording = record(store, [opened(), exchange()]).recording
        removing = threading.Thread(target=store.remove, args=(recording,))
        with store.writing() as indexing:
            state = {"recording_id": recording.id, "version": index.VERSION, "upto": 1, "complete": 1}
            indexing.execute(insert(tables.filter_state).values(state))
            blocks.add(indexing, 1, [(1, ["xylophone"])])
            removing.start()
            eventually(lambda: written(store, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"))
        removing.join()
        assert (rows(store, "filter_block"), rows(store, "filter_state"), store.recordings()) == ([], [], [])


@pytest.mark.parametrize("expression", ["text:quota", "text:quota cmd:*"])
def test_words_stay_while_they_are_looked_for(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch, expression: str
) -> None:
    with open_store(postgresql.new_database(), create=True) as store:
        recording = record(store, Tale(1).records(30)).recording
        right = count(store, expression)
        removing = threading.Thread(target=store.remove, args=(recording,))
        hold = search.text.hold

        def meanwhile(connection: Connection) -> None:
            hold(connection)
            removing.start()
            waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
            eventually(lambda: written(store, waiting) or not removing.is_alive())

        monkeypatch.setattr(search.text, "hold", meanwhile)
        assert count(store, expression) == right > 0
        removing.join()
        assert rows(store, "filter_block") == rows(store, "filter_stretch") == []


def test_a_recording_that_is_removed_meanwhile_is_left_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = record(store, [opened(), exchange()], "removed").recording
    gather = index.gather

    def too_late(*arguments: Any) -> Any:
        found = gather(*arguments)
        monkeypatch.setattr(index, "gather", gather)
        store.remove(removed)
        return found

    monkeypatch.setattr(index, "gather", too_late)
    assert count(store, "cmd:FETCH") == 0
    assert rows(store, "filter_row") == []


def test_one_of_another_version_is_made_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record(store, [opened(), exchange()])
    with monkeypatch.context() as patch:
        patch.setattr(index, "VERSION", 0)
        assert count(store, "cmd:FETCH") == 1
        assert [row.version for row in rows(store, "filter_state")] == [0]
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE filter_row SET took = 7, exchange_id = 99")
    assert count(store, "ms=0.35") == 1
    assert numbers(store, "filter_row") == [1]


def test_an_exchange_that_comes_late_with_a_smaller_id_is_found(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several recorders write to one server: ids are given in one order, and may be committed in another."""
    monkeypatch.setattr(index, "_PATIENCE", 1)
    with open_store(postgresql.new_database(), create=True) as store:
        writer = Writer(store, "live")
        writer.put(opened(), exchange(1), exchange(2), exchange(3))
        eventually(lambda: written(store, "SELECT max(number) = 3 FROM exchange"))
        assert count(store, "cmd:FETCH") == 3
        with store.writing() as late:
            names = ", ".join(column.name for column in tables.exchange.columns if column.name not in {"id", "number"})
            copied = f"INSERT INTO exchange (number, {names}) SELECT 4, {names} FROM exchange WHERE number = 3"  # noqa: S608
            late.exec_driver_sql(copied)
            writer.put(exchange(5), exchange(6))
            eventually(lambda: written(store, "SELECT max(number) = 6 FROM exchange"))
            assert count(store, "cmd:FETCH") == 5
        assert count(store, "cmd:FETCH") == 6
        writer.close()
        assert count(store, "cmd:FETCH") == 6
        assert numbers(store, "filter_row") == [1, 2, 3, 4, 5, 6]


def test_two_that_filter_at_once_make_it_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record(store, Tale(1).records(30))
    gather = index.gather

    def another_first(*arguments: Any) -> Any:
        monkeypatch.setattr(index, "gather", gather)
        assert count(store, "cmd:ID or not cmd:ID") == 30
        return gather(*arguments)

    monkeypatch.setattr(index, "_ROWS", 10)
    monkeypatch.setattr(index, "gather", another_first)
    assert count(store, "cmd:ID or not cmd:ID") == 30
    assert len(rows(store, "filter_row")) == 30


def test_where_it_cannot_be_made_the_answer_is_the_same(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record(sqlite, Tale(1).records(30))
    right = count(sqlite, "text:quota")
    with sqlite.writing() as connection:
        index.clear(connection)
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON filter_row BEGIN SELECT RAISE(FAIL, 'no'); END"
        )
    assert count(sqlite, "text:quota") == right > 0
    assert rows(sqlite, "filter_row") == []


def test_without_fts5_texts_are_read(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record(sqlite, Tale(1).records(30))
    right = count(sqlite, "text:quota")
    with sqlite.writing() as connection:
        index.clear(connection)
        connection.exec_driver_sql("DROP TABLE filter_text")
    assert count(sqlite, "text:quota") == right > 0
    assert (count(sqlite, "cmd:ID or not cmd:ID"), len(rows(sqlite, "filter_row"))) == (30, 30)
    sqlite.remove(sqlite.recording("last"))


@pytest.mark.parametrize("length", [20, 5000])
def test_what_was_left_out_of_a_literal_is_passed_over(store: Store, length: int) -> None:
    wire = Wire(direction=S)
    said = [wire.say(f"* 1 FETCH (BODY[] {{{length}}}\r\n".encode()), *wire.literal(b"x" * length)]
    record(store, [opened(), *said, wire.say(b" UID 77 FLAGS (\\Seen))\r\n"), wire.span(0), exchange()])
    with store.writing() as connection:
        mine = tables.piece.c.literal_start.is_not(None)
        left_out = {"data": None, "body_id": None, "left_out": bytes(32)}
        assert connection.execute(update(tables.piece).where(mine).values(left_out)).rowcount == 1
    assert (count(store, "uid:77"), count(store, r"flag:\Seen"), count(store, "text:seen")) == (1, 1, 1)


def test_a_long_answer_is_read_up_to_its_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from storage.filter import gather as module

    monkeypatch.setattr(module, "READ_MOST", 1000)
    wire = Wire(direction=S)
    pieces = [wire.say(b"* OK early\r\n"), *(wire.say(b"* OK " + b"x" * 50 + b"\r\n") for _ in range(100))]
    last = wire.say(b"* OK late\r\n")
    record(store, [opened(), *pieces, last, wire.span(0), exchange()])
    assert (count(store, "text:early"), count(store, "text:late")) == (1, 0)
