"""Filters put to stores: by the index and without it, in SQLite and in PostgreSQL, they find the same exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from proxy.imap.transcript import EventKind, Outcome
from storage import Store, Writer, tables
from storage.clock import wall
from storage.filter import Matcher, Search, index, parse, written
from storage.filter.describe import describe, facts
from storage.filter.gather import gather
from storage.filter.holds import holds
from storage.filter.tree import Number, Word
from tests.storage.filter import tales
from tests.storage.filter.tales import Tale
from tests.storage.filter.trees import COMPARISONS, nodes, patterns, phrases, whens
from tests.storage.scenes import begun, exchange, opened, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage import Session, StoredExchange
    from storage.filter import Node
    from storage.filter.holds import Facts

NOW = tales.WALL + 5 * 10**9


def _patterns(values: tuple[str | None, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    """A value, in any case, whole or with parts left out."""
    whole = st.sampled_from([value for value in values if value is not None])
    some = whole.flatmap(lambda value: st.integers(0, len(value)).map(lambda at: (value[:at], "")))
    other = whole.flatmap(lambda value: st.integers(0, len(value)).map(lambda at: ("", value[at:])))
    return st.one_of(
        whole.map(lambda value: (value.swapcase(),)), some, other, patterns(st.text("aeE1%_!*", max_size=2))
    )


KNOWN: dict[str, tuple[str | None, ...]] = {
    "cmd": tales.COMMANDS, "tag": tales.TAGS, "mailbox": (*tales.MAILBOXES, "Entwürfe"), "status": tales.STATUSES,
    "code": ("TRYCREATE", "COPYUID", "X%Y_Z!"), "outcome": tuple(Outcome), "origin": ("proxy", "client"),
    "response": ("EXISTS", "FETCH"), "mark": ("tag reused", "illegal tag"), "certainty": ("sure", "unsolicited"),
    "event": tuple(EventKind), "flag": (r"\Seen", "$Junk", "Ünread"), "recording": ("one", "two"),
    "client": (*tales.CLIENTS, *tales.NAMES, "127.0.0.1", "::1"), "server": (*tales.UPSTREAMS, "mail.example.org"),
    "quirk": ("DOUBLED_SPACE", "EIGHT_BIT", "UNEXPECTED"), "cap": ("IDLE", "X=Y", "IMAP4rev1"),
}  # fmt: skip
AMOUNTS = {"uid": range(13), "session": range(4), "ms": (999, 1000, 500_000, 510_000), "bytes": (30, 60, 5700)}
AMOUNTS |= {"client_bytes": (0, 8, 20), "server_bytes": (0, 30, 5700)}

LEAVES = st.one_of(
    *(st.builds(Word, st.just(fact), _patterns(values)) for fact, values in KNOWN.items()),
    *(
        st.builds(Number, st.just(fact), st.sampled_from(COMPARISONS), st.sampled_from(values))
        for fact, values in AMOUNTS.items()
    ),
    phrases(st.sampled_from(["over", "OVER", "quota", "quo", "übermorgen", "語", "x" * 60, "1", "letter", "fetch"])),
    whens(),
)


@pytest.fixture
def told(store: Store) -> Iterator[Store]:
    """Three sessions that ended and one that goes on, in two recordings; the last one is under way."""
    record(store, [each for seed in (1, 2) for each in Tale(seed).records(25)], "one")
    writer = Writer(store, "two")
    for tale, length in ((Tale(3), 20), (Tale(4, goes_on=True), 20)):
        writer.put(*tale.records(length))
    wait_until_written(store, 90)
    yield store
    writer.close()


def wait_until_written(store: Store, exchanges: int) -> None:
    from tests.storage.scenes import eventually

    eventually(lambda: sum(store.totals(each).exchanges for each in store.recordings()) == exchanges)


def found(store: Store, node: Node) -> set[int]:
    """By the index, as far as it goes."""
    return {key for keys in Search(store, node, now=NOW).matches().values() for key in keys}


def all_pairs(store: Store) -> list[tuple[Session, StoredExchange]]:
    sessions = [session for recording in store.recordings() for session in store.sessions(recording)]
    return [(session, stored) for session in sessions for stored in store.exchanges(session)]


def all_facts(store: Store) -> list[tuple[int, Facts]]:
    """Of every exchange, by its key."""
    pairs = all_pairs(store)
    matcher = Matcher(store, parse("cap:*"), NOW)
    matcher.those(pairs)  # now it knows the sessions
    with store.reading() as connection:
        told = gather(connection, [stored for _, stored in pairs])
    return [
        (each.id, facts(each, describe(each), matcher._place(session)))
        for each, (session, _) in zip(told, pairs, strict=True)
    ]


def found_one_by_one(store: Store, node: Node) -> set[int]:
    matcher = Matcher(store, node, NOW)
    pairs = all_pairs(store)
    return {stored.id for (_, stored), match in zip(pairs, matcher.those(pairs), strict=True) if match}


def test_the_index_and_the_plain_way_agree(told: Store) -> None:
    """Differential: SQL over the index, and Python over the same exchanges."""
    seen = set[bool]()
    everything = all_facts(told)

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(nodes(LEAVES))
    def agree(node: Node) -> None:
        by_index = found(told, node)
        assert by_index == {key for key, each in everything if holds(node, each, NOW)}, written(node)
        assert sum(Search(told, node, now=NOW).counts().values()) == len(by_index), written(node)
        seen.add(0 < len(by_index) < 90)

    agree()
    assert True in seen, "no filter chose some and left others"
    with told.reading() as connection:
        states = index.states(connection)
    assert sorted(state.complete for state in states.values()) == [False, True]


def test_every_leaf_alone_agrees_and_chooses(told: Store) -> None:
    """Each fact finds something, and not everything, on either way."""
    for expression in (
        "cmd:FETCH", "cmd:UID*", 'cmd:"uid fetch"', "cmd:äÖ", "tag:a1", "tag:a*", "tag:%", "tag:_", "tag:!",
        "mailbox:INBOX",
        'mailbox:"work/*"', "mailbox:*%", "mailbox:a_b", "mailbox:SS", 'mailbox:""', "not mailbox:*", "status:no",
        "not status:*", "code:copyuid", "code:X%Y_Z!", "outcome:incomplete", "open", "origin:proxy", "response:EXISTS",
        "odd", 'mark:"illegal tag"', "unsolicited", "ambiguous", "event:security", "rewrite", r"flag:\seen",
        "flag:ünread",
        "uid:6", "uid>9", "uid<2", "uid>=4294967295", 'text:"over quota"', 'text:"over quo*"', "text:ÜBERMORGEN",
        "text:語",
        f"text:{'x' * 70}", "ms>500", "ms<1", "ms=500.001 or ms>=3s", "bytes>5KB", "client_bytes>20", "server_bytes=0",
        "at>2023-11-14T23:00Z", "recording:one", "session:2", "session>=3", "client:127.0.0.1", "client:*5%5",
        "client:thunderbird", "client:10.0.0.7*", "server:mail.example.org", "cap:IDLE", "cap:x=y", "cap:condstore",
        "quirk", "quirk:doubled_space", "quirk:*space", "mailbox:entwürfe", "mailbox:Entw&APw-rfe",
        "internaldate>=2026-11-01",
        "internaldate:2026-11-01T10:05:06Z", "internaldate<1970-01-01", "not internaldate>1000-01-01",
        "internaldate>=2023-11-14T22:13:20Z internaldate<2026-01-01",
    ):  # fmt: skip
        node = parse(expression)
        by_index = found(told, node)
        assert by_index == found_one_by_one(told, node), expression
        assert 0 < len(by_index) < 90, (expression, len(by_index))


def test_nothing_is_found_in_bodies(told: Store) -> None:
    assert found(told, parse("uid:11 server_bytes>5000"))
    assert found(told, parse("text:nobody")) == set()


def test_counts_and_pages_are_of_the_same(told: Store) -> None:
    search = Search(told, parse("cmd:FETCH or open"), now=NOW)
    matches = search.matches()
    keys = sorted(key for some in matches.values() for key in some)
    assert sum(search.counts().values()) == len(keys) > 10
    assert dict(search.session_counts()) == {session: len(some) for session, some in matches.items()}
    assert [match.exchange_id for match in search.first(500)] == keys
    assert [match.exchange_id for match in search.first(7)] == keys[:7]
    assert set(search.counts()) == {recording.id for recording in told.recordings()}
    for session in told.sessions(told.recording("one")):
        mine = matches.get(session.id, ())
        assert [stored.id for stored in search.exchanges(session, mine)] == list(mine)


def test_one_recording_alone(told: Store) -> None:
    one = told.recording("one")
    search = Search(told, parse("not cmd:nothing"), one)
    assert dict(search.counts()) == {one.id: 50}
    with told.reading() as connection:
        assert set(index.states(connection)) == {one.id}
    assert sum(Search(told, parse("not cmd:nothing")).counts().values()) == 90


def test_a_database_that_may_only_be_read(told: Store) -> None:
    node = parse("text:quota or cmd:ID or cap:IDLE")
    reader = Store(told.engine, told.where, read_only=True)
    without = found(reader, node)
    with told.reading() as connection:
        assert index.states(connection) == {}
    assert without == found(told, node) == found(reader, node) != set()


def test_sql_is_never_made_of_values(told: Store) -> None:
    everything = all_facts(told)
    for value in ("' OR 1=1 --", "\\", "%", "\x01", "a' || 'b", "$1 :name %s ?", "{}", "é\u0301", "\0", "\udcff"):
        for fact in ("cmd", "tag", "mailbox", "client", "recording"):
            for pattern in ((value,), (value, ""), ("", value)):
                right = {key for key, each in everything if holds(Word(fact, pattern), each, NOW)}
                assert found(told, Word(fact, pattern)) == right
        assert found(told, Word("text", (f"zzz {value}",))) == set()
    assert len(found(told, Word("cmd", ("", "")))) > 80


def test_what_never_ended_is_seen_as_it_stands(store: Store) -> None:
    """A recorder that died: its open exchanges are incomplete to whoever reads, though the rows say open."""
    record(store, [opened(), exchange(), begun(2)], "dead")
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE exchange SET outcome = 'open' WHERE number = 2")
        connection.exec_driver_sql("UPDATE session SET ending = NULL")
        dead = {"ended": None, "host": "gone", "seen": wall() - 10**9}
        connection.execute(update(tables.recording).values(dead))
    assert len(found(store, parse("incomplete"))) == len(found_one_by_one(store, parse("incomplete"))) == 1
    assert found(store, parse("open")) == set()
