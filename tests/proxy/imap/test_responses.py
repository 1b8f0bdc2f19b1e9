"""Heads of server lines, in rows (M 2.5, 2.8, 2.14, 11.3, 11.4)."""

from __future__ import annotations

import pytest

from proxy.imap.responses import STATUSES, correlator, named_mailbox, only_news, read_response

HEADS = [
    # line, tag, kind, code, text
    (b"* OK [ALERT] hi", None, "OK", "ALERT", b"hi"),
    (b"* ok [alert] hi", None, "OK", "ALERT", b"hi"),
    (b"a OK [READ-WRITE] SELECT done", b"a", "OK", "READ-WRITE", b"SELECT done"),
    (b"A1 OK", b"A1", "OK", None, b""),
    (b"A1  NO  text", b"A1", "NO", None, b"text"),
    (b"] BAD ]", b"]", "BAD", None, b"]"),
    (b"* OK[ALERT] no space", None, "OK[ALERT]", None, None),
    (b"* OK  [X y z] t", None, "OK", "X", b"t"),
    (b"* OK text [not a code]", None, "OK", None, b"text [not a code]"),
    (b"* NO [COPYUID 701  ] t", None, "NO", "COPYUID", b"t"),
    (b'* NO [Error="a b" x=y z] t', None, "NO", 'ERROR="A', b"t"),
    (b"* NO [NEVERCLOSED t", None, "NO", "NEVERCLOSED", b""),
    (b"* BYE", None, "BYE", None, b""),
    (b"a BYE see you", b"a", "BYE", None, b"see you"),
    (b"* PREAUTH hi", None, "PREAUTH", None, b"hi"),
    (b"+", None, "+", None, None),
    (b"+ go", None, "+", None, None),
    (b"+OK", None, "+", None, None),
    (b"* 4 EXISTS", None, "EXISTS", None, None),
    (b"* 4 fetch (FLAGS ())", None, "FETCH", None, None),
    (b"* 4  FETCH(FLAGS ())", None, "FETCH", None, None),
    (b'* LIST(\\Noselect) "/" x', None, "LIST", None, None),
    (b"* SEARCH", None, "SEARCH", None, None),
    (b"* search ", None, "SEARCH", None, None),
    (b'* STATUS"x" (MESSAGES 1)', None, "STATUS", None, None),
    (b"* 99 NOOP text", None, "NOOP", None, None),
    (b"* INVALID", None, "INVALID", None, None),
    (b"*", None, "?", None, None),
    (b"* ", None, "?", None, None),
    (b"", None, "?", None, None),
    (b"HTTP/1.1 400 Bad Request", None, "?", None, None),
    (b"a LIST x", None, "?", None, None),
    (b"Subject: hello there", None, "?", None, None),
    (b"\x16\x03\x01\x02\x00", None, "?", None, None),
]


@pytest.mark.parametrize(("line", "tag", "kind", "code", "text"), HEADS)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_head(line: bytes, end: bytes, tag: bytes | None, kind: str, code: str | None, text: bytes | None) -> None:
    head = read_response(line + end)
    if kind == "?":
        assert head.kind == "?"
        assert head.status is None
        return
    assert (head.tag, head.kind, head.code) == (tag, kind, code)
    assert head.status == (kind if kind in STATUSES else None)
    if text is not None:
        assert (line + end)[head.text :].strip() == text


def test_a_code_keeps_its_arguments() -> None:
    assert read_response(b"a OK [COPYUID 4 1:2 5:6] done\r\n").code_arguments == b" 4 1:2 5:6"


def test_in_progress_names_its_tag() -> None:
    """RFC 9585."""
    assert read_response(b'* OK [INPROGRESS ("A142" 454 1000)] wait\r\n').named_tag == b"A142"
    assert read_response(b"* OK [INPROGRESS] wait\r\n").named_tag is None
    assert read_response(b"* OK [INPROGRESS (NIL 454 1000)] wait\r\n").named_tag is None
    assert read_response(b'* OK [ALERT ("A142")] wait\r\n').named_tag is None


@pytest.mark.parametrize(
    ("line", "news"),
    [
        (b"* 1 FETCH (FLAGS (\\Seen))\r\n", True),
        (b"* 1 fetch (uid 7 flags () modseq (12))\r\n", True),
        (b"* 7 UIDFETCH (FLAGS (\\Seen))\r\n", True),
        (b"* 1 FETCH (FLAGS (\\Seen) )\r\n", True),
        (b"* 1 FETCH (RFC822.SIZE 3)\r\n", False),
        (b"* 1 FETCH (FLAGS (\\Seen) BODY[] {3}\r\n", False),
        (b"* 1 FETCH ()\r\n", False),
    ],
)
def test_only_news(line: bytes, *, news: bool) -> None:
    """M 3.9."""
    assert only_news(line) is news


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        (b'* ESEARCH (TAG "a1") UID COUNT 3\r\n', b"a1"),
        (b'* esearch (tag "a1")\r\n', b"a1"),
        (b"* ESEARCH (TAG a1) ALL 1\r\n", b"a1"),
        (b'* ESEARCH (TAG "")\r\n', b""),
        (b"* ESEARCH COUNT 3\r\n", None),
    ],
)
def test_correlator(line: bytes, tag: bytes | None) -> None:
    assert correlator(line) == tag


@pytest.mark.parametrize(
    ("line", "mailbox"),
    [
        (b"* STATUS INBOX (MESSAGES 1)\r\n", b"INBOX"),
        (b'* STATUS "a b" (MESSAGES 1)\r\n', b"a b"),
        (b'* STATUS "a \\"b\\" \\\\" (MESSAGES 1)\r\n', b'a "b" \\'),
        (b"* QUOTAROOT x\r\n", b"x"),
        (b'* METADATA "" /comment\r\n', b""),
        (b"* STATUS\r\n", None),
    ],
)
def test_named_mailbox(line: bytes, mailbox: bytes | None) -> None:
    assert named_mailbox(line) == mailbox
