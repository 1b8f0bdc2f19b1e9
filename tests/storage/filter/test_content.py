"""What is read from the bytes of an exchange, and what is not."""

from __future__ import annotations

import pytest

from storage.filter.content import (
    UID_MAX,
    announced,
    fetched,
    introduced,
    mailbox_names,
    merged,
    named_flags,
    named_uids,
    received,
)


@pytest.mark.parametrize(
    ("server", "flags", "uids"),
    [
        (b"* 1 FETCH (FLAGS (\\Seen $Junk) UID 7)\r\n", {"\\Seen", "$Junk"}, [7]),
        (b"* 1 FETCH (UID 7 FLAGS ())\r\n* 2 fetch (uid 9 flags (\\Draft))\r\na OK x\r\n", {"\\Draft"}, [7, 9]),
        (b"* 12 UIDFETCH (FLAGS (\\Seen))\r\n", {"\\Seen"}, [12]),
        (b"* 1 FETCH (UID 7)\n", set(), [7]),
        # Not what is quoted, nor what is in a literal, whose size is believed.
        (b'* 1 FETCH (ENVELOPE (NIL "(UID 5) FLAGS (\\\\Seen)" NIL) UID 7)\r\n', set(), [7]),
        (b"* 1 FETCH (BODY[] {32}\r\n* 2 FETCH (UID 8 FLAGS (\\Seen)\r\n UID 7)\r\n", set(), [7]),
        (b"* 1 FETCH (X ~{13}\r\n(FLAGS (bad))FLAGS (good))\r\n", set(), []),
        (b"* LIST () NIL {28}\r\n* 2 FETCH (FLAGS (\\Deleted))\r\n\r\n* 1 FETCH (UID 1)\r\n", set(), [1]),
        # The content of a body is not there, what is behind it is.
        (b"* 1 FETCH (BODY[] {5000}\r\n FLAGS (\\Seen))\r\n", {"\\Seen"}, []),
        # Braces at the end of free text announce nothing.
        (b"* OK see {40}\r\n* 1 FETCH (UID 7)\r\n", set(), [7]),
        (b"* FLAGS (\\Answered)\r\n* OK [PERMANENTFLAGS (\\*)] x\r\n* SEARCH 1 2\r\n", set(), []),
        (b"* 1 FETCH (BODY[HEADER.FIELDS (FLAGS)] NIL)\r\n", set(), []),
        (b"* 1 FETCH", set(), []),
        (b"", set(), []),
    ],
)
def test_fetched(server: bytes, flags: set[str], uids: list[int]) -> None:
    assert fetched(server) == (frozenset(flags), uids)


@pytest.mark.parametrize(
    ("server", "dates"),
    [
        (b'* 1 FETCH (INTERNALDATE "01-Nov-2026 10:05:06 +0000")\r\n', [b"01-Nov-2026 10:05:06 +0000"]),
        (
            b'* 1 FETCH (UID 7 internaldate " 1-Nov-2026 10:05:06 +0000")\r\n* 2 UIDFETCH (INTERNALDATE "x")\r\n',
            [b" 1-Nov-2026 10:05:06 +0000", b"x"],
        ),
        # Not what is quoted, in a literal, another item, or said by somebody else.
        (b'* 1 FETCH (X "a (INTERNALDATE \\"01-Nov-2026 10:05:06 +0000\\")")\r\n', []),
        (b'* 1 FETCH (BODY[] {29}\r\n* 2 FETCH (INTERNALDATE "x")\r\n)\r\n', []),
        (b'* 1 FETCH (SAVEDATE "01-Nov-2026 10:05:06 +0000" INTERNALDATE NIL)\r\n', []),
        (b'* OK see (INTERNALDATE "01-Nov-2026 10:05:06 +0000")\r\n', []),
        (b"", []),
    ],
)
def test_received(server: bytes, dates: list[bytes]) -> None:
    assert [date.raw for date in received(server)] == dates


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Entw&APw-rfe", {"Entw&APw-rfe", "Entwürfe"}),
        ("R&-D", {"R&-D", "R&D"}),
        ("R&D", {"R&D"}),
        ("&Jjo-&Jjo-", {"&Jjo-&Jjo-", "☺☺"}),
        ("&2D0-", {"&2D0-"}),  # half a surrogate pair
        ("&AAA-", {"&AAA-", "\0"}),
        ("Entwürfe & mehr", {"Entwürfe & mehr"}),
        ("", {""}),
    ],
)
def test_mailbox_names(name: str, names: set[str]) -> None:
    assert mailbox_names(name) == names


@pytest.mark.parametrize(
    ("server", "capabilities"),
    [
        (b"* CAPABILITY IMAP4rev1 IDLE\r\na OK done\r\n", {"IMAP4rev1", "IDLE"}),
        (b"* OK [CAPABILITY IMAP4rev1 X=Y] hello\r\n", {"IMAP4rev1", "X=Y"}),
        (b"a1 OK [CAPABILITY MOVE] Logged in\r\n", {"MOVE"}),
        (b"* PREAUTH [CAPABILITY MOVE] hello", {"MOVE"}),
        (b"* OK no [CAPABILITY MOVE] here\r\n", set()),
        (b"* 1 FETCH (BODY[] {19}\r\n* CAPABILITY FAKE\r\n)\r\n", set()),
        (b"* NO [CAPABILITY MOVE] x\r\n", set()),
    ],
)
def test_announced(server: bytes, capabilities: set[str]) -> None:
    assert announced(server) == frozenset(capabilities)


@pytest.mark.parametrize(
    ("command", "arguments", "ranges"),
    [
        ("UID FETCH", "1:3,7,9:* (FLAGS)", [(1, 3), (7, 7), (9, UID_MAX)]),
        ("UID STORE", "5:2 +FLAGS (x)", [(2, 5)]),
        ("UID EXPUNGE", "4", [(4, 4)]),
        ("UID COPY", "* x", [(UID_MAX, UID_MAX)]),
        ("FETCH", "1:3 (FLAGS)", []),
        ("UID SEARCH", "1:5", []),
        ("UID FETCH", "$ (FLAGS)", []),
        ("UID FETCH", "1:99999999999 (FLAGS)", []),
        ("UID FETCH", ":,", []),
        ("NOOP", "", []),
    ],
)
def test_named_uids(command: str, arguments: str, ranges: list[tuple[int, int]]) -> None:
    assert named_uids(command, arguments) == ranges


@pytest.mark.parametrize(
    ("command", "arguments", "flags"),
    [
        ("STORE", "1 +FLAGS (\\Seen \\Deleted)", {"\\Seen", "\\Deleted"}),
        ("UID STORE", "1:5 -flags.silent \\Seen $X", {"\\Seen", "$X"}),
        ("UID STORE", "1 (UNCHANGEDSINCE 5) FLAGS.SILENT ()", set()),
        ("APPEND", 'INBOX (\\Seen) "01-Nov-2026 10:00:00 +0000" {300}', {"\\Seen"}),
        ("APPEND", '"a (b) c" {300}', set()),
        ("APPEND", "{5} (\\Draft) {300+}", {"\\Draft"}),
        ("UID FETCH", "1 (FLAGS)", set()),
    ],
)
def test_named_flags(command: str, arguments: str, flags: set[str]) -> None:
    assert named_flags(command, arguments) == frozenset(flags)


def test_introduced() -> None:
    arguments = '("name" "Mail \\"x\\"" "version" "16.0" "os" "macOS" "support-url" NIL)'
    assert introduced("ID", arguments) == frozenset({'Mail "x"', "16.0"})
    assert introduced("ID", "NIL") == frozenset()
    assert introduced("XID", arguments) == frozenset()


def test_merged() -> None:
    assert merged([(7, 7), (1, 2), (3, 5), (4, 4), (9, 9)]) == ((1, 5), (7, 7), (9, 9))
    assert merged([]) == ()
