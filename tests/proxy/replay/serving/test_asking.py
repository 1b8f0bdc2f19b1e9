"""When a server is asked: what nothing recorded answers, and from then on everything."""

from __future__ import annotations

import pytest

from proxy.replay.serving.standing import Standing
from proxy.replay.serving.values import Ask, Pass
from tests.proxy.replay.serving.stages import Stage, said, scene

MAIL = """
S: * OK [CAPABILITY IMAP4rev1 IDLE] ready
C: a1 LOGIN bob xxxxx
S: a1 OK in
C: a2 SELECT INBOX
S: * 3 EXISTS
S: a2 OK [READ-WRITE] selected
C: a3 FETCH 1:3 UID
S: a3 OK fetched
C: a4 STORE 1 FLAGS ()
S: a4 OK stored
"""


class Talk:
    """A client, and what a server would be asked."""

    def __init__(
        self, script: str = MAIL, *, taken: bool = True, refusal: str = "", stage: Stage | None = None
    ) -> None:
        self.stage = stage or Stage([scene(script)])
        self.standing = Standing(self.stage.cast.changes)
        self.served = self.stage.enter(self.standing)
        self.asked: list[Ask] = []
        self.passed = b""
        self._outcome = taken, refusal
        self.heard = list(said(self.served.begin()))

    def say(self, data: bytes) -> list[str]:
        """What the client hears for it; bytes that go to the server are kept."""
        heard: list[str] = []
        for act in self.served.receive(data):
            if isinstance(act, Ask):
                self.asked.append(act)
                act.taken, act.refusal = self._outcome
            elif isinstance(act, Pass):
                self.passed += act.data
            else:
                heard += said([act])
        return heard

    def command(self) -> bytes:
        """The last command, as a server would be told it."""
        (unit,) = (self.asked[-1].unit,)
        assert unit is not None
        return b"".join(self.standing.command.parts(0, unit.end - unit.start))


IN = b"x1 LOGIN bob secret\r\nx2 SELECT INBOX\r\n"


def test_what_is_recorded_is_not_asked() -> None:
    """Nor what a client may ask at any time."""
    talk = Talk()
    talk.say(IN + b"x3 FETCH 1:3 UID\r\nx4 NOOP\r\nx5 CAPABILITY\r\nx6 LOGOUT\r\n")
    assert talk.asked == []
    assert talk.stage.missed == []


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_with_what_is_not_recorded_the_session_goes_on_at_the_server(size: int) -> None:
    """All that follows is the server's, in whatever pieces it comes, and also if it is recorded."""
    talk = Talk()
    script = IN + b"x3 SEARCH ALL\r\nx4 FETCH 1:3 UID\r\nx5 LOGOUT\r\n"
    heard = [line for start in range(0, len(script), size) for line in talk.say(script[start : start + size])]
    assert heard[-1] == "x2 OK [READ-WRITE] selected"
    (ask,) = talk.asked
    assert (ask.tag, ask.shown, ask.logged_in) == (b"x3", "SEARCH ALL", True)
    assert talk.command() == b"x3 SEARCH ALL\r\n"
    assert talk.passed == b"x4 FETCH 1:3 UID\r\nx5 LOGOUT\r\n"
    assert talk.stage.missed == []


@pytest.mark.parametrize("partly", ["", "S: * SEARCH 1 2\n"])
def test_what_was_recorded_without_its_end_is_asked(partly: str) -> None:
    """A run that was ended before the server had answered may have added it: it must not be NO for ever."""
    script = MAIL.partition("C: a4")[0] + "C: a4 SEARCH ALL\n" + partly
    talk = Talk(script)
    heard = talk.say(IN + b"x3 FETCH 1:3 UID\r\nx4 SEARCH ALL\r\n")
    assert heard[-1] == "x3 OK fetched"
    assert talk.command() == b"x4 SEARCH ALL\r\n"
    talk = Talk(script, taken=False, refusal="it is away")
    assert talk.say(IN + b"x4 SEARCH ALL\r\n")[-1] == "x4 NO [UNAVAILABLE] imaptap: it is away"
    assert len(talk.stage.missed) == 1


def test_a_server_that_cannot_be_asked_is_a_miss() -> None:
    """With the reason, and the session is served on."""
    talk = Talk(taken=False, refusal="it is away")
    assert talk.say(IN + b"x3 SEARCH ALL\r\nx4 FETCH 1:3 UID\r\n")[-2:] == [
        "x3 NO [UNAVAILABLE] imaptap: it is away",
        "x4 OK fetched",
    ]
    ((asked, why, _),) = talk.stage.missed
    assert (asked.name, why) == ("SEARCH", "it is away")


def test_a_literal_is_there_with_its_command() -> None:
    """However long: the server is told all of it once the client has said it."""
    talk = Talk()
    letter = bytes(range(256)) * 8192  # 2 MiB
    command = b"x3 APPEND other {%d}\r\n" % len(letter) + letter + b"\r\n"
    assert talk.say(IN + command + b"x4 NOOP\r\n")[-1] == "+ Go on"
    assert talk.command() == command
    assert talk.passed == b"x4 NOOP\r\n"
    talk.standing.command.clear()


def test_a_command_without_end_is_not_kept_for_ever() -> None:
    """And so cannot be asked."""
    talk = Talk()
    talk.say(IN + b"x3 XLONG ")
    for _ in range(20):
        talk.say(b"x" * 50_000)
    assert talk.say(b"\r\n")[-1].endswith("the command is too long to be asked of the server")


def test_a_change_that_was_answered_here_keeps_the_session_here() -> None:
    """The server has not heard of it."""
    talk = Talk()
    heard = talk.say(IN + b"x3 STORE 1 FLAGS ()\r\nx4 SEARCH ALL\r\n")
    assert talk.asked == []
    assert "STORE 1 FLAGS () was answered here and not done there" in heard[-1]


def test_a_change_that_another_connection_was_told_of_keeps_the_session_here() -> None:
    """Of the same user, as long as the recording has not begun anew; others have other mail."""
    stage = Stage([scene(MAIL, 1), scene(MAIL, 2), scene(MAIL, 3), scene(MAIL, 4)])
    before = Talk(stage=stage)
    Talk(stage=stage).say(IN + b"x3 STORE 1 FLAGS ()\r\n")
    said = before.say(IN + b"x4 SEARCH ALL\r\n")[-1]
    assert "on another connection STORE 1 FLAGS () was answered here and not done there" in said
    other = Talk(stage=stage)
    other.say(IN.replace(b"bob", b"eve") + b"x4 SEARCH ALL\r\n")
    assert len(other.asked) == 1
    Talk(stage=stage)
    anew = Talk(stage=stage)
    anew.say(IN + b"x4 SEARCH ALL\r\n")
    assert len(anew.asked) == 1


def test_a_login_that_is_not_recorded_is_asked_as_one() -> None:
    """Its password is nowhere but in the credentials."""
    talk = Talk("S: * OK hello\nC: a NOOP\nS: a OK")
    talk.say(b"x1 LOGIN bob secret\r\nx2 NOOP\r\n")
    (ask,) = talk.asked
    assert (ask.unit, ask.shown, ask.logged_in) == (None, "LOGIN bob", True)
    assert b"".join(talk.standing.command.parts(0, 100)) == b""
    assert talk.passed == b"x2 NOOP\r\n"


def test_a_login_that_the_server_refuses_leaves_the_session_here() -> None:
    """It was answered, so it is no miss."""
    talk = Talk("S: * OK hello\nC: a NOOP\nS: a OK", taken=False)
    assert talk.say(b"x1 LOGIN bob wrong\r\nx2 NOOP\r\n") == ["x2 OK"]
    assert talk.stage.missed == []
    assert talk.passed == b""
