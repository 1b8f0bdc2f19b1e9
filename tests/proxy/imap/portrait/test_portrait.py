"""What a portrait says of a client, situation by situation."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.imap.portrait import Situation, portray
from proxy.imap.portrait.acts import acts
from tests.proxy.imap.portrait.talking import facts, portrait, talk, traits, ways

LOGIN = "C: a0 LOGIN bob xxxxxx\nS: a0 OK in\n"
OPENED = f"{LOGIN}C: b0 SELECT INBOX\nS: * 3 EXISTS\nS: b0 OK open\n"


def test_connecting() -> None:
    told = portrait(
        r"""
        C: a CAPABILITY
        S: a OK
        C: b ID ("name" "Pen" "os" NIL)
        S: b OK
        C: c AUTHENTICATE PLAIN xxxx
        S: c OK
        C: d CAPABILITY
        S: d OK
        C: e ENABLE QRESYNC
        C: f NAMESPACE
        S: e OK
        S: f OK
        C: g LIST "" "*"
        S: g OK
        C: h SELECT INBOX
        S: h OK
        """
    )
    assert facts(told, Situation.CONNECT) == [
        "connects with TLS from the first byte",
        "uses one connection at a time",
        "1 connection, at most 1 at once",
        "asks for CAPABILITY before and after the login",
        "logs in with AUTHENTICATE PLAIN, its first answer in the same line",
        "says who it is (ID) before the login: name Pen, os NIL",
    ]
    assert ways(told, Situation.CONNECT) == [
        (
            "CAPABILITY; ID (name os); AUTHENTICATE PLAIN initial-response; CAPABILITY; ENABLE QRESYNC; "
            'NAMESPACE pipelined; LIST "" "*"'
        )
    ]
    assert ways(told, Situation.OPEN) == ["SELECT mailbox"]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (LOGIN, "never asks for CAPABILITY"),
        (f"C: b CAPABILITY\nS: b OK\n{LOGIN}", "asks for CAPABILITY before the login only"),
        (f"{LOGIN}C: b CAPABILITY\nS: b OK", "asks for CAPABILITY after the login only"),
        ("C: x LOGIN bob xx\nS: x NO\nC: b CAPABILITY\nS: b OK", "asks for CAPABILITY before the login only"),
        (LOGIN, "logs in with LOGIN"),
        (f"{LOGIN}C: b ID NIL\nS: b OK", "says who it is (ID) after the login: NIL"),
    ],
)
def test_before_and_after_the_login(script: str, expected: str) -> None:
    assert expected in facts(portrait(script), Situation.CONNECT)


def test_several_connections() -> None:
    """At once only where one still has something to say while the other is there."""
    late = {"opened": 1_000_000, "closed": 20_000_000}
    both = [talk(f"{LOGIN}wait 5\nC: z NOOP\nS: z OK", closed=10_000_000), talk(LOGIN, **late)]
    assert "uses several connections at once" in facts(portray(both), Situation.CONNECT)
    after = [talk(LOGIN, closed=10_000_000), talk(LOGIN, **late)]
    assert "uses one connection at a time" in facts(portray(after), Situation.CONNECT)
    idling = [talk(f"{LOGIN}C: i IDLE", closed=10_000_000), talk(LOGIN, **late)]
    assert "uses several connections at once" in facts(portray(idling), Situation.CONNECT)


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (("SELECT x (CONDSTORE)",), ["turns on CONDSTORE with SELECT"]),
        (("SELECT x (QRESYNC (1 2))",), ["asks for what has changed since it was here (QRESYNC)"]),
        (("FETCH 1:* (FLAGS)",), ["fetches the flags of all messages (1:*)"]),
        (("FETCH 1:* FAST",), ["fetches the flags of all messages (1:*)"]),
        (("UID FETCH 1:* (UID)",), ["asks about all messages (1:*)"]),
        (("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5)",), ["fetches only flags that have changed (CHANGEDSINCE)"]),
        (
            ("UID FETCH 1:500 (FLAGS)", "UID FETCH 501:600 (FLAGS)"),
            ["fetches flags of ranges or of single messages", "up to 500 numbers in a FETCH"],
        ),
        (("UID SEARCH UNSEEN",), ["searches for messages"]),
    ],
)
def test_opening(commands: tuple[str, ...], expected: list[str]) -> None:
    script = OPENED + "".join(f"C: c{n} {command}\nS: c{n} OK\n" for n, command in enumerate(commands))
    assert facts(portrait(script), Situation.OPEN) == ["opens mailboxes with SELECT", *expected]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "FETCH 1 RFC822",
            [
                "fetches whole messages",
                "lets the server mark messages as read: yes (no PEEK)",
                "reads without pieces, each text at once",
                "one message a FETCH",
            ],
        ),
        (
            "UID FETCH 5:9 (BODY.PEEK[])",
            [
                "fetches whole messages",
                "lets the server mark messages as read: no (PEEK)",
                "reads without pieces, each text at once",
                "several messages a FETCH",
                "up to 5 numbers in a FETCH",
            ],
        ),
        (
            "FETCH 1 (BODY[1.2]<0.4096>)",
            [
                "fetches parts of messages",
                "lets the server mark messages as read: yes (no PEEK)",
                "reads in pieces of up to 4096 bytes",
                "one message a FETCH",
            ],
        ),
    ],
)
def test_reading(command: str, expected: list[str]) -> None:
    told = portrait(f"{OPENED}C: c {command}\nS: c OK")
    assert facts(told, Situation.READ) == expected
    assert not traits(told, Situation.NEWS).seen


def test_the_header_of_a_message_that_is_read_belongs_to_it() -> None:
    script = "".join(
        f"C: {n}{name} FETCH {n} ({item})\nS: {n}{name} OK\n"
        for n in (1, 2)
        for name, item in (("a", "RFC822.SIZE"), ("b", "RFC822.HEADER"), ("c", "RFC822.TEXT"), ("d", "FLAGS"))
    )
    told = portrait(f"{OPENED}{script}C: e FETCH 3 RFC822.HEADER\nS: e OK")
    assert ways(told, Situation.READ) == [
        "FETCH n (RFC822.SIZE), FETCH n (RFC822.HEADER), FETCH n (RFC822.TEXT), FETCH n (FLAGS) x 2-2"
    ]
    assert ways(told, Situation.OPEN) == ["SELECT mailbox", "FETCH n (RFC822.HEADER)"]
    assert "fetches texts of messages apart from their headers" in facts(told, Situation.READ)


def test_headers_alone_are_not_read() -> None:
    told = portrait(f"{OPENED}C: c FETCH 1 (BODY.PEEK[HEADER] BINARY.SIZE[1])\nS: c OK")
    assert not traits(told, Situation.READ).seen
    assert ways(told, Situation.OPEN) == ["SELECT mailbox; FETCH n (BODY.PEEK[HEADER] BINARY.SIZE[n])"]


def test_new_mail_in_idle() -> None:
    told = portrait(
        f"""{OPENED}
        C: i IDLE
        wait 20
        S: * 4 EXISTS
        C: DONE
        S: i OK
        C: c UID FETCH 9:* (FLAGS)
        S: c OK
        C: d UID FETCH 9 (BODY.PEEK[])
        S: d OK
        C: j IDLE
        wait 60
        C: DONE
        S: j OK
        """.replace("\n\n", "\n")
    )
    assert facts(told, Situation.NEWS) == ["learns of it in the answer to IDLE"]
    assert ways(told, Situation.NEWS) == ["UID FETCH n:* (FLAGS); UID FETCH n (BODY.PEEK[])"]
    assert facts(told, Situation.IDLE) == [
        "waits in IDLE",
        "longest IDLE that it ended: 60.0 s",
        "ends IDLE when there is news",
        "without news it renewed or left IDLE after 60.0 s at most",
    ]
    assert "fetches whole messages" in facts(told, Situation.READ)


def test_as_many_as_before_is_no_news() -> None:
    """EXISTS alone is no new mail."""
    script = f"{OPENED}C: n NOOP\nS: * 3 EXISTS\nS: n OK\nC: c FETCH 3 FLAGS\nS: c OK"
    assert not traits(portrait(script), Situation.NEWS).seen


@pytest.mark.parametrize("gone", ["* 2 EXPUNGE", "* VANISHED 5"])
def test_as_many_as_before_is_news_when_one_has_gone(gone: str) -> None:
    script = f"{OPENED}C: n NOOP\nS: {gone}\nS: * 3 EXISTS\nS: n OK\nC: c FETCH 3 FLAGS\nS: c OK"
    assert facts(portrait(script), Situation.NEWS) == ["learns of it in the answer to NOOP"]


@given(st.lists(st.integers(-1, 6)))
@example([0, -1, -1, -1])
def test_news_whatever_else_was_said_with_it(counts: list[int]) -> None:
    """New mail is new though it has gone again since; -1 stands for EXPUNGE, where there is something left."""
    lines, there, arrived = list[str](), 3, False
    for count in counts:
        if count >= 0:
            lines.append(f"* {count} EXISTS")
            arrived |= count > there
            there = count
        elif there:
            lines.append("* 1 EXPUNGE")
            there -= 1
    said = "".join(f"S: {line}\n" for line in lines)
    fetch = "S: n OK\nC: c FETCH 3 FLAGS\nS: c OK\n"
    assert traits(portrait(f"{OPENED}C: n NOOP\n{said}{fetch}"), Situation.NEWS).seen == arrived
    # And afterwards it is known how many there are.
    for more in (0, 1):
        later = (
            f"S: n OK\nC: s SUBSCRIBE x\nS: s OK\nC: d NOOP\nS: * {there + more} EXISTS\nS: d OK\nC: e FETCH 4 FLAGS"
        )
        (*_, last) = acts(talk(f"{OPENED}C: n NOOP\n{said}{later}"))
        assert last.arrived == bool(more)


def test_what_the_client_itself_puts_there_is_no_news() -> None:
    script = f"{OPENED}C: n APPEND INBOX {{3+}}\\r\\nabc\nS: * 4 EXISTS\nS: n OK\nC: c FETCH 4 FLAGS\nS: c OK"
    assert not traits(portrait(script), Situation.NEWS).seen


def test_polling() -> None:
    polls = "".join(f"wait 30\nC: n{n} NOOP\nS: n{n} OK\n" for n in range(4))
    told = portrait(f"{OPENED}{polls}")
    assert facts(told, Situation.IDLE) == ["asks with NOOP", "every 30.0 s (median) with NOOP again"]
    assert ways(told, Situation.IDLE) == ["NOOP x 4-4"]


def test_saving() -> None:
    told = portrait(
        LOGIN
        + r'C: b APPEND Sent (\Seen) "01-Jan-2020 10:00:00 +0000" {3+}\r\nabc'
        + "\nS: b OK\n"
        + r"C: c APPEND Sent {3+}\r\nabc {3+}\r\nabc"
        + "\nS: c OK"
    )
    assert facts(told, Situation.SAVE) == [
        "saves with or without flags",
        "saves with or without a date",
        "literal {n+}",
        "saves several messages in one command (MULTIAPPEND)",
    ]
    assert "sends literals without waiting ({n+})" in facts(told, Situation.GENERAL)


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (
            (r"STORE 1 +FLAGS (\Deleted)", "EXPUNGE"),
            [r"deletes by setting \Deleted", "removes all that is marked with EXPUNGE"],
        ),
        (
            (r"UID STORE 1 +FLAGS.SILENT (\deleted)", "UID EXPUNGE 1"),
            [r"deletes by setting \Deleted", "removes only what it means with UID EXPUNGE"],
        ),
        (
            (r"STORE 1 FLAGS \Deleted", "CLOSE"),
            [r"deletes by setting \Deleted", "removes all that is marked with CLOSE"],
        ),
        (("UID MOVE 1 Trash",), ["moves with MOVE"]),
        (("COPY 1 Trash",), ["copies with COPY"]),
    ],
)
def test_deleting(commands: tuple[str, ...], expected: list[str]) -> None:
    script = OPENED + "".join(f"C: c{n} {command}\nS: c{n} OK\n" for n, command in enumerate(commands))
    assert facts(portrait(script), Situation.DELETE) == expected


def test_undeleting_is_marking() -> None:
    told = portrait(rf"{OPENED}C: c STORE 1 -FLAGS.SILENT (\Deleted)" + "\nS: c OK\nC: d CLOSE\nS: d OK")
    assert facts(told, Situation.MARK) == ["changes flags with .SILENT"]
    assert not traits(told, Situation.DELETE).seen
    assert "leaves mailboxes with CLOSE" in facts(told, Situation.LEAVE)


@pytest.mark.parametrize(
    ("end", "by_client", "expected"),
    [
        ("C: z LOGOUT\nS: z OK", True, "says LOGOUT and waits for the answer"),
        ("C: z LOGOUT", True, "says LOGOUT and does not wait for the answer"),
        ("C: z NOOP\nS: z OK", True, "closes the connection without LOGOUT"),
        ("C: z NOOP\nS: z OK", False, "ended by the server, without LOGOUT"),
    ],
)
def test_leaving(end: str, by_client: bool, expected: str) -> None:
    assert facts(portray([talk(LOGIN + end, by_client=by_client)]), Situation.LEAVE)[0] == expected


def test_an_open_session_has_not_left() -> None:
    assert facts(portray([talk(LOGIN, closed=None)]), Situation.LEAVE) == []


def test_repetitions_are_folded_and_counts_joined() -> None:
    def session(times: int) -> str:
        return OPENED + "".join(
            f"C: c{n} UID FETCH {n} (UID BODY[])\nS: c{n} OK\nC: d{n} UID FETCH {n} (UID RFC822)\nS: d{n} OK\n"
            for n in range(times)
        )

    told = portray([talk(session(3)), talk(session(7))])
    assert ways(told, Situation.READ) == ["UID FETCH n (UID BODY[]), UID FETCH n (UID RFC822) x 3-7"]
    assert traits(told, Situation.READ).ways[0].times == 2


def test_pipelining() -> None:
    told = portrait(f"{OPENED}C: c FETCH 1 BODY[]\nC: d FETCH 2 BODY[]\nC: e FETCH 3 BODY[]\nS: c OK\nS: d OK\nS: e OK")
    assert ways(told, Situation.READ) == ["FETCH n (BODY[]) x 3-3 pipelined"]
    assert "up to 3 commands under way at once" in facts(told, Situation.GENERAL)
    assert "waits for each answer before the next command" in facts(portrait(OPENED), Situation.GENERAL)


def test_uids_and_numbers() -> None:
    uid, number = "C: c UID FETCH 1 FLAGS\nS: c OK\n", "C: d FETCH 1 FLAGS\nS: d OK\n"
    assert "names messages by UID" in facts(portrait(OPENED + uid), Situation.GENERAL)
    assert "names messages by sequence number" in facts(portrait(OPENED + number), Situation.GENERAL)
    assert "names messages by UID and by sequence number" in facts(portrait(OPENED + uid + number), Situation.GENERAL)


def test_nothing_at_all() -> None:
    """Neither no session nor one without commands is a mistake."""
    assert not any(each.seen for each in portray([]).traits)
    told = portray([talk("S: * OK hello")])
    assert facts(told, Situation.LEAVE) == ["closes the connection without LOGOUT"]
    assert told.steps == 0


def test_a_command_that_cannot_be_read() -> None:
    """It is told by its name."""
    told = portrait(f"{OPENED}C: c FETCH ((\nS: c BAD what\nC: d XYZ\nS: d BAD what")
    assert ways(told, Situation.OPEN) == ["SELECT mailbox; FETCH …"]
    assert ways(told, Situation.OTHER) == ["XYZ"]
    assert "refused by the server: FETCH x 1, XYZ x 1" in facts(told, Situation.GENERAL)
