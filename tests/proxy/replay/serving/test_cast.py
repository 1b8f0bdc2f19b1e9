"""Which recorded session a connection gets: by order, by its first commands, by who logs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.replay.match import Rules
from tests.proxy.replay.serving.stages import Stage, scene

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pytest

    from proxy.replay.asked import Asked

GREETING = "S: * PREAUTH hello\n"
ONE = "S: * PREAUTH hello\nC: a SELECT x\nS: a OK one\nC: b SEARCH SEEN\nS: b OK one"
TWO = "S: * PREAUTH hello\nC: a SELECT x\nS: a OK two\nC: b SEARCH NEW\nS: b OK two"
THREE = "S: * PREAUTH hello\nC: a STATUS x (UNSEEN)\nS: a OK three"


def session(user: str) -> str:
    """One of this user."""
    return f"S: * OK hello\nC: a LOGIN {user} xxx\nS: a OK {user} is in\nC: b NOOP\nS: b OK"


def talk(stage: Stage, command: str, answer: str) -> None:
    """One command of a new connection."""
    stage.talk(f"S: * PREAUTH hello\nC: q {command}\nS: q {answer}")


def test_connections_are_sessions_in_their_order_and_then_again() -> None:
    """The one that was played least often."""
    stage = Stage([scene(ONE, 1), scene(TWO, 2)])
    for number in ("one", "two", "one", "two"):
        talk(stage, "SELECT x", f"OK {number}")


def test_the_first_commands_tell_which_one_it_is() -> None:
    """Another session that goes on like this takes the place of the one that does not."""
    stage = Stage([scene(ONE, 1), scene(TWO, 2), scene(THREE, 3)])
    talk(stage, "STATUS x (UNSEEN)", "OK three")
    stage.talk("S: * PREAUTH hello\nC: q SELECT x\nS: q OK one\nC: r SEARCH NEW\nS: r OK two")
    talk(stage, "SELECT x", "OK one")
    assert not stage.missed


def test_who_logs_in_tells_it_too() -> None:
    """A user whom nobody knows gets what comes next."""
    stage = Stage([scene(session("ann"), 1, "ann"), scene(session("bob"), 2, "bob")])
    for user in ("bob", "ann", "bob"):
        stage.talk(f"S: * OK hello\nC: q LOGIN {user} x\nS: q OK {user} is in")
    stage.talk("S: * OK hello\nC: q LOGIN eve x\nS: q OK ann is in")


def test_what_was_never_asked_for_is_told_but_for_what_clients_may_leave_out() -> None:
    """Of all sessions, in their order."""
    stage = Stage([scene(ONE + "\nC: c NOOP\nS: c OK\nC: d LOGOUT\nS: d OK", 1), scene(TWO, 2)])
    talk(stage, "SELECT x", "OK one")
    left = [(scene.number, step.asked.shown) for scene, step in stage.cast.never_asked()]
    assert left == [(1, "SEARCH SEEN"), (2, "SELECT x"), (2, "SEARCH NEW")]


def test_a_selected_mailbox_is_what_a_command_is_about() -> None:
    """The same command in another mailbox is another command, whichever was recorded first."""
    script = """
        S: * PREAUTH hello
        C: a SELECT x
        S: a OK x
        C: b SEARCH SEEN
        S: b OK in x
        C: c SELECT y
        S: c OK y
        C: d SEARCH SEEN
        S: d OK in y
    """
    Stage([scene(script)]).talk("""
        S: * PREAUTH hello
        C: q SELECT y
        S: q OK y
        C: r SEARCH SEEN
        S: r OK in y
        C: s SELECT x
        S: s OK x
        C: t SEARCH SEEN
        S: t OK in x
    """)


def test_work_goes_to_whichever_connection_is_free() -> None:
    """A mailbox that was selected in another session is selected in this one, and the session goes on from there."""
    one = "S: * PREAUTH hello\nC: a LIST x\nS: a OK one\nC: b SELECT x\nS: b OK one\nC: c SEARCH SEEN\nS: c OK one"
    two = "S: * PREAUTH hello\nC: a LIST y\nS: a OK two\nC: b SELECT y\nS: b OK two\nC: c SEARCH SEEN\nS: c OK two"
    stage = Stage([scene(one, 1), scene(two, 2)])
    stage.talk("""
        S: * PREAUTH hello
        C: q LIST x
        S: q OK one
        C: r SELECT y
        S: r OK two
        C: s SEARCH SEEN
        S: s OK two
        C: t SELECT x
        S: t OK one
        C: u SEARCH SEEN
        S: u OK one
        C: v SELECT x
        S: v NO [UNAVAILABLE] imaptap: 1/2 is played already, or about another selected mailbox
    """)


def test_what_is_out_of_order_is_found_without_a_comparison_of_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording may have a hundred thousand, of which a client may want each in another order."""
    script = GREETING + "".join(f"C: {n} FETCH {n} FLAGS\nS: {n} OK {n}\n" for n in range(1, 50))
    stage = Stage([scene(script, 1), scene(script, 2)])
    compared = 0

    def key(rules: Rules, asked: Asked, *, recorded: bool) -> Hashable:
        nonlocal compared
        compared += 1
        return found(rules, asked, recorded=recorded)

    found = Rules.key
    monkeypatch.setattr(Rules, "key", key)
    monkeypatch.delattr(Rules, "differences")
    stage.talk(GREETING + "".join(f"C: {n} FETCH {n} FLAGS\nS: {n} OK {n}\n" for n in range(49, 0, -1)))
    assert compared == 49


IN = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\n"


def test_capabilities_are_those_before_the_login_or_behind_it_and_tell_nothing_of_the_session() -> None:
    """A client that comes by STARTTLS asks for them where it did not by TLS, and others began with that."""
    one = "C: a LOGIN bob x\nS: a OK [CAPABILITY IMAP4rev1 CONDSTORE] in\nC: b SELECT x\nS: b OK one"
    two = "C: a CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: a OK two\nC: b LOGIN bob x\nS: b OK two is in"
    stage = Stage([scene(IN + one, 1, "bob"), scene(IN + two, 2, "bob")])
    stage.talk(
        f"{IN}C: q CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: q OK CAPABILITY completed\n"
        "C: r LOGIN bob x\nS: r OK [CAPABILITY IMAP4rev1 CONDSTORE] in\n"
        "C: s CAPABILITY\nS: * CAPABILITY IMAP4rev1 CONDSTORE\nS: s OK CAPABILITY completed\n"
        "C: t SELECT x\nS: t OK one"
    )


def test_what_was_asked_before_the_login_is_not_answered_the_same_behind_it() -> None:
    two = "C: a CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: a OK two\n"
    login = "LOGIN bob x\nS: {0} OK [CAPABILITY IMAP4rev1 CONDSTORE] in\n"
    Stage([scene(f"{IN}{two}C: b {login.format('b')}C: c SELECT x\nS: c OK two")]).talk(
        f"{IN}C: q CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: q OK two\nC: r {login.format('r')}"
        "C: s CAPABILITY\nS: * CAPABILITY IMAP4rev1 CONDSTORE\nS: s OK CAPABILITY completed"
    )


def test_of_other_sessions_answers_those_come_last_that_were_given_before_mail_was_changed() -> None:
    """Until the recording begins anew: then mail is as it was."""
    before = f"{GREETING}C: a SELECT x\nS: a OK before\nC: b CREATE y\nS: b OK created"
    other = f"{GREETING}C: a LIST w\nS: a OK other"
    behind = f"{GREETING}C: a LIST y\nS: a OK y\nC: b LIST z\nS: b OK z\nC: c SELECT x\nS: c OK behind"
    stage = Stage([scene(before, 1), scene(other, 2), scene(behind, 3)])
    talk(stage, "CREATE y", "OK created")
    stage.talk(f"{GREETING}C: q LIST w\nS: q OK other\nC: r SELECT x\nS: r OK behind")
    talk(stage, "LIST y", "OK y")
    talk(stage, "SELECT x", "OK before")
    stage.talk(f"{GREETING}C: q LIST w\nS: q OK other\nC: r LIST z\nS: r OK z\nC: s SELECT x\nS: s OK behind")
    assert not stage.missed


def test_a_session_is_another_one_only_if_that_has_all_that_was_asked() -> None:
    """Also what was answered out of its order: else a command would be answered as in another mailbox."""
    one = f"{GREETING}C: a LIST x\nS: a OK\nC: b SELECT x\nS: b OK x\nC: c SEARCH {{}}\nS: c OK in x"
    other = f"{GREETING}C: a LIST {{0}}\nS: a OK\nC: b SELECT y\nS: b OK y"
    last = f"{other.format('z')}\nC: c SEARCH SEEN\nS: c OK in y"
    stage = Stage(
        [scene(one.format("NEW"), 1), scene(other.format("y"), 2), scene(one.format("SEEN"), 3), scene(last, 4)]
    )
    stage.talk(f"{GREETING}C: q LIST x\nS: q OK\nC: r SELECT x\nS: r OK x\nC: s SELECT y\nS: s OK y\n"
               "C: t SEARCH SEEN\nS: t OK in y")  # fmt: skip
