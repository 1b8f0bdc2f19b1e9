"""What a served client hears: scripts of recorded sessions, and of clients that talk to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.replay.serving.logins import Door
from proxy.replay.serving.values import Repeat
from tests.proxy.replay.serving.stages import Stage, said, scene

MAIL = r"""
S: * OK [CAPABILITY IMAP4rev1 IDLE] ready
C: a1 LOGIN bob xxxxx
S: a1 OK in
C: a2 SELECT INBOX
S: * 3 EXISTS
S: a2 OK [READ-WRITE] selected
C: a3 FETCH 1:3 (FLAGS UID)
S: * 1 FETCH (FLAGS () UID 7)
S: * 2 FETCH (FLAGS () UID 8)
S: * 3 FETCH (FLAGS () UID 9)
S: a3 OK fetched
C: a4 NOOP
N: * 4 EXISTS
S: a4 OK nothing
C: a5 FETCH 4 FLAGS
S: * 4 FETCH (FLAGS (\Recent))
S: a5 OK fetched
C: a6 LOGOUT
S: * BYE
S: a6 OK bye
"""
IN = """
S: * OK [CAPABILITY IMAP4rev1 IDLE] ready
C: x LOGIN anybody secret
S: x OK in
"""

CLIENTS = {
    "the same": r"""
        C: x1 SELECT INBOX
        S: * 3 EXISTS
        S: x1 OK [READ-WRITE] selected
        C: x2 FETCH 1:3 (FLAGS UID)
        S: * 1 FETCH (FLAGS () UID 7)
        S: * 2 FETCH (FLAGS () UID 8)
        S: * 3 FETCH (FLAGS () UID 9)
        S: x2 OK fetched
        C: x3 NOOP
        S: * 4 EXISTS
        S: x3 OK nothing
        C: x4 FETCH 4 FLAGS
        S: * 4 FETCH (FLAGS (\Recent))
        S: x4 OK fetched
        C: x5 LOGOUT
        S: * BYE
        S: x5 OK bye
        S: -
    """,
    "other spelling, other tags": r"""
        C: . select "inbox"
        S: * 3 EXISTS
        S: . OK [READ-WRITE] selected
        C: . fetch 3,1:2 (uid flags)
        S: * 1 FETCH (FLAGS () UID 7)
        S: * 2 FETCH (FLAGS () UID 8)
        S: * 3 FETCH (FLAGS () UID 9)
        S: . OK fetched
    """,
    "NOOPs that were not recorded": """
        C: n1 NOOP
        S: n1 OK NOOP completed
        C: x1 SELECT INBOX
        S: * 3 EXISTS
        S: x1 OK [READ-WRITE] selected
        C: n2 CHECK
        S: n2 OK CHECK completed
        C: n3 IDLE
        S: + idling
        C: DONE
        S: n3 OK imaptap: IDLE ended
    """,
    "without the NOOP, its news comes with the next answer that may bring it": r"""
        C: x1 SELECT INBOX
        S: * 3 EXISTS
        S: x1 OK [READ-WRITE] selected
        C: x1 UID FETCH 1:3 (FLAGS)
        S: x1 NO [UNAVAILABLE] imaptap: no UID FETCH was recorded
        C: x2 FETCH 4 FLAGS
        S: * 4 FETCH (FLAGS (\Recent))
        S: x2 OK fetched
        C: x3 LOGOUT
        S: * 4 EXISTS
        S: * BYE
        S: x3 OK bye
        S: -
    """,
    "early good bye": """
        C: x1 LOGOUT
        S: * BYE
        S: x1 OK bye
        S: -
    """,
    "something else": """
        C: x1 SELECT Sent
        S: x1 NO [UNAVAILABLE] imaptap: nearest is 1/2: mailbox: recorded INBOX, asked Sent
        C: x2 XFOO
        S: x2 NO [UNAVAILABLE] imaptap: no XFOO was recorded
        C: x3 FETCH 4 FLAGS
        S: x3 NO [UNAVAILABLE] imaptap: 1/5 is played already, or about another selected mailbox
        C: x4 SELECT INBOX
        S: * 3 EXISTS
        S: x4 OK [READ-WRITE] selected
        C: x5 SELECT INBOX
        S: x5 NO [UNAVAILABLE] imaptap: 1/2 is played already, or about another selected mailbox
    """,
    "capabilities that nobody had asked for": """
        C: x1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IDLE
        S: x1 OK CAPABILITY completed
    """,
    "no commands": """
        C: hello
        S: * BAD imaptap: this is no command
        C:   NOOP
        S: * BAD imaptap: this is no command
    """,
}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_a_client_hears_what_was_recorded(client: str) -> None:
    """Its own tags in the place of the recorded ones; a NO at once where nothing was."""
    Stage([scene(MAIL)]).talk(IN + client)


def test_misses_are_told_with_what_comes_near() -> None:
    """One for each command that nothing answers, none for those that are evident."""
    stage = Stage([scene(MAIL)])
    stage.talk(
        IN
        + "C: x1 NOOP\nS: x1 OK NOOP completed\nC: x2 SELECT Sent\n"
        + "S: x2 NO [UNAVAILABLE] imaptap: nearest is 1/2: mailbox: recorded INBOX, asked Sent"
    )
    ((asked, why, near),) = stage.missed
    assert (asked.shown, why) == ("SELECT Sent", "nearest is 1/2: mailbox: recorded INBOX, asked Sent")
    assert [(each.session, each.number) for each in near] == [(1, 2)]


SECRETS = [
    (b"q LOGN bob MARKER", False),
    (b"q LOGN bob {6+}\r\nMARKER", False),
    (b'q XAUTH "MARKER"', True),
    (b'q SETMETADATA "" (/private/vendor/x/token "MARKER")', True),
    (b'q URLFETCH "imap://bob@host/INBOX/;uid=1;urlauth=anonymous:internal:0a1b2c3d4e5f"', True),
]


@pytest.mark.parametrize(("command", "logged_in"), SECRETS)
def test_secrets_are_told_nobody(command: bytes, logged_in: bool) -> None:
    """They are masked as when it is recorded: what is missed is printed, and written."""
    stage = Stage([scene(MAIL)])
    served = stage.enter()
    list(served.begin())
    if logged_in:
        list(served.receive(b"x LOGIN bob MARKER\r\n"))
    answer = list(said(served.receive(command + b"\r\n")))[-1]
    ((asked, why, near),) = stage.missed
    for text in (answer, why, repr(asked), repr(near)):
        assert "MARKER" not in text
        assert "0a1b2c3d4e5f" not in text


def test_a_masked_command_is_the_one_that_was_recorded() -> None:
    """A recording has no more of it than its length."""
    Stage([scene("S: * OK hello\nC: a XLOGN xxxxxx\nS: a OK so be it\nC: b NOOP\nS: b OK")]).talk(
        "S: * OK hello\nC: q XLOGN secret\nS: q OK so be it"
    )


def test_who_is_not_logged_in_gets_nothing() -> None:
    """What was recorded behind a login is answered behind one."""
    Stage([scene(MAIL)]).talk("""
        S: * OK [CAPABILITY IMAP4rev1 IDLE] ready
        C: x1 SELECT INBOX
        S: x1 NO [UNAVAILABLE] imaptap: log in first; 1/2 is recorded behind a login
        C: x2 CHECK
        S: x2 NO [UNAVAILABLE] imaptap: no CHECK was recorded
    """)


def test_preauth_needs_no_login() -> None:
    """The greeting lets in."""
    Stage([scene("S: * PREAUTH hello\nC: a SELECT x\nS: a OK selected")]).talk(
        "S: * PREAUTH hello\nC: q SELECT x\nS: q OK selected"
    )


@pytest.mark.parametrize(
    ("repeat", "answers"),
    [
        (Repeat.NEVER, ["one", "two", None, None]),
        (Repeat.LAST, ["one", "two", "two", "two"]),
        (Repeat.LOOP, ["one", "two", "one", "two"]),
    ],
)
def test_what_is_asked_more_often(repeat: Repeat, answers: list[str | None]) -> None:
    """Refused, answered as last, or started over."""
    script = "S: * PREAUTH hello\nC: a SEARCH SEEN\nS: a OK one\nC: b SEARCH SEEN\nS: b OK two\nC: c XEND\nS: c OK"
    client = "S: * PREAUTH hello\n"
    for number, answer in enumerate(answers):
        no = "NO [UNAVAILABLE] imaptap: 1/1 is played already, or about another selected mailbox"
        client += f"C: {number} SEARCH SEEN\nS: {number} {no if answer is None else f'OK {answer}'}\n"
    Stage([scene(script)], repeat=repeat).talk(client)


def test_a_literal_is_asked_for_and_large_ones_are_not_kept() -> None:
    """The recorded "+" was for another one; a client that does not wait gets none."""
    script = "S: * PREAUTH hello\nC: a APPEND x {3+}\r\nabc\nS: a OK appended\nC: b NOOP\nS: b OK"
    stage = Stage([scene(script.replace("\r\nabc", ""))], rules=("APPEND=any",))
    served = stage.enter()
    list(served.begin())
    assert list(said(served.receive(b"q APPEND x {5000}\r\n"))) == ["+ Go on"]
    assert list(said(served.receive(b"x" * 5000))) == []
    assert list(said(served.receive(b"\r\n"))) == ["q OK appended"]


def test_compression_begins_behind_its_answer() -> None:
    """Where it was recorded."""
    Stage([scene("S: * PREAUTH hello\nC: a COMPRESS DEFLATE\nS: a OK\nC: b NOOP\nS: b OK")]).talk("""
        S: * PREAUTH hello
        C: q COMPRESS DEFLATE
        S: q OK
        S: (deflate)
    """)


def test_it_does_not_begin_twice() -> None:
    """RFC 4978 section 3; another recorded session's answer must not begin it anew."""
    script = "S: * PREAUTH hello\nC: a COMPRESS DEFLATE\nS: a OK\nC: b NOOP\nS: b OK"
    Stage([scene(script, 1), scene(script, 2)]).talk("""
        S: * PREAUTH hello
        C: q COMPRESS DEFLATE
        S: q OK
        S: (deflate)
        C: r COMPRESS DEFLATE
        S: r NO [COMPRESSIONACTIVE] imaptap: it is compressed already
    """)


def test_a_command_without_a_recorded_answer_is_refused() -> None:
    """A client must never hang, and whoever runs the tests hears of it."""
    stage = Stage([scene("S: * PREAUTH hello\nC: a XWAIT\nC: b NOOP\nS: b OK")])
    stage.talk("S: * PREAUTH hello\nC: q XWAIT\nS: q NO [UNAVAILABLE] imaptap: the recording has no answer to this")
    assert [(asked.name, why) for asked, why, _ in stage.missed] == [("XWAIT", "the recording has no answer to this")]


@pytest.mark.parametrize(("recorded", "heard"), [("", "* BYE imaptap: good bye"), ("S: * BYE now", "* BYE now")])
def test_a_good_bye_that_was_cut_short_is_whole(recorded: str, heard: str) -> None:
    """Clients that go at the BYE leave recordings without the rest; LOGOUT cannot be refused."""
    script = f"S: * PREAUTH hello\nC: a LOGOUT\n{recorded}"
    Stage([scene(script)]).talk(f"S: * PREAUTH hello\nC: q LOGOUT\nS: {heard}\nS: q OK LOGOUT completed\nS: -")


@given(st.lists(st.integers(1, 12), max_size=40))
def test_cut_anywhere_it_is_the_same_session(cuts: list[int]) -> None:
    """However the client's bytes come."""
    client = b'x LOGIN {3}\r\nbob {3+}\r\nabc\r\ny SELECT "INBOX"\r\nz FETCH 1:3 (UID FLAGS)\r\n'
    whole = Stage([scene(MAIL)]).enter()
    wanted = [*said(whole.begin()), *said(whole.receive(client))]
    served = Stage([scene(MAIL)]).enter()
    heard, pos = list(said(served.begin())), 0
    for size in cuts:
        heard += said(served.receive(client[pos : pos + size]))
        pos += size
    assert [*heard, *said(served.receive(client[pos:]))] == wanted
    assert wanted[-1] == "z OK fetched"


@given(st.binary(max_size=200))
def test_nothing_that_a_client_says_is_a_fault(data: bytes) -> None:
    """It is answered or not, but nothing raises."""
    served = Stage([scene(MAIL)], door=Door("bob", b"secret")).enter()
    list(served.begin())
    list(said(served.receive(data)))
    list(said(served.receive(b"\r\n" + data + b"\r\n")))
