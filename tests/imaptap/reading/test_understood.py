"""Sessions read from a store: whole units in the order in which they came, and the states on the way."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from imaptap.reading.understood import Understood, state_at
from proxy.imap.grammar import Command, Raw, Untagged
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import Content
from proxy.imap.grammar.sasl import SaslLine
from proxy.imap.grammar.search_results import Found
from proxy.imap.grammar.values import Absent
from storage import open_store
from tests.imaptap.telling import LETTER, C, S, Tale, recorded, torn_off, typed_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imaptap.reading.understood import Told
    from proxy.imap.transcript import Record
    from storage import Session, Store


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "imaptap.db"


def understood(db: Path, records: list[Record]) -> list[Told]:
    recorded(db, records)
    with open_store(db, create=False) as store:
        return list(Understood(store, only_session(store)))


def only_session(store: Store) -> Session:
    return next(store.sessions(store.recording("last")))


def words(told: list[Told]) -> Iterator[str]:
    """Each unit in short: who said it, and of which exchange."""
    for each in told:
        number = each.said.exchange.number if each.said.exchange else "-"
        yield f"{each.said.direction.name[0]}{number}"


def test_units_come_in_the_order_in_which_they_were_said(db: Path) -> None:
    tale = Tale().say(
        "S: * OK hi\nC: a NOOP\nC: b SEARCH ALL\nS: b OK x\nC: c NOOP\nS: * 1 EXISTS\nS: a OK x\nS: c OK x"
    )
    told = understood(db, tale.end())
    assert list(words(told)) == ["S-", "C1", "C2", "S2", "C3", "S1", "S1", "S3"]
    ats = [each.said.at for each in told]
    assert ats == sorted(ats)


def test_a_body_is_passed_over_and_the_unit_read_all_the_same(db: Path) -> None:
    told = understood(db, typed_session())
    fetches = [each.said.parsed.value.data for each in told if isinstance(each.said.parsed.value, Untagged)]
    (fetch,) = (data for data in fetches if isinstance(data, Fetch))
    content, flags = fetch.items
    assert isinstance(content, Content)
    assert content.data == Absent(len(LETTER))
    assert flags.name == b"FLAGS"


def test_a_line_of_any_length_is_whole(db: Path) -> None:
    """The wire keeps 64 KiB of a line's text; the stream has all of it (M 2.10)."""
    numbers = range(1, 40_000)
    line = b"* SEARCH " + b" ".join(b"%d" % number for number in numbers) + b"\r\n"
    tale = Tale().say("S: * OK hi\nC: a SEARCH ALL").send(S, line[:70_000], line[70_000:]).say("S: a OK x")
    found = next(each.said.parsed.value for each in understood(db, tale.end()) if each.end - each.start == len(line))
    assert found == Untagged(Found(b"SEARCH", tuple(numbers)))


def test_literals_of_commands_and_lines_of_sasl(db: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: Ym9i\nS: + UGFzc3dvcmQ6\nC: c2VjcmV0")
    tale.say("S: a OK x\nC: b LIST {2+}").send(C, b"ab *\r\n").say("S: b OK x")
    values = [each.said.parsed.value for each in understood(db, tale.end()) if each.said.direction is C]
    assert [type(value) for value in values] == [Command, SaslLine, SaslLine, Command]


def test_what_was_never_recorded_leaves_the_rest_readable(db: Path) -> None:
    """A hole in the middle of the greeting: it is lost, and the next unit is whole."""
    recorded(db, Tale().say("S: * OK hi\nS: * 6 EXISTS\nC: a NOOP\nS: a OK x").end())
    with closing(sqlite3.connect(db)) as connection, connection:
        changed = connection.execute(
            "UPDATE piece SET offset = 4, length = length - 4, data = substr(data, 5), chunks = NULL "
            "WHERE direction = 1 AND offset = 0"
        )
        assert changed.rowcount == 1
    with open_store(db, create=False) as store:
        told = list(Understood(store, only_session(store)))
    assert [each.start for each in told if each.said.direction is S] == [
        len(b"* OK hi\r\n"),
        len(b"* OK hi\r\n* 6 EXISTS\r\n"),
    ]


def test_a_unit_that_ends_with_the_session_is_given_as_it_is(db: Path) -> None:
    told = understood(db, Tale().say("S: * OK hi\nC: a FETCH 1 BODY[]").send(S, b"* 1 FETCH (BODY[] {10}\r\nabc").end())
    assert isinstance(told[-1].said.parsed.value, Raw)


def test_states_stand_between_exchanges_that_overlap(db: Path) -> None:
    """The first one ends last: its state has what the second one did."""
    tale = Tale().say(
        "S: * PREAUTH hi\nC: a NOOP\nC: b SELECT x\nS: * 2 EXISTS\nS: b OK x\nS: a OK x\nC: c CLOSE\nS: c OK x"
    )
    recorded(db, tale.end())
    with open_store(db, create=False) as store:
        session = only_session(store)
        phases = [str(state_at(store, session, each.exchange).phase) for each in store.exchanges(session)]
    assert phases == ["selected", "selected", "authenticated"]


def test_the_state_of_a_command_that_is_under_way(db: Path) -> None:
    """No span tells of it yet, nor of what the server says meanwhile."""
    tale = Tale().say("S: * PREAUTH hi\nC: a SELECT x\nS: * 2 EXISTS\nS: a OK x\nC: b IDLE\nS: + go\nS: * 9 EXISTS")
    torn_off(db, tale.so_far())
    with open_store(db, create=False) as store:
        session = only_session(store)
        state = state_at(store, session, store.exchange(session, 2).exchange)
    assert (str(state.phase), state.idle, state.open) == ("selected", 2, (2,))
    assert state.mailbox is not None
    assert (state.mailbox.name, state.mailbox.exists) == ("x", 9)


def test_whose_units_are_that_no_span_holds_yet(db: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a NOOP\nC: b SEARCH ALL\nS: a OK x")
    tale.say("S: * 1 EXISTS\nC: c NOOP\nC: d NOOP\nS: * 2 EXISTS")
    torn_off(db, tale.so_far())
    with open_store(db, create=False) as store:
        told = list(Understood(store, only_session(store)))
    assert list(words(told)) == ["S-", "C1", "C2", "S1", "S2", "C3", "C4", "S4"]
    assert (str(told[-1].said.certainty), told[-1].said.others) == ("ambiguous", (2, 3))


def test_nothing_is_under_way_in_a_session_that_has_ended(db: Path) -> None:
    assert list(words(understood(db, Tale().say("S: * OK hi\nC: a NOOP").end()))) == ["S-", "C1"]
