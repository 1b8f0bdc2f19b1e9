"""Heads of client lines, in rows (M 2.14, 3.2, 3.3)."""

from __future__ import annotations

import pytest

from proxy.imap.commands import first_argument, names_mailbox, of_selected, read_head, unescape

HEADS = [
    # line, tag, name, arguments, legal
    (b"a NOOP", b"a", "NOOP", b"", True),
    (b"a noop ", b"a", "NOOP", b"", True),
    (b". fetch 4 full", b".", "FETCH", b"4 full", True),
    (b"a1 uid  Fetch 1 FLAGS", b"a1", "UID FETCH", b"1 FLAGS", True),
    (b"a UID", b"a", "UID", b"", True),
    (b"a  LOGIN  b c", b"a", "LOGIN", b"b c", True),
    (b"a\tLOGIN\tb c", b"a", "LOGIN", b"b c", True),
    (b'a LOGIN"b" c', b"a", "LOGIN", b'"b" c', True),
    (b"a ID({3}", b"a", "ID", b"({3}", True),
    (b"a LIST{3}", b"a", "LIST", b"{3}", True),
    (b"]!#$-.:;<=>?@^_`|~ NOOP", b"]!#$-.:;<=>?@^_`|~", "NOOP", b"", True),
    (b"t" * 200 + b" NOOP", b"t" * 200, "NOOP", b"", True),
    (b"a+1 NOOP", b"a+1", "NOOP", b"", False),
    (b"* NOOP", b"*", "NOOP", b"", False),
    (b"a% NOOP", b"a%", "NOOP", b"", False),
    (b'a" NOOP', b'a"', "NOOP", b"", False),
    (b"a\\ NOOP", b"a\\", "NOOP", b"", False),
    (b"a( NOOP", b"a(", "NOOP", b"", False),
    (b"\xe4 NOOP", b"\xe4", "NOOP", b"", False),
    (b" a NOOP", b"", "A", b"NOOP", False),
    (b"DONE", b"DONE", "", b"", False),
    (b"", b"", "", b"", False),
    (b"a \xe4", b"a", "\\xe4", b"", True),
]


@pytest.mark.parametrize(("line", "tag", "name", "arguments", "legal"), HEADS)
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b""])
def test_head(line: bytes, end: bytes, tag: bytes, name: str, arguments: bytes, *, legal: bool) -> None:
    head = read_head(line + end)
    assert (head.tag, head.name, head.legal) == (tag, name, legal)
    assert (line + end)[head.arguments :].strip() == arguments


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (b"INBOX", b"INBOX"),
        (b"INBOX (CONDSTORE)", b"INBOX"),
        (b'"a b" x', b"a b"),
        (b'"a \\"b\\" \\\\ \\c"', b'a "b" \\ \\c'),
        (b"[Gmail]/Drafts x", b"[Gmail]/Drafts"),
        (b'""', b""),
        (b"{5}", b"literal"),
        (b"(x)", b"literal"),
    ],
)
def test_first_argument(arguments: bytes, first: bytes) -> None:
    assert first_argument(b"a SELECT " + arguments + b"\r\n", len(b"a SELECT "), b"literal") == first


def test_what_a_command_works_on() -> None:
    assert {
        name for name in ("SELECT", "APPEND", "STATUS", "GETACL", "FETCH", "LIST", "MOVE") if names_mailbox(name)
    } == {
        "SELECT",
        "APPEND",
        "STATUS",
        "GETACL",
    }
    assert {
        name for name in ("UID FETCH", "NOOP", "UID MOVE", "UID REPLACE", "SELECT", "LIST") if of_selected(name)
    } == {
        "UID FETCH",
        "NOOP",
        "UID MOVE",
        "UID REPLACE",
    }
    assert not names_mailbox("UID REPLACE"), "its first argument is a message (RFC 8508)"


def test_unescape_keeps_backslashes_that_escape_nothing() -> None:
    """M 2.6."""
    assert unescape(rb"a\"b\\c\d") == rb'a"b\c\d'
