"""What is left of a command when numbers, names, dates and texts are taken out."""

from __future__ import annotations

import pytest

from proxy.imap.grammar import cut
from proxy.imap.portrait.forms import FORM_MOST, body_of, form
from proxy.imap.transcript import Direction
from proxy.imap.units import Literal, Unit

ROWS = [
    ("UID FETCH 4711:* (FLAGS)", "UID FETCH n:* (FLAGS)"),
    ("FETCH 1:* FLAGS", "FETCH 1:* (FLAGS)"),
    ("UID FETCH 1:4294967295 FLAGS", "UID FETCH n:max (FLAGS)"),
    ("FETCH 3 full", "FETCH n (FULL)"),
    ("UID FETCH 7,9:12 (uid body.peek[1.2]<0.100>)", "UID FETCH n,m,… (UID BODY.PEEK[n]<n.m>)"),
    ("FETCH 1:5 BODY[2.MIME]", "FETCH n:m (BODY[n.MIME])"),
    ("FETCH $ BODY.PEEK[HEADER.FIELDS (From To)]", "FETCH $ (BODY.PEEK[HEADER.FIELDS (From To)])"),
    ("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 77 VANISHED)", "UID FETCH 1:* (FLAGS) (CHANGEDSINCE n VANISHED)"),
    (r"UID STORE 5 +FLAGS.SILENT (\Seen Work Home $Junk)", r"UID STORE n +FLAGS.SILENT (\Seen keyword $Junk)"),
    (r"STORE 1 (UNCHANGEDSINCE 5) FLAGS \Seen", r"STORE n (UNCHANGEDSINCE n) FLAGS (\Seen)"),
    ("UID COPY 1:4 Archive", "UID COPY n:m mailbox"),
    ('MOVE 2 "My Trash"', "MOVE n mailbox"),
    ("UID EXPUNGE 5", "UID EXPUNGE n"),
    ("SELECT INBOX", "SELECT mailbox"),
    ("SELECT x (CONDSTORE)", "SELECT mailbox (CONDSTORE)"),
    ("SELECT x (QRESYNC (7 9 1:5))", "SELECT mailbox (QRESYNC (uidvalidity modseq uids))"),
    ("STATUS Drafts (MESSAGES UNSEEN)", "STATUS mailbox (MESSAGES UNSEEN)"),
    ('LIST "" "*"', 'LIST "" "*"'),
    ('LIST "" INBOX', 'LIST "" mailbox'),
    ('LSUB "Work/" "Work/%"', "LSUB reference prefix%"),
    ('LIST (SUBSCRIBED) "" (a* b) RETURN (CHILDREN)', 'LIST (SUBSCRIBED) "" (prefix* mailbox) RETURN (CHILDREN)'),
    ('LIST "" % RETURN (STATUS (UNSEEN))', 'LIST "" "%" RETURN (STATUS (UNSEEN))'),
    ("UID SEARCH ALL", "UID SEARCH ALL"),
    ("SEARCH RETURN (MIN) UID 5:* NOT SUBJECT hi", "SEARCH RETURN (MIN) UID n:* NOT SUBJECT text"),
    ("UID SEARCH SINCE 1-Jan-2020", "UID SEARCH SINCE date"),
    ("SEARCH CHARSET UTF-8 OR SEEN (LARGER 5 KEYWORD x)", "SEARCH CHARSET UTF-8 OR (SEEN (LARGER n KEYWORD keyword))"),
    ("UID SORT (REVERSE DATE) UTF-8 UNDELETED", "UID SORT (REVERSE DATE) UTF-8 UNDELETED"),
    ("THREAD REFERENCES UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL"),
    (r'APPEND Sent (\Seen) "01-Jan-2020 10:00:00 +0000" {3+}' + "\r\nabc", r"APPEND mailbox (\Seen) date {n+}"),
    ("APPEND Sent {3}\r\nabc {2}\r\nde", "APPEND mailbox {n} and more messages"),
    ("APPEND Sent CATENATE (TEXT {3}\r\nabc)", "APPEND mailbox CATENATE {n}"),
    ('ID ("name" "x" "version" "1")', "ID (name version)"),
    ("ID NIL", "ID NIL"),
    ("ENABLE QRESYNC UTF8=ACCEPT", "ENABLE QRESYNC UTF8=ACCEPT"),
    ("LOGIN bob xxxxxx", "LOGIN user password"),
    ("LOGIN {3+}\r\nbob {6+}\r\nxxxxxx", "LOGIN user password ({n+})"),
    ("AUTHENTICATE PLAIN", "AUTHENTICATE PLAIN"),
    ("AUTHENTICATE PLAIN xxxx", "AUTHENTICATE PLAIN initial-response"),
    ("COMPRESS deflate", "COMPRESS DEFLATE"),
    ("NOOP", "NOOP"),
    ("XFOO 1 2", "XFOO …"),
    ("GETQUOTAROOT INBOX", "GETQUOTAROOT mailbox"),
    ("GETACL INBOX", "GETACL mailbox"),
]  # fmt: skip


def said(command: bytes, name: str | None = None) -> str:
    unit = cut(b"a " + command + b"\r\n", Direction.CLIENT)
    words = command.decode("latin-1").split()
    return form(name or " ".join(words[: 1 + (words[0] == "UID")]), body_of(unit), unit)


@pytest.mark.parametrize(("command", "expected"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_form(command: str, expected: str) -> None:
    """Items, flags and forms of sets stay; names, numbers, dates and texts go."""
    assert said(command.encode()) == expected


@pytest.mark.parametrize(
    "command",
    [
        b"FETCH 1 BODY[HEADER.FIELDS (\x1b[31m \xff)]",
        b'ID ("\x1b]0;x\x07" "y")',
        b"AUTHENTICATE \x1b[2J",
        b"STORE 1 FLAGS (\\\x1b[1m)",
        b"FETCH \xff \x00",
        b'THREAD "\x07" \x1b ALL',
    ],
)
def test_hostile_bytes_are_escaped(command: bytes) -> None:
    """Nothing that a client sends reaches a terminal as it is."""
    shown = said(command)
    assert shown.isprintable()
    assert shown.startswith(command.split()[0].decode())


def test_a_hostile_name_is_escaped() -> None:
    """Also where the command's arguments can be read."""
    for arguments in (b"[ +", b"FETCH 1 FLAGS", b"NOOP", b"("):
        assert said(arguments, name="X\x1b").startswith(r"X\x1b")


def test_forms_stay_short() -> None:
    """However many items, keys or flags a command has."""
    for command in (
        b"FETCH 1 (" + b" ".join(b"BODY[%d.HEADER]" % n for n in range(5000)) + b")",
        b"SEARCH " + b"OR SEEN " * 5000 + b"SEEN",
        b"SEARCH " + b"NOT " * 5000 + b"SEEN",
        b"SELECT x (" + b" ".join([b"CONDSTORE"] * 5000) + b")",
    ):
        assert len(said(command)) <= FORM_MOST


def test_a_literal_that_lies_elsewhere() -> None:
    """A header field's name may be a literal of a size that is not kept."""
    texts = (b"a FETCH 1 BODY[HEADER.FIELDS ({90000}\r\n", b")]\r\n")
    unit = Unit(0, sum(map(len, texts)) + 90000, texts, (Literal(0, 90000, True, False),), ())
    assert form("FETCH", body_of(unit), unit) == "FETCH n (BODY…)"
