"""`imaptap show`: what people read, and what programs read."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from proxy.imap.transcript import EventKind
from tests.imaptap.telling import LETTER, C, S, Tale, recorded

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program


def test_a_session_as_people_read_it(two: Program) -> None:
    assert two.lines("show", "typed/1") == [
        "# session typed/1, 2023-11-14 22:13:20",
        "# 127.0.0.1:50001 to imaps://localhost:1993, server imaps://mail.example.org:993",
        "S: * OK ready",
        "",
        "# 1  22:13:20.002  LOGIN  OK  1.0 ms  27/11 B",
        "→ user bob",
        'C: . login bob "<masked login>"',
        "S: . OK done",
        "",
        "# 2  22:13:20.004  SELECT  OK [READ-WRITE]  3.0 ms  17/67 B",
        "→ Drafts, read-write: 4 messages, UIDVALIDITY 3516",
        "C: . select Drafts",
        "S: * 4 EXISTS",
        "S: * OK [UIDVALIDITY 3516] valid",
        "S: . OK [READ-WRITE] done",
        "",
        "# 3  22:13:20.008  FETCH  OK  5.0 ms  18/9144 B",
        rf"→ 1 message: flags \Seen, RFC822 {len(LETTER):,} B",
        "C: . fetch 4 rfc822",
        f"S: * 4 FETCH (RFC822 {{{len(LETTER)}}}",
        rf"S: (literal {len(LETTER)} B) FLAGS (\Seen))",
        "S: . OK done",
        "S: * 5 EXISTS  # unsolicited",
        "",
        "# 4  22:13:20.015  LOGOUT  OK  2.0 ms  10/26 B",
        "C: . logout",
        "S: * BYE see you",
        "S: . OK done",
        "",
        f"# closed by client: end of stream, 72/{two.json('show', 'typed/1')['server_bytes']} B",
    ]


def test_raw_is_the_wire_alone(two: Program) -> None:
    assert two.lines("show", "typed/1", "--raw") == [
        "# session typed/1, 2023-11-14 22:13:20",
        "# 127.0.0.1:50001 to imaps://localhost:1993, server imaps://mail.example.org:993",
        "S: * OK ready",
        "",
        "# 1  22:13:20.002  LOGIN  OK  1.0 ms  27/11 B",
        'C: . login bob "<masked login>"',
        "S: . OK done",
        "",
        "# 2  22:13:20.004  SELECT  OK [READ-WRITE]  3.0 ms  17/67 B",
        "C: . select Drafts",
        "S: * 4 EXISTS",
        "S: * OK [UIDVALIDITY 3516] valid",
        "S: . OK [READ-WRITE] done",
        "",
        "# 3  22:13:20.008  FETCH  OK  5.0 ms  18/9144 B",
        "C: . fetch 4 rfc822",
        f"S: * 4 FETCH (RFC822 {{{len(LETTER)}}}",
        rf"S: (literal {len(LETTER)} B) FLAGS (\Seen))",
        "S: . OK done",
        "S: * 5 EXISTS  # unsolicited",
        "",
        "# 4  22:13:20.015  LOGOUT  OK  2.0 ms  10/26 B",
        "C: . logout",
        "S: * BYE see you",
        "S: . OK done",
        "",
        f"# closed by client: end of stream, 72/{two.json('show', 'typed/1')['server_bytes']} B",
    ]


def test_one_exchange(two: Program) -> None:
    assert two.lines("show", "typed/1/4") == [
        "# 4  22:13:20.015  LOGOUT  OK  2.0 ms  10/26 B",
        "C: . logout",
        "S: * BYE see you",
        "S: . OK done",
    ]


def test_bodies_are_shown_when_asked_for(two: Program) -> None:
    lines = two.lines("show", "typed/1/3", "--bodies")
    assert [line[3:] for line in lines if line.startswith("S| ")] == LETTER.decode().splitlines()
    assert lines[-2:] == [r"S:  FLAGS (\Seen))", "S: . OK done"]


def test_a_recording_is_a_line_an_exchange(two: Program) -> None:
    lines = two.lines("show", "typed")
    assert lines[0].startswith("# recording 1 typed, ")
    assert lines[1] == "# imaps://mail.example.org on imaps://localhost:1993"
    assert lines[5:9] == [
        '    1  22:13:20.002    1.0 ms  LOGIN bob "xxxxxxxxxxx" → user bob',
        "    2  22:13:20.004    3.0 ms  SELECT Drafts → Drafts, read-write: 4 messages, UIDVALIDITY 3516",
        rf"    3  22:13:20.008    5.0 ms  FETCH 4 rfc822 → 1 message: flags \Seen, RFC822 {len(LETTER):,} B",
        "    4  22:13:20.015    2.0 ms  LOGOUT → OK",
    ]
    raw = two.lines("show", "typed", "--raw")
    assert sum(" LOGIN bob " in line for line in raw) == 1
    assert [line for line in raw if "→" in line] == []
    assert lines[-6:-4] == ["# closed by client: end of stream, 72/9272 B", ""]
    assert lines[-1] == "# closed by client: end of stream, 9/19 B"


def test_what_happened_stands_where_it_happened(program: Program) -> None:
    tale = Tale().say("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi").rewrite(S, 26, b" STARTTLS", b"")
    tale.happen(EventKind.TLS, "client leg", "TLSv1.3", C).say("C: a NOOP\nS: a OK")
    tale.happen(EventKind.SECURITY, "STARTTLS injection", "bytes in clear").say("C: b NOOP\nS: b OK")
    recorded(program.db, tale.end(), name="x")
    lines = program.lines("show", "x/1", "--raw")
    assert lines[2:11] == [
        "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi",
        '# rewrite server: capability: received " STARTTLS", sent nothing',
        "# tls client: client leg: TLSv1.3",
        "",
        "# 1  22:13:20.003  NOOP  OK  1.0 ms  8/6 B",
        "C: a NOOP",
        "S: a OK",
        "# security: STARTTLS injection: bytes in clear",
        "",
    ]


def test_nothing_that_a_peer_says_reaches_the_terminal(program: Program) -> None:
    hostile = b"\x1b]0;owned\x07 \x1b[2J [red]bold[/red] :smile: \xff \xc2\x9b31m \xe2\x80\xae\r"
    tale = Tale().send(S, b"* OK " + hostile + b"\n").send(C, b'a\x1b[1m SELECT "\x1b[31mbox"\r\n')
    tale.send(S, b"* 1 FETCH (BODY[] {100}\r\n" + (hostile * 9)[:99] + b"\n)\r\na NO [X\x1b] " + hostile + b"\n")
    tale.happen(EventKind.NOTICE, "said\x1b[2J", "\x9b2J")
    tale.say("C: b LIST {3}").send(C, b"\x1b[2\r\n").send(S, b'* LIST (\\\x1bx) "\x1b" "\x1b[2J &ABs-"\r\nb OK\r\n')
    structure = b'("\x1b[2J" "\x9b" ("CHARSET" "\x1b") "\x1b" NIL "\x1b" 1 NIL ("\x1b" ("FILENAME" "\x1b[2J")) NIL NIL)'
    subject = base64.b64encode(b"\x1b[2J\r\nS: a OK forged")
    envelope = b'("\x1b" "=?utf-8?b?' + subject + b'?=" (("\x1b" NIL "\x1b" "\x1b")) NIL NIL NIL NIL NIL NIL "\x1b")'
    tale.send(C, b"c FETCH 1 FULL\r\n").send(S, b"* 1 FETCH (ENVELOPE " + envelope + b" BODYSTRUCTURE " + structure)
    tale.send(S, b" FLAGS (\x1b[2J) X-\x1b \x1b)\r\nc OK [X\x1b \x1b] \x1b\r\n")
    tale.send(C, b"d SELECT x\r\n").send(S, b"* 3 EXISTS\r\n* FLAGS (\x1b[2J)\r\n* CAPABILITY \x1b[2J\r\nd OK\r\n")
    recorded(program.db, tale.end(reason="gone\x1b[2J\nS: a OK forged"), name="x")
    places = (("x",), ("x/1",), ("x/1/1",), ("x/1/2",), ("x/1/3",), ("x/1", "--bodies"), ("x/1", "--structure"))
    for words in (*places, ("x/1", "--raw"), ("x/1", "--state-at", "last")):
        shown = program("show", *words).stdout
        assert all(character.isprintable() for line in shown.split("\n") for character in line)
        assert not any(line.startswith("S: a OK forged") for line in shown.split("\n"))
    shown = program("show", "x/1").stdout
    assert r"S: * OK \x1b]0;owned\x07 \x1b[2J [red]bold[/red] :smile: \xff \x9b31m \u202e" in shown
    assert "\x1b" not in program("ls", "x").stdout
    assert "\x1b" not in program("tail", "x").stdout


def test_wide_lines_are_left_whole_in_a_pipe(program: Program) -> None:
    flags = " ".join(f"flag{number}" for number in range(500))
    recorded(program.db, Tale().say(f"S: * OK hi\nC: a NOOP\nS: * FLAGS ({flags})\nS: a OK").end(), name="x")
    assert any(line.startswith(f"S: * FLAGS ({flags})") for line in program.lines("show", "x/1"))


def test_a_session_that_is_not_imap_says_what_is_missing(program: Program) -> None:
    tale = Tale().say("S: * OK hi\nC: a AUTHENTICATE GSSAPI\nS: + \nC: YWJj\nS: a OK in")
    tale.send(S, b"\0\0\0\x10" + b"?" * 16)
    recorded(program.db, tale.end(), name="x")
    assert any("20 B of the server are in no exchange" in line for line in program.lines("show", "x/1"))


def test_json_of_a_session(program: Program) -> None:
    tale = Tale().say("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi").rewrite(S, 26, b" STARTTLS", b"")
    tale.say("C: a LOGIN bob secret\nS: a OK").happen(EventKind.TLS, "client leg", "TLSv1.3", C)
    recorded(program.db, tale.end(), name="x")
    shown = program.json("show", "x/1")
    assert list(shown) == [
        "recording", "session", "started", "ended", "client", "listen", "upstream", "ending", "reason",
        "client_bytes", "server_bytes", "secrets", "rewrites", "events", "exchanges",
    ]  # fmt: skip
    assert shown["secrets"] == [{"direction": "client", "offset": 12, "length": 6, "class": "login"}]
    assert shown["rewrites"] == [
        {
            "direction": "server",
            "offset": 26,
            "name": "capability",
            "received_base64": base64.b64encode(b" STARTTLS").decode(),
            "sent_base64": "",
        }
    ]
    (event,) = shown["events"]
    assert (event["at"], event["kind"], event["name"], event["direction"]) == (
        "2023-11-14T22:13:20.004000Z", "tls", "client leg", "client",
    )  # fmt: skip
    (exchange,) = shown["exchanges"]
    assert exchange == {
        "recording": 1, "session": 1, "exchange": 1, "tag": "a", "command": "LOGIN", "arguments": "bob xxxxxx",
        "mailbox": None, "status": "OK", "code": None, "text": None, "started": "2023-11-14T22:13:20.002000Z",
        "ms": 1.0, "client_bytes": 20, "server_bytes": 6, "responses": {}, "outcome": "completed",
        "origin": "client", "marks": [],
        "meaning": {"summary": "user bob", "details": [], "quirks": ["server: status without text"]},
    }  # fmt: skip
    (raw,) = program.json("show", "x/1", "--raw")["exchanges"]
    del exchange["meaning"]
    assert raw == exchange


def test_json_of_an_exchange_has_its_lines(two: Program) -> None:
    shown = two.json("show", "typed/1/3")
    assert (shown["status"], shown["responses"], shown["mailbox"]) == ("OK", {"FETCH": 1}, "Drafts")
    assert [(line["direction"], line["text"]) for line in shown["lines"]] == [
        ("client", ". fetch 4 rfc822"),
        ("server", f"* 4 FETCH (RFC822 {{{len(LETTER)}}}"),
        ("server", rf"(literal {len(LETTER)} B) FLAGS (\Seen))"),
        ("server", ". OK done"),
    ]
    assert list(shown["lines"][0]) == ["at", "direction", "offset", "text", "certainty", "body", "left_out"]


def test_json_of_a_recording(two: Program) -> None:
    shown = two.json("show", "typed")
    assert shown["events"] == []
    assert [[each["command"] for each in session["exchanges"]] for session in shown["sessions"]] == [
        ["LOGIN", "SELECT", "FETCH", "LOGOUT"],
        ["NOOP"],
    ]


def test_a_letter_that_was_not_kept(weeded: Program) -> None:
    digest = hashlib.sha256(LETTER).hexdigest()
    said = f"(literal {len(LETTER)} B, not kept, sha256 {digest})"
    for words in (("weeded/1",), ("weeded/1/3",), ("weeded/1/3", "--bodies")):
        lines = weeded.lines("show", *words)
        assert lines.count(rf"S: {said} FLAGS (\Seen))") == 1
        assert not any(line.startswith("S|") for line in lines)
    *_, line, last = weeded.json("show", "weeded/1/3")["lines"]
    assert (line["text"], last["text"]) == (rf"{said} FLAGS (\Seen))", ". OK done")
    place = {"offset": line["offset"], "length": len(LETTER), "sha256": digest, "literal_length": len(LETTER)}
    assert line["left_out"] == [place]
    assert last["left_out"] == []


def test_a_part_of_a_letter_that_was_not_kept(program: Program) -> None:
    tale = Tale().say("S: * OK hi\nC: a APPEND Drafts {300000+}").send(C, LETTER[:5000], LETTER[5000:])
    recorded(program.db, tale.end(), name="torn", max_literal=5000)
    known = f"not kept, sha256 {hashlib.sha256(LETTER).hexdigest()}"
    assert program.lines("show", "torn/1/1")[1] == "! client: a unit is not all there"
    assert program.lines("show", "torn/1/1")[3:] == [f"C: ({len(LETTER)} B of a literal of 300000 B, {known})"]


LONG = """
S: * PREAUTH hello
C: a LIST "" *
S: * LIST () "/" m1
S: * LIST () "/" m2
S: * LIST () "/" m3
S: * LIST () "/" m4
S: * LIST () "/" m5
S: * LIST () "/" m6
S: * LIST () "/" m7
S: * LIST () "/" m8
S: a OK done
C: b LIST "" *
S: * LIST () "/" m1
S: * LIST () "/" m2
S: * LIST () "/" m3
S: * LIST () "/" m4
S: * LIST () "/" m5
S: * LIST () "/" m6
S: * LIST () "/" m7
S: b OK done
"""


def test_a_session_shows_the_first_lines_of_an_exchange_and_the_last(program: Program) -> None:
    recorded(program.db, Tale().say(LONG).end(), name="x")
    shown = program.lines("show", "x/1")
    first = shown.index('C: a LIST "" *')
    assert shown[first + 6 : first + 9] == [
        'S: * LIST () "/" m6', "# … 2 more lines: imaptap show x/1/1", "S: a OK done",
    ]  # fmt: skip
    assert 'S: * LIST () "/" m7' in shown[first + 9 :], "a single line is not left out"
    for words in (("x/1", "--raw"), ("x/1", "--bodies"), ("x/1/1",)):
        assert 'S: * LIST () "/" m8' in program.lines("show", *words)


def test_details_are_shown_for_an_exchange_or_when_asked_for(program: Program) -> None:
    recorded(program.db, Tale().say(LONG).end(), name="x")
    table = [f"  m{number}" for number in range(1, 9)]
    assert program.lines("show", "x/1/1")[2:10] == table
    assert set(table) <= set(program.lines("show", "x/1", "--structure"))
    assert not set(table) & set(program.lines("show", "x/1"))


def test_what_reading_finds_out_stands_behind_the_line(program: Program) -> None:
    tale = Tale().say("S: * PREAUTH hi\nC: a NOTIFY SET (PERSONAL (MAILBOXNAME))\nS: a OK\nS: * STATUS x (MESSAGES 1)")
    tale.say("C: b SEARCH RETURN (UPDATE) ALL\nS: b OK\nC: c NOOP").say('S: * ESEARCH (TAG "b") ADDTO (0 5)\nS: c OK')
    tale.say("C: d FETCH 3 RFC822\nS: * 3 FETCH (FLAGS ())\nS: d OK")
    recorded(program.db, tale.say("S: * 5 EXISTS").end(), name="x")
    lines = program.lines("show", "x/1")
    assert "S: * STATUS x (MESSAGES 1)  # likely of 1: NOTIFY" in lines
    assert 'S: * ESEARCH (TAG "b") ADDTO (0 5)  # sure of 2: update of a search' in lines
    assert "S: * 3 FETCH (FLAGS ())  # unsolicited of 4: not asked for" in lines, "recorded as likely"
    assert "S: * 5 EXISTS  # unsolicited" in lines
    assert 'S: * ESEARCH (TAG "b") ADDTO (0 5)  # unsolicited' in program.lines("show", "x/1", "--raw")


STATE = """
S: * OK [CAPABILITY IMAP4rev1] hi
C: a LOGIN bob secret
S: a OK
C: b SELECT INBOX
S: * 3 EXISTS
S: b OK [READ-WRITE]
C: c FETCH 1:2 UID
S: * 1 FETCH (UID 7)
S: * 2 FETCH (UID 8)
S: c OK
S: * 1 EXPUNGE
C: d NOOP
S: d OK
"""


def test_the_state_after_an_exchange(program: Program) -> None:
    recorded(program.db, Tale().say(STATE).end(), name="x")
    assert program.lines("show", "x/1", "--state-at", "3") == [
        "# session x/1 after exchange 3, 22:13:20.010",
        "phase           selected",
        "authenticated   LOGIN, user bob",
        "layers          TLS",
        "capabilities    (greeting) IMAP4REV1",
        "enabled         nothing",
        "mailbox         INBOX, read-write",
        "exists          3",
        "UIDs known      2 of 3",
        "                1:2 = UID 7:8",
    ]
    assert "                1 = UID 8" in program.lines("show", "x/1", "--state-at", "last")
    assert "phase           not authenticated" not in program.lines("show", "x/1", "--state-at", "1")


def test_the_state_as_json(program: Program) -> None:
    recorded(program.db, Tale().say(STATE).end(), name="x")
    shown = program.json("show", "x/1", "--state-at", "3")
    assert list(shown) == ["recording", "session", "exchange", "state"]
    assert shown["state"] == {
        "at": "2023-11-14T22:13:20.010000Z", "phase": "selected", "mechanism": "LOGIN", "user": "bob", "layers": "TLS",
        "capabilities": [{"source": "greeting", "words": ["IMAP4REV1"], "trusted": True}],
        "enabled": [],
        "mailbox": {
            "name": "INBOX", "read_only": False, "exists": 3, "recent": None, "uidvalidity": None, "uidnext": None,
            "highestmodseq": None, "mailboxid": None, "flags": None, "permanent_flags": None, "known": 2,
            "uids": [{"number": 1, "uid": 7, "length": 2}],
        },
        "saved": None, "contexts": [], "notify": None, "idle": None, "open": [],
    }  # fmt: skip
    assert program.json("show", "x/1/3")["state"] == shown["state"]
    assert "state" not in program.json("show", "x/1/3", "--raw")


def test_the_state_of_an_exchange_without_an_answer(program: Program) -> None:
    recorded(program.db, Tale().say(STATE).say("C: e IDLE\nS: + go\nS: * 9 EXISTS").end(), name="x")
    lines = program.lines("show", "x/1", "--state-at", "last")
    assert "idle            since exchange 5" in lines
    assert "exists          9" in lines


def test_a_state_is_one_of_a_session(two: Program) -> None:
    assert "does not name a session" in two.refused("show", "typed", "--state-at", "1")
    assert "does not name a session" in two.refused("show", "typed/1/1", "--state-at", "1")
    assert "has no exchange 99" in two.refused("show", "typed/1", "--state-at", "99")


def test_a_remark_stands_behind_the_first_line_of_its_unit(program: Program) -> None:
    tale = Tale().say("S: * PREAUTH hi\nC: a FETCH 1 BODY[]\nC: b FETCH 2 BODY[]")
    tale.say("S: * 2 FETCH (BODY[] {2}").send(S, b"\r\n").say("S: )\nS: * 1 FETCH (BODY[] {2}").send(S, b"\r\n")
    recorded(program.db, tale.say("S: )\nS: a OK x\nS: b OK x").end(), name="x")
    lines = program.lines("show", "x/1")
    assert [line for line in lines if "  # " in line] == [
        "S: * 2 FETCH (BODY[] {2}  # sure of 2: its set has the message",
        "S: * 1 FETCH (BODY[] {2}  # sure of 1: its set has the message",
    ]
    raw = program.lines("show", "x/1", "--raw")
    assert sum(line.endswith("  # ambiguous") for line in raw) == 4


def test_runs_of_numbers_without_end_are_counted(program: Program) -> None:
    uids = " ".join(str(uid) for uid in range(1, 100, 2))
    tale = Tale().say("S: * PREAUTH hi\nC: a SELECT x\nS: * 50 EXISTS\nS: a OK x\nC: b UID SEARCH ALL")
    recorded(program.db, tale.say(f"S: * SEARCH {uids}\nS: b OK x").end(), name="x")
    lines = program.lines("show", "x/1", "--state-at", "2")
    assert lines[-2:] == ["                20 = UID 39", "                and 30 runs more: --json has them"]
    runs = program.json("show", "x/1", "--state-at", "2")["state"]["mailbox"]["uids"]
    assert runs[:2] == [{"number": 1, "uid": 1, "length": 1}, {"number": 2, "uid": 3, "length": 1}]
    assert len(runs) == 50
