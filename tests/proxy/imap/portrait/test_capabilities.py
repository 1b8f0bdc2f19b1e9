"""Which capabilities a client makes use of, ignores, or uses without having been offered them."""

from __future__ import annotations

import pytest

from proxy.imap.portrait import portray
from tests.proxy.imap.portrait.talking import portrait, talk

ROWS = [
    ("IDLE", "IDLE"),
    ("ID NIL", "ID"),
    ("NAMESPACE", "NAMESPACE"),
    ("ENABLE CONDSTORE", "CONDSTORE ENABLE"),
    ("AUTHENTICATE PLAIN", "AUTH=PLAIN"),
    ("AUTHENTICATE PLAIN xxxx", "AUTH=PLAIN SASL-IR"),
    ("COMPRESS DEFLATE", "COMPRESS=DEFLATE"),
    (r"LOGIN {3+}\r\nbob xx", "LITERAL+"),
    (r"APPEND x {3+}\r\nabc {3+}\r\nabc", "LITERAL+ MULTIAPPEND"),
    (r"APPEND x ~{3}\r\nabc", "BINARY"),
    (r'APPEND x CATENATE (URL "/INBOX")', "CATENATE"),
    (r"APPEND x UTF8 (~{3}\r\nabc)", "BINARY UTF8=ACCEPT"),
    ("UID MOVE 1 x", "MOVE"),
    ("UID EXPUNGE 1", "UIDPLUS"),
    ("UNSELECT", "UNSELECT"),
    ("SELECT x (CONDSTORE)", "CONDSTORE"),
    ("SELECT x (QRESYNC (1 2))", "QRESYNC"),
    ("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1)", "CONDSTORE"),
    ("FETCH 1 (MODSEQ PREVIEW SAVEDATE EMAILID)", "CONDSTORE OBJECTID PREVIEW SAVEDATE"),
    ("FETCH 1 BINARY.PEEK[1]", "BINARY"),
    ("FETCH $ FLAGS", "SEARCHRES"),
    ("STORE 1 (UNCHANGEDSINCE 1) FLAGS ()", "CONDSTORE"),
    ("STATUS x (HIGHESTMODSEQ SIZE)", "CONDSTORE STATUS=SIZE"),
    ('LIST "" "*" RETURN (SPECIAL-USE STATUS (UNSEEN))', "LIST-EXTENDED LIST-STATUS SPECIAL-USE"),
    ('LIST "" (a b)', "LIST-EXTENDED"),
    ('LIST "" "*"', ""),
    ("SEARCH RETURN (SAVE) ALL", "ESEARCH SEARCHRES"),
    ("SEARCH NOT (OLDER 5 OR MODSEQ 5 SAVEDON 1-Jan-2020)", "CONDSTORE SAVEDATE WITHIN"),
    ("SORT (DISPLAYFROM) UTF-8 ALL", "SORT SORT=DISPLAY"),
    ("THREAD REFERENCES UTF-8 ALL", "THREAD=REFERENCES"),
    ("SEARCH ALL", ""),
    ("GETQUOTAROOT INBOX", "QUOTA"),
    ("NOTIFY NONE", "NOTIFY"),
]


@pytest.mark.parametrize(("command", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_what_a_command_uses(command: str, expected: str) -> None:
    """Nothing was offered, so all of it is used without an offer; and offered, it is used and nothing else is."""
    script = f"C: a {command}\nS: a OK"
    assert " ".join(portrait(script).unoffered) == expected
    told = portrait(script, offered=f"IMAP4rev1 {expected} XLIST")
    assert " ".join(told.used) == expected
    assert (told.ignored, told.unoffered, told.silent) == (("XLIST",), (), ("IMAP4REV1",))


@pytest.mark.parametrize(
    ("command", "offered", "used"),
    [
        (r"LOGIN {3+}\r\nbob xx", "LITERAL-", "LITERAL-"),
        ("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1)", "QRESYNC", "QRESYNC"),
        ("SELECT x (QRESYNC (1 2))", "QRESYNC CONDSTORE", "CONDSTORE QRESYNC"),
        ("IDLE", "IMAP4REV2", "IMAP4REV2"),
        ("GETMETADATA x /shared/comment", "METADATA-SERVER", "METADATA-SERVER"),
        ("GETQUOTAROOT x", "QUOTA=RES-STORAGE", "QUOTA=RES-STORAGE"),
    ],
)
def test_offered_under_another_word(command: str, offered: str, used: str) -> None:
    told = portrait(f"C: a {command}\nS: a OK", offered=offered)
    assert (" ".join(told.used), told.ignored, told.unoffered) == (used, (), ())


def test_what_imaptap_took_out() -> None:
    """It was not the client that ignored it."""
    told = portray([talk("C: a NOOP\nS: a OK", offered="IDLE", withheld="AUTH=SCRAM-SHA-1-PLUS STARTTLS")])
    assert (told.ignored, told.withheld) == (("IDLE",), ("AUTH=SCRAM-SHA-1-PLUS", "STARTTLS"))
