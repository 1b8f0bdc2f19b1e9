"""Whose server data is, in rows: the commands open, the line, and the verdict (M 3.6-3.10, 3.13, 3.15)."""

from __future__ import annotations

import pytest

from proxy.imap.commands import read_head
from proxy.imap.exchanges import OPEN_MAX, OPEN_NAMED, Book, Expects
from proxy.imap.responses import read_response
from proxy.imap.spans import Spans
from proxy.imap.transcript import Certainty, Direction, Exchange, Outcome, Record, Span

ROWS = [
    # open commands, line, exchange, certainty
    # 3.7 sure: only one could have asked
    ("a CAPABILITY", "* CAPABILITY IMAP4rev1", 1, "sure"),
    ("a ENABLE CONDSTORE", "* ENABLED CONDSTORE", 1, "sure"),
    ("a NOOP|b NAMESPACE", '* NAMESPACE (("" "/")) NIL NIL', 2, "sure"),
    ('a LIST "" *|b LSUB "" *', '* LSUB () "/" x', 2, "sure"),
    ("a FETCH 1 BODY[]|b SEARCH ALL", "* SEARCH 1", 2, "sure"),
    ("a SORT (DATE) UTF-8 ALL", "* SORT 1 2", 1, "sure"),
    ("a THREAD REFERENCES UTF-8 ALL", "* THREAD (1)(2)", 1, "sure"),
    ("a SELECT x", "* 3 EXISTS", 1, "sure"),
    ("a SELECT x", "* FLAGS (\\Seen)", 1, "sure"),
    ("a SELECT x", "* OK [UIDNEXT 4] next", 1, "sure"),
    ("a SELECT x", "* OK [CLOSED] old one", 1, "sure"),
    ("a GETQUOTA x", '* QUOTA "" (STORAGE 1 2)', 1, "sure"),
    ("a GETQUOTAROOT x", '* QUOTA "" (STORAGE 1 2)', 1, "sure"),
    ("a XFOO 1", "* XFOO bar", 1, "sure"),
    ("a FROB 1", "* FROB bar", 1, "sure"),
    ("a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", "* VANISHED (EARLIER) 4", 1, "likely"),
    ('a LIST "" * RETURN (STATUS (MESSAGES))', "* STATUS x (MESSAGES 1)", 1, "sure"),
    # ... the data names its command
    ("a SEARCH ALL|b SEARCH ALL", '* ESEARCH (TAG "b") ALL 1', 2, "sure"),
    ("a NOOP|b FETCH 1 BODY[]", '* OK [INPROGRESS ("b" 1 2)] x', 2, "sure"),
    # ... or its mailbox
    ("a STATUS x (MESSAGES)|b STATUS y (MESSAGES)", "* STATUS y (MESSAGES 1)", 2, "sure"),
    ("a STATUS INBOX (MESSAGES)|b STATUS y (MESSAGES)", "* STATUS inbox (MESSAGES 1)", 1, "sure"),
    ("a GETACL x|b GETACL y", "* ACL y bob lrs", 2, "sure"),
    ("a LISTRIGHTS x bob|b LISTRIGHTS y bob", "* LISTRIGHTS y bob lrs", 2, "sure"),
    ("a GETQUOTAROOT x|b GETQUOTAROOT y", '* QUOTAROOT "y" ""', 2, "sure"),
    # 3.8 ambiguous by nature
    ("a FETCH 1 BODY[]|b FETCH 1:2 RFC822", "* 1 FETCH (BODY[] NIL)", 1, "ambiguous"),
    ('a LIST "" a*|b LIST "" b*', '* LIST () "/" b', 1, "ambiguous"),
    ("a SEARCH ALL|b UID SEARCH ALL", "* SEARCH 1", 1, "ambiguous"),
    ("a STORE 1 FLAGS (x)|b NOOP", "* 1 FETCH (FLAGS (x))", 1, "ambiguous"),
    ("a STATUS x (MESSAGES)|b STATUS x (UNSEEN)", "* STATUS x (UNSEEN 1)", 1, "ambiguous"),
    # 3.9 a body is no news, FLAGS may be
    ("a FETCH 1 BODY[]|b NOOP", "* 1 FETCH (BODY[] {3}", 1, "sure"),
    ("a IDLE|b FETCH 1 BODY[]", "* 1 FETCH (BODY[] {3}", 2, "sure"),
    ("a STORE 1 FLAGS (x)", "* 1 FETCH (FLAGS (x))", 1, "likely"),
    ("a FETCH 1 FLAGS", "* 1 FETCH (FLAGS (x) UID 3)", 1, "likely"),
    ("a NOOP", "* 5 EXISTS", 1, "likely"),
    ("a IDLE", "* 5 EXISTS", 1, "sure"),
    ("a EXPUNGE", "* 5 EXPUNGE", 1, "likely"),
    ("a MOVE 1 x", "* 1 EXPUNGE", 1, "likely"),
    ("a FETCH 1 (FLAGS) (CHANGEDSINCE 1)", "* OK [HIGHESTMODSEQ 7]", 1, "likely"),
    # 3.9 never an answer
    ("a FETCH 1 BODY[]", "* 5 EXISTS", 1, "unsolicited"),
    ("a FETCH 1 BODY[]", "* 5 EXPUNGE", 1, "unsolicited"),
    ("a SEARCH ALL", "* 1 FETCH (FLAGS (x))", 1, "unsolicited"),
    ("a NOOP", "* OK [ALERT] hear me", 1, "unsolicited"),
    ("a IDLE", "* OK still here", 1, "unsolicited"),
    ("a NOOP", "* BYE shutting down", 1, "unsolicited"),
    ("a LOGOUT", "* BYE bye", 1, "sure"),
    ("a NOOP", '* ESEARCH (TAG "gone") ADDTO (1 2)', 1, "unsolicited"),
    ("a SEARCH ALL", '* ESEARCH (TAG "gone") ADDTO (1 2)', 1, "unsolicited"),
    ("a NOOP", "* 99 XYZZY (x)", 1, "unsolicited"),
    ("a NOOP", "not IMAP at all", 1, "unsolicited"),
    # 3.3 an untagged BAD is the answer to a tag that nobody could answer to
    ("a NOOP|b+ NOOP", "* BAD tag", 2, "likely"),
    ("a NOOP", "* BAD what", 1, "unsolicited"),
    # 3.13
    ("a UID MOVE 1 x", "* OK [COPYUID 1 2 3]", 1, "sure"),
    ("a MOVE 1 x|b COPY 1 y", "* OK [COPYUID 1 2 3]", 1, "ambiguous"),
    ("a LOGIN b c", "* CAPABILITY IMAP4rev1", 1, "sure"),
    # 3.10 nobody is there
    ("", "* 5 EXISTS", None, "unsolicited"),
]


def book_of(commands: str, put: list[Record] | None = None) -> Book:
    """A book in which these commands are open."""
    book = Book(1, (put if put is not None else []).append)
    for line in filter(None, commands.split("|")):
        head = read_head(line.encode())
        exchange = book.begin(head.tag, head.name, 0, legal=head.legal)
        exchange.mailbox = line.split()[2] if len(line.split()) > 2 else None
    return book


@pytest.mark.parametrize(("commands", "line", "number", "certainty"), ROWS)
def test_attribution(commands: str, line: str, number: int | None, certainty: str) -> None:
    data = line.encode() + b"\r\n"
    book = book_of(commands)
    verdict = book.attribute(read_response(data), data)
    assert (verdict.exchange.number if verdict.exchange else None, verdict.certainty) == (number, certainty)
    assert set(verdict.open) == set(book.open) - {number}


def test_among_equal_tags_the_oldest_is_found_and_the_others_say_so() -> None:
    """M 3.2."""
    book = book_of(". NOOP|. CHECK")
    first, second = book.open.values()
    assert book.find(b".") is first
    book.close(first, Outcome.COMPLETED, None, "", 0)
    assert book.find(b".") is second
    assert (first.marks, second.marks) == ([], ["tag reused"])


def test_what_a_plus_means_follows_from_the_oldest_that_expects_one() -> None:
    """M 4.1, 4.5."""
    book = book_of("a IDLE|b APPEND x|c LOGIN")
    a, b, c = book.open.values()
    assert book.first(*Expects) is None
    for exchange, what in ((a, Expects.IDLE), (b, Expects.LITERAL), (c, Expects.LITERAL)):
        book.expect(exchange, what)
    assert book.first(Expects.LITERAL, Expects.IDLE) is a
    assert book.first(Expects.LITERAL) is b
    book.expect(b, Expects.NOTHING)
    assert book.first(Expects.LITERAL) is c
    book.close(c, Outcome.COMPLETED, None, "", 0)
    book.expect(c, Expects.LITERAL)
    assert book.first(Expects.LITERAL) is None


def test_a_client_that_nobody_answers_is_remembered_up_to_a_bound() -> None:
    records: list[Record] = []
    book = Book(1, records.append)
    for number in range(OPEN_MAX + 5):
        book.begin(b"t%d" % number, "NOOP", number)
    assert len(book.open) == OPEN_MAX
    book.tell()
    given_up = [x for x in records if isinstance(x, Exchange) and x.ended is not None]
    assert [x.tag for x in given_up] == ["t0", "t1", "t2", "t3", "t4"]
    assert {(x.outcome, x.marks) for x in given_up} == {(Outcome.INCOMPLETE, ("never answered",))}
    line = b"* 1 EXISTS\r\n"
    assert len(book.attribute(read_response(line), line).open) == OPEN_NAMED


def test_facts_that_come_after_the_end_are_told_with_it() -> None:
    """M 3.5: the rest of a refused non-synchronising literal still belongs to the command."""
    records: list[Record] = []
    book = book_of("a APPEND x", records)
    (exchange,) = book.open.values()
    book.close(exchange, Outcome.COMPLETED, read_response(b"a NO [TOOBIG] no\r\n"), "no", 7)
    exchange.client_bytes = 99
    book.changed(exchange)
    book.tell()
    last = records[-1]
    assert isinstance(last, Exchange)
    assert (last.outcome, last.status, last.code, last.ended) == (Outcome.COMPLETED, "NO", "TOOBIG", 7)
    assert last.client_bytes == 99


def test_kinds_that_a_server_makes_up_are_bounded() -> None:
    exchange = book_of("a NOOP").begin(b"b", "X", 0)
    for number in range(10_000):
        exchange.count(f"WORD{number}" + "Y" * 1000)
    assert len(exchange.responses) < 200
    assert sum(exchange.responses.values()) == 10_000
    assert max(map(len, exchange.responses)) < 100


def test_arguments_are_bounded() -> None:
    exchange = book_of("a NOOP").begin(b"b", "X", 0)
    for _ in range(1000):
        exchange.add_arguments(b"y" * 1000)
    assert len(exchange.arguments) < 3000
    assert exchange.arguments.endswith("y…")


def test_units_in_a_row_make_one_span() -> None:
    records: list[Record] = []
    spans = Spans(1, Direction.SERVER, records.append)
    book = book_of("a FETCH 1 FLAGS|b NOOP")
    a, b = book.open.values()
    whose_a, whose_b = (book._belongs(x, Certainty.SURE) for x in (a, b))
    for whose, start, end in [(whose_a, 0, 5), (whose_a, 5, 9), (whose_b, 9, 12), (whose_a, 12, 13), (whose_a, 20, 21)]:
        spans.add(whose, start, end, start, end)
    spans.flush()
    spans.flush()
    found = [x for x in records if isinstance(x, Span)]
    assert [(x.exchange, x.start, x.end, x.units, x.first_at, x.last_at) for x in found] == [
        (1, 0, 9, 2, 0, 9),
        (2, 9, 12, 1, 9, 12),
        (1, 12, 13, 1, 12, 13),
        (1, 20, 21, 1, 20, 21),
    ]
