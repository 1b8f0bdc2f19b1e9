"""Words in PostgreSQL: blocks of them that fill up, and exchanges that are named one by one or by bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage import StorageError, Store, open_store
from storage.filter import blocks
from storage.filter.holds import Facts, holds
from storage.filter.parser import parse
from storage.filter.words import split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.postgresql import PostgreSQL

SAYINGS = ("over quota", "quota over over", "", "one two three four", "quotation", "übermorgen 語 over quota")
SAID = [(1000 + 3 * number, split(SAYINGS[number % len(SAYINGS)])) for number in range(60)]


@pytest.fixture
def server(postgresql: PostgreSQL) -> Iterator[Store]:
    with open_store(postgresql.new_database(), create=True) as store:
        yield store


def added(store: Store, said: list[tuple[int, list[str]]]) -> dict[int, int]:
    with store.writing() as connection:
        return blocks.add(connection, 1, said)


def found(store: Store, expression: str, places: dict[int, int]) -> list[int]:
    """The exchanges, whether they are told by their ids or by bits."""
    with store.reading() as connection:
        said = blocks.Finder(connection).find(parse(expression))
    assert not (said.exchanges and said.ends)
    bits = int.from_bytes(said.ends, "little")
    return sorted(said.exchanges) + [key for key, place in places.items() if bits >> place & 1]


def right(expression: str) -> list[int]:
    node = parse(expression)
    return [key for key, words in SAID if holds(node, Facts((), (), 0, f" {' '.join(words)} "), 0)]


def count(store: Store, statement: str) -> int:
    with store.reading() as connection:
        return int(connection.exec_driver_sql(statement).scalar_one())


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize(("full", "small"), [(1, 1), (20, 8), (20, 20), (1000, 1000)])
def test_however_they_come_they_are_found(
    server: Store, monkeypatch: pytest.MonkeyPatch, few: int, full: int, small: int
) -> None:
    for name, value in (("_FEW", few), ("_FULL", full), ("_SMALL", small)):
        monkeypatch.setattr(blocks, name, value)
    places: dict[int, int] = {}
    position = 0
    for size in (1, 2, 30, 0, 3, 24):
        places |= added(server, SAID[position : position + size])
        position += size
    assert sorted(places) == [key for key, _ in SAID]
    assert sorted(places.values()) == list(dict.fromkeys(places.values())), "each has a place of its own, rising"
    for expression in (
        '"over quota"',
        '"o*"',
        '"over q*"',
        '"t*"',
        '"quot*"',
        '"quota over"',
        '"over quot*"',
        '"one two three four"',
        '"語"',
        "not text:quota",
        "text:over text:quota",
        "text:one or text:quota",
        "not (text:one or text:over) text:quota*",
        "not text:zzz",
    ):
        assert found(server, expression, places) == right(expression) != [], expression
    for expression in ('"three two"', '"four one"', '"overq*"', '"zzz"'):
        assert found(server, expression, places) == right(expression) == [], expression


def test_a_small_block_is_filled_up(server: Store) -> None:
    """Whoever filters again and again while a few exchanges come leaves one block, not hundreds."""
    for number in range(50):
        added(server, [(number, ["word"] * 99)])
    assert count(server, "SELECT count(*) FROM filter_block") == 1
    assert count(server, "SELECT count(*) FROM filter_text") == 0
    added(server, [(50, ["word"] * 5000)])
    assert count(server, "SELECT count(*) FROM filter_block WHERE words IS NULL") == 1
    assert count(server, "SELECT count(*) FROM filter_text") == 2  # word, w**
    added(server, [(51, ["word"])])
    assert count(server, "SELECT count(*) FROM filter_block") == 2


def test_nothing_is_found_where_nothing_is(server: Store) -> None:
    assert found(server, '"over quota"', {}) == []
    places = added(server, [(7, []), (8, [])])
    assert found(server, '"over quota"', places) == []
    assert added(server, []) == {}
    assert places == {7: 0, 8: 1}


def test_recordings_are_counted_by_their_places(server: Store) -> None:
    with server.writing() as connection:
        blocks.add(connection, 4, [(1, ["over", "quota"]), (2, []), (3, ["quota", "over"])])
        blocks.add(connection, 9, [(4, ["over", "quota"]), (5, ["over", "quota"])])
        assert blocks.Finder(connection).counts(parse('text:"over quota"')) == {4: 1, 9: 2}
        assert blocks.Finder(connection).counts(parse("not text:over")) == {4: 1, 9: 0}
        blocks.add(connection, 4, [(6, ["over", "quota"])])
        assert blocks.Finder(connection).counts(parse("text:over")) is None, "they have places among each other's"


def test_a_server_that_fails_is_no_traceback(server: Store) -> None:
    with server.writing() as connection:
        connection.exec_driver_sql("DROP TABLE filter_text")
    with pytest.raises(StorageError, match="filter_text"), server.reading() as connection:
        blocks.Finder(connection).find(parse("text:over"))
