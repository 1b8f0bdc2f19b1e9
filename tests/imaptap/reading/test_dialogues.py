"""Dialogues of recorded sessions, and the contents of their literals."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from blake3 import blake3

from imaptap.reading.dialogues import StoredLiterals, dialogues
from proxy.imap.grammar import Command, Continuation, Done, SaslLine, Tagged, Untagged
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import Content
from proxy.imap.grammar.messages import Count
from proxy.imap.grammar.values import Absent
from proxy.imap.state import Phase
from proxy.imap.transcript import Certainty
from proxy.imap.view import dialogues as dialogues_module
from storage import Store, open_store
from tests.imaptap.telling import LETTER, C, S, Tale, recorded, typed_session

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.imap.transcript import Record
    from proxy.imap.view.dialogue import Dialogue


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "imaptap.db"


def read(db: Path, records: list[Record]) -> list[Dialogue]:
    recorded(db, records)
    with open_store(db, create=False) as store:
        return list(dialogues(store, next(store.sessions(store.recording("last")))))


def test_each_exchange_has_its_units_and_what_was_before_it(db: Path) -> None:
    login, select, fetch, logout = read(db, typed_session())
    assert [each.exchange.command for each in (login, select, fetch, logout)] == ["LOGIN", "SELECT", "FETCH", "LOGOUT"]
    assert (login.before.phase, login.asks[0].secret) == (Phase.NOT_AUTHENTICATED, True)
    assert [type(answer.parsed.value) for answer in login.news] == [Untagged], "the greeting"
    assert (select.before.phase, select.before.mailbox) == (Phase.AUTHENTICATED, None)
    assert [type(answer.parsed.value) for answer in select.answers] == [Untagged, Untagged, Tagged]
    before = fetch.before
    assert (before.phase, before.mailbox, before.exists, before.uidvalidity) == (Phase.SELECTED, "Drafts", 4, 3516)
    assert (before.read_only, before.open, fetch.asks[0].secret) == (False, (), False)
    assert fetch.completion is not None
    assert isinstance(fetch.command, Command)
    (news,) = logout.news
    assert (news.certainty, logout.before.exists) == (Certainty.UNSOLICITED, 5)


def test_a_literal_that_lies_elsewhere_is_found_there(db: Path) -> None:
    value = read(db, typed_session())[2].answers[0].parsed.understood
    assert isinstance(value, Untagged)
    assert isinstance(value.data, Fetch)
    item = value.data.get(b"RFC822")
    assert isinstance(item, Content)
    assert isinstance(item.data, Absent)
    with open_store(db, create=False) as store:
        literals = StoredLiterals(store, next(store.sessions(store.recording("last"))))
        place = (S, item.data.start, item.data.size)
        assert b"".join(literals.content(*place) or ()) == LETTER
        assert literals.digest(*place) == f"blake3:{blake3(LETTER).hexdigest()}"
        assert literals.sha256(*place) == hashlib.sha256(LETTER).hexdigest()
        assert literals.digest(S, item.data.start, 1000) == f"blake3:{blake3(LETTER[:1000]).hexdigest()}"
        assert literals.content(S, item.data.start, 10**9) is None, "so much was never said"
        older = Store(store.engine, store.where, read_only=True, hashing=hashlib.sha256)
        literals = StoredLiterals(older, next(older.sessions(older.recording("last"))))
        assert literals.digest(S, item.data.start, 1000) == f"sha256:{hashlib.sha256(LETTER[:1000]).hexdigest()}"


def test_what_was_not_kept_has_a_hash_and_no_content(db: Path) -> None:
    recorded(db, typed_session(), max_literal=5000)
    with open_store(db, create=False) as store:
        session = next(store.sessions(store.recording("last")))
        fetch = list(dialogues(store, session))[2]
        value = fetch.answers[0].parsed.understood
        assert isinstance(value, Untagged)
        assert isinstance(value.data, Fetch)
        item = value.data.get(b"RFC822")
        assert isinstance(item, Content)
        assert isinstance(item.data, Absent)
        literals = StoredLiterals(store, session)
        assert literals.content(S, item.data.start, item.data.size) is None
        assert literals.digest(S, item.data.start, item.data.size) == f"sha256:{hashlib.sha256(LETTER).hexdigest()}"
        assert literals.sha256(S, item.data.start, item.data.size) == hashlib.sha256(LETTER).hexdigest()
        assert literals.digest(S, item.data.start, 1000) is None


def test_it_is_told_which_answers_hold_masked_bytes(db: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a LOGIN bob hunter22\nS: * 1 EXISTS\nS: a NO hunter22 is no password")
    (login,) = read(db, tale.end())
    assert [answer.secret for answer in login.answers] == [False, True]


def test_masked_content_is_none(db: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a LOGIN bob {6}\nS: + go\nC: secret\nS: a OK x")
    (login,) = read(db, tale.end())
    (literal,) = login.asks[0].unit.literals
    with open_store(db, create=False) as store:
        literals = StoredLiterals(store, next(store.sessions(store.recording("last"))))
        assert literals.content(C, literal.start, literal.size) is None
        assert literals.digest(C, literal.start, literal.size) is None


def test_they_come_in_the_order_of_their_numbers_however_they_were_answered(db: Path) -> None:
    script = "S: * OK hi\nC: a NOOP\nC: b SEARCH ALL\nS: b OK x\nC: c NOOP\nS: * 1 EXISTS\nS: a OK x\nS: c OK x"
    said = read(db, Tale().say(script).end())
    assert [(each.exchange.number, each.before.open) for each in said] == [(1, ()), (2, (1,)), (3, (1,))]
    assert [type(answer.parsed.value) for answer in said[0].answers] == [Untagged, Tagged]


def test_what_imaptap_has_asked_itself_is_nobodys_news(db: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a NOOP\nS: a OK x")
    tale._conversation.proxy_command(b"P1 NAMESPACE\r\n", tale.at)
    tale.say('S: * NAMESPACE (("" "/")) NIL NIL\nS: P1 OK x\nS: * 3 EXISTS\nC: b NOOP\nS: b OK x')
    (_, second) = read(db, tale.end())
    assert [value.data for value in (each.parsed.value for each in second.news) if isinstance(value, Untagged)] == [
        Count(b"EXISTS", 3)
    ]
    assert len(second.news) == 1


def test_lines_of_sasl_and_done_belong_to_their_command(db: Path) -> None:
    login = "C: a AUTHENTICATE PLAIN\nS: +\nC: AGJvYgBzZWNyZXQ=\nS: a OK x"
    script = f"S: * OK hi\n{login}\nC: b IDLE\nS: + idling\nC: DONE\nS: b OK x"
    authenticate, idle = read(db, Tale().say(script).end())
    assert [type(ask.parsed.value) for ask in authenticate.asks] == [Command, SaslLine]
    assert [ask.secret for ask in authenticate.asks] == [False, True]
    assert [type(answer.parsed.value) for answer in authenticate.answers] == [Continuation, Tagged]
    assert [type(ask.parsed.value) for ask in idle.asks] == [Command, Done]


def test_one_that_nobody_answers_waits_to_the_end_but_not_for_ever(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tale = Tale().say("S: * OK hi\nC: a NOOP\nC: b NOOP\nS: b OK x\nC: c NOOP\nS: c OK x\nC: d NOOP\nS: d OK x")
    records = tale.end()
    assert [each.exchange.tag for each in read(db, records)] == ["a", "b", "c", "d"]
    monkeypatch.setattr(dialogues_module, "WAITING_MOST", 2)
    said = read(db, records)
    assert [(each.exchange.tag, each.completion is None) for each in said] == [
        ("a", True),
        ("b", False),
        ("c", False),
        ("d", False),
    ]


def test_a_line_of_two_words_completes_nothing(db: Path) -> None:
    (noop,) = read(db, Tale().say("S: * OK hi\nC: a NOOP\nS: mailbox trouble\nS: * 4 EXISTS\nS: a OK x").end())
    assert [type(answer.parsed.value) for answer in noop.answers] == [Tagged, Untagged, Tagged]
    assert noop.exchange.status == "OK"


def test_of_answers_with_more_text_than_is_kept_the_rest_is_counted(db: Path) -> None:
    """All but the last one: how the command ended is known in any case."""
    lines = ["* 1 EXISTS", "* 2 EXISTS", "* 3 EXISTS", "a OK x"]
    said = "\n".join(f"S: {line}" for line in lines)
    recorded(db, Tale().say(f"S: * OK hi\nC: a NOOP\n{said}\nC: b NOOP\nS: b OK x").end())
    for most, kept, left_out in ((24, 3, 1), (23, 2, 2), (0, 1, 3), (48, 4, 0)):
        with open_store(db, create=False) as store:
            noop, after = dialogues(store, next(store.sessions(store.recording("last"))), most)
        assert (len(noop.answers), noop.left_out) == (kept, left_out), most
        assert noop.completion is not None
        assert after.completion is not None
