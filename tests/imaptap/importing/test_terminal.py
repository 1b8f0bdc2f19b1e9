"""Transcripts: marked ones, and sessions typed into telnet or openssl, with what those print between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.importing.formats import named
from proxy.imap.transcript import Direction, Ending, Layer
from tests.imaptap.importing.scripts import found, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imaptap.importing.scripts import Told

TRANSCRIPT = named("transcript")
TELNET = """\
me@host:~$ telnet mail.example.org 143
Trying 192.0.2.7...
Connected to mail.example.org.
Escape character is '^]'.
* OK The server is ready.
. login bob open-sesame
. OK LOGIN completed.
. CAPABILITY
* CAPABILITY IMAP4rev1 IDLE
. OK CAPABILITY completed.
. list "" "*"
* LIST (\\HasNoChildren) "/" "Sent Items"
. OK done
. fetch 1 body[]
* 1 FETCH (BODY[] {38}
Subject: . OK no

. NO answer
* x
)
. OK FETCH completed.
. logout
* BYE bye
. OK LOGOUT completed.
Connection closed by foreign host.
me@host:~$
"""
TELNET_SCRIPT = [
    "S: * OK The server is ready.|", "C: . login bob open-sesame|", "S: . OK LOGIN completed.|", "C: . CAPABILITY|",
    "S: * CAPABILITY IMAP4rev1 IDLE|. OK CAPABILITY completed.|", 'C: . list "" "*"|',
    'S: * LIST (\\HasNoChildren) "/" "Sent Items"|. OK done|', "C: . fetch 1 body[]|",
    "S: * 1 FETCH (BODY[] {38}|Subject: . OK no||. NO answer|* x|)|. OK FETCH completed.|", "C: . logout|",
    "S: * BYE bye|. OK LOGOUT completed.|",
]  # fmt: skip
OPENSSL = """\
$ openssl s_client -quiet -connect mail.example.org:993
CONNECTED(00000003)
depth=1 C = XX, O = Search Authority, CN = List CA
verify return:1
---
Certificate chain
 0 s:CN = mail.example.org
-----BEGIN CERTIFICATE-----
MIIB* OK no greeting
-----END CERTIFICATE-----
Verification: OK
New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384
---
* OK [CAPABILITY IMAP4rev1 SASL-IR] ready
a1 authenticate plain
+
AGJvYgBvcGVuLXNlc2FtZQ==
a1 OK in
read R BLOCK
a2 idle
+ idling
* 2 EXISTS
DONE
a2 OK
a3 append INBOX {5}
+ go
12345
a3 OK
a4 xyzzy
a4 BAD what?
DONE
closed
"""
OPENSSL_SCRIPT = [
    "S: * OK [CAPABILITY IMAP4rev1 SASL-IR] ready|", "C: a1 authenticate plain|", "S: +|",
    "C: AGJvYgBvcGVuLXNlc2FtZQ==|", "S: a1 OK in|", "C: a2 idle|", "S: + idling|* 2 EXISTS|", "C: DONE|", "S: a2 OK|",
    "C: a3 append INBOX {5}|", "S: + go|", "C: 12345|", "S: a3 OK|", "C: a4 xyzzy|", "S: a4 BAD what?|",
]  # fmt: skip
MARKED = """\
A session, as RFCs print them:

   C:   a001 SELECT INBOX
   S:   * 2 EXISTS
   S:   * FLAGS (\\Answered
          \\Seen)
   S:   a001 OK done
   C:   a002 FETCH 1 BODY[HEADER]
   S:   * 1 FETCH (BODY[HEADER] {17}
   S: Subject: x
   S:
   S: y
   S: )
   S: a002 OK
"""
MARKED_SCRIPT = [
    "C: a001 SELECT INBOX|", "S: * 2 EXISTS|* FLAGS (\\Answered \\Seen)|a001 OK done|", "C: a002 FETCH 1 BODY[HEADER]|",
    "S: * 1 FETCH (BODY[HEADER] {17}|Subject: x||y|)|a002 OK|",
]  # fmt: skip


def _told(folder: Path, text: str | bytes) -> Told:
    path = folder / "typed.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return told(TRANSCRIPT, path)


def test_telnet(tmp_path: Path) -> None:
    done = _told(tmp_path, TELNET)
    assert found(tmp_path / "typed.txt") == "transcript"
    assert done.script() == TELNET_SCRIPT
    assert [(each.upstream, each.wall) for each in done.begun] == [("imap://mail.example.org", None)]
    assert [(each.ending, each.reason) for each in done.over] == [(Ending.SERVER, "Connection closed by foreign host")]
    assert {each.layer for each in done.said} == {Layer.PLAIN}
    assert done.remarks == []


def test_openssl(tmp_path: Path) -> None:
    done = _told(tmp_path, OPENSSL)
    assert done.script() == OPENSSL_SCRIPT
    assert [each.upstream for each in done.begun] == ["mail.example.org:993"]
    assert [each.ending for each in done.over] == [Ending.SERVER]
    assert {each.layer for each in done.said} == {Layer.TLS}
    assert done.remarks == ["passed over: 2 lines within sessions are neither side's, the first in line 19"]


def test_both_in_one_file(tmp_path: Path) -> None:
    assert _told(tmp_path, TELNET + OPENSSL).script() == [*TELNET_SCRIPT, "--", *OPENSSL_SCRIPT]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r\r\n"])
def test_line_ends_of_the_file_do_not_matter(tmp_path: Path, end: str) -> None:
    assert _told(tmp_path, TELNET.replace("\n", end).encode()).script() == TELNET_SCRIPT


def test_a_refused_literal(tmp_path: Path) -> None:
    """What follows is the next command, not its content."""
    done = _told(tmp_path, "* OK\na append x {10}\na NO no such mailbox\nb noop\nb OK\n")
    assert done.script()[1:] == ["C: a append x {10}|", "S: a NO no such mailbox|", "C: b noop|", "S: b OK|"]


def test_a_literal_that_was_cut_short_is_told(tmp_path: Path) -> None:
    done = _told(tmp_path, "* OK\na fetch 1 body[]\n* 1 FETCH (BODY[] {9000}\nFrom: me\n[...]\n)\na OK\n")
    assert done.remarks == ["missing: of the literal announced at line 3, 8,974 bytes are missing"]


def test_a_literal_of_nothing(tmp_path: Path) -> None:
    done = _told(tmp_path, "* OK\na fetch 1 body[1]\n* 1 FETCH (BODY[1] {0}\n)\na OK\n")
    assert done.script()[-1] == "S: * 1 FETCH (BODY[1] {0}|)|a OK|"


def test_without_a_greeting_the_answer_tells_what_a_command_is(tmp_path: Path) -> None:
    done = _told(tmp_path, "* OK is what they say\n\nclosed\nplease check\nx noop\nx OK fine\n")
    assert done.script() == ["S: * OK is what they say|", "--", "C: x noop|", "S: x OK fine|"]


def test_marked(tmp_path: Path) -> None:
    done = _told(tmp_path, MARKED)
    assert found(tmp_path / "typed.txt") == "transcript"
    assert done.script() == MARKED_SCRIPT
    assert done.remarks == ["passed over: 1 line is marked as nobody's, the first in line 1"]


def test_marked_literals_may_go_on_without_marks(tmp_path: Path) -> None:
    done = _told(tmp_path, "C: a append x {10}\nS: +\nC: 12345\n678\nC: \nS: a OK\n")
    assert done.script() == ["C: a append x {10}|", "S: +|", "C: 12345|678||", "S: a OK|"]


def test_a_line_does_not_go_on_for_ever(tmp_path: Path) -> None:
    """Each that it goes on with copies what came before."""
    done = _told(tmp_path, "S: * OK\nC: a NOOP\n" + " x\n" * 300_000)
    assert done.broken is not None
    assert done.script() == ["S: * OK|"]


def test_terminal_escapes_and_nul_stay_in_the_bytes(tmp_path: Path) -> None:
    done = _told(tmp_path, b"* OK \x1b[2J\0\na noop\na OK \xff\n")
    assert done.stream(Direction.SERVER) == b"* OK \x1b[2J\0\r\na OK \xff\r\n"


def test_an_endless_line_ends_it(tmp_path: Path) -> None:
    done = _told(tmp_path, TELNET.encode() + b"x" * 200_000)
    assert done.script() == TELNET_SCRIPT
    assert done.broken == "typed.txt at line 27: the line is longer than anybody types"


@pytest.mark.parametrize("text", [TELNET, OPENSSL, MARKED])
def test_cut_anywhere(tmp_path: Path, text: str) -> None:
    """What has been said stays said, whatever is missing behind it; the last line may be another one then."""
    whole = {side: _told(tmp_path, text).stream(side) for side in Direction}
    lines = text.splitlines(keepends=True)
    for count in range(len(lines)):
        done = _told(tmp_path, "".join(lines[:count]))
        assert all(whole[side].startswith(done.stream(side).removesuffix(b"\r\n")) for side in Direction)


@pytest.mark.parametrize("head", [b"", b"From: me\r\n\r\nhello", b"\0" * 100, b"GIF89a", b"a OK\n"])
def test_what_is_nothing(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "x").write_bytes(head)
    assert found(tmp_path / "x") is None


SAME_TAG = """\
* OK ready
. login bob open-sesame
. OK LOGIN completed.
. list "" "*"
* LIST () "/" Calendar
. select Drafts
* 4 EXISTS
. OK [READ-WRITE] SELECT completed.
. logout
* BYE bye
. OK LOGOUT completed.
"""
LACKING = (
    "missing: no completion stands before line 6, where the next command with the same tag begins: "
    "what ends a command from there on may be another's"
)


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        (SAME_TAG, [LACKING]),
        (SAME_TAG.replace("Calendar", "Calendar\n. OK done"), []),
        (SAME_TAG.replace(". OK [READ", ". OK LIST completed.\n. OK [READ"), []),  # it did not wait, and all came
        (SAME_TAG.replace(". OK LOGOUT completed.\n", "").replace("Calendar", "Calendar\n. OK done"), []),
        (
            f"{SAME_TAG}Connection closed by foreign host.\n",
            [LACKING],
        ),
    ],
)
def test_a_completion_that_was_not_pasted(tmp_path: Path, text: str, remarks: list[str]) -> None:
    """Tags that are all alike do not show which one it is; it is told where it was noticed first."""
    assert _told(tmp_path, text).remarks == remarks


@pytest.mark.parametrize(
    ("rest", "remarks"),
    [
        (")", []),
        (" UID 4)", []),
        ("", []),
        ("x)", ["does not fit: the literal announced at line 2 ends in the midst of line 4: its count is not right"]),
    ],
)
def test_a_literal_whose_count_does_not_fit(tmp_path: Path, rest: str, remarks: list[str]) -> None:
    text = f"* PREAUTH in\n* 1 FETCH (BODY[] {{10}}\nA: b\nlast{rest}\na noop\na OK\n"
    assert _told(tmp_path, text).remarks == remarks


def test_of_several_literals_the_one_is_named_whose_count_does_not_fit(tmp_path: Path) -> None:
    head = "* PREAUTH in\n* 1 FETCH (BODY[1] {4}\nab\n BODY[2] {10}\n"
    unfit = "does not fit: the literal announced at line 4 ends in the midst of line 6: its count is not right"
    assert _told(tmp_path, head + "A: b\nlastx)\na noop\na OK\n").remarks == [unfit]
    missing = "missing: of the literal announced at line 4, 4 bytes are missing"
    assert _told(tmp_path, head + "A: b\n").remarks == [missing]
