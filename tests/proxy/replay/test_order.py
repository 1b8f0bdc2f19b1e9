"""Steps of several sessions: who waits for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.replay.order import Order
from proxy.replay.part import Moment, Part

if TYPE_CHECKING:
    from proxy.imap.transcript import Direction


class NoLiterals:
    """Nothing is kept."""

    def content(self, direction: Direction, start: int, size: int) -> None:
        """None."""

    def digest(self, direction: Direction, start: int, size: int) -> None:
        """None."""


def session(number: int, user: str, *rows: tuple[str, int, int | None]) -> Part:
    """A session of these commands, with when each began and ended; they are numbered 1, 2, …"""
    moments = tuple(Moment(index, *row) for index, row in enumerate(rows, 1))
    return Part(number, 0, 1000, user, True, False, moments, tuple, NoLiterals())


class Turns:
    """Whether a step of a session's turn has come."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.come: list[str] = []

    def ask(self, name: str, session: int, wall: int) -> None:
        """Ask for it under this name."""
        self.order.turn(session, wall, lambda: self.come.append(name))


@pytest.mark.parametrize(
    ("command", "users", "waits"),
    [
        ("STORE", ("bob", "eve"), True),
        ("SELECT", ("bob", "eve"), True),
        ("APPEND", ("bob", "eve"), True),
        ("XYZZY", ("bob", "eve"), True),
        ("UID FETCH", ("bob", "bob"), True),
        ("UID FETCH", ("bob", "eve"), False),
        ("LIST", ("bob", "eve"), False),
        ("NOOP", ("bob", "bob"), False),
        ("LOGIN", ("bob", "bob"), False),
        ("ENABLE", ("bob", "bob"), False),
    ],
)
def test_what_was_over_before_a_step_is_over_before_it_again(command: str, users: tuple[str, str], waits: bool) -> None:
    """Changes to mail and selections always; what tells of mail, for the same user; the rest never."""
    turns = Turns(Order([session(1, users[0], (command, 10, 20)), session(2, users[1], ("FETCH", 30, 40))]))
    turns.ask("fetch", 2, 30)
    assert turns.come == ([] if waits else ["fetch"])
    turns.order.over(1, 1)
    assert turns.come == ["fetch"]


def test_what_was_not_over_is_not_waited_for() -> None:
    turns = Turns(Order([session(1, "bob", ("STORE", 10, 35)), session(2, "bob", ("FETCH", 30, 40))]))
    turns.ask("fetch", 2, 30)
    assert turns.come == ["fetch"]


def test_two_at_the_same_moment_do_not_wait_for_each_other() -> None:
    turns = Turns(Order([session(1, "bob", ("STORE", 10, 10)), session(2, "bob", ("STORE", 10, 10))]))
    turns.ask("one", 1, 10)
    turns.ask("two", 2, 10)
    assert turns.come == ["one", "two"]


def test_what_was_never_answered_is_not_waited_for() -> None:
    turns = Turns(Order([session(1, "bob", ("STORE", 10, None)), session(2, "bob", ("FETCH", 30, 40))]))
    turns.ask("fetch", 2, 30)
    assert turns.come == ["fetch"]


def test_a_session_does_not_wait_for_itself() -> None:
    turns = Turns(Order([session(1, "bob", ("STORE", 10, 20), ("FETCH", 30, 40))]))
    turns.ask("fetch", 1, 30)
    assert turns.come == ["fetch"]


def test_all_of_several_are_waited_for_in_any_order() -> None:
    stores = session(1, "bob", ("STORE", 1, 2), ("STORE", 3, 4), ("STORE", 5, 6))
    turns = Turns(Order([stores, session(2, "bob", ("COPY", 1, 3)), session(3, "bob", ("FETCH", 5, 9))]))
    turns.ask("fetch", 3, 5)
    turns.order.over(1, 2)
    turns.order.over(2, 1)
    assert turns.come == []
    turns.order.over(1, 1)
    assert turns.come == ["fetch"]


def test_an_idle_is_waited_for_until_it_has_begun() -> None:
    """What another session does then is news to it."""
    turns = Turns(Order([session(1, "bob", ("IDLE", 10, 90)), session(2, "bob", ("APPEND", 30, 40))]))
    turns.ask("append", 2, 30)
    assert turns.come == []
    turns.order.over(1, 1)
    assert turns.come == ["append"]


def test_steps_that_never_come_are_not_waited_for() -> None:
    """Their bytes were lost: the session goes on with a later one."""
    lossy = session(1, "bob", ("STORE", 10, 20), ("NOOP", 50, 60))
    turns = Turns(Order([lossy, session(2, "bob", ("FETCH", 30, 40))]))
    turns.ask("fetch", 2, 30)
    turns.order.begun(1, 1)
    assert turns.come == []
    lossier = session(1, "bob", ("STORE", 10, 20), ("STORE", 50, 60))
    turns = Turns(Order([lossier, session(2, "bob", ("FETCH", 30, 40))]))
    turns.ask("fetch", 2, 30)
    turns.order.begun(1, 2)
    assert turns.come == ["fetch"]


def test_a_session_that_has_left_is_not_waited_for() -> None:
    turns = Turns(Order([session(1, "bob", ("STORE", 10, 20)), session(2, "bob", ("FETCH", 30, 40))]))
    turns.ask("fetch", 2, 30)
    turns.order.leave(1)
    turns.ask("another", 2, 35)
    assert turns.come == ["fetch", "another"]
